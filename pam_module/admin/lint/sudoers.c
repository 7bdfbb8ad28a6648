/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines of sudoers(5). */
#include "sudoers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text-file.h"

enum { DEPTH_MAX = 32, FILES_MAX = 1024 };

struct walk {
    sudoers_found found;
    void *context;
    char *why_not;
    unsigned files;
};

static bool read_file(struct walk *walk, const char *path, int depth);

static bool refuse(struct walk *walk, const char *path, const char *reason)
{
    snprintf(walk->why_not, SUDOERS_WHY_NOT_SIZE, "%.300s: %.100s", path, reason);
    return false;
}

/* Ends LINE where its comment begins. "#1000" is a user, and what is quoted or escaped is text. */
static void cut_comment(char *line)
{
    bool is_quoted = false;

    for (; *line != '\0'; line++) {
        if (*line == '\\' && line[1] != '\0')
            line++;
        else if (*line == '"')
            is_quoted = !is_quoted;
        else if (*line == '#' && !is_quoted && !isdigit((unsigned char)line[1]) && line[1] != '-')
            *line = '\0';
        if (*line == '\0')
            return;
    }
}

/* Puts the lines that are continued by a backslash at their end together, in place. */
static char *take_line(char **rest, unsigned *number)
{
    char *line = text_file_line(rest);
    size_t length = line != NULL ? strlen(line) : 0;

    ++*number;
    while (line != NULL && length > 0 && line[length - 1] == '\\' && *rest != NULL) {
        char *next = text_file_line(rest);
        if (next == NULL)
            break;
        ++*number;
        line[length - 1] = ' ';
        memmove(line + length, next, strlen(next) + 1);
        length += strlen(line + length);
    }
    return line;
}

/* Whether LINE is a directive NAME, by '@' or '#'; *RET_OPERAND is what it names, without quotes
 * and with %h for the host's name. */
static bool is_directive(const char *line, const char *name, char ret_operand[PATH_MAX])
{
    char host[HOST_NAME_MAX + 1] = "";
    size_t used = 0;

    if ((*line != '@' && *line != '#') || strncmp(line + 1, name, strlen(name)) != 0)
        return false;
    line += 1 + strlen(name);
    if (!isblank((unsigned char)*line))
        return false;
    line += strspn(line, " \t\"");
    gethostname(host, sizeof host - 1);
    host[strcspn(host, ".")] = '\0';
    for (; *line != '\0' && *line != '"' && !isspace((unsigned char)*line); line++) {
        bool is_host = line[0] == '%' && line[1] == 'h';
        if (line[0] == '\\' && line[1] != '\0')
            line++;
        used += (size_t)snprintf(ret_operand + used, PATH_MAX - used, "%.*s",
                                 is_host ? HOST_NAME_MAX : 1, is_host ? host : line);
        if (used >= PATH_MAX)
            return false;
        line += is_host ? 1 : 0;
    }
    ret_operand[used] = '\0';
    return used > 0;
}

/* PATH, where it is relative, is so to the folder of the file that names it. */
static bool resolve(const char *includer, const char *path, char ret_path[PATH_MAX])
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", includer);
    return snprintf(ret_path, PATH_MAX, "%s%s%s", *path == '/' ? "" : dirname(folder),
                    *path == '/' ? "" : "/", path) < PATH_MAX;
}

/* sudo leaves out what a packager or an editor left. */
static int is_wanted(const struct dirent *entry)
{
    const char *name = entry->d_name;

    return strchr(name, '.') == NULL && name[strlen(name) - 1] != '~';
}

static bool read_folder(struct walk *walk, const char *path, int depth)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_wanted, alphasort);
    bool is_read = true;

    if (count < 0)
        return errno == ENOENT || refuse(walk, path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char name[PATH_MAX];
        if (is_read && snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name) < PATH_MAX)
            is_read = entries[i]->d_type == DT_DIR || read_file(walk, name, depth + 1);
        free(entries[i]);
    }
    free(entries);
    return is_read;
}

static bool read_line(struct walk *walk, struct sudoers_line *line, char *text, int depth)
{
    char operand[PATH_MAX], path[PATH_MAX];

    text += strspn(text, " \t");
    if (is_directive(text, "include", operand))
        return !resolve(line->path, operand, path) || read_file(walk, path, depth + 1);
    if (is_directive(text, "includedir", operand))
        return !resolve(line->path, operand, path) || read_folder(walk, path, depth);
    cut_comment(text);
    if (*text == '\0')
        return true;
    line->text = text;
    walk->found(line, walk->context);
    return true;
}

static bool read_file(struct walk *walk, const char *path, int depth)
{
    struct sudoers_line line = { .path = path };
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

bool sudoers_read(const char *path, sudoers_found found, void *context,
                  char why_not[SUDOERS_WHY_NOT_SIZE])
{
    struct walk walk = { .found = found, .context = context, .why_not = why_not };

    return read_file(&walk, path, 0);
}
