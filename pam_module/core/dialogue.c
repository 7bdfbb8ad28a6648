/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The dialogue between the module and the check program. */
#include "dialogue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptor.h"
#include "text.h"

#define OWN    " own"
#define SILENT " silent"
#define DONE   "done"

enum { PID_MAX = 4194304, NUMBERS_SIZE = 48 };

static const char *const tasks[] = {
    [DIALOGUE_LOGIN] = "login 2 ",
    [DIALOGUE_PROVED] = "proved 2 ",
    [DIALOGUE_PROVED_IN_CHILD] = "proved-in-child 2 ",
    [DIALOGUE_SESSION] = "session 2 ",
};

/* Of the messages with a text. */
static const char *const prefixes[] = {
    [DIALOGUE_ASK_SECRET] = "ask-secret ",
    [DIALOGUE_ASK] = "ask ",
    [DIALOGUE_SHOW] = "show ",
    [DIALOGUE_LOG_NOTICE] = "log notice ",
    [DIALOGUE_LOG_WARNING] = "log warning ",
};

static bool is_plain(char byte)
{
    return byte > ' ' && byte < 0x7f && byte != '%';
}

/* Percent-encodes the first SIZE bytes of NAME; the end of what it wrote, NULL if it did not
 * fit. */
static char *encode_name(const char *name, size_t size, char *out, const char *end)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (end - out < 4)
            return NULL;
        if (is_plain(name[i])) {
            *out++ = name[i];
            continue;
        }
        *out++ = '%';
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    *out = '\0';
    return out;
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* One spelling for one name: what need not be escaped must not be. */
static bool decode_name(const char *name, size_t size, char *out, size_t out_size)
{
    for (size_t i = 0; i < size; i++) {
        char byte = name[i];
        if (byte == '%') {
            if (size - i < 3 || digit_value(name[i + 1]) < 0 || digit_value(name[i + 2]) < 0)
                return false;
            byte = (char)(digit_value(name[i + 1]) << 4 | digit_value(name[i + 2]));
            if (byte == '\0' || is_plain(byte))
                return false;
            i += 2;
        } else if (!is_plain(byte)) {
            return false;
        }
        if (out_size < 2)
            return false;
        *out++ = byte;
        out_size--;
    }
    *out = '\0';
    return true;
}

/* The end of what it wrote; NULL: it does not fit. */
static char *print_names(enum dialogue_task task, const char *service, const char *user,
                         char line[DIALOGUE_LINE_SIZE])
{
    const char *end = line + (DIALOGUE_LINE_SIZE - NUMBERS_SIZE);
    char *out = stpcpy(line, tasks[task]);

    if (service[0] == '\0' || strlen(service) >= DIALOGUE_SERVICE_SIZE)
        return NULL;

    out = encode_name(service, strlen(service), out, end);
    if (out == NULL || end - out < 2)
        return NULL;
    *out++ = ' ';
    return encode_name(user, strnlen(user, DIALOGUE_NAME_MAX + 1), out, end);
}

bool dialogue_print_login(const char *service, const char *user, unsigned flags,
                          char line[DIALOGUE_LINE_SIZE])
{
    char *out = print_names(DIALOGUE_LOGIN, service, user, line);

    if (out == NULL)
        return false;
    if (flags & DIALOGUE_OWN)
        out = stpcpy(out, OWN);
    if (flags & DIALOGUE_SILENT)
        stpcpy(out, SILENT);
    return true;
}

bool dialogue_print_task(enum dialogue_task task, const char *service, const char *user,
                         int64_t pid, int64_t start, char line[DIALOGUE_LINE_SIZE])
{
    char *out = print_names(task, service, user, line);

    if (out == NULL)
        return false;
    snprintf(out, NUMBERS_SIZE, " %lld %lld", (long long)pid, (long long)start);
    return true;
}

/* Whether REST begins with WORD, which is passed over then. */
static bool take_word(const char **rest, const char *word)
{
    size_t length = strlen(word);
    bool is_there = strncmp(*rest, word, length) == 0;

    *rest += is_there ? length : 0;
    return is_there;
}

/* " N": one spelling alone. */
static bool take_number(const char **rest, int64_t most, int64_t *ret_number)
{
    int64_t number = 0;
    const char *digit = *rest + 1;

    if (**rest != ' ' || *digit < '1' || *digit > '9')
        return false;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        if (number > (most - (*digit - '0')) / 10)
            return false;
        number = number * 10 + (*digit - '0');
    }
    *rest = digit;
    *ret_number = number;
    return true;
}

/* What stands behind the names. */
static bool take_rest(const char *rest, struct dialogue_login *login)
{
    login->is_own = login->is_silent = false;
    login->pid = login->start = 0;
    if (login->task == DIALOGUE_LOGIN) {
        login->is_own = take_word(&rest, OWN);
        login->is_silent = take_word(&rest, SILENT);
    } else if (!take_number(&rest, PID_MAX, &login->pid) || login->pid < 2 ||
               !take_number(&rest, INT64_MAX, &login->start)) {
        return false;
    }
    return *rest == '\0';
}

