/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The values of keys from one process to another. */
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_DIGITS_MAX = 9, DECIMAL = 10 };

/* No value is a text that is not there: none may be empty. */
static bool print_value(const struct key *key, const void *value, FILE *out)
{
    switch (key->type) {
    case KEY_TEXT:
        return *(char *const *)value == NULL || fputs(*(char *const *)value, out) >= 0;
    case KEY_NUMBER:
        return fprintf(out, "%d", *(const int *)value) >= 0;
    case KEY_WORD:
        return fputs(key->words[*(const int *)value], out) >= 0;
    case KEY_TEXTS:
        break;
    }
    return true;
}

static bool print(const struct key *key, const void *value, FILE *out)
{
    return fprintf(out, "%s.%s=", key->group, key->name) >= 0 && print_value(key, value, out) &&
           fputc('\n', out) != EOF;
}

char *values_print(const struct key *keys, size_t count, const void *target)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool is_whole = true;

    if (out == NULL)
        return NULL;
    /* Each call tells of its lack of memory: glibc's ferror(3) does not. */
    for (size_t i = 0; is_whole && i < count; i++)
        is_whole = print(&keys[i], (const char *)target + keys[i].offset, out);
    if (fclose(out) == 0 && is_whole)
        return text;
    free(text);
    return NULL;
}

static bool scan_text(const char *text, const struct key *key, char **value)
{
    if (*text == '\0')
        return !key->mandatory && key->text == NULL;
    if (!keys_text_is_valid(key, text))
        return false;
    *value = strdup(text);
    return *value != NULL;
}

static bool scan_number(const char *text, int minimum, int maximum, int *value)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > NUMBER_DIGITS_MAX || text[digits] != '\0')
        return false;
    *value = (int)strtol(text, NULL, DECIMAL);
    return *value >= minimum && *value <= maximum;
}

static bool scan_word(const char *text, const char *const *words, int *value)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return true;
        }
    return false;
}

static bool scan_value(const char *text, const struct key *key, void *value)
{
    switch (key->type) {
    case KEY_TEXT:
        return scan_text(text, key, value);
    case KEY_NUMBER:
        return scan_number(text, key->minimum, key->maximum, value);
    case KEY_WORD:
        return scan_word(text, key->words, value);
    case KEY_TEXTS:
        break;
    }
    return *text == '\0';
}

/* Whether PREFIX stands at *TEXT, which moves behind it. */
static bool skip(const char **text, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(*text, prefix, length) != 0)
        return false;
    *text += length;
    return true;
}

/* The line at *TEXT, which moves behind it. */
static bool scan(const char **text, const struct key *key, void *value)
{
    size_t length;
    bool is_taken;
    char *line;

    if (!skip(text, key->group) || !skip(text, ".") || !skip(text, key->name) || !skip(text, "="))
        return false;
    length = strcspn(*text, "\n");
    line = strndup(*text, length);
    if (line == NULL)
        return false;
    *text += length;
    is_taken = scan_value(line, key, value) && skip(text, "\n");
    free(line);
    return is_taken;
}

bool values_scan(const char *text, const struct key *keys, size_t count, void *target)
{
    for (size_t i = 0; i < count; i++)
        if (!scan(&text, &keys[i], (char *)target + keys[i].offset))
            return false;
    return *text == '\0';
}
