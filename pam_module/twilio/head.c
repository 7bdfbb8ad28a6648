/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The head of an HTTP/1.1 reply. */
#include "head.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Digits of a length: more than a reply may have. */
enum { LENGTH_DIGITS_MAX = 9, STATUS_NO_CONTENT = 204, STATUS_NOT_MODIFIED = 304 };

/* A field, without the blanks around its value. */
struct field {
    const char *name, *value;
    size_t name_size, value_size;
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* tchar of RFC 9110, section 5.6.2. */
static bool is_token(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!is_letter(bytes[i]) && !is_digit(bytes[i]) &&
            (bytes[i] == '\0' || strchr("!#$%&'*+-.^_`|~", bytes[i]) == NULL))
            return false;
    return size > 0;
}

static bool is_control(char byte)
{
    unsigned char value = (unsigned char)byte;

    return (value < 0x20 && value != '\t') || value == 0x7f;
}

static bool has_control(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (is_control(bytes[i]))
            return true;
    return false;
}

static bool equals(const char *bytes, size_t size, const char *text)
{
    return size == strlen(text) && strncasecmp(bytes, text, size) == 0;
}

/* Whether LIST, separated by commas and blanks, has WORD in it. */
static bool has_word(const char *list, size_t size, const char *word)
{
    size_t begin = 0;

    for (size_t end = 0; end <= size; end++) {
        if (end < size && list[end] != ',' && !is_blank(list[end]))
            continue;
        if (equals(list + begin, end - begin, word))
            return true;
        begin = end + 1;
    }
    return false;
}

void head_begin(struct head *head)
{
    *head = (struct head){ .request_id = "-", .part = HEAD_STATUS };
}

/* HTTP/1.1 200 OK; the reason may be left out, and the blank before it. */
static const char *take_status(struct head *head, const char *line, size_t size)
{
    static const char name[] = "HTTP/1.";
    enum { NAME = sizeof name - 1, DIGITS = NAME + 2, END = DIGITS + 3 };

    if (size < END || memcmp(line, name, NAME) != 0 || (line[NAME] != '0' && line[NAME] != '1') ||
        line[NAME + 1] != ' ' || !is_digit(line[DIGITS]) || !is_digit(line[DIGITS + 1]) ||
        !is_digit(line[DIGITS + 2]) || (size > END && line[END] != ' ') || has_control(line, size))
        return "malformed status line";

    head->is_1_0 = line[NAME] == '0';
    head->status = (line[DIGITS] - '0') * 100 + (line[DIGITS + 1] - '0') * 10 + line[END - 1] - '0';
    head->part = HEAD_FIELDS;
    if (head->status < 100)
        return "malformed status line";
    if (head->status == 101)
        return "unexpected change of protocol";
    if (head->status < 200 && ++head->interim > HEAD_INTERIM_MAX)
        return "too many interim replies";
    return NULL;
}

static const char *take_length(struct head *head, const struct field *field)
{
    if (head->has_length)
        return "two Content-Length fields";
    if (field->value_size == 0 || field->value_size > LENGTH_DIGITS_MAX)
        return "invalid Content-Length";
    for (size_t i = 0; i < field->value_size; i++)
        if (!is_digit(field->value[i]))
            return "invalid Content-Length";
    head->has_length = true;
    return head->is_chunked ? "Content-Length beside Transfer-Encoding" : NULL;
}

/* "chunked" alone: nothing else was asked for, and whatever else is last leaves the end open. */
static const char *take_coding(struct head *head, const struct field *field)
{
    if (head->is_chunked)
        return "two Transfer-Encoding fields";
    if (!equals(field->value, field->value_size, "chunked"))
        return "unknown Transfer-Encoding";
    if (head->is_1_0 || head->status == STATUS_NO_CONTENT)
        return "unexpected Transfer-Encoding";
    head->is_chunked = true;
    return head->has_length ? "Content-Length beside Transfer-Encoding" : NULL;
}

static void keep_request_id(struct head *head, const struct field *field)
{
    if (field->value_size == 0 || field->value_size >= sizeof head->request_id)
        return;
    for (size_t i = 0; i < field->value_size; i++)
        if (!is_letter(field->value[i]) && !is_digit(field->value[i]))
            return;
    memcpy(head->request_id, field->value, field->value_size);
    head->request_id[field->value_size] = '\0';
}

static void keep_date(struct head *head, const struct field *field)
{
    if (field->value_size >= sizeof head->date)
        return;
    memcpy(head->date, field->value, field->value_size);
    head->date[field->value_size] = '\0';
}

/* NULL, and *RET_FIELD; or why LINE is no field. A line that begins with a blank goes on with the
 * one before it (obs-fold). */
static const char *split(const char *line, size_t size, struct field *ret_field)
{
    const char *colon = memchr(line, ':', size), *value, *end = line + size;

    if (is_blank(*line))
        return "folded field";
    if (colon == NULL || !is_token(line, (size_t)(colon - line)))
        return "malformed field name";
    if (has_control(colon, (size_t)(end - colon)))
        return "control byte in a field";

    for (value = colon + 1; value < end && is_blank(*value); value++)
        ;
    while (end > value && is_blank(end[-1]))
        end--;
    *ret_field = (struct field){ line, value, (size_t)(colon - line), (size_t)(end - value) };
    return NULL;
}

static const char *take_field(struct head *head, const char *line, size_t size)
{
    struct field field;
    const char *why_not = split(line, size, &field);
    bool is_length, is_coding;

    if (why_not != NULL)
        return why_not;
    is_length = equals(field.name, field.name_size, "Content-Length");
    is_coding = equals(field.name, field.name_size, "Transfer-Encoding");
    if ((is_length || is_coding) && (head->part == HEAD_TRAILERS || head->status < 200))
        return "unexpected length";
    if (is_length)
        return take_length(head, &field);
    if (is_coding)
        return take_coding(head, &field);

    if (equals(field.name, field.name_size, "Connection"))
        head->is_kept_alive |= has_word(field.value, field.value_size, "keep-alive");
    if (equals(field.name, field.name_size, "Twilio-Request-Id"))
        keep_request_id(head, &field);
    if (equals(field.name, field.name_size, "Date"))
        keep_date(head, &field);
    return NULL;
}

/* The empty line. */
static const char *take_end(struct head *head)
{
    bool has_body = head->status != STATUS_NO_CONTENT && head->status != STATUS_NOT_MODIFIED;

    if (head->status < 200) {
        head->part = HEAD_STATUS;
        return NULL;
    }
    head->part = HEAD_TRAILERS;
    if (has_body && head->is_kept_alive && !head->has_length && !head->is_chunked)
        return "no length on a connection that is kept open";
    return NULL;
}

const char *head_take(struct head *head, const char *line, size_t size)
{
    if (size > HEAD_SIZE_MAX - head->size)
        return "the head is too long";
    head->size += size;
    if (size < 2 || line[size - 2] != '\r' || line[size - 1] != '\n')
        return "line does not end with CR LF";
    size -= 2;

    if (head->part == HEAD_STATUS)
        return take_status(head, line, size);
    if (head->part == HEAD_TRAILERS && !head->is_chunked)
        return "field after the head";
    return size == 0 ? take_end(head) : take_field(head, line, size);
}
