/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The text of a settings file: the configuration files of libconfig's manual, section 3. */
#include "settings-text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/keys.h"

#define BLANKS " \t\r\n\f\v"
#define NAME   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*_-"

/* Where something is in a text: from BEGIN up to END. */
struct place {
    const char *begin, *end;
};

static const char *skip_blanks(const char *text)
{
    const char *before;

    do {
        before = text;
        text += strspn(text, BLANKS);
        if (*text != '"')
            text = keys_skip_words(text);
    } while (text != before);
    return text;
}

/* Strings that follow each other are one value. */
static const char *skip_value(const char *text)
{
    const char *end = text;

    if (*text != '"')
        return text + strcspn(text, ";,}#/" BLANKS);
    for (; *text == '"'; text = skip_blanks(end))
        end = keys_skip_words(text);
    return end;
}

/* The end of the word, bracket or string at TEXT, which is not at its end; *DEPTH follows
 * brackets. */
static const char *skip_token(const char *text, int *depth)
{
    size_t length = strspn(text, NAME);
    const char *next = length > 0 ? text + length : keys_skip_words(text);

    if (next != text)
        return next;
    *depth += strchr("{([", *text) != NULL ? 1 : strchr("})]", *text) != NULL ? -1 : 0;
    return text + 1;
}

/* Whether the setting NAME begins at TEXT; *RET_VALUE is then where its value begins. */
static bool is_setting(const char *text, const char *name, const char **ret_value)
{
    size_t length = strspn(text, NAME);
    const char *next = skip_blanks(text + length);

    if (length != strlen(name) || strncmp(text, name, length) != 0 ||
        (*next != '=' && *next != ':'))
        return false;
    *ret_value = skip_blanks(next + 1);
    return true;
}

/* Finds the setting NAME among those that begin at TEXT, before the end of their group. */
static bool find_setting(const char *text, const char *name, const char **ret_value)
{
    int depth = 0;

    for (text = skip_blanks(text); *text != '\0' && depth >= 0; text = skip_blanks(text)) {
        if (depth == 0 && is_setting(text, name, ret_value))
            return true;
        text = skip_token(text, &depth);
    }
    return false;
}

static bool find_group(const char *text, const char *group, const char **ret_inside)
{
    if (!find_setting(text, group, ret_inside) || **ret_inside != '{')
        return false;
    ++*ret_inside;
    return true;
}

bool settings_text_get(const char *text, const char *group, const char *name, char *value,
                       size_t size)
{
    const char *inside, *from;
    size_t length;

    *value = '\0';
    if (!find_group(text, group, &inside) || !find_setting(inside, name, &from) || *from != '"')
        return false;
    length = strcspn(from + 1, "\"\\");
    if (from[1 + length] != '"' || skip_value(from) != from + length + 2 || length >= size)
        return false;
    memcpy(value, from + 1, length);
    value[length] = '\0';
    return true;
}

/* TEXT with BEFORE, VALUE between quotes, and AFTER in place of what is in PLACE. */
static char *put(const char *text, struct place place, const char *before, const char *value,
                 const char *after)
{
    size_t size = strlen(text) + strlen(before) + 2 * strlen(value) + strlen(after) + sizeof "\"\"";
    char *whole = malloc(size), *end = whole;

    if (whole == NULL)
        return NULL;
    end += sprintf(end, "%.*s%s\"", (int)(place.begin - text), text, before);
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            *end++ = '\\';
        *end++ = *value;
    }
    sprintf(end, "\"%s%s", after, place.end);
    return whole;
}

char *settings_text_set(const char *text, const char *group, const char *name, const char *value)
{
    const char *end = text + strlen(text), *inside = NULL, *from = NULL;
    char before[256];

    if (find_group(text, group, &inside) && find_setting(inside, name, &from))
        return put(text, (struct place){ from, skip_value(from) }, "", value, "");
    if (inside != NULL && *inside != '\0' && inside[-1] == '{') {
        snprintf(before, sizeof before, "\n    %s = ", name);
        return put(text, (struct place){ inside, inside }, before, value, ";");
    }
    snprintf(before, sizeof before,
             "%s%s = {\n    %s = ", end > text && end[-1] != '\n' ? "\n" : "", group, name);
    return put(text, (struct place){ end, end }, before, value, ";\n};\n");
}
