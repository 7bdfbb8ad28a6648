/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The body of a reply. */
#include "reply.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/text.h"
#include "http.h"

enum { DEPTH_MAX = 8 };

static void free_tokener(json_tokener **tokener)
{
    if (*tokener != NULL)
        json_tokener_free(*tokener);
}

#define auto_tokener __attribute__((cleanup(free_tokener))) json_tokener

/* The number of keys in the text of valid JSON: of the colons outside of its strings. SIZE_MAX: a
 * single quote is there, in which json-c takes a key even when it is strict. */
static size_t count_keys(const char *body, size_t size)
{
    size_t colons = 0;
    bool in_string = false;

    for (size_t i = 0; i < size; i++) {
        if (in_string && body[i] == '\\')
            i++;
        else if (body[i] == '"')
            in_string = !in_string;
        else if (!in_string && body[i] == '\'')
            return SIZE_MAX;
        else if (!in_string && body[i] == ':')
            colons++;
    }
    return colons;
}

static size_t count_members(json_object *value)
{
    size_t members = 0;

    if (json_object_is_type(value, json_type_object)) {
        members = (size_t)json_object_object_length(value);
        json_object_object_foreach(value, key, child)
        {
            (void)key;
            members += count_members(child);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            members += count_members(json_object_array_get_idx(value, i));
    }
    return members;
}

static void free_text(char **text)
{
    free(*text);
}

#define auto_text __attribute__((cleanup(free_text))) char

/* json-c 0.17 and 0.18 take a byte above 0x7f for a control character where they are strict, and
 * nothing that counts here holds one: each becomes %XX. NULL: out of memory. */
static char *print_ascii(const char *body, size_t size, size_t *ret_size)
{
    char *text = malloc(3 * size + 1);
    char *end = text;

    for (size_t i = 0; text != NULL && i < size; i++)
        if ((unsigned char)body[i] < 0x80)
            *end++ = body[i];
        else
            end += sprintf(end, "%%%02X", (unsigned char)body[i]);
    *ret_size = (size_t)(end - text);
    return text;
}

/* json-c lets the last of two equal keys win and cuts a key off at U+0000: neither may be there. */
json_object *reply_parse(const char *body, size_t size)
{
    auto_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
    auto_text *text = NULL;
    json_object *object;

    if (tokener == NULL || size > HTTP_BODY_MAX || !text_is_utf8(body, size))
        return NULL;
    if (memchr(body, '\0', size) != NULL || memmem(body, size, "\\u0000", 6) != NULL)
        return NULL;
    text = print_ascii(body, size, &size);
    if (text == NULL)
        return NULL;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    object = json_tokener_parse_ex(tokener, text, (int)size);
    if (json_tokener_get_parse_end(tokener) == size &&
        json_object_is_type(object, json_type_object) &&
        count_members(object) == count_keys(text, size))
        return object;

    json_object_put(object);
    return NULL;
}

const char *reply_text(json_object *object, const char *name)
{
    json_object *value;
    const char *text;

    if (!json_object_object_get_ex(object, name, &value) ||
        !json_object_is_type(value, json_type_string))
        return NULL;
    text = json_object_get_string(value);
    return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

bool reply_is(json_object *object, const char *name, const char *expected)
{
    const char *text = reply_text(object, name);

    return text != NULL && strcmp(text, expected) == 0;
}

static json_object *get_typed(json_object *object, const char *name, enum json_type type)
{
    json_object *value;

    return json_object_object_get_ex(object, name, &value) && json_object_is_type(value, type)
               ? value
               : NULL;
}

int reply_number(json_object *object, const char *name)
{
    json_object *number = get_typed(object, name, json_type_int);

    return number != NULL ? json_object_get_int(number) : 0;
}

json_object *reply_object(json_object *object, const char *name)
{
    return get_typed(object, name, json_type_object);
}

bool reply_array(json_object *object, const char *name, size_t *ret_count)
{
    json_object *array = get_typed(object, name, json_type_array);

    if (array == NULL)
        return false;
    *ret_count = json_object_array_length(array);
    return true;
}

json_object *reply_item(json_object *object, const char *name, size_t index)
{
    json_object *array = get_typed(object, name, json_type_array);
    json_object *item = array != NULL ? json_object_array_get_idx(array, index) : NULL;

    return json_object_is_type(item, json_type_object) ? item : NULL;
}

void reply_free(json_object **object)
{
    json_object_put(*object);
    *object = NULL;
}
