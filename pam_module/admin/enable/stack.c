/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The module's line in the file of a PAM service. */
#include "stack.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../../core/siphash.h"
#include "../lint/judge.h"
#include "../lint/pam-walk.h"
#include "../lint/text-file.h"
#include "lines.h"

#define ETC       "/etc/pam.d"
#define USR       "/usr/lib/pam.d"
#define COPY      "# a copy of " USR "/%s, %016" PRIx64
#define MODULE    "auth  required  pam_twilio_verify.so"
#define AFTER_KEY " after=publickey"
#define SESSION   "session  optional  pam_twilio_verify.so"
#define SPLIT     "auth  requisite  pam_twilio_verify.so split="

enum { INCLUDES_MAX = 8 };

static const char *const directories[] = { ETC, USR, NULL };

/* For lines_next_auth(): CONTEXT is how many files lie around this one. */
static bool has_auth(const char *file, void *context)
{
    int depth = context != NULL ? *(int *)context + 1 : 1;
    auto_text char *text = NULL;
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s%s", *file == '/' ? "" : ETC "/", file);
    return depth <= INCLUDES_MAX && text_file_read(path, &text) &&
           lines_next_auth(text, 0, has_auth, &depth) != 0;
}

/* What the number of a copy is made of. */
static uint64_t hash(const char *text)
{
    static const uint8_t key[SIPHASH_KEY_SIZE];

    return siphash(key, text, strlen(text));
}

/* Reads the lines of TYPE of the service with the files of OVERLAY. The caller frees. */
static bool read_overlaid(const struct stack *stack, const struct overlay *overlay,
                          const char *type, struct pam_stack **ret_stack, struct verdict *why_not)
{
    const struct pam_stack_source source = { directories, stack->facts, false, overlay, type };
    struct verdict reason;

    return pam_stack_read(&source, stack->service, ret_stack, &reason) == PAM_STACK_READ ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s; correct it first", reason.reason);
}

/* Reads it as TEXT in the file PATH will make it. */
static bool read_stack(const struct stack *stack, const char *path, const char *text,
                       struct pam_stack **ret_stack, struct verdict *why_not)
{
    const struct overlay overlay[] = { { path, text }, { NULL, NULL } };

    return read_overlaid(stack, overlay, "auth", ret_stack, why_not);
}

/* The file's text is the vendor's, with its source in a line of ours, until somebody makes one. */
static bool copy_vendors(const char *service, struct config_file *file, struct verdict *why_not)
{
    auto_text char *text = NULL;
    char path[PATH_MAX], line[PATH_MAX];
    const char *const lines[] = { line, NULL };

    snprintf(path, sizeof path, USR "/%s", service);
    if (!text_file_read(path, &text))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "there is no PAM service %s, neither in " ETC " nor in " USR,
                              service);
    snprintf(line, sizeof line, COPY, service, hash(text));
    file->new = lines_insert(text, 0, false, lines);
    return file->new != NULL ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: out of memory", path);
}

static bool open_file(const char *service, struct config_file *file, struct verdict *why_not)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, ETC "/%s", service);
    return config_file_open(path, file, why_not);
}

/* How to get rid of a line that is not of this tool. */
static const char *removal(const struct pam_stack_line *line)
{
    return strcmp(line->path, ETC "/common-auth") == 0
               ? "call \"pam-auth-update --disable twilio-verify\""
               : "remove that line";
}

/* The service must not call the module already: it would ask for two codes. */
static bool is_without(const struct stack *stack, const struct config_file *file,
                       const struct pam_stack *found, struct verdict *why_not)
{
    const struct pam_stack_line *ours = judge_find(found, FACTS_SECOND);

    if (ours == NULL)
        return (!found->is_other && judge_find(found, FACTS_FACTOR) != NULL) ||
               verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s asks for no first factor, after which the code could come",
                              file->path);
    return verdict_refuse(
        why_not, OUTCOME_MISCONFIGURED,
        "%s asks for a code already, by the line %s:%u; leave it as it is, or %s first",
        stack->service, ours->path, ours->number, removal(ours));
}

bool stack_still_asks(const struct stack *stack, struct verdict *ret_remedy)
{
    auto_stack *found = NULL;
    const struct pam_stack_line *ours;

    if (!read_overlaid(stack, NULL, "auth", &found, ret_remedy))
        return false;
    ours = judge_find(found, FACTS_SECOND);
    return ours != NULL &&
           !verdict_refuse(ret_remedy, OUTCOME_MISCONFIGURED,
                           "still asks for a code, by the line %s:%u, which \"enable\" did not "
                           "write or somebody has changed: %s",
                           ours->path, ours->number, removal(ours));
}

bool stack_asks_by_another(const struct stack *stack, const struct plan *plan)
{
    const struct pam_stack_line *ours;
    char path[PATH_MAX];
    struct verdict why_not;
    auto_stack *found = NULL;

    if (!read_overlaid(stack, plan->overlay, "auth", &found, &why_not))
        return false;
    ours = judge_find(found, FACTS_SECOND);
    snprintf(path, sizeof path, ETC "/%s", stack->service);
    return ours != NULL &&
           (strcmp(ours->path, path) != 0 || overlay_has(plan->overlay, ours->path));
}

