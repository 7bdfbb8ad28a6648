/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A file of keys into a struct. */
#include "keys.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"
#include "text.h"

enum { NUMBER_DIGITS_MAX = 9 };

/* What one run of the parser carries along. */
struct parse {
    const char *shown;
    const struct keys *keys;
    char *target;
    struct verdict *why_not;
};

static void *member(const struct parse *parse, const struct key *key)
{
    return parse->target + key->offset;
}

static bool refuse(const struct parse *parse, const config_setting_t *setting,
                   const struct key *key, const char *problem)
{
    return verdict_refuse(parse->why_not, OUTCOME_MISCONFIGURED, "%s:%d: %s%s%s %s", parse->shown,
                          (int)config_setting_source_line(setting),
                          key->group != NULL ? key->group : "", key->group != NULL ? "." : "",
                          key->name, problem);
}

/* libconfig obeys @include in every mode, and ends the process over some of them. The line that
 * begins with one, or NULL. */
static const char *find_directive(const char *text)
{
    while (text != NULL) {
        text += strspn(text, " \t\r\n\f\v");
        if (*text == '@')
            return text;
        text = strchr(text, '\n');
    }
    return NULL;
}

const char *keys_skip_words(const char *text)
{
    if (*text == '"') {
        for (text++; *text != '\0' && *text != '"'; text++)
            if (*text == '\\' && text[1] != '\0')
                text++;
        return *text == '"' ? text + 1 : text;
    }
    if (*text == '#' || strncmp(text, "//", 2) == 0)
        return text + strcspn(text, "\n");
    if (strncmp(text, "/*", 2) == 0) {
        const char *end = strstr(text + 2, "*/");
        return end != NULL ? end + 2 : text + strlen(text);
    }
    return text;
}

/* libconfig reads 4294967299 as 3. The first number that is too long for it, or NULL. */
static const char *find_long_number(const char *text)
{
    while (*text != '\0') {
        const char *next = keys_skip_words(text);
        size_t digits = strspn(text, "0123456789");
        if (digits > NUMBER_DIGITS_MAX)
            return text;
        text = next != text ? next : text + (digits > 0 ? digits : 1);
    }
    return NULL;
}

