/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The check program, to its question and not further. */
#include "dry-run.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../../core/clock.h"
#include "../../module/helper.h"
#include "process.h"

/* A service of this name is in nobody's exempt_services; and no account and no file has this name,
 * whatever unmapped_user says: somebody of whom the check program sends nothing, ever. */
#define SERVICE "twilio-verify-doctor"
#define NOBODY  "/"
#define NO_CODE "-"

enum { ANSWER_MS = 5000, GOODBYE_MS = 1000, CAGE_MS = 3000, PAUSE_MS = 10, GRACE_MS = 2000 };

/* Starts it for USER, whose first ANSWER, unless it is NULL, goes out with the first line. */
static bool start(const struct dry_run *run, const char *user, const char *answer,
                  struct helper *ret_helper, struct verdict *why_not)
{
    char line[DIALOGUE_LINE_SIZE];
    size_t length;

    if (!dialogue_print_login(SERVICE, user, 0, line))
        return verdict_refuse(why_not, OUTCOME_BROKEN, "the name does not fit");
    length = strlen(line);
    if (answer != NULL)
        snprintf(line + length, sizeof line - length, "\n%s", answer);
    if (!helper_start(run->check, run->settings_path, ret_helper, why_not))
        return false;
    helper_send(ret_helper, line);
    return true;
}

/* Waits for the question. */
static bool await_question(struct helper *helper, int64_t timeout_ms, struct verdict *why_not)
{
    struct dialogue_message message;
    char line[DIALOGUE_LINE_SIZE];

    if (!helper_receive(helper, timeout_ms, line, &message, why_not))
        return false;
    if (message.kind != DIALOGUE_VERDICT)
        return true;
    *why_not = message.verdict;
    return false;
}

static void add_failure(struct report *report, const char *subject, const struct verdict *why_not)
{
    report_add(report, REPORT_WRONG, subject, NULL, "%s: %s", verdict_word(why_not->outcome),
               why_not->reason);
}

/* As USER. What is no code lies there before the question comes, in one write with the first line:
 * after that the check program sends nothing until a code comes (login.c), and none does. */
static void add_user(struct report *report, const struct dry_run *run)
{
    struct helper helper = HELPER_NONE;
    struct verdict why_not;

    if (start(run, run->user, NO_CODE, &helper, &why_not) &&
        await_question(&helper, ANSWER_MS, &why_not))
        report_add(report, REPORT_OK, "dry run", NULL, "%s is asked for a code", run->user);
    else if (why_not.outcome == OUTCOME_NOT_REQUIRED)
        report_add(report, REPORT_OK, "dry run", NULL, "%s needs no code: %s", run->user,
                   why_not.reason);
    else
        add_failure(report, "dry run", &why_not);
    helper_stop(&helper, GOODBYE_MS);
}

/* Waits until it has shut itself in. */
static bool await_cage(const struct helper *helper, struct process *ret_process)
{
    const struct timespec pause = { 0, PAUSE_MS * 1000000L };
    int64_t deadline_ms = clock_ms() + CAGE_MS;

    do {
        if (!process_read(helper->pidfd, ret_process))
            return false;
        if (ret_process->is_filtered)
            return true;
        nanosleep(&pause, NULL);
    } while (clock_ms() < deadline_ms);
    return true;
}

/* To somebody who is not enrolled the second question comes once the connection is made, and else a
 * verdict. What is answered never leaves. */
static void add_connection(struct report *report, const struct dry_run *run, struct helper *helper)
{
    int64_t timeout_ms = (int64_t)run->settings->timeout_seconds * 1000 + GRACE_MS;
    char code[] = "00000000";
    struct verdict why_not;

    if (run->settings->attempts < 2) {
        report_add(report, REPORT_NOTE, "from the sandbox", NULL,
                   "with attempts = 1 the dry run cannot show whether it connects");
        return;
    }
    code[run->settings->code_length] = '\0';
    helper_send(helper, code);
    if (await_question(helper, timeout_ms, &why_not))
        report_add(report, REPORT_OK, "from the sandbox", NULL, "it connects to %s, TLS included",
                   run->settings->base_url);
    else if (!run->is_reached)
        report_add(report, REPORT_AWAY, "from the sandbox", NULL, "it cannot connect to %s either",
                   run->settings->base_url);
    else
        report_add(report, REPORT_WRONG, "from the sandbox",
                   "look for a firewall rule for this account, for resolver files or certificates "
                   "that it cannot read, and for a twilio.so of another version",
                   "%s cannot connect to %s, but this tool can: %s", run->settings->run_as,
                   run->settings->base_url, why_not.reason);
}

void dry_run_add(struct report *report, const struct dry_run *run)
{
    struct helper helper = HELPER_NONE;
    struct process process;
    struct verdict why_not;
    bool is_asked =
        start(run, NOBODY, NULL, &helper, &why_not) && await_question(&helper, ANSWER_MS, &why_not);

    if (is_asked) {
        report_add(report, REPORT_OK, "start", NULL,
                   "the check program, as the module starts it, asks");
        if (await_cage(&helper, &process))
            process_add(report, run->settings->run_as, &process);
        add_connection(report, run, &helper);
    } else {
        add_failure(report, "start", &why_not);
    }
    helper_stop(&helper, GOODBYE_MS);

    if (is_asked && run->user != NULL)
        add_user(report, run);
}
