/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Lines in and out of a file. */
#include "lines.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MARK "  # twilio-verify enable"
/* Of a line before which the text ended without a newline. */
#define MARK_AT_END MARK ", at the end"
#define PUT_AWAY    "# twilio-verify enable put this line away: "
#define BLANKS      " \t\r"

/* A part of the text, with its newline where it has one. */
struct span {
    const char *begin;
    size_t size;
};

/* The next line of the file. False: TEXT is over. */
static bool take_part(const char *text, struct span *ret_part)
{
    size_t size = strcspn(text, "\n");

    *ret_part = (struct span){ text, size + (text[size] == '\n') };
    return *text != '\0';
}

/* Whether libpam ignores PART, also where the line before goes on. */
static bool is_empty(const struct span *part)
{
    size_t blanks = strspn(part->begin, BLANKS);

    return blanks >= part->size || strchr("#\n", part->begin[blanks]) != NULL;
}

/* Whether libpam takes the next line for the rest of PART. */
static bool goes_on(const struct span *part)
{
    size_t size = part->size;

    while (size > 0 && isspace((unsigned char)part->begin[size - 1]))
        size--;
    return size > 0 && part->begin[size - 1] == '\\' && memchr(part->begin, '#', size) == NULL;
}

/* The line that begins at TEXT, with all that it goes on in. False: TEXT is over. */
static bool take_line(const char *text, struct span *ret_line)
{
    struct span line = { text, 0 }, part;
    bool is_open = true;

    while (is_open && take_part(text + line.size, &part)) {
        is_open = line.size > 0 && is_empty(&part) ? true : goes_on(&part);
        line.size += part.size;
    }
    *ret_line = line;
    return line.size > 0;
}

/* The line NUMBER of TEXT. False: there is none. */
static bool find_line(const char *text, unsigned number, struct span *ret_line)
{
    struct span line;

    for (unsigned i = 1; take_line(text, &line); i++) {
        if (i == number) {
            *ret_line = line;
            return true;
        }
        text += line.size;
    }
    return false;
}

/* Adds what PART says to WORDS, of which *USED bytes are there. */
static void add_words(const struct span *part, char words[LINES_SIZE], size_t *used)
{
    for (size_t i = 0; i < part->size && part->begin[i] != '#' && *used + 2 < LINES_SIZE; i++) {
        char byte = part->begin[i];
        bool is_blank = isspace((unsigned char)byte) || byte == '\\';
        if (!is_blank)
            words[(*used)++] = byte;
        else if (*used > 0 && words[*used - 1] != ' ')
            words[(*used)++] = ' ';
    }
}

static void print_words(const struct span *line, char words[LINES_SIZE])
{
    size_t used = 0;
    struct span part;

    for (size_t at = 0; at < line->size && take_part(line->begin + at, &part); at += part.size)
        add_words(&part, words, &used);
    if (used > 0 && words[used - 1] == ' ')
        used--;
    words[used] = '\0';
}

bool lines_print(const char *text, unsigned number, char words[LINES_SIZE])
{
    struct span line;

    if (!find_line(text, number, &line))
        return false;
    print_words(&line, words);
    return true;
}

static bool is_auth(const struct span *line, lines_has_auth has_auth, void *context)
{
    char words[LINES_SIZE];
    char *rest = words;
    const char *type;

    print_words(line, words);
    type = strsep(&rest, " ");
    if (rest == NULL)
        return false;
    if (strcasecmp(type, "@include") == 0)
        return has_auth(rest, context);
    return strcasecmp(type + (*type == '-'), "auth") == 0;
}

unsigned lines_next_auth(const char *text, unsigned after, lines_has_auth has_auth, void *context)
{
    struct span line;

    for (unsigned i = 1; take_line(text, &line); i++) {
        if (i > after && is_auth(&line, has_auth, context))
            return i;
        text += line.size;
    }
    return 0;
}

unsigned lines_find(const char *text, const char *line)
{
    const struct span wanted_line = { line, strlen(line) };
    char wanted[LINES_SIZE];
    unsigned found = 0;
    struct span each;

    print_words(&wanted_line, wanted);
    for (unsigned i = 1; *wanted != '\0' && take_line(text, &each); i++) {
        char words[LINES_SIZE];
        print_words(&each, words);
        if (strcmp(words, wanted) == 0 && found != 0)
            return 0;
        if (strcmp(words, wanted) == 0)
            found = i;
        text += each.size;
    }
    return found;
}

static void print_kept(FILE *stream, const struct span *line, bool puts_away)
{
    struct span part;

    for (size_t at = 0; at < line->size && take_part(line->begin + at, &part); at += part.size)
        fprintf(stream, "%s%.*s", puts_away ? PUT_AWAY : "", (int)part.size, part.begin);
}

char *lines_insert(const char *text, unsigned after, bool puts_away, const char *const *lines)
{
    struct span line = { text, 0 };
    const char *rest;
    char *result = NULL;
    size_t size = 0;
    FILE *stream;
    bool is_at_end;

    if (after != 0 && !find_line(text, after, &line))
        return NULL;
    stream = open_memstream(&result, &size);
    if (stream == NULL)
        return NULL;

    rest = line.begin + line.size;
    is_at_end = rest > text && rest[-1] != '\n';
    fwrite(text, 1, (size_t)(line.begin - text), stream);
    print_kept(stream, &line, puts_away);
    if (is_at_end)
        fputc('\n', stream);
    for (; *lines != NULL; lines++)
        fprintf(stream, "%s%s\n", *lines, is_at_end ? MARK_AT_END : MARK);
    fputs(rest, stream);
    if (fclose(stream) == 0)
        return result;
    free(result);
    return NULL;
}

char *lines_append(const char *text, const char *const *lines)
{
    unsigned count = 0;
    struct span line;

    for (const char *at = text; take_line(at, &line); at += line.size)
        count++;
    return lines_insert(text, count, false, lines);
}

/* Whether PART ends with MARK, but for blanks. */
static bool ends_with(const struct span *part, const char *mark)
{
    size_t size = part->size, length = strlen(mark);

    while (size > 0 && isspace((unsigned char)part->begin[size - 1]))
        size--;
    return size >= length && memcmp(part->begin + size - length, mark, length) == 0;
}

static bool is_put_away(const struct span *part)
{
    return part->size >= strlen(PUT_AWAY) && memcmp(part->begin, PUT_AWAY, strlen(PUT_AWAY)) == 0;
}

char *lines_remove(const char *text, size_t *ret_count)
{
    char *result = malloc(strlen(text) + 1), *end = result;
    bool was_at_end = false;
    size_t count = 0;
    struct span part;

    if (result == NULL)
        return NULL;
    for (; take_part(text, &part); text += part.size) {
        size_t skipped = is_put_away(&part) ? strlen(PUT_AWAY) : 0;
        bool is_at_end = ends_with(&part, MARK_AT_END);
        bool is_ours = is_at_end || ends_with(&part, MARK);
        count += is_ours || skipped > 0;
        if (!is_ours)
            end = mempcpy(end, part.begin + skipped, part.size - skipped);
        was_at_end = is_at_end;
    }
    if (was_at_end && end > result)
        end--;
    *end = '\0';
    *ret_count = count;
    return result;
}
