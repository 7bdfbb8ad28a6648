/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One line of pam-facts. */
#include "facts-line.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t"

__attribute__((format(printf, 2, 3))) static bool refuse(char *why_not, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why_not, FACTS_WHY_NOT_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

/* Returns the next word of *REST, which then begins behind it; NULL: there are no more. */
static char *take_word(char **rest)
{
    char *word = *rest + strspn(*rest, BLANKS);

    if (*word == '\0')
        return NULL;
    *rest = word + strcspn(word, BLANKS);
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return word;
}

/* Whether WORD is "KEY=VALUE". */
static bool has_key(const char *word, const char *key, const char **ret_value)
{
    size_t length = strlen(key);

    if (strncmp(word, key, length) != 0 || word[length] != '=')
        return false;
    *ret_value = word + length + 1;
    return true;
}

static bool is_name(const char *name)
{
    return strlen(name) <= FACTS_NAME_MAX &&
           name[strspn(
               name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-")] == '\0';
}

/* libpam knows a service by its name in lower case. */
static bool is_service_name(const char *name)
{
    for (const char *letter = name; *letter != '\0'; letter++)
        if (isupper((unsigned char)*letter))
            return false;
    return is_name(name);
}

static bool take_path(char *why_not, const char *word, const char *path, const char **ret_path)
{
    if (*path != '/' || strlen(path) >= PATH_MAX)
        return refuse(why_not, "\"%.100s\": write an absolute path", word);
    if (*ret_path != NULL)
        return refuse(why_not, "\"%.100s\": given twice", word);
    *ret_path = path;
    return true;
}

static bool add_path(char *why_not, const char *word, const char *path,
                     const char *paths[FACTS_PATHS_MAX + 1])
{
    size_t count = 0;

    while (paths[count] != NULL)
        count++;
    if (count == FACTS_PATHS_MAX)
        return refuse(why_not, "\"%.100s\": at most %d of them", word, FACTS_PATHS_MAX);
    return take_path(why_not, word, path, &paths[count]);
}

static bool take_account(char *why_not, const char *name, const char **ret_account)
{
    if (*name == '\0' || !is_name(name))
        return refuse(why_not, "\"account=%.100s\": write the name of an account", name);
    *ret_account = name;
    return true;
}

static bool take_service_word(char *why_not, const char *word, struct facts_service *service)
{
    static const struct {
        const char *text;
        enum facts_word word;
    } words[] = {
        { "login", FACTS_LOGIN }, { "local", FACTS_LOCAL },   { "system", FACTS_SYSTEM },
        { "alone", FACTS_ALONE }, { "others", FACTS_OTHERS }, { "user", FACTS_USER },
    };
    const char *value;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i].text) == 0) {
            service->words |= words[i].word;
            return true;
        }
    if (has_key(word, "account", &value))
        return take_account(why_not, value, &service->account);
    if (has_key(word, "proftpd", &value))
        return take_path(why_not, word, value, &service->proftpd);
    if (has_key(word, "samba", &value))
        return take_path(why_not, word, value, &service->samba);
    if (has_key(word, "program", &value))
        return add_path(why_not, word, value, service->programs);
    if (has_key(word, "look", &value))
        return add_path(why_not, word, value, service->look);
    return refuse(why_not, "\"%.100s\": unknown word for a service", word);
}

/* Words of which one service can't have both. */
static bool is_consistent(char *why_not, const struct facts_service *service)
{
    unsigned words = service->words;

    if ((words & FACTS_ALONE) && (words & FACTS_OTHERS))
        return refuse(why_not, "\"alone\" and \"others\" contradict each other");
    if ((words & FACTS_SYSTEM) && (words & (FACTS_LOGIN | FACTS_LOCAL)))
        return refuse(why_not, "\"system\" contradicts \"login\" and \"local\"");
    if ((words & FACTS_USER) && service->account != NULL)
        return refuse(why_not, "\"user\" and \"account\" contradict each other");
    return true;
}

static bool take_service(char *why_not, const char *name, char *rest, struct facts_line *line)
{
    line->kind = FACTS_LINE_SERVICE;
    line->service.name = name;
    if (!is_service_name(name))
        return refuse(why_not, "\"%.100s\" is not a service name in lower case", name);
    for (const char *word = take_word(&rest); word != NULL; word = take_word(&rest))
        if (!take_service_word(why_not, word, &line->service))
            return false;
    return is_consistent(why_not, &line->service);
}

