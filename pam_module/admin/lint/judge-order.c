/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether our module asks everybody who has passed the first factor, and nobody else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "judge.h"
#include "paths.h"

enum { REMEDY_SIZE = 512 };

#define COST   "anybody can use up a user's challenges, of which Twilio allows 50 an hour"
#define DIGITS "the digits at the end of a wrong password go to Twilio"

/* The first line of our module that is reached before any factor was shown; NULL: there is none. */
static const struct pam_stack_line *find_bare(const struct pam_stack *stack,
                                              const struct pam_walk_result *refused)
{
    for (size_t i = 0; i < stack->count; i++)
        if (judge_is(&stack->lines[i], FACTS_SECOND) && refused->lines[i].is_reached_bare)
            return &stack->lines[i];
    return NULL;
}

/* Whether the stack asks for a code after its first factor alone where each substack is an include:
 * not if a line "sufficient" in there would end the stack. */
static bool is_mended_by_include(const struct judge *judge)
{
    struct pam_stack_source source = judge->check->source;
    struct pam_walk_result *refused = NULL, *approved = NULL;
    struct verdict why_not;
    auto_stack *stack = NULL;
    bool is_mended;

    source.is_flat = true;
    is_mended =
        pam_stack_read(&source, judge->check->service, &stack, &why_not) == PAM_STACK_READ &&
        pam_walk_search(stack, FACTS_REFUSALS, &refused) &&
        pam_walk_search(stack, PAM_CODE_SET(PAM_CODE_SUCCESS), &approved) && !refused->is_success &&
        find_bare(stack, refused) == NULL && approved->is_success;
    free(refused);
    free(approved);
    return is_mended;
}

/* Whether FACTOR refuses for good, and lets pass only by PAM_IGNORE. */
static bool is_passed_by_ignore(const struct pam_stack_line *factor,
                                const struct pam_stack_line *ours)
{
    return (factor->codes & PAM_CODE_SET(PAM_CODE_IGNORE)) != 0 && factor->level == ours->level &&
           factor->control.actions[PAM_CODE_AUTH_ERR] == PAM_ACTION_DIE &&
           factor->control.actions[PAM_CODE_IGNORE] == PAM_ACTION_IGNORE;
}

/* The line "substack" of LEVEL in whose file LINE stands; NULL: there is none. */
static const struct pam_stack_line *find_substack(const struct pam_stack *stack,
                                                  const struct pam_stack_line *line, int level)
{
    for (; line >= stack->lines; line--)
        if (line->kind == PAM_STACK_SUBSTACK && line->level == level)
            return line;
    return NULL;
}

/* What to write so that OURS is reached by who has passed FACTOR alone. */
static void print_order_remedy(const struct judge *judge, const struct pam_stack_line *factor,
                               const struct pam_stack_line *ours, char remedy[REMEDY_SIZE])
{
    const struct pam_stack_line *substack = find_substack(judge->stack, factor, ours->level);
    const struct pam_stack_line *other = factor + 1;
    bool is_alone; /* no other first factor lets in those whom this one does not know */

    while (other < ours && !judge_is(other, FACTS_FACTOR))
        other++;
    is_alone = other >= ours;

    if (is_passed_by_ignore(factor, ours) && *factor->module->unless != '\0')
        snprintf(remedy, REMEDY_SIZE, "remove its arguments that let pass: %s",
                 factor->module->unless);
    else if (is_passed_by_ignore(factor, ours))
        snprintf(remedy, REMEDY_SIZE, "write \"ignore=die\", or, if it never does, say so in %s",
                 PATHS_OWN_FACTS);
    else if (substack != NULL && is_mended_by_include(judge))
        snprintf(remedy, REMEDY_SIZE, "write \"include\" in place of \"substack\" (%s:%u)",
                 substack->path, substack->number);
    else if (substack != NULL)
        snprintf(remedy, REMEDY_SIZE,
                 is_alone ? "a refusal in a substack ends the substack alone: put the lines of %s "
                            "into %s, with \"requisite\" for %s"
                          : "a refusal in a substack ends the substack alone: put the lines of %s "
                            "into %s, and let %s and the other first factors jump over "
                            "\"requisite pam_deny.so\" with \"success=N\"",
                 substack->name, substack->path, factor->name);
    else if (strcasecmp(factor->word, "required") == 0)
        snprintf(remedy, REMEDY_SIZE, "write \"requisite\" for %s", factor->name);
    else
        snprintf(remedy, REMEDY_SIZE, "end the stack on a refusal there, as \"requisite\" does");
}

/* Twilio allows so many challenges for a user: who gets to the question can use them up. */
void judge_order(struct judge *judge)
{
    const struct pam_stack_line *factor = judge_find(judge->stack, FACTS_FACTOR);
    const struct pam_stack_line *ours = find_bare(judge->stack, judge->refused);
    bool is_split = judge_find(judge->stack, FACTS_SPLIT) != NULL;
    enum report_level level = is_split ? REPORT_WRONG : REPORT_WARNING;
    const char *cost = is_split ? DIGITS : COST;
    char remedy[REMEDY_SIZE];
    const char *what;

    if (ours == NULL || (factor == NULL && (judge_is_sshd(judge) || is_split)))
        return;
    if (factor == NULL) {
        judge_add(judge, ours, REPORT_WARNING, "put a first factor before it",
                  "the code is the only factor: " COST);
        return;
    }
    if (factor > ours && !judge->approved->is_success_ours) {
        judge_add(judge, ours, level, "move the module's line below it",
                  "the module comes before %s (%s:%u): %s", factor->name, factor->path,
                  factor->number, cost);
        return;
    }
    print_order_remedy(judge, factor, ours, remedy);
    what = is_passed_by_ignore(factor, ours) ? "returned PAM_IGNORE" : "refused";
    if (judge->approved->is_success_ours)
        judge_add(judge, ours, REPORT_WRONG, remedy,
                  "the code alone logs in, also after %s %s (%s:%u)", factor->name, what,
                  factor->path, factor->number);
    else
        judge_add(judge, ours, level, remedy, "the module asks also after %s %s (%s:%u): %s",
                  factor->name, what, factor->path, factor->number, cost);
}

enum { ASKED_MAX = 2 };

/* The first lines of our module that one login calls. */
struct asked {
    const struct pam_stack_line *lines[ASKED_MAX];
    size_t count;
};

/* The login of somebody who has both factors, and is no exception. */
static enum pam_code answer_usual(const struct pam_stack_line *line, void *context)
{
    struct asked *asked = context;
    bool is_exception = line->module->role == FACTS_CONDITION || line->module->role == FACTS_ROOT;

    if (judge_is(line, FACTS_SECOND) && asked->count < ASKED_MAX)
        asked->lines[asked->count++] = line;
    return is_exception ? PAM_CODE_AUTH_ERR : PAM_CODE_SUCCESS;
}

void judge_twice(struct judge *judge)
{
    struct asked asked = { 0 };

    pam_walk_run(judge->stack, answer_usual, &asked);
    if (asked.count == 2)
        judge_add(judge, NULL, REPORT_WARNING, "remove one of the lines",
                  "%s:%u and %s:%u: the module asks twice, and a code works once",
                  asked.lines[0]->path, asked.lines[0]->number, asked.lines[1]->path,
                  asked.lines[1]->number);
}