static int line_of(const char *text, const char *at)
{
    int line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

bool keys_text_is_valid(const struct key *key, const char *text)
{
    size_t length = strlen(text);

    return length >= (size_t)key->minimum && length <= (size_t)key->maximum &&
           text_is_clean(text, length) && (key->sid == NULL || text_is_sid(text, key->sid)) &&
           (key->is_valid == NULL || key->is_valid(text));
}

static bool take_text(const struct parse *parse, const config_setting_t *setting,
                      const struct key *key)
{
    const char *text = config_setting_get_string(setting);
    char **value = member(parse, key);

    if (text == NULL || !keys_text_is_valid(key, text))
        return refuse(parse, setting, key, key->rule);
    free(*value);
    *value = strdup(text);
    return *value != NULL || refuse(parse, setting, key, "cannot be kept: out of memory");
}

/* libconfig cuts a hexadecimal number off without a word. */
static bool take_number(const struct parse *parse, const config_setting_t *setting,
                        const struct key *key)
{
    int number = config_setting_get_int(setting);

    if (config_setting_type(setting) != CONFIG_TYPE_INT ||
        config_setting_get_format(setting) != CONFIG_FORMAT_DEFAULT || number < key->minimum ||
        number > key->maximum)
        return refuse(parse, setting, key, key->rule);
    *(int *)member(parse, key) = number;
    return true;
}

static bool take_word(const struct parse *parse, const config_setting_t *setting,
                      const struct key *key)
{
    const char *text = config_setting_get_string(setting);

    for (int i = 0; text != NULL && key->words[i] != NULL; i++)
        if (strcmp(text, key->words[i]) == 0) {
            *(int *)member(parse, key) = i;
            return true;
        }
    return refuse(parse, setting, key, key->rule);
}

static void free_texts(char ***texts)
{
    for (size_t i = 0; *texts != NULL && (*texts)[i] != NULL; i++)
        free((*texts)[i]);
    free(*texts);
    *texts = NULL;
}

static bool take_texts(const struct parse *parse, const config_setting_t *setting,
                       const struct key *key)
{
    int type = config_setting_type(setting);
    int length = config_setting_length(setting);
    char ***texts = member(parse, key);

    if ((type != CONFIG_TYPE_LIST && type != CONFIG_TYPE_ARRAY) || length < 0)
        return refuse(parse, setting, key, key->rule);
    free_texts(texts);
    *texts = calloc((size_t)length + 1, sizeof **texts);
    if (*texts == NULL)
        return refuse(parse, setting, key, "cannot be kept: out of memory");

    for (int i = 0; i < length; i++) {
        const char *text = config_setting_get_string_elem(setting, i);
        if (text == NULL || !keys_text_is_valid(key, text))
            return refuse(parse, setting, key, key->rule);
        (*texts)[i] = strdup(text);
        if ((*texts)[i] == NULL)
            return refuse(parse, setting, key, "cannot be kept: out of memory");
    }
    return true;
}

static bool take(const struct parse *parse, const config_setting_t *setting, const struct key *key)
{
    switch (key->type) {
    case KEY_TEXT:
        return take_text(parse, setting, key);
    case KEY_NUMBER:
        return take_number(parse, setting, key);
    case KEY_WORD:
        return take_word(parse, setting, key);
    case KEY_TEXTS:
        return take_texts(parse, setting, key);
    }
    return refuse(parse, setting, key, "has a value of unknown type");
}

static bool is_same(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static const struct key *find_key(const struct parse *parse, const char *group, const char *name)
{
    for (size_t i = 0; i < parse->keys->count; i++)
        if (is_same(parse->keys->keys[i].group, group) && is_same(parse->keys->keys[i].name, name))
            return &parse->keys->keys[i];
    return NULL;
}

static bool is_group(const struct parse *parse, const char *name)
{
    for (size_t i = 0; i < parse->keys->count; i++)
        if (is_same(parse->keys->keys[i].group, name))
            return true;
    return false;
}

static bool take_members(const struct parse *parse, const config_setting_t *parent,
                         const char *group);

static bool take_group(const struct parse *parse, const config_setting_t *setting, const char *name)
{
    if (!config_setting_is_group(setting))
        return verdict_refuse(parse->why_not, OUTCOME_MISCONFIGURED,
                              "%s:%d: %s must be a group: %s = { };", parse->shown,
                              (int)config_setting_source_line(setting), name, name);
    return take_members(parse, setting, name);
}

static bool take_members(const struct parse *parse, const config_setting_t *parent,
                         const char *group)
{
    for (int i = 0; i < config_setting_length(parent); i++) {
        const config_setting_t *setting = config_setting_get_elem(parent, (unsigned)i);
        const char *name = config_setting_name(setting);
        const struct key *key = find_key(parse, group, name);

        if (key != NULL) {
            if (!take(parse, setting, key))
                return false;
        } else if (group == NULL && is_group(parse, name)) {
            if (!take_group(parse, setting, name))
                return false;
        } else {
            return verdict_refuse(parse->why_not, OUTCOME_MISCONFIGURED,
                                  "%s:%d: unknown key %s%s%s: correct or remove it", parse->shown,
                                  (int)config_setting_source_line(setting),
                                  group != NULL ? group : "", group != NULL ? "." : "", name);
        }
    }
    return true;
}

static bool copy_texts(const char *const *texts, char ***ret_texts)
{
    size_t count = 0;

    while (texts != NULL && texts[count] != NULL)
        count++;
    *ret_texts = count > 0 ? calloc(count + 1, sizeof **ret_texts) : NULL;
    for (size_t i = 0; *ret_texts != NULL && i < count; i++)
        if (((*ret_texts)[i] = strdup(texts[i])) == NULL)
            return false;
    return count == 0 || *ret_texts != NULL;
}

static bool set_default(const struct parse *parse, const struct key *key)
{
    char **text = member(parse, key);

    if (key->type == KEY_NUMBER)
        *(int *)member(parse, key) = key->number;
    if (key->type == KEY_TEXTS)
        return copy_texts(key->texts, member(parse, key));
    return key->type != KEY_TEXT || key->text == NULL || (*text = strdup(key->text)) != NULL;
}

static bool set_defaults(const struct parse *parse)
{
    for (size_t i = 0; i < parse->keys->count; i++)
        if (!set_default(parse, &parse->keys->keys[i]))
            return verdict_refuse(parse->why_not, OUTCOME_MISCONFIGURED, "%s: out of memory",
                                  parse->shown);
    return true;
}

static bool is_missing(const struct parse *parse, const struct key *key)
{
    if (key->type == KEY_NUMBER)
        return *(int *)member(parse, key) < key->minimum;
    return key->mandatory && *(char **)member(parse, key) == NULL;
}

static bool has_mandatory(const struct parse *parse)
{
    for (size_t i = 0; i < parse->keys->count; i++) {
        const struct key *key = &parse->keys->keys[i];
        if (is_missing(parse, key))
            return verdict_refuse(parse->why_not, OUTCOME_MISCONFIGURED,
                                  "%s: %s%s%s is missing: it %s", parse->shown,
                                  key->group != NULL ? key->group : "",
                                  key->group != NULL ? "." : "", key->name, key->rule);
    }
    return true;
}

/* libconfig takes a comment at the end for a mistake, unless the line ends. */
static bool read_text(const char *text, const char *shown, config_t *config,
                      struct verdict *why_not)
{
    size_t size = strlen(text) + sizeof "\n";
    auto_secret char *whole = malloc(size);
    int line, last_line;

    if (whole == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: out of memory", shown);
    snprintf(whole, size, "%s\n", text);
    if (config_read_string(config, whole) == CONFIG_TRUE)
        return true;
    line = config_error_line(config);
    last_line = line_of(text, text + strlen(text));
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s:%d: %s", shown,
                          line < last_line ? line : last_line, config_error_text(config));
}

/* False: TARGET may be filled in part. */
static bool fill(const struct parse *parse, const char *text)
{
    config_t config __attribute__((cleanup(config_destroy)));
    const char *at;

    config_init(&config);
    at = find_directive(text);
    if (at != NULL)
        return verdict_refuse(parse->why_not, OUTCOME_MISCONFIGURED,
                              "%s:%d: @include is not supported: put the keys into this file",
                              parse->shown, line_of(text, at));
    at = find_long_number(text);
    if (at != NULL)
        return verdict_refuse(parse->why_not, OUTCOME_MISCONFIGURED,
                              "%s:%d: a number has more than %d digits", parse->shown,
                              line_of(text, at), NUMBER_DIGITS_MAX);
    return read_text(text, parse->shown, &config, parse->why_not) && set_defaults(parse) &&
           take_members(parse, config_root_setting(&config), NULL) && has_mandatory(parse);
}

void *keys_parse(const struct keys *keys, const char *text, const char *shown,
                 struct verdict *why_not)
{
    const struct parse parse = { shown, keys, calloc(1, keys->size), why_not };

    if (parse.target == NULL)
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: out of memory", shown);
    else if (fill(&parse, text))
        return parse.target;
    keys_free(keys, parse.target);
    return NULL;
}

int keys_line(const char *text, const char *group, const char *name)
{
    config_t config __attribute__((cleanup(config_destroy)));
    const config_setting_t *setting;
    struct verdict why_not;

    config_init(&config);
    if (!read_text(text, name, &config, &why_not))
        return 0;
    setting = config_lookup(&config, group);
    if (setting != NULL)
        setting = config_setting_get_member(setting, name);
    return setting != NULL ? (int)config_setting_source_line(setting) : 0;
}

void keys_free(const struct keys *keys, void *target)
{
    for (size_t i = 0; target != NULL && i < keys->count; i++) {
        void *value = (char *)target + keys->keys[i].offset;
        if (keys->keys[i].type == KEY_TEXT)
            free(*(char **)value);
        else if (keys->keys[i].type == KEY_TEXTS)
            free_texts(value);
    }
    free(target);
}
