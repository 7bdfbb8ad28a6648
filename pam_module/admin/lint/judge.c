/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One PAM service while it is judged. */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 1024 };

void judge_add(struct judge *judge, const struct pam_stack_line *line, enum report_level level,
               const char *remedy, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    judge->is_blamed |= level >= REPORT_WARNING;
    if (line != NULL)
        report_add(judge->report, level, judge->check->service, remedy, "%s:%u: %s", line->path,
                   line->number, text);
    else
        report_add(judge->report, level, judge->check->service, remedy, "%s", text);
}

bool judge_is(const struct pam_stack_line *line, enum facts_role role)
{
    return line->kind == PAM_STACK_MODULE && line->module->role == role;
}

const struct pam_stack_line *judge_find(const struct pam_stack *stack, enum facts_role role)
{
    for (size_t i = 0; i < stack->count; i++)
        if (judge_is(&stack->lines[i], role))
            return &stack->lines[i];
    return NULL;
}

bool judge_is_sshd(const struct judge *judge)
{
    return strcmp(judge->check->service, "sshd") == 0;
}

bool judge_knows(const struct judge *judge, enum facts_word word)
{
    return judge->known != NULL && (judge->known->words & word);
}
