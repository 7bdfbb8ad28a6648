/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines of "auth" of a PAM service. */
#include "pam-stack.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
    const struct pam_stack_source *source;
    struct pam_stack *stack;
    size_t lines_read;
    struct verdict *why_not;
};

/* A file while it is read. */
struct file {
    const char *path;
    char *rest;
    unsigned number; /* of the line that was read last */
    unsigned first;  /* of the lines that it continues */
    int include_level, stack_level;
};

static enum pam_stack_read read_name(struct reader *reader, const char *name, int include_level,
                                     int stack_level);

static bool refuse_nameless(const struct reader *reader, const struct file *file, const char *word)
{
    return verdict_refuse(reader->why_not, OUTCOME_MISCONFIGURED, "%s:%u: \"%s\" without a name",
                          file->path, file->first, word);
}

/* The length of LINE as libpam sees it. Where it ends with a backslash, which becomes a blank, the
 * next one belongs to it. */
static size_t length_of(char *line, bool *ret_is_continued)
{
    size_t length = strcspn(line, "#"), last = length;

    *ret_is_continued = false;
    if (line[length] == '#')
        return length;
    while (last > 0 && isspace((unsigned char)line[last - 1]))
        last--;
    if (last == 0 || line[last - 1] != '\\')
        return length;
    line[last - 1] = ' ';
    *ret_is_continued = true;
    return last;
}

/* The next line with something in it, put together in place. *RET_LINE of NULL: there is none. */
static bool take_line(struct reader *reader, struct file *file, char **ret_line)
{
    bool is_continued = false;
    char *line, *whole = NULL;
    size_t used = 0;

    while ((line = strsep(&file->rest, "\n")) != NULL) {
        size_t length = strlen(line);
        file->number++;
        if (++reader->lines_read > PAM_STACK_READ_MAX)
            return verdict_refuse(reader->why_not, OUTCOME_MISCONFIGURED,
                                  "%s: more than %d lines, with all that is included", file->path,
                                  PAM_STACK_READ_MAX);
        if (used + length > PAM_LINE_MAX)
            return verdict_refuse(reader->why_not, OUTCOME_MISCONFIGURED,
                                  "%s:%u: a line of more than %d bytes, which libpam splits",
                                  file->path, file->number, PAM_LINE_MAX);
        line += strspn(line, " \t");
        if (*line == '\0' || *line == '#')
            continue;
        if (whole == NULL) {
            whole = line;
            file->first = file->number;
        }
        length = length_of(line, &is_continued);
        memmove(whole + used, line, length);
        used += length;
        whole[used] = '\0';
        if (!is_continued)
            break;
    }
    *ret_line = whole;
    return !is_continued || verdict_refuse(reader->why_not, OUTCOME_MISCONFIGURED,
                                           "%s: ends with a backslash", file->path);
}

/* Adds a line. WORD, its control, may be what includes others, or NULL: then it fails. */
static bool add_line(struct reader *reader, const struct file *file, enum pam_stack_kind kind,
                     const char *word, const char *name, const char *arguments)
{
    struct pam_stack *stack = reader->stack;
    struct pam_stack_line *line = &stack->lines[stack->count];

    if (stack->count == PAM_STACK_LINES_MAX)
        return verdict_refuse(reader->why_not, OUTCOME_MISCONFIGURED,
                              "%s:%u: more than %d lines of auth, with all that is included",
                              file->path, file->first, PAM_STACK_LINES_MAX);
    *line = (struct pam_stack_line){
        .kind = kind,
        .level = file->stack_level,
        .name = name != NULL ? name : "",
        .word = word != NULL ? word : "",
        .arguments = arguments + strspn(arguments, " \t"),
        .path = file->path,
        .number = file->first,
    };
    pam_control_parse(line->word, &line->control);
    line->module = facts_find_line(reader->source->facts, line->name, line->arguments);
    line->codes = facts_codes(line->module, line->arguments);
    stack->count++;
    return true;
}