bool dialogue_parse_login(const char *line, struct dialogue_login *ret_login)
{
    struct dialogue_login login = { .task = DIALOGUE_LOGIN };
    const char *service = line, *user, *rest;

    while (!take_word(&service, tasks[login.task]))
        if (++login.task > DIALOGUE_SESSION)
            return false;
    user = strchr(service, ' ');
    if (user == NULL || user == service)
        return false;
    if (!decode_name(service, (size_t)(user - service), login.service, sizeof login.service))
        return false;
    user++;
    rest = user + strcspn(user, " ");
    if (!decode_name(user, (size_t)(rest - user), login.user, sizeof login.user))
        return false;
    if (!take_rest(rest, &login))
        return false;

    *ret_login = login;
    return true;
}

/* A line without a text, or with ": " and a text behind it. */
static bool parse_done(const char *line, struct dialogue_message *ret_message)
{
    const char *text = line;

    if (strcmp(line, "remember") == 0) {
        *ret_message = (struct dialogue_message){ DIALOGUE_REMEMBER, "", { 0 } };
        return true;
    }
    if (!take_word(&text, DONE) || (*text != '\0' && (!take_word(&text, ": ") || *text == '\0')))
        return false;
    *ret_message = (struct dialogue_message){ DIALOGUE_DONE, text, { 0 } };
    return true;
}

bool dialogue_parse_message(const char *line, struct dialogue_message *ret_message)
{
    struct verdict verdict;

    if (!text_is_clean(line, strlen(line)))
        return false;

    for (unsigned kind = 0; kind < sizeof prefixes / sizeof *prefixes; kind++) {
        const char *text = line;
        if (!take_word(&text, prefixes[kind]))
            continue;
        *ret_message = (struct dialogue_message){ (enum dialogue_kind)kind, text, { 0 } };
        return true;
    }

    if (parse_done(line, ret_message))
        return true;
    if (!verdict_parse(line, &verdict))
        return false;
    *ret_message = (struct dialogue_message){ DIALOGUE_VERDICT, line, verdict };
    return true;
}

/* Moves the first line out of the reader. */
static enum dialogue_read take_line(struct dialogue_reader *reader, char *line)
{
    char *newline = memchr(reader->bytes, '\n', reader->size);
    size_t length;

    if (newline == NULL)
        return reader->size < sizeof reader->bytes ? DIALOGUE_NOTHING : DIALOGUE_BROKEN;
    length = (size_t)(newline - reader->bytes);
    if (memchr(reader->bytes, '\0', length) != NULL)
        return DIALOGUE_BROKEN;

    memcpy(line, reader->bytes, length);
    line[length] = '\0';
    reader->size -= length + 1;
    memmove(reader->bytes, newline + 1, reader->size);
    explicit_bzero(reader->bytes + reader->size, length + 1);
    return DIALOGUE_LINE;
}

enum dialogue_read dialogue_read(struct dialogue_reader *reader, int64_t deadline_ms,
                                 char line[DIALOGUE_LINE_SIZE])
{
    for (;;) {
        enum dialogue_read taken = take_line(reader, line);
        ssize_t size;

        if (taken != DIALOGUE_NOTHING)
            return taken;
        /* After an error of the wait read() says what is wrong. */
        if (descriptor_wait(reader->descriptor, deadline_ms) == 0)
            return DIALOGUE_NOTHING;

        size = read(reader->descriptor, reader->bytes + reader->size,
                    sizeof reader->bytes - reader->size);
        if (size < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        /* A socket whose other end closed before it had read everything of ours. */
        if (size < 0 && errno == ECONNRESET)
            size = 0;
        if (size < 0)
            return DIALOGUE_BROKEN;
        if (size == 0)
            return reader->size == 0 ? DIALOGUE_END : DIALOGUE_BROKEN;
        reader->size += (size_t)size;
    }
}

void dialogue_reader_wipe(struct dialogue_reader *reader)
{
    explicit_bzero(reader->bytes, sizeof reader->bytes);
    reader->size = 0;
}

/* A socket must not raise SIGPIPE in a host; by hand it is a pipe or a terminal. */
static ssize_t send_or_write(int descriptor, const char *bytes, size_t size)
{
    ssize_t sent = send(descriptor, bytes, size, MSG_NOSIGNAL);

    return sent < 0 && errno == ENOTSOCK ? write(descriptor, bytes, size) : sent;
}

bool dialogue_write(int descriptor, const char *line)
{
    char bytes[DIALOGUE_LINE_SIZE + 1];
    size_t size = strnlen(line, DIALOGUE_LINE_MAX);
    bool sent = true;

    memcpy(bytes, line, size);
    bytes[size++] = '\n';

    for (size_t done = 0; sent && done < size;) {
        ssize_t step = send_or_write(descriptor, bytes + done, size - done);
        if (step > 0)
            done += (size_t)step;
        else if (step < 0 && errno != EINTR)
            sent = false;
    }
    explicit_bzero(bytes, sizeof bytes);
    return sent;
}

bool dialogue_say(int descriptor, enum dialogue_kind kind, const char *text)
{
    char line[DIALOGUE_LINE_SIZE];

    snprintf(line, sizeof line, "%s%s", prefixes[kind], text);
    return dialogue_write(descriptor, line);
}
