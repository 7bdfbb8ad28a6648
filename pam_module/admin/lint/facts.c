/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What is known about PAM services and modules. */
#include "facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../desk/data-file.h"
#include "facts-line.h"
#include "paths.h"
#include "text-file.h"

#define FILE_NAME "pam-facts"
#define INSTALL   "install the package twilio-verify again"

static const struct facts_module unknown = { "", FACTS_FACTOR, FACTS_ANY, "" };
static const struct facts_module ours = {
    FACTS_OURS,
    FACTS_SECOND,
    PAM_CODE_SET(PAM_CODE_SUCCESS) | PAM_CODE_SET(PAM_CODE_IGNORE) | FACTS_REFUSALS,
    "",
};

static const struct facts_module splitting = {
    FACTS_OURS,
    FACTS_SPLIT,
    FACTS_ANY & ~(PAM_CODE_SET(PAM_CODE_SUCCESS) | PAM_CODE_SET(PAM_CODE_NEW_AUTHTOK_REQD)),
    "",
};

struct entry {
    struct facts_line line;
    size_t text; /* the number of the text that it is in */
};

struct facts {
    struct entry *entries;
    size_t count;
    char **texts; /* cut into words, to which the entries point */
    size_t texts_count;
};

static bool refuse(char *why_not, const char *reason)
{
    snprintf(why_not, FACTS_WHY_NOT_SIZE, "%s", reason);
    return false;
}

static const char *name_of(const struct facts_line *line)
{
    return line->kind == FACTS_LINE_MODULE ? line->module.name : line->service.name;
}

static struct entry *find_entry(const struct facts *facts, enum facts_line_kind kind,
                                const char *name)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->entries[i].line.kind == kind &&
            strcmp(name_of(&facts->entries[i].line), name) == 0)
            return &facts->entries[i];
    return NULL;
}

/* Adds LINE of the newest text, or replaces one of an earlier text by it. */
static bool put_line(struct facts *facts, const struct facts_line *line, char *why_not)
{
    struct entry *old = find_entry(facts, line->kind, name_of(line));
    struct entry *entries;

    if (old != NULL && old->text == facts->texts_count) {
        snprintf(why_not, FACTS_WHY_NOT_SIZE, "%s is named twice", name_of(line));
        return false;
    }
    if (old == NULL) {
        if (facts->count == FACTS_ENTRIES_MAX)
            return refuse(why_not, "too many names");
        entries = realloc(facts->entries, (facts->count + 1) * sizeof *entries);
        if (entries == NULL)
            return refuse(why_not, "out of memory");
        facts->entries = entries;
        old = &entries[facts->count++];
    }
    *old = (struct entry){ *line, facts->texts_count };
    return true;
}

/* The copy of TEXT that FACTS keep; NULL: out of memory. */
static char *keep_text(struct facts *facts, const char *text)
{
    char **texts = realloc(facts->texts, (facts->texts_count + 1) * sizeof *texts);

    if (texts == NULL)
        return NULL;
    facts->texts = texts;
    texts[facts->texts_count] = strdup(text);
    if (texts[facts->texts_count] == NULL)
        return NULL;
    return texts[facts->texts_count++];
}

bool facts_add(struct facts *facts, const char *text, const char *shown,
               char why_not[FACTS_WHY_NOT_SIZE])
{
    char *rest = keep_text(facts, text);
    char reason[FACTS_WHY_NOT_SIZE];
    char *words;

    if (rest == NULL)
        return refuse(why_not, "out of memory");
    for (unsigned number = 1; (words = text_file_line(&rest)) != NULL; number++) {
        struct facts_line line;
        if (facts_line_parse(words, &line, reason) &&
            (line.kind == FACTS_LINE_EMPTY || put_line(facts, &line, reason)))
            continue;
        snprintf(why_not, FACTS_WHY_NOT_SIZE, "%.200s:%u: %.250s", shown, number, reason);
        return false;
    }
    return true;
}

struct facts *facts_new(void)
{
    return calloc(1, sizeof(struct facts));
}

bool facts_read(struct facts **ret_facts, char why_not[FACTS_WHY_NOT_SIZE])
{
    auto_facts *facts = facts_new();
    auto_text char *text = NULL, *own = NULL;
    char path[PATH_MAX];

    data_file_find(FILE_NAME, path);
    if (!text_file_read(path, &text)) {
        snprintf(why_not, FACTS_WHY_NOT_SIZE, "%.300s: %s; " INSTALL, path, strerror(errno));
        return false;
    }
    if (!text_file_read(PATHS_OWN_FACTS, &own) && errno != ENOENT) {
        snprintf(why_not, FACTS_WHY_NOT_SIZE, PATHS_OWN_FACTS ": %s", strerror(errno));
        return false;
    }
    if (facts == NULL)
        return refuse(why_not, "out of memory");
    if (!facts_add(facts, text, path, why_not) ||
        (own != NULL && !facts_add(facts, own, PATHS_OWN_FACTS, why_not)))
        return false;

    *ret_facts = facts;
    facts = NULL;
    return true;
}

const struct facts_service *facts_find_service(const struct facts *facts, const char *name)
{
    const struct entry *entry = find_entry(facts, FACTS_LINE_SERVICE, name);

    return entry != NULL ? &entry->line.service : NULL;
}

const struct facts_service *facts_service_at(const struct facts *facts, size_t index)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->entries[i].line.kind == FACTS_LINE_SERVICE && index-- == 0)
            return &facts->entries[i].line.service;
    return NULL;
}

const struct facts_module *facts_find_module(const struct facts *facts, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const struct entry *entry = find_entry(facts, FACTS_LINE_MODULE, name);

    if (strcmp(name, ours.name) == 0)
        return &ours;
    return entry != NULL ? &entry->line.module : &unknown;
}

/* Whether the argument of LENGTH bytes is in LIST, which has commas between. */
static bool is_among(const char *list, const char *argument, size_t length)
{
    while (*list != '\0') {
        size_t size = strcspn(list, ",");
        if (size == length && strncmp(list, argument, length) == 0)
            return true;
        list += size + (list[size] == ',' ? 1 : 0);
    }
    return false;
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

    return module == &ours && has_one_of(arguments, "split") ? &splitting : module;
}

pam_codes facts_codes(const struct facts_module *module, const char *arguments)
{
    return has_one_of(arguments, module->unless) ? FACTS_ANY : module->codes;
}

void facts_free(struct facts **facts)
{
    if (*facts == NULL)
        return;
    for (size_t i = 0; i < (*facts)->texts_count; i++)
        free((*facts)->texts[i]);
    free((*facts)->texts);
    free((*facts)->entries);
    free(*facts);
    *facts = NULL;
}
