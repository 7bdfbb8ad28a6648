/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The directives of proftpd.conf. */
#include "proftpd-config.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text-file.h"

enum { DEPTH_MAX = 16, FILES_MAX = 512, SECTIONS_MAX = 32 };

#define BLANKS " \t\r"

enum section { OTHER, HOST, GLOBAL, CONDITION };

/* One run through the text. */
struct walk {
    proftpd_config_found found;
    void *context;
    struct verdict *why_not;
    unsigned files, hosts;
    enum section sections[SECTIONS_MAX]; /* that are open */
    unsigned depth;                      /* how many */
};

static bool read_file(struct walk *walk, const char *path, int depth);

static bool refuse(const struct walk *walk, const char *path, const char *reason)
{
    return verdict_refuse(walk->why_not, OUTCOME_MISCONFIGURED, "%.300s: %s", path, reason);
}

/* Puts lines that a backslash continues together, in place. */
static char *take_line(char **rest, unsigned *number)
{
    char *line = strsep(rest, "\n");
    size_t length = line != NULL ? strlen(line) : 0;

    ++*number;
    while (length > 0 && line[length - 1] == '\\' && *rest != NULL) {
        const char *next = strsep(rest, "\n");
        ++*number;
        line[length - 1] = ' ';
        memmove(line + length, next, strlen(next) + 1);
        length += strlen(line + length);
    }
    return line;
}

static bool is_open(const struct walk *walk, enum section section)
{
    for (unsigned i = 0; i < walk->depth; i++)
        if (walk->sections[i] == section)
            return true;
    return false;
}

static enum section section_of(const char *name, const char *value)
{
    static const char pam[] = "mod_auth_pam.c>";

    if (strcasecmp(name, "VirtualHost") == 0)
        return HOST;
    if (strcasecmp(name, "Global") == 0 || strcasecmp(name, "Global>") == 0)
        return GLOBAL;
    if (strncasecmp(name, "If", 2) != 0)
        return OTHER;
    return strcasecmp(name, "IfModule") == 0 && strncasecmp(value, pam, strlen(pam)) == 0
               ? OTHER
               : CONDITION;
}

/* "<Name ...>" or "</Name>" */
static bool take_section(struct walk *walk, const struct proftpd_config_line *line)
{
    enum section section = section_of(line->keyword + 1, line->value);

    if (line->keyword[1] == '/') {
        walk->depth -= walk->depth > 0 ? 1 : 0;
        return true;
    }
    if (walk->depth == SECTIONS_MAX)
        return refuse(walk, line->path, "sections go too deep");
    walk->hosts += section == HOST ? 1 : 0;
    walk->sections[walk->depth++] = section;
    return true;
}

/* Goes through the files that PATTERN stands for, a directory for all in it; one that is not there
 * is no mistake. */
static bool read_pattern(struct walk *walk, const char *pattern, int depth)
{
    size_t length = strcspn(pattern, BLANKS);
    bool is_directory = length > 0 && pattern[length - 1] == '/';
    char whole[PATH_MAX];
    bool is_read = true;
    glob_t files = { 0 };

    snprintf(whole, sizeof whole, "%.*s%s", (int)length, pattern, is_directory ? "*" : "");
    if (glob(whole, GLOB_MARK, NULL, &files) == 0)
        for (size_t i = 0; i < files.gl_pathc && is_read; i++) {
            const char *path = files.gl_pathv[i];
            bool is_mark = *path != '\0' && path[strlen(path) - 1] == '/';
            is_read = is_mark && is_directory        ? true
                      : is_mark && depth < DEPTH_MAX ? read_pattern(walk, path, depth + 1)
                                                     : read_file(walk, path, depth + 1);
        }
    globfree(&files);
    return is_read;
}

static bool read_line(struct walk *walk, struct proftpd_config_line *line, char *text, int depth)
{
    char *value;

    text += strspn(text, BLANKS);
    if (*text == '\0' || *text == '#')
        return true;
    value = text + strcspn(text, BLANKS);
    if (*value != '\0')
        *value++ = '\0';
    line->keyword = text;
    line->value = value + strspn(value, BLANKS);
    if (*text == '<' && !take_section(walk, line))
        return false;
    if (strcasecmp(text, "Include") == 0 || strcasecmp(text, "IncludeOptional") == 0)
        return read_pattern(walk, line->value, depth);
    line->host = is_open(walk, HOST) ? walk->hosts : 0;
    line->is_global = is_open(walk, GLOBAL);
    line->is_conditional = is_open(walk, CONDITION);
    walk->found(line, walk->context);
    return true;
}

static bool read_file(struct walk *walk, const char *path, int depth)
{
    struct proftpd_config_line line = { .path = path };
    auto_text char *text = NULL;
    unsigned number = 0;
    char *rest;

    if (depth > DEPTH_MAX || ++walk->files > FILES_MAX)
        return refuse(walk, path, "included too deep, or too many files are included");
    if (!text_file_read(path, &text))
        return refuse(walk, path, strerror(errno));
    for (rest = text;;) {
        char *words;
        line.number = number + 1;
        words = take_line(&rest, &number);
        if (words == NULL)
            return true;
        if (!read_line(walk, &line, words, depth))
            return false;
    }
}

bool proftpd_config_read(const char *path, proftpd_config_found found, void *context,
                         struct verdict *why_not)
{
    struct walk walk = { .found = found, .context = context, .why_not = why_not };

    return read_file(&walk, path, 0);
}