static bool find_code(const char *word, size_t length, pam_codes *ret_codes)
{
    for (int code = 0; code < PAM_CODES; code++)
        if (strlen(pam_code_word((enum pam_code)code)) == length &&
            strncmp(pam_code_word((enum pam_code)code), word, length) == 0) {
            *ret_codes |= PAM_CODE_SET(code);
            return true;
        }
    return false;
}

/* "ignore,auth_err" */
static bool take_codes(char *why_not, const char *word, const char *list, pam_codes *ret_codes)
{
    pam_codes codes = 0;

    for (;;) {
        size_t length = strcspn(list, ",");
        if (!find_code(list, length, &codes))
            return refuse(why_not, "\"%.100s\": write codes of pam.conf(5), with commas between",
                          word);
        if (list[length] == '\0')
            break;
        list += length + 1;
    }
    *ret_codes = codes;
    return true;
}

/* "nullok,grace_period" */
static bool take_arguments(char *why_not, const char *word, const char *list, const char **ret_list)
{
    if (*list == '\0' || *list == ',' || strstr(list, ",,") != NULL ||
        list[strlen(list) - 1] == ',' || strchr(list, '=') != NULL)
        return refuse(why_not, "\"%.100s\": write names of arguments, with commas between", word);
    *ret_list = list;
    return true;
}

static bool take_role(char *why_not, const char *word, enum facts_role *ret_role)
{
    static const struct {
        const char *text;
        enum facts_role role;
    } roles[] = {
        { "factor", FACTS_FACTOR },
        { "condition", FACTS_CONDITION },
        { "root", FACTS_ROOT },
        { "nothing", FACTS_NOTHING },
    };

    for (size_t i = 0; word != NULL && i < sizeof roles / sizeof *roles; i++)
        if (strcmp(word, roles[i].text) == 0) {
            *ret_role = roles[i].role;
            return true;
        }
    return refuse(why_not, "\"%.100s\": write factor, condition, root or nothing",
                  word != NULL ? word : "");
}

static bool take_module_word(char *why_not, const char *word, struct facts_module *module)
{
    const char *value;
    pam_codes codes = 0;

    if (has_key(word, "unless", &value) && *module->unless == '\0')
        return take_arguments(why_not, word, value, &module->unless);
    if (has_key(word, "only", &value) && module->codes == FACTS_ANY)
        return take_codes(why_not, word, value, &module->codes);
    if (!has_key(word, "never", &value) || module->codes != FACTS_ANY)
        return refuse(why_not, "\"%.100s\": unknown word for a module, or too many", word);
    if (!take_codes(why_not, word, value, &codes))
        return false;
    module->codes = FACTS_ANY & ~codes;
    return module->codes != 0 || refuse(why_not, "\"%.100s\" leaves no code", word);
}

static bool take_module(char *why_not, const char *name, char *rest, struct facts_line *line)
{
    line->kind = FACTS_LINE_MODULE;
    line->module = (struct facts_module){ name, FACTS_FACTOR, FACTS_ANY, "" };
    if (!is_name(name) || strcmp(name, FACTS_OURS) == 0)
        return refuse(why_not, "\"%.100s\" is not the file name of another module", name);
    if (!take_role(why_not, take_word(&rest), &line->module.role))
        return false;
    for (const char *word = take_word(&rest); word != NULL; word = take_word(&rest))
        if (!take_module_word(why_not, word, &line->module))
            return false;
    return true;
}

bool facts_line_parse(char *text, struct facts_line *ret_line, char why_not[FACTS_WHY_NOT_SIZE])
{
    struct facts_line line = { .kind = FACTS_LINE_EMPTY };
    const char *kind, *name;
    bool is_service;

    text[strcspn(text, "#")] = '\0';
    for (const char *byte = text; *byte != '\0'; byte++)
        if (*byte != '\t' && (*byte < ' ' || *byte > '~'))
            return refuse(why_not, "a byte that is not printable ASCII");
    kind = take_word(&text);
    name = kind != NULL ? take_word(&text) : NULL;
    is_service = kind != NULL && strcmp(kind, "service") == 0;
    if (kind != NULL && !is_service && strcmp(kind, "module") != 0)
        return refuse(why_not, "\"%.100s\": write service or module", kind);
    if (kind != NULL && name == NULL)
        return refuse(why_not, "\"%.100s\" without a name", kind);
    if (kind != NULL && !(is_service ? take_service : take_module)(why_not, name, text, &line))
        return false;

    *ret_line = line;
    return true;
}
