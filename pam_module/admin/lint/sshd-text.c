/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The text of an sshd_config. */
#include "sshd-text.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "text-file.h"

#define DIRECTORY "/etc/ssh"
#define BLANKS    " \t\r"
#define NOBODY    "User !*" /* criteria that no connection meets */

enum { DEPTH_MAX = 16, PATTERN_SIZE = 4096 };

/* One run through the text: it finds blocks, or copies. */
struct walk {
    struct sshd_blocks *blocks;      /* that are found; NULL: it copies */
    const struct sshd_blocks *known; /* those of an earlier run */
    const struct overlay *overlay;
    int chosen;    /* the block whose criteria become "all" */
    bool is_alone; /* those of all others become NOBODY */
    int count;     /* how many blocks it has passed */
    struct sshd_copies *copies;
    unsigned files;
    struct verdict *why_not;
};

/* A file while it is read. */
struct source {
    const char *path;
    unsigned number; /* of the line that was read last */
    int block;       /* of the line */
    int depth;
    FILE *copy; /* NULL: none is made */
};

static bool read_file(struct walk *walk, const char *path, int outer, int depth, int *ret_copy);

static bool refuse(const struct walk *walk, const char *path, const char *reason)
{
    return verdict_refuse(walk->why_not, OUTCOME_MISCONFIGURED, "%.300s: %s", path, reason);
}

/* Whether TEXT is a backslash that stands for the byte behind it, where QUOTE, or 0, is open. */
static bool is_escape(const char *text, char quote)
{
    return *text == '\\' &&
           (text[1] == '"' || text[1] == '\'' || text[1] == '\\' || (quote == 0 && text[1] == ' '));
}

/* The word at *REST, up to one of ENDS and without its quotes, which are as sshd takes them; *REST
 * is behind it. NULL: no more, or a comment. */
static char *take_word(char **rest, const char *ends)
{
    char *word = *rest + strspn(*rest, " \t\r="), *end = word, quote = 0;
    char *text;

    if (*word == '\0' || *word == '#')
        return NULL;
    for (text = word; *text != '\0' && (quote != 0 || strchr(ends, *text) == NULL); text++) {
        bool is_quote = quote != 0 ? *text == quote : *text == '"' || *text == '\'';
        text += is_escape(text, quote);
        if (is_quote && quote == 0)
            quote = *text;
        else if (is_quote)
            quote = '\0';
        else
            *end++ = *text;
    }
    *rest = text + (*text != '\0');
    *end = '\0';
    return word;
}

/* Whether a keyword decides who gets in. */
static bool is_relevant(const char *keyword)
{
    static const char *const keywords[] = {
        "AuthenticationMethods",
        "GSSAPIAuthentication",
        "HostbasedAuthentication",
        "KbdInteractiveAuthentication",
        "ChallengeResponseAuthentication",
        "KerberosAuthentication",
        "PAMServiceName",
        "PasswordAuthentication",
        "PubkeyAuthentication",
    };

    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strcasecmp(keyword, keywords[i]) == 0)
            return true;
    return false;
}

/* CRITERIA up to a comment, without blanks behind it. "all" ends a block, and has none. */
static bool has_criteria(char *criteria)
{
    size_t length = strcspn(criteria, "#");

    while (length > 0 && strchr(" \t\r", criteria[length - 1]) != NULL)
        length--;
    criteria[length] = '\0';
    return strcasecmp(criteria, "all") != 0;
}

static bool add_block(struct walk *walk, const struct source *source, const char *criteria,
                      int outer)
{
    struct sshd_block *block = &walk->blocks->blocks[walk->count];

    if (walk->count == SSHD_CONFIG_BLOCKS_MAX)
        return refuse(walk, source->path, "too many Match blocks");
    *block = (struct sshd_block){ .path = strdup(source->path),
                                  .number = source->number,
                                  .criteria = strdup(criteria),
                                  .outer = outer };
    walk->blocks->count = walk->count + 1;
    return (block->path != NULL && block->criteria != NULL) ||
           refuse(walk, source->path, "out of memory");
}

