/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Password and code in one field: whether a line with "split=", the first factor and our module
 * are in this order. */
#include <string.h>

#include "judge.h"

#define THIRD "add \"auth required pam_twilio_verify.so\" below the first factor"

static const struct pam_stack_line *find_last(const struct pam_stack *stack, enum facts_role role)
{
    for (size_t i = stack->count; i-- > 0;)
        if (judge_is(&stack->lines[i], role))
            return &stack->lines[i];
    return NULL;
}

/* A first factor has to be between the line that cuts, SPLIT, and the one that checks. */
static void judge_factor(struct judge *judge, const struct pam_stack_line *split)
{
    const struct pam_stack_line *factor = judge_find(judge->stack, FACTS_FACTOR);

    if (factor == NULL)
        judge_add(judge, split, REPORT_WRONG,
                  "put a first factor between the two lines of the module",
                  "no line checks the password that split= leaves: a right code, behind "
                  "anything, logs in");
    else if (factor < split)
        judge_add(judge, split, REPORT_WRONG, "move the line with split= above it",
                  "split= comes after %s (%s:%u), which gets the code as a part of the "
                  "password",
                  factor->name, factor->path, factor->number);
}

/* pam_unix(8) takes a password that is there. */
static bool takes_password(const struct pam_stack_line *factor)
{
    return strcmp(factor->module->name, "pam_unix.so") == 0 ||
           strstr(factor->arguments, "use_first_pass") != NULL ||
           strstr(factor->arguments, "try_first_pass") != NULL;
}

/* A host with one field gives the same answer to every question. */
static void judge_questions(struct judge *judge, const struct pam_stack_line *split,
                            const struct pam_stack_line *ours)
{
    for (const struct pam_stack_line *line = split; line < ours; line++)
        if (judge_is(line, FACTS_FACTOR) && !takes_password(line))
            judge_add(judge, line, REPORT_WARNING, "add use_first_pass",
                      "%s may ask for a password of its own, and get the code with it", line->name);
}

static void judge_length(struct judge *judge, const struct pam_stack_line *split)
{
    const struct settings *settings = judge_find_settings(judge);
    char value[JUDGE_VALUE_SIZE];
    int length;

    judge_find_argument(split, "split=", value);
    length = *value != '\0' && value[1] == '\0' ? *value - '0' : 0;
    if (settings != NULL && length != 0 && length != settings->code_length)
        judge_add(judge, split, REPORT_WRONG, "write the same number into both",
                  "split=%d, but code_length is %d: every code is refused", length,
                  settings->code_length);
}

void judge_split(struct judge *judge)
{
    const struct pam_stack_line *split = judge_find(judge->stack, FACTS_SPLIT);
    const struct pam_stack_line *last = find_last(judge->stack, FACTS_SPLIT);
    const struct pam_stack_line *ours = find_last(judge->stack, FACTS_SECOND);

    if (split == NULL || last == NULL)
        return;
    if (ours == NULL || ours < last) {
        judge_add(judge, last, REPORT_WRONG, THIRD,
                  "split= cuts off a code that no later line checks: the password, and any "
                  "digits behind it, log in");
        return;
    }
    if (last != split)
        judge_add(judge, last, REPORT_WRONG, "remove one of the two",
                  "split= is there twice: what %s:%u cuts off is lost", split->path, split->number);
    judge_factor(judge, last);
    judge_questions(judge, split, ours);
    judge_length(judge, last);
}
