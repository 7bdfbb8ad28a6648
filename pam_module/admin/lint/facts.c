/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What is known about PAM services and modules. */
#include "facts.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../desk/data-file.h"
#include "paths.h"
#include "text-file.h"

#define FILE_NAME "pam-facts"
#define INSTALL   "install the package twilio-verify again"
#define BLANKS    " \t"
#define OURS      "pam_twilio_verify.so"
#define NO_ROLE   "write factor, condition, root or nothing"
#define DIGITS    "0123456789._+-"
#define LOWER     "abcdefghijklmnopqrstuvwxyz"
#define UPPER     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ANY       (~(pam_codes)0)

enum { TEXTS_MAX = 2 };

static const struct facts_module unknown = { "", FACTS_FACTOR, ANY, "" };
static const struct facts_module ours = {
    OURS,
    FACTS_SECOND,
    PAM_CODE_SET(PAM_CODE_SUCCESS) | PAM_CODE_SET(PAM_CODE_IGNORE) | FACTS_REFUSALS,
    "",
};

static const struct facts_module splitting = {
    OURS,
    FACTS_SPLIT,
    ANY & ~(PAM_CODE_SET(PAM_CODE_SUCCESS) | PAM_CODE_SET(PAM_CODE_NEW_AUTHTOK_REQD)),
    "",
};

/* One line. */
struct entry {
    size_t text; /* the number of the text that it is in */
    bool is_service;
    const char *name;
    struct facts_service service;
    struct facts_module module; /* its name is NULL as long as it has no role */
};

struct facts {
    char *texts[TEXTS_MAX]; /* cut into words, to which the entries point */
    size_t texts_count, count;
    struct entry entries[FACTS_ENTRIES_MAX];
};

/* Whether LIST, which has commas between, has WORD of LENGTH bytes. */
static bool is_among(const char *list, const char *word, size_t length)
{
    for (size_t size; *list != '\0'; list += size + (list[size] == ',')) {
        size = strcspn(list, ",");
        if (size == length && strncmp(list, word, length) == 0)
            return true;
    }
    return false;
}

/* Whether NAME has bytes of LETTERS alone, and not too many. */
static bool is_name(const char *name, const char *letters)
{
    return strlen(name) <= FACTS_NAME_MAX && name[strspn(name, letters)] == '\0';
}

/* The words of a service. A value goes into the first of COUNT pointers at OFFSET that is free. */
static const struct word {
    const char *text;
    unsigned word;
    size_t offset, count;
} service_words[] = {
    { "login", FACTS_LOGIN, 0, 0 },
    { "local", FACTS_LOCAL, 0, 0 },
    { "system", FACTS_SYSTEM, 0, 0 },
    { "alone", FACTS_ALONE, 0, 0 },
    { "others", FACTS_OTHERS, 0, 0 },
    { "user", FACTS_USER, 0, 0 },
    { "account=", FACTS_ACCOUNT, offsetof(struct facts_service, account), 1 },
    { "proftpd=", 0, offsetof(struct facts_service, proftpd), 1 },
    { "samba=", 0, offsetof(struct facts_service, samba), 1 },
    { "program=", 0, offsetof(struct facts_service, programs), FACTS_PATHS_MAX },
    { "look=", 0, offsetof(struct facts_service, look), FACTS_PATHS_MAX },
};

/* Each returns what is wrong; NULL: nothing. */

static const char *take_value(const struct word *known, const char *value,
                              struct facts_service *service)
{
    const char **values = (const char **)((char *)service + known->offset);
    size_t i = 0;

    if (known->word == FACTS_ACCOUNT && (*value == '\0' || !is_name(value, LOWER UPPER DIGITS)))
        return "write the name of an account";
    if (known->word != FACTS_ACCOUNT && (*value != '/' || strlen(value) >= PATH_MAX))
        return "write an absolute path";
    while (i < known->count && values[i] != NULL)
        i++;
    if (i == known->count)
        return "too many of them";
    values[i] = value;
    return NULL;
}

static const char *take_service_word(const char *word, struct entry *entry)
{
    for (size_t i = 0; i < sizeof service_words / sizeof *service_words; i++) {
        const struct word *known = &service_words[i];
        size_t length = strlen(known->text);
        if (strncmp(word, known->text, length) != 0 || (known->count == 0 && word[length] != '\0'))
            continue;
        entry->service.words |= known->word;
        return known->count == 0 ? NULL : take_value(known, word + length, &entry->service);
    }
    return "unknown word for a service";
}