/* Whether block NUMBER is the chosen one, or one around it. */
static bool is_chosen(const struct walk *walk, int number)
{
    for (int block = walk->chosen; block >= 0; block = walk->known->blocks[block].outer)
        if (block == number)
            return true;
    return false;
}

/* Whether CRITERIA are "User *" or the like: nobody is outside of such a block. */
static bool is_everybody(const char *criteria)
{
    const char *pattern = criteria + strcspn(criteria, " \t=");

    return strcmp(pattern + strspn(pattern, " \t="), "*") == 0;
}

/* Takes a line "Match", with CRITERIA; OUTER is the block that the file is in. */
static bool take_match(struct walk *walk, struct source *source, char *criteria, int outer)
{
    bool is_block;

    criteria += strspn(criteria, " \t\r=");
    is_block = has_criteria(criteria);
    if (is_block && walk->blocks != NULL && !add_block(walk, source, criteria, outer))
        return false;
    source->block = is_block ? walk->count++ : outer;
    if (source->copy != NULL)
        fprintf(source->copy, "Match %s\n",
                !is_block || is_chosen(walk, source->block) ? "all"
                : walk->is_alone && !is_everybody(criteria) ? NOBODY
                                                            : criteria);
    return true;
}

static int compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* Adds to FILES those that PATTERN will stand for, in the order of names. */
static void add_overlay(const struct overlay *overlay, const char *pattern, glob_t *files)
{
    for (; overlay != NULL && overlay->path != NULL; overlay++)
        if (access(overlay->path, F_OK) != 0 &&
            fnmatch(pattern, overlay->path, FNM_PATHNAME | FNM_PERIOD) == 0)
            glob(overlay->path, GLOB_APPEND | GLOB_NOCHECK, NULL, files);
    if (files->gl_pathc > 0)
        qsort(files->gl_pathv, files->gl_pathc, sizeof *files->gl_pathv, compare);
}

/* Goes through the files that PATTERN stands for; one that is not there is no mistake. */
static bool take_pattern(struct walk *walk, const struct source *source, const char *pattern)
{
    char whole[PATTERN_SIZE];
    bool is_read = true;
    glob_t files = { 0 };

    snprintf(whole, sizeof whole, "%s%s", *pattern == '/' ? "" : DIRECTORY "/", pattern);
    if (glob(whole, 0, NULL, &files) != 0)
        files.gl_pathc = 0;
    add_overlay(walk->overlay, whole, &files);
    for (size_t i = 0; i < files.gl_pathc && is_read; i++) {
        int copy = -1;
        is_read = read_file(walk, files.gl_pathv[i], source->block, source->depth + 1, &copy);
        if (is_read && source->copy != NULL)
            fprintf(source->copy, "Include /proc/%d/fd/%d\n", getpid(), copy);
    }
    globfree(&files);
    return is_read;
}

/* Takes LINE apart, but for what is copied as it is, TEXT. */
static bool read_line(struct walk *walk, struct source *source, char *line, const char *text,
                      int outer)
{
    const char *keyword = take_word(&line, BLANKS "=");
    struct sshd_block *block;

    if (keyword != NULL && strcasecmp(keyword, "match") == 0)
        return take_match(walk, source, line, outer);
    if (keyword != NULL && strcasecmp(keyword, "include") == 0) {
        for (const char *file; (file = take_word(&line, BLANKS)) != NULL;)
            if (!take_pattern(walk, source, file))
                return false;
        return true;
    }
    if (source->copy != NULL)
        fprintf(source->copy, "%s\n", text);
    if (keyword == NULL || walk->blocks == NULL || source->block == SSHD_CONFIG_NO_BLOCK ||
        !is_relevant(keyword))
        return true;
    block = &walk->blocks->blocks[source->block];
    if (!block->is_relevant && strcmp(block->path, source->path) == 0)
        block->number = source->number;
    block->is_relevant = true;
    return true;
}

