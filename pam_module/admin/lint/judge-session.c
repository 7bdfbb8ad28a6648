/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A service that does not ask in a session that has proved a code, or that opens one. */
#include <string.h>

#include "judge.h"

#define LINE "session optional pam_twilio_verify.so"

/* Whoever is in such a session gets in by what else the stack asks for. */
static void judge_covered(struct judge *judge)
{
    static const char who[] =
        "session.services names it: a user in a session that has proved a code";

    if (settings_session_never_covers(judge->check->service))
        judge_add(judge, NULL, REPORT_WARNING, "take it out of session.services",
                  "session.services names it, but it is asked in every session");
    else if (judge_lets_pass(judge, who, false))
        judge_add(judge, NULL, REPORT_NOTE, NULL, "%s is not asked again", who);
}

/* Without this line no session of the service has proved a code. */
static void judge_line(struct judge *judge)
{
    struct pam_stack_source source = judge->check->source;
    struct verdict why_not;
    auto_stack *stack = NULL;

    source.type = "session";
    if (pam_stack_read(&source, judge->check->service, &stack, &why_not) != PAM_STACK_REFUSED &&
        judge_find(stack, FACTS_SECOND) != NULL)
        return;
    judge_add(judge, NULL,
              judge_is_sshd(judge) || strcmp(judge->check->service, "login") == 0 ? REPORT_WARNING
                                                                                  : REPORT_NOTE,
              "add \"" LINE "\" at the end of its file",
              "session.minutes is set, but no line of session calls the module: sudo asks for a "
              "second code after this login");
}

void judge_session(struct judge *judge)
{
    const struct settings *settings = judge_find_settings(judge);

    if (settings == NULL || settings->session_minutes == 0)
        return;
    if (settings_session_covers(settings, judge->check->service))
        judge_covered(judge);
    else if (judge_knows(judge, FACTS_LOGIN))
        judge_line(judge);
}