/* libpam knows a service by its name in lower case. */
static const char *check_service(const struct entry *entry)
{
    static const struct {
        unsigned words; /* of which one service can't have both */
        const char *text;
    } contradictions[] = {
        { FACTS_ALONE | FACTS_OTHERS, "\"alone\" and \"others\" contradict each other" },
        { FACTS_SYSTEM | FACTS_LOGIN, "\"system\" and \"login\" contradict each other" },
        { FACTS_SYSTEM | FACTS_LOCAL, "\"system\" and \"local\" contradict each other" },
        { FACTS_USER | FACTS_ACCOUNT, "\"user\" and \"account\" contradict each other" },
    };

    for (size_t i = 0; i < sizeof contradictions / sizeof *contradictions; i++)
        if ((entry->service.words & contradictions[i].words) == contradictions[i].words)
            return contradictions[i].text;
    return is_name(entry->name, LOWER DIGITS) ? NULL : "not a service name in lower case";
}

/* "ignore,auth_err"; 0: something else. */
static pam_codes codes_of(const char *list)
{
    pam_codes codes = 0;
    size_t known = 0, listed = 1;

    for (int code = 0; code < PAM_CODES; code++) {
        const char *word = pam_code_word((enum pam_code)code);
        if (is_among(list, word, strlen(word))) {
            codes |= PAM_CODE_SET(code);
            known++;
        }
    }
    for (; *list != '\0'; list++)
        listed += *list == ',';
    return known == listed ? codes : 0;
}

/* "nullok,grace_period" */
static bool is_list_of_arguments(const char *list)
{
    return *list != '\0' && *list != ',' && strstr(list, ",,") == NULL &&
           list[strlen(list) - 1] != ',' && strchr(list, '=') == NULL;
}

/* The first word, the role. */
static const char *take_role(const char *word, struct entry *entry)
{
    static const char *const roles[] = { [FACTS_FACTOR] = "factor",
                                         [FACTS_CONDITION] = "condition",
                                         [FACTS_ROOT] = "root",
                                         [FACTS_NOTHING] = "nothing" };

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (roles[i] != NULL && strcmp(word, roles[i]) == 0) {
            entry->module = (struct facts_module){ entry->name, (enum facts_role)i, ANY, "" };
            return NULL;
        }
    return NO_ROLE;
}

static const char *take_module_word(const char *word, struct entry *entry)
{
    struct facts_module *module = &entry->module;
    const char *value = strchr(word, '=');
    bool is_never = strncmp(word, "never=", 6) == 0;

    if (module->name == NULL)
        return take_role(word, entry);
    if (strncmp(word, "unless=", 7) == 0 && *module->unless == '\0') {
        module->unless = value + 1;
        return is_list_of_arguments(value + 1) ? NULL
                                               : "write names of arguments, with commas between";
    }
    if ((!is_never && strncmp(word, "only=", 5) != 0) || module->codes != ANY)
        return "unknown word for a module, or too many";
    module->codes = codes_of(value + 1);
    if (module->codes == 0 || (is_never && module->codes == ANY))
        return "write codes of pam.conf(5), with commas between, but not all";
    if (is_never)
        module->codes = ~module->codes;
    return NULL;
}

static const char *check_module(const struct entry *entry)
{
    if (!is_name(entry->name, LOWER UPPER DIGITS) || strcmp(entry->name, OURS) == 0)
        return "not the file name of another module";
    return entry->module.name != NULL ? NULL : NO_ROLE;
}

/* The place of the entry NAME; COUNT of FACTS: there is none. */
static size_t find_place(const struct facts *facts, bool is_service, const char *name)
{
    size_t i = 0;

    while (i < facts->count && (facts->entries[i].is_service != is_service ||
                                strcmp(facts->entries[i].name, name) != 0))
        i++;
    return i;
}

static const struct entry *find_entry(const struct facts *facts, bool is_service, const char *name)
{
    size_t place = find_place(facts, is_service, name);

    return place < facts->count ? &facts->entries[place] : NULL;
}

/* Adds ENTRY of the newest text, or replaces one of an earlier text by it. */
static const char *put_entry(struct facts *facts, const struct entry *entry)
{
    size_t place = find_place(facts, entry->is_service, entry->name);

    if (place == FACTS_ENTRIES_MAX)
        return "too many names";
    if (place == facts->count)
        facts->count++;
    else if (facts->entries[place].text == entry->text)
        return "named twice";
    facts->entries[place] = *entry;
    return NULL;
}