static char *replace(const char *text, unsigned number, const char *line, const char *next)
{
    const char *const lines[] = { line, next, NULL };

    return lines_insert(text, number, true, lines);
}

/* A key is the first factor: the one line in whose place the code goes is that without which no
 * line asks for another. */
static char *put_in_place(const struct stack *stack, const char *path, const char *text,
                          struct verdict *why_not)
{
    unsigned number = 0;

    while ((number = lines_next_auth(text, number, has_auth, NULL)) != 0) {
        char *new = replace(text, number, MODULE AFTER_KEY, "auth  required  pam_permit.so");
        auto_stack *found = NULL;
        if (new != NULL && read_stack(stack, path, new, &found, why_not) &&
            judge_find(found, FACTS_FACTOR) == NULL)
            return new;
        free(new);
    }
    verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                   "%s has no single line that asks for the password and that the code could "
                   "replace; use the recipe sshd-key-and-code",
                   path);
    return NULL;
}

/* Whether no way leads past the code where TEXT is the file. */
static bool is_closed(const struct stack *stack, const char *path, const char *text)
{
    struct pam_walk_result *refused = NULL;
    auto_stack *found = NULL;
    struct verdict why_not;
    bool is_closed = read_stack(stack, path, text, &found, &why_not) &&
                     pam_walk_search(found, FACTS_REFUSALS, &refused) && !refused->is_success;

    free(refused);
    return is_closed;
}

/* Behind the line NUMBER. A refusal in a substack ends the substack alone (pam.conf(5)), and the
 * code would be asked for after a wrong password, too. So it becomes an include, unless what is
 * included would then end the stack before the code, as "sufficient" does. */
static char *put_behind(const struct stack *stack, const char *path, const char *text,
                        unsigned number)
{
    static const char substack[] = "auth substack ";
    const char *const lines[] = { MODULE, NULL };
    char words[LINES_SIZE], include[LINES_SIZE + sizeof "auth  include"];
    char *new;

    if (!lines_print(text, number, words) || strncasecmp(words, substack, strlen(substack)) != 0)
        return lines_insert(text, number, false, lines);
    snprintf(include, sizeof include, "auth  include  %s", words + strlen(substack));
    new = replace(text, number, include, MODULE);
    if (new != NULL && is_closed(stack, path, new))
        return new;
    free(new);
    return lines_insert(text, number, false, lines);
}

/* The last line of auth that is not "optional": what is behind it decides nothing. */
static unsigned find_last(const char *text)
{
    unsigned last = 0, number = 0;
    char words[LINES_SIZE];

    while ((number = lines_next_auth(text, number, has_auth, NULL)) != 0)
        if (!lines_print(text, number, words) || strstr(words, "auth optional ") == NULL ||
            last == 0)
            last = number;
    return last;
}

/* TEXT with the line that cuts the code off, as far below as it still stands before the first
 * factor. NULL: out of memory. */
static char *put_split(const struct stack *stack, const char *path, const char *text)
{
    char line[sizeof SPLIT "8"], *last = NULL;
    const char *const lines[] = { line, NULL };
    unsigned number = 0;

    snprintf(line, sizeof line, SPLIT "%d", stack->split);
    while ((number = lines_next_auth(text, number, has_auth, NULL)) != 0) {
        char *new = lines_insert(text, number - 1, false, lines);
        auto_stack *found = NULL;
        struct verdict why_not;
        if (new == NULL || !read_stack(stack, path, new, &found, &why_not) ||
            judge_find(found, FACTS_FACTOR) < judge_find(found, FACTS_SPLIT)) {
            free(new);
            break;
        }
        free(last);
        last = new;
    }
    return last;
}

/* Behind the line NUMBER; and before the first factor, what cuts it off. NULL, with the verdict. */
static char *put_lines(const struct stack *stack, const char *path, const char *text,
                       unsigned number, struct verdict *why_not)
{
    char *new = put_behind(stack, path, text, number);

    if (new != NULL && stack->split != 0) {
        char *both = put_split(stack, path, new);
        free(new);
        new = both;
    }
    if (new == NULL)
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: out of memory", path);
    return new;
}

/* The text with the code in it. NULL, with the verdict. */
static char *put(const struct stack *stack, const char *path, const char *text,
                 struct verdict *why_not)
{
    unsigned number = stack->place == STACK_AFTER ? lines_find(text, stack->line) : find_last(text);

    if (stack->place == STACK_IN_PLACE)
        return put_in_place(stack, path, text, why_not);
    if (number != 0)
        return put_lines(stack, path, text, number, why_not);
    if (stack->place == STACK_AFTER)
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                       "--after: %s must have exactly one line that reads \"%s\"", path,
                       stack->line);
    else
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s has no auth line to put the code after",
                       path);
    return NULL;
}

/* Whether somebody logs in by the service, and so opens a session in which sudo need not ask again.
 * Lines of its own replace those of "other", so there have to be some. */
