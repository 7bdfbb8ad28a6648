/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines of "auth" of a PAM service. */
#include "pam-stack.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text-file.h"

struct reader {
    const struct pam_stack_source *source;
    struct pam_stack *stack;
    size_t lines_read;
    char *why_not;
};

/* A file while it is read. */
struct source {
    const char *path;
    char *rest;
    unsigned number; /* of the line that was read last */
    int include_level, stack_level;
};

static bool read_name(struct reader *reader, const char *name, int include_level, int stack_level,
                      bool *ret_is_absent);

__attribute__((format(printf, 2, 3))) static bool refuse(struct reader *reader, const char *format,
                                                         ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reader->why_not, PAM_STACK_WHY_NOT_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

/* Appends one line of the file, as libpam sees it, to LOGICAL. Whether the next one belongs to it
 * as well: it ends with a backslash. */
static bool append(char *logical, size_t size, const char *line)
{
    size_t used = strlen(logical);
    size_t end = strcspn(line, "#");
    bool is_continued = false;

    if (line[end] != '#') {
        size_t last = end;
        while (last > 0 && isspace((unsigned char)line[last - 1]))
            last--;
        is_continued = last > 0 && line[last - 1] == '\\';
        end = is_continued ? last - 1 : end;
    }
    snprintf(logical + used, size - used, "%.*s%s", (int)end, line, is_continued ? " " : "");
    return is_continued;
}

/* The next line with something in it into LOGICAL; *RET_IS_END: there is none. */
static bool take_line(struct reader *reader, struct source *source, char *logical, size_t size,
                      unsigned *ret_number, bool *ret_is_end)
{
    bool is_continued = false;
    char *line;

    *logical = '\0';
    while ((line = text_file_line(&source->rest)) != NULL) {
        source->number++;
        if (++reader->lines_read > PAM_STACK_READ_MAX)
            return refuse(reader, "%s: more than %d lines, with all that is included", source->path,
                          PAM_STACK_READ_MAX);
        if (strlen(line) > PAM_LINE_MAX || strlen(logical) + strlen(line) > PAM_LINE_MAX)
            return refuse(reader, "%s:%u: a line of more than %d bytes, which libpam splits",
                          source->path, source->number, PAM_LINE_MAX);
        line += strspn(line, " \t");
        if (*line == '\0' || *line == '#')
            continue;
        if (*logical == '\0')
            *ret_number = source->number;
        is_continued = append(logical, size, line);
        if (!is_continued)
            return true;
    }
    *ret_is_end = true;
    return !is_continued || refuse(reader, "%s: ends with a backslash", source->path);
}

static struct pam_stack_line *add_line(struct reader *reader, const struct source *source,
                                       unsigned number, enum pam_stack_kind kind)
{
    struct pam_stack *stack = reader->stack;
    struct pam_stack_line *line;

    if (stack->count == PAM_STACK_LINES_MAX) {
        refuse(reader, "%s:%u: more than %d lines of auth, with all that is included", source->path,
               number, PAM_STACK_LINES_MAX);
        return NULL;
    }
    line = &stack->lines[stack->count];
    *line = (struct pam_stack_line){
        .kind = kind, .level = source->stack_level, .path = source->path, .number = number
    };
    stack->count++;
    return line;
}

/* Fills in the words of LINE. */
static bool fill(struct reader *reader, struct pam_stack_line *line, const char *word,
                 const char *name, const char *arguments)
{
    line->word = strdup(word != NULL ? word : "");
    line->name = strdup(name != NULL ? name : "");
    line->arguments = strdup(arguments != NULL ? arguments + strspn(arguments, " \t") : "");
    if (line->word == NULL || line->name == NULL || line->arguments == NULL)
        return refuse(reader, "out of memory");
    line->module = facts_find_line(reader->source->facts, line->name, line->arguments);
    line->codes = facts_codes(line->module, line->arguments);
    return true;
}

/* "include" and "substack": what can't be read is a line that fails. */
static bool read_include(struct reader *reader, struct source *source, unsigned number,
                         const char *word, const char *name)
{
    bool is_substack = strcasecmp(word, "substack") == 0 && !reader->source->is_flat;
    bool is_absent = false;
    struct pam_stack_line *line;

    if (name == NULL)
        return refuse(reader, "%s:%u: \"%s\" without a name", source->path, number, word);
    if (is_substack) {
        line = add_line(reader, source, number, PAM_STACK_SUBSTACK);
        if (line == NULL || !fill(reader, line, word, name, NULL))
            return false;
    }
    if (read_name(reader, name, source->include_level + 1, source->stack_level + is_substack,
                  &is_absent))
        return true;
    if (!is_absent)
        return false;

    line = add_line(reader, source, number, PAM_STACK_MUST_FAIL);
    if (line == NULL || !fill(reader, line, word, name, NULL))
        return false;
    pam_control_fill(&line->control, PAM_ACTION_BAD);
    return true;
}

/* Debian's libpam refuses everything where such a file is missing. */
static bool read_at_include(struct reader *reader, struct source *source, unsigned number,
                            const char *name)
{
    bool is_absent = false;

    if (name == NULL)
        return refuse(reader, "%s:%u: \"@include\" without a name", source->path, number);
    if (read_name(reader, name, source->include_level + 1, source->stack_level, &is_absent))
        return true;
    return is_absent ? refuse(reader, "%s:%u: cannot read \"@include %s\": not in %s", source->path,
                              number, name, reader->source->directories[0])
                     : false;
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
static bool read_line(struct reader *reader, struct source *source, unsigned number, char *text)
{
    const char *wanted = reader->source->type != NULL ? reader->source->type : "auth";
    const char *type = pam_control_take_word(&text);
    const char *word, *name;
    struct pam_stack_line *line;
    bool is_wanted;

    if (type == NULL)
        return true;
    type += *type == '-' ? 1 : 0;
    if (strcasecmp(type, "@include") == 0)
        return read_at_include(reader, source, number, pam_control_take_word(&text));
    if (is_other_type(type, wanted))
        return true;

    is_wanted = strcasecmp(type, wanted) == 0;
    word = pam_control_take_word(&text);
    name = word != NULL ? pam_control_take_word(&text) : NULL;
    if (word != NULL && (strcasecmp(word, "include") == 0 || strcasecmp(word, "substack") == 0))
        return read_include(reader, source, number, word, name);

    line = add_line(reader, source, number,
                    is_wanted && name != NULL ? PAM_STACK_MODULE : PAM_STACK_MUST_FAIL);
    if (line == NULL || !fill(reader, line, word, name, text))
        return false;
    if (word == NULL)
        pam_control_fill(&line->control, PAM_ACTION_BAD);
    else
        pam_control_parse(word, &line->control);
    return true;
}

static bool read_text(struct reader *reader, struct source *source)
{
    char logical[PAM_LINE_MAX + 8];
    unsigned number = 0;
    bool is_end = false;

    for (;;) {
        if (!take_line(reader, source, logical, sizeof logical, &number, &is_end))
            return false;
        if (is_end)
            return true;
        if (!read_line(reader, source, number, logical))
            return false;
    }
}

/* Remembers PATH, which then is the stack's. */
static bool keep_path(struct pam_stack *stack, char *path)
{
    char **paths = realloc(stack->paths, (stack->paths_count + 1) * sizeof *paths);

    if (paths == NULL)
        return false;
    stack->paths = paths;
    stack->paths[stack->paths_count++] = path;
    return true;
}

/* Whether libpam, which could not open a file for REASON, looks for it in the next directory. It
 * does so for every reason; where this process alone may not open it, what libpam reads is not
 * known. */
static bool is_passed_over(int reason)
{
    return reason == ENOENT || reason == ENOTDIR || reason == ELOOP || reason == ENAMETOOLONG;
}

/* Reads the file NAME of DIRECTORY. *RET_IS_ABSENT, with errno: libpam can't open it. */
static bool read_file(struct reader *reader, const char *directory, const char *name,
                      struct source *source, bool *ret_is_absent)
{
    bool is_absolute = *name == '/';
    auto_text char *text = NULL;
    char *path = NULL;

    if (asprintf(&path, "%s%s%s", is_absolute ? "" : directory, is_absolute ? "" : "/", name) < 0)
        return refuse(reader, "out of memory");
    if (!overlay_read(reader->source->overlay, path, &text)) {
        *ret_is_absent = is_passed_over(errno);
        refuse(reader, "%s: %s", path, strerror(errno));
        free(path);
        return false;
    }
    if (!keep_path(reader->stack, path)) {
        free(path);
        return refuse(reader, "out of memory");
    }
    source->path = path;
    source->rest = text;
    return read_text(reader, source);
}

static bool read_name(struct reader *reader, const char *name, int include_level, int stack_level,
                      bool *ret_is_absent)
{
    /* Upstream's libpam fails the line; Debian's goes on, until the host is out of stack. */
    if (include_level >= PAM_STACK_LEVELS)
        return refuse(reader, "%s: included %d levels deep: in a circle?", name, include_level);
    for (const char *const *directory = reader->source->directories; *directory != NULL;
         directory++) {
        struct source source = { .include_level = include_level, .stack_level = stack_level };
        bool is_absent = false;
        if (read_file(reader, *directory, name, &source, &is_absent))
            return true;
        if (!is_absent)
            return false;
        /* Debian's libpam, up to 1.7 at least, looks for an included file in the first directory
         * alone. */
        if (include_level > 0)
            break;
    }
    *ret_is_absent = true;
    errno = ENOENT;
    return false;
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

static struct pam_stack *new_stack(void)
{
    struct pam_stack *stack = calloc(1, sizeof *stack);

    if (stack == NULL)
        return NULL;
    stack->lines = calloc(PAM_STACK_LINES_MAX, sizeof *stack->lines);
    if (stack->lines == NULL)
        pam_stack_free(&stack);
    return stack;
}

static bool read_service(struct reader *reader, const char *service, bool *ret_is_absent)
{
    reader->lines_read = 0;
    reader->stack = new_stack();
    if (reader->stack == NULL)
        return refuse(reader, "out of memory");
    return read_name(reader, service, 0, 0, ret_is_absent);
}

enum pam_stack_read pam_stack_read(const struct pam_stack_source *source, const char *service,
                                   struct pam_stack **ret_stack,
                                   char why_not[PAM_STACK_WHY_NOT_SIZE])
{
    struct reader reader = { .source = source, .why_not = why_not };
    bool is_absent = false, is_other_absent = false;
    bool is_read = read_service(&reader, service, &is_absent);
    auto_stack *stack = reader.stack;
    auto_stack *other = NULL;
    struct pam_stack **counts;

    if (!is_read && !is_absent)
        return PAM_STACK_REFUSED;
    is_read = read_service(&reader, "other", &is_other_absent);
    other = reader.stack;
    if (!is_read && (is_absent || !is_other_absent))
        return PAM_STACK_REFUSED;

    counts = stack->count > 0 ? &stack : &other;
    (*counts)->is_other = counts == &other;
    mark_entries(*counts);
    *ret_stack = *counts;
    *counts = NULL;
    return is_absent ? PAM_STACK_ABSENT : PAM_STACK_READ;
}

void pam_stack_free(struct pam_stack **stack)
{
    if (*stack == NULL)
        return;
    for (size_t i = 0; (*stack)->lines != NULL && i < (*stack)->count; i++) {
        free((*stack)->lines[i].name);
        free((*stack)->lines[i].word);
        free((*stack)->lines[i].arguments);
    }
    for (size_t i = 0; i < (*stack)->paths_count; i++)
        free((*stack)->paths[i]);
    free((*stack)->paths);
    free((*stack)->lines);
    free(*stack);
    *stack = NULL;
}