/* "include" and "substack": what can't be read is a line that fails. */
static bool read_include(struct reader *reader, const struct file *file, const char *word,
                         const char *name)
{
    bool is_substack = strcasecmp(word, "substack") == 0 && !reader->source->is_flat;
    enum pam_stack_read read;

    if (name == NULL)
        return refuse_nameless(reader, file, word);
    if (is_substack && !add_line(reader, file, PAM_STACK_SUBSTACK, word, name, ""))
        return false;
    read = read_name(reader, name, file->include_level + 1, file->stack_level + is_substack);
    if (read == PAM_STACK_ABSENT)
        return add_line(reader, file, PAM_STACK_MUST_FAIL, word, name, "");
    return read == PAM_STACK_READ;
}

/* Debian's libpam refuses everything where such a file is missing. */
static bool read_at_include(struct reader *reader, const struct file *file, const char *name)
{
    enum pam_stack_read read;

    if (name == NULL)
        return refuse_nameless(reader, file, "@include");
    read = read_name(reader, name, file->include_level + 1, file->stack_level);
    if (read == PAM_STACK_ABSENT)
        return verdict_refuse(reader->why_not, OUTCOME_MISCONFIGURED,
                              "%s:%u: cannot read \"@include %s\": not in %s", file->path,
                              file->first, name, reader->source->directories[0]);
    return read == PAM_STACK_READ;
}

static bool is_other_type(const char *type, const char *wanted)
{
    static const char *const types[] = { "auth", "account", "password", "session" };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcasecmp(type, types[i]) == 0)
            return strcasecmp(type, wanted) != 0;
    return false;
}

/* A line whose type libpam does not know counts as one of the type that is read, and fails. */
static bool read_line(struct reader *reader, const struct file *file, char *text)
{
    const char *wanted = reader->source->type != NULL ? reader->source->type : "auth";
    const char *type = pam_control_take_word(&text);
    const char *word, *name;

    if (type == NULL)
        return true;
    type += *type == '-' ? 1 : 0;
    if (strcasecmp(type, "@include") == 0)
        return read_at_include(reader, file, pam_control_take_word(&text));
    if (is_other_type(type, wanted))
        return true;

    word = pam_control_take_word(&text);
    name = word != NULL ? pam_control_take_word(&text) : NULL;
    if (word != NULL && (strcasecmp(word, "include") == 0 || strcasecmp(word, "substack") == 0))
        return read_include(reader, file, word, name);
    return add_line(reader, file,
                    name != NULL && strcasecmp(type, wanted) == 0 ? PAM_STACK_MODULE
                                                                  : PAM_STACK_MUST_FAIL,
                    word, name, text);
}

static bool read_text(struct reader *reader, struct file *file)
{
    char *line = NULL;

    do {
        if (!take_line(reader, file, &line) || (line != NULL && !read_line(reader, file, line)))
            return false;
    } while (line != NULL);
    return true;
}

/* Whether libpam, which could not open a file for REASON, looks for it in the next directory. It
 * does so for every reason; where this process alone may not open it, what libpam reads is not
 * known. */
static bool is_passed_over(int reason)
{
    return reason == ENOENT || reason == ENOTDIR || reason == ELOOP || reason == ENAMETOOLONG;
}

/* Adds the file NAME of DIRECTORY, without its text; NULL: out of memory. */
static struct pam_stack_file *add_file(struct pam_stack *stack, const char *directory,
                                       const char *name)
{
    bool is_absolute = *name == '/';
    struct pam_stack_file *files = realloc(stack->files, (stack->files_count + 1) * sizeof *files);

    if (files == NULL)
        return NULL;
    stack->files = files;
    files += stack->files_count;
    files->text = NULL;
    if (asprintf(&files->path, "%s%s%s", is_absolute ? "" : directory, is_absolute ? "" : "/",
                 name) < 0)
        return NULL;
    stack->files_count++;
    return files;
}

/* Reads the file NAME of DIRECTORY. */
static enum pam_stack_read read_file(struct reader *reader, const char *directory, const char *name,
                                     struct file *file)
{
    struct pam_stack_file *kept = add_file(reader->stack, directory, name);