static bool opens_sessions(const struct stack *stack, const char *path, const char *text)
{
    const struct facts_service *known = facts_find_service(stack->facts, stack->service);
    const struct overlay overlay[] = { { path, text }, { NULL, NULL } };
    struct verdict why_not;
    auto_stack *found = NULL;

    if (known == NULL || !(known->words & FACTS_LOGIN) || (known->words & FACTS_LOCAL))
        return false;
    return read_overlaid(stack, overlay, "session", &found, &why_not) && !found->is_other &&
           judge_find(found, FACTS_SECOND) == NULL;
}

/* Makes of FILE, whose text is TEXT, one that asks for a code. */
static bool edit(const struct stack *stack, struct config_file *file, const char *text,
                 struct verdict *why_not)
{
    static const char *const session[] = { SESSION, NULL };
    auto_stack *found = NULL;
    char *new;

    if (!read_stack(stack, file->path, text, &found, why_not) ||
        !is_without(stack, file, found, why_not))
        return false;
    new = put(stack, file->path, text, why_not);
    if (new == NULL)
        return false;
    free(file->new);
    file->new = opens_sessions(stack, file->path, new) ? lines_append(new, session) : strdup(new);
    free(new);
    return file->new != NULL ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: out of memory", file->path);
}

/* Whether the file calls the module as it is: somebody may have removed that line and left others
 * of ours. */
static bool calls_module(const struct stack *stack, const struct config_file *file)
{
    auto_stack *found = NULL;
    struct verdict why_not;

    return read_stack(stack, file->path, file->old, &found, &why_not) &&
           judge_find(found, FACTS_SECOND) != NULL;
}

/* Whether none of our lines is missing, of which there are COUNT. A copy has one more. */
static bool is_whole(const struct config_file *file, size_t count)
{
    size_t wanted = 0;
    auto_text char *plain = lines_remove(file->new, &wanted);

    return plain != NULL && count >= wanted;
}

/* Whether an earlier call has put the code where this one would. */
static bool is_as_wanted(const struct stack *stack, const struct config_file *file,
                         struct verdict *why_not)
{
    bool is_in_place = strstr(file->old, MODULE AFTER_KEY) != NULL;
    const char *split = strstr(file->old, SPLIT);
    int length = split != NULL ? split[strlen(SPLIT)] - '0' : 0;

    return (is_in_place == (stack->place == STACK_IN_PLACE) && length == stack->split) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "%s is enabled with another first factor or field: first run "
                          "twilio-verify disable %s",
                          stack->service, stack->service);
}

/* Whether the lines of an earlier call are behind the line that was named. */
static bool is_behind(const struct stack *stack, const struct config_file *file,
                      struct verdict *why_not)
{
    return stack->place != STACK_AFTER || strcmp(file->old, file->new) == 0 ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "%s is enabled behind another line: first run twilio-verify disable %s",
                          stack->service, stack->service);
}

enum stack_found stack_enable(const struct stack *stack, struct plan *plan, struct verdict *why_not)
{
    auto_config_file file = { 0 };
    auto_text char *plain = NULL;
    size_t count = 0;
    bool is_called;

    if (!open_file(stack->service, &file, why_not))
        return STACK_REFUSED;
    if (file.old == NULL && !copy_vendors(stack->service, &file, why_not))
        return STACK_ABSENT;
    if (file.old != NULL)
        plain = lines_remove(file.old, &count);
    is_called = count > 0 && calls_module(stack, &file);
    if (is_called && !is_as_wanted(stack, &file, why_not))
        return STACK_REFUSED;
    if (!edit(stack, &file, count > 0 ? plain : file.old != NULL ? file.old : file.new, why_not))
        return STACK_REFUSED;
    if (is_called && is_whole(&file, count))
        return is_behind(stack, &file, why_not) ? STACK_SAME : STACK_REFUSED;

    plan_add(plan, &file);
    return STACK_CHANGED;
}

/* Whether OLD is a copy of the vendor's file, to which nobody else has added anything. PLAIN is
 * without our lines. */
static bool is_copy(const char *service, const char *old, const char *plain)
{
    char line[PATH_MAX];

    snprintf(line, sizeof line, COPY, service, hash(plain));
    return strstr(old, line) != NULL;
}

enum stack_found stack_disable(const char *service, struct plan *plan, struct verdict *why_not)
{
    auto_config_file file = { 0 };
    auto_text char *plain = NULL;
    size_t count = 0;

    if (!open_file(service, &file, why_not))
        return STACK_REFUSED;
    if (file.old == NULL) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "there is no " ETC "/%s", service);
        return STACK_ABSENT;
    }
    plain = lines_remove(file.old, &count);
    if (plain == NULL) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: out of memory", file.path);
        return STACK_REFUSED;
    }
    if (count == 0 || overlay_has(plan->overlay, file.path))
        return STACK_SAME;
    if (!is_copy(service, file.old, plain)) {
        file.new = plain;
        plain = NULL;
    }
    plan_add(plan, &file);
    return STACK_CHANGED;
}