static bool read_lines(struct walk *walk, struct source *source, char *rest, int outer)
{
    char *text;

    while ((text = strsep(&rest, "\n")) != NULL) {
        auto_text char *line = strdup(text);
        source->number++;
        if (line == NULL)
            return refuse(walk, source->path, "out of memory");
        if (!read_line(walk, source, line, text, outer))
            return false;
    }
    return true;
}

/* A new copy; NULL, with errno. */
static FILE *add_copy(struct sshd_copies *copies)
{
    int file = memfd_create("sshd_config", MFD_CLOEXEC);
    FILE *copy = file >= 0 ? fdopen(file, "w") : NULL;

    if (copy != NULL)
        copies->files[copies->count++] = copy;
    else if (file >= 0)
        close(file);
    return copy;
}

/* *RET_COPY: the copy of PATH, where one is made. */
static bool read_file(struct walk *walk, const char *path, int outer, int depth, int *ret_copy)
{
    struct source source = { .path = path, .block = outer, .depth = depth };
    auto_text char *text = NULL;

    if (depth > DEPTH_MAX || ++walk->files > SSHD_COPIES_MAX)
        return refuse(walk, path, "included too deep, or too many files are included");
    if (!overlay_read(walk->overlay, path, &text))
        return refuse(walk, path, strerror(errno));
    if (walk->copies == NULL)
        return read_lines(walk, &source, text, outer);
    source.copy = add_copy(walk->copies);
    if (source.copy == NULL)
        return refuse(walk, path, strerror(errno));
    *ret_copy = fileno(source.copy);
    if (!read_lines(walk, &source, text, outer))
        return false;
    return (fflush(source.copy) == 0 && !ferror(source.copy)) ||
           refuse(walk, path, "cannot write a copy");
}

bool sshd_config_blocks(const char *path, const struct overlay *overlay,
                        struct sshd_blocks **ret_blocks, struct verdict *why_not)
{
    auto_sshd_blocks *blocks = calloc(1, sizeof *blocks);
    struct walk walk = {
        .blocks = blocks, .overlay = overlay, .chosen = SSHD_CONFIG_NO_BLOCK, .why_not = why_not
    };

    if (path == NULL)
        path = SSHD_TEXT_DEFAULT;
    if (blocks == NULL)
        return refuse(&walk, path, "out of memory");
    if (!read_file(&walk, path, SSHD_CONFIG_NO_BLOCK, 0, NULL))
        return false;

    *ret_blocks = blocks;
    blocks = NULL;
    return true;
}

int sshd_text_copy(const char *path, const struct overlay *overlay,
                   const struct sshd_blocks *blocks, int block, struct sshd_copies *copies,
                   struct verdict *why_not)
{
    bool is_alone = block >= SSHD_CONFIG_ALONE;
    struct walk walk = { .known = blocks,
                         .overlay = overlay,
                         .chosen = is_alone ? block - SSHD_CONFIG_ALONE : block,
                         .is_alone = is_alone || block == SSHD_CONFIG_NO_BLOCK,
                         .copies = copies,
                         .why_not = why_not };
    int copy = -1;

    return read_file(&walk, path, SSHD_CONFIG_NO_BLOCK, 0, &copy) ? copy : -1;
}

void sshd_copies_close(struct sshd_copies *copies)
{
    while (copies->count > 0)
        fclose(copies->files[--copies->count]);
}

void sshd_blocks_free(struct sshd_blocks **blocks)
{
    for (int i = 0; *blocks != NULL && i < (*blocks)->count; i++) {
        free((*blocks)->blocks[i].path);
        free((*blocks)->blocks[i].criteria);
    }
    free(*blocks);
    *blocks = NULL;
}