/* LINE is cut into words; *RET_WORD is the wrong one. */
static const char *take_line(struct facts *facts, char *line, const char **ret_word)
{
    struct entry entry = { .text = facts->texts_count };
    const char *wrong = NULL, *kind;
    char *rest;

    line[strcspn(line, "#")] = '\0';
    for (const char *byte = *ret_word = line; *byte != '\0'; byte++)
        if (*byte != '\t' && (*byte < ' ' || *byte > '~'))
            return "a byte that is not printable ASCII";
    *ret_word = kind = strtok_r(line, BLANKS, &rest);
    if (kind == NULL)
        return NULL;
    entry.is_service = strcmp(kind, "service") == 0;
    if (!entry.is_service && strcmp(kind, "module") != 0)
        return "write service or module";
    entry.name = strtok_r(NULL, BLANKS, &rest);
    if (entry.name == NULL)
        return "without a name";
    entry.service.name = entry.name;
    while (wrong == NULL && (*ret_word = strtok_r(NULL, BLANKS, &rest)) != NULL)
        wrong = (entry.is_service ? take_service_word : take_module_word)(*ret_word, &entry);
    if (wrong != NULL)
        return wrong;
    *ret_word = entry.name;
    wrong = (entry.is_service ? check_service : check_module)(&entry);
    return wrong != NULL ? wrong : put_entry(facts, &entry);
}

bool facts_add(struct facts *facts, const char *text, const char *shown, struct verdict *why_not)
{
    char *rest = facts->texts_count < TEXTS_MAX ? strdup(text) : NULL;
    char *line;

    if (rest == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "out of memory");
    facts->texts[facts->texts_count++] = rest;
    for (unsigned number = 1; (line = strsep(&rest, "\n")) != NULL; number++) {
        const char *word, *wrong = take_line(facts, line, &word);
        if (wrong != NULL)
            return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%.200s:%u: \"%.100s\": %s",
                                  shown, number, word, wrong);
    }
    return true;
}

struct facts *facts_new(void)
{
    return calloc(1, sizeof(struct facts));
}

bool facts_read(struct facts **ret_facts, struct verdict *why_not)
{
    auto_facts *facts = facts_new();
    auto_text char *text = NULL, *own = NULL;
    char path[PATH_MAX];

    data_file_find(FILE_NAME, path);
    if (!text_file_read(path, &text))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%.300s: %s; " INSTALL, path,
                              strerror(errno));
    if (!text_file_read(PATHS_OWN_FACTS, &own) && errno != ENOENT)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, PATHS_OWN_FACTS ": %s",
                              strerror(errno));
    if (facts == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "out of memory");
    if (!facts_add(facts, text, path, why_not) ||
        (own != NULL && !facts_add(facts, own, PATHS_OWN_FACTS, why_not)))
        return false;

    *ret_facts = facts;
    facts = NULL;
    return true;
}

const struct facts_service *facts_find_service(const struct facts *facts, const char *name)
{
    const struct entry *entry = find_entry(facts, true, name);

    return entry != NULL ? &entry->service : NULL;
}

const struct facts_service *facts_service_at(const struct facts *facts, size_t index)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->entries[i].is_service && index-- == 0)
            return &facts->entries[i].service;
    return NULL;
}

const struct facts_module *facts_find_module(const struct facts *facts, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const struct entry *entry = find_entry(facts, false, name);

    if (strcmp(name, OURS) == 0)
        return &ours;
    return entry != NULL ? &entry->module : &unknown;
}

/* Whether one of ARGUMENTS is in LIST. */
static bool has_one_of(const char *arguments, const char *list)
{
    char copy[PAM_LINE_MAX + 1], *rest = copy;
    const char *word;

    snprintf(copy, sizeof copy, "%s", arguments);
    while ((word = pam_control_take_word(&rest)) != NULL)
        if (is_among(list, word, strcspn(word, "=")))
            return true;
    return false;
}

const struct facts_module *facts_find_line(const struct facts *facts, const char *path,
                                           const char *arguments)
{
    const struct facts_module *module = facts_find_module(facts, path);

    if (module->role == FACTS_CONDITION && has_one_of(arguments, module->unless))
        return &unknown;
    return module == &ours && has_one_of(arguments, "split") ? &splitting : module;
}

pam_codes facts_codes(const struct facts_module *module, const char *arguments)
{
    return has_one_of(arguments, module->unless) ? ANY : module->codes;
}

void facts_free(struct facts **facts)
{
    if (*facts == NULL)
        return;
    for (size_t i = 0; i < (*facts)->texts_count; i++)
        free((*facts)->texts[i]);
    free(*facts);
    *facts = NULL;
}