    if (kept == NULL) {
        verdict_refuse(reader->why_not, OUTCOME_MISCONFIGURED, "out of memory");
        return PAM_STACK_REFUSED;
    }
    if (!overlay_read(reader->source->overlay, kept->path, &kept->text)) {
        bool is_absent = is_passed_over(errno);
        verdict_refuse(reader->why_not, OUTCOME_MISCONFIGURED, "%s: %s", kept->path,
                       strerror(errno));
        return is_absent ? PAM_STACK_ABSENT : PAM_STACK_REFUSED;
    }
    file->path = kept->path;
    file->rest = kept->text;
    return read_text(reader, file) ? PAM_STACK_READ : PAM_STACK_REFUSED;
}

static enum pam_stack_read read_name(struct reader *reader, const char *name, int include_level,
                                     int stack_level)
{
    enum pam_stack_read read = PAM_STACK_ABSENT;

    /* Upstream's libpam fails the line; Debian's goes on, until the host is out of stack. */
    if (include_level >= PAM_STACK_LEVELS) {
        verdict_refuse(reader->why_not, OUTCOME_MISCONFIGURED,
                       "%s: included %d levels deep: in a circle?", name, include_level);
        return PAM_STACK_REFUSED;
    }
    for (size_t i = 0; read == PAM_STACK_ABSENT && reader->source->directories[i] != NULL; i++) {
        struct file file = { .include_level = include_level, .stack_level = stack_level };
        /* Debian's libpam, up to 1.7 at least, looks for an included file in the first directory
         * alone. */
        if (i > 0 && include_level > 0)
            break;
        read = read_file(reader, reader->source->directories[i], name, &file);
    }
    return read;
}

static bool has_reset(const struct pam_stack_line *line)
{
    for (int code = 0; code < PAM_CODES; code++)
        if (line->control.actions[code] == PAM_ACTION_RESET)
            return true;
    return false;
}

/* Marks where a substack begins to which a later line of it may return by "reset". */
static void mark_entries(struct pam_stack *stack)
{
    for (size_t i = 1; i < stack->count; i++) {
        int level = stack->lines[i].level;
        if (level <= stack->lines[i - 1].level)
            continue;
        for (size_t j = i; j < stack->count && stack->lines[j].level >= level; j++)
            if (stack->lines[j].level == level && has_reset(&stack->lines[j]))
                stack->lines[i].is_entry = true;
    }
}

static enum pam_stack_read read_service(struct reader *reader, const char *service)
{
    reader->lines_read = 0;
    reader->stack = calloc(1, sizeof *reader->stack);
    if (reader->stack != NULL)
        return read_name(reader, service, 0, 0);
    verdict_refuse(reader->why_not, OUTCOME_MISCONFIGURED, "out of memory");
    return PAM_STACK_REFUSED;
}

enum pam_stack_read pam_stack_read(const struct pam_stack_source *source, const char *service,
                                   struct pam_stack **ret_stack, struct verdict *why_not)
{
    struct reader reader = { .source = source, .why_not = why_not };
    enum pam_stack_read read = read_service(&reader, service), other_read;
    auto_stack *stack = reader.stack;
    auto_stack *other = NULL;
    struct pam_stack **counts;

    if (read == PAM_STACK_REFUSED)
        return PAM_STACK_REFUSED;
    other_read = read_service(&reader, "other");
    other = reader.stack;
    if (other_read == PAM_STACK_REFUSED || (other_read == read && read == PAM_STACK_ABSENT))
        return PAM_STACK_REFUSED;

    counts = stack->count > 0 ? &stack : &other;
    (*counts)->is_other = counts == &other;
    mark_entries(*counts);
    *ret_stack = *counts;
    *counts = NULL;
    return read;
}

void pam_stack_free(struct pam_stack **stack)
{
    for (size_t i = 0; *stack != NULL && i < (*stack)->files_count; i++) {
        free((*stack)->files[i].path);
        free((*stack)->files[i].text);
    }
    if (*stack != NULL)
        free((*stack)->files);
    free(*stack);
    *stack = NULL;
}
