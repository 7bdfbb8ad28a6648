/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "bypass USER": no code is asked of somebody for a while. */
#include "../core/bypass.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/enrollment.h"
#include "../core/text.h"
#include "../core/userfile.h"
#include "session.h"
#include "terminal.h"

enum { MINUTE = 60, HOUR = 3600, FILE_SIZE = 1024 };

/* "90m" or "2h" in seconds; 0: neither, or too long. */
static int64_t read_span(const char *text)
{
    char *unit;
    long number;
    int64_t seconds;

    if (*text < '0' || *text > '9')
        return 0;
    number = strtol(text, &unit, 10);
    if (number > BYPASS_SECONDS_MAX || strlen(unit) != 1 || strchr("mh", *unit) == NULL)
        return 0;
    seconds = (int64_t)number * (*unit == 'h' ? HOUR : MINUTE);
    return seconds <= BYPASS_SECONDS_MAX ? seconds : 0;
}

/* As a string of the file's syntax. */
static void quote(const char *text, char *quoted)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            *quoted++ = '\\';
        *quoted++ = *text;
    }
    *quoted = '\0';
}

static bool print_file(int64_t seconds, const char *reason, char when[TEXT_TIME_SIZE],
                       char text[FILE_SIZE])
{
    char quoted[2 * BYPASS_REASON_MAX + 1];
    struct bypass_moment now;
    int64_t until_s;

    if (!bypass_now(&now))
        return false;
    until_s = now.time_s + seconds;
    quote(reason, quoted);
    snprintf(text, FILE_SIZE,
             "# no code is asked until %s\n"
             "made     = \"%lld\";\n"
             "boottime = \"%lld\";\n"
             "boot_id  = \"%s\";\n"
             "until    = \"%lld\";\n"
             "reason   = \"%s\";\n",
             text_print_time(until_s, when), (long long)now.time_s, (long long)now.boottime_s,
             now.boot_id, (long long)until_s, quoted);
    return true;
}

/* Whether it can be of use: a login looks for the bypass of the enrollment's name, and without an
 * enrollment for that of an account of exactly the name. */
static bool is_somebody(const struct session *session, const char *user)
{
    auto_enrollment *enrollment = NULL;
    struct verdict why_not;

    switch (enrollment_find(session->settings->users_dir, user, &enrollment, &why_not)) {
    case ENROLLMENT_FOUND:
        if (strcmp(enrollment->user, user) == 0)
            return true;
        terminal_say("%s is enrolled as %s: twilio-verify bypass %s", user, enrollment->user,
                     enrollment->user);
        return false;
    case ENROLLMENT_NONE:
        return true;
    case ENROLLMENT_UNKNOWN:
        terminal_say("\"%s\" is neither enrolled nor an account of exactly this name", user);
        return false;
    case ENROLLMENT_REFUSED:
        break;
    }
    session_refuse(&why_not, "the enrollment");
    return false;
}

static enum command_status begin_bypass(const struct session *session, const char *user,
                                        int64_t seconds, const char *reason)
{
    char text[FILE_SIZE], when[TEXT_TIME_SIZE];
    struct verdict why_not;

    if (!is_somebody(session, user))
        return COMMAND_WRONG;
    if (!print_file(seconds, reason, when, text)) {
        terminal_say("no bypass was made: the clocks can't be read: %s", strerror(errno));
        return COMMAND_WRONG;
    }
    if (!users_put(&session->users, user, USERFILE_BYPASS, text, &why_not))
        return session_refuse(&why_not, "no bypass was made");
    terminal_say("no code is asked of %s until %s, or: twilio-verify bypass %s --end", user, when,
                 user);
    return COMMAND_OK;
}

static enum command_status end_bypass(const struct session *session, const char *user)
{
    struct verdict why_not;
    bool was_there;

    if (!users_drop(&session->users, user, USERFILE_BYPASS, &was_there, &why_not))
        return session_refuse(&why_not, "the bypass is still there");
    terminal_say(was_there ? "the bypass of %s has ended" : "%s has no bypass", user);
    return COMMAND_OK;
}

static enum command_status refuse_usage(const char *problem)
{
    terminal_say("%s", problem);
    return COMMAND_USAGE;
}

static enum command_status run(const struct command_call *call)
{
    const char *span = command_value(call, "for"), *reason = command_value(call, "reason");
    bool is_end = command_value(call, "end") != NULL;
    int64_t seconds = span != NULL ? read_span(span) : 0;
    struct session session;
    enum command_status status;

    if (is_end ? span != NULL || reason != NULL : span == NULL || reason == NULL)
        return refuse_usage("bypass needs --for and --reason, or --end alone");
    if (!is_end && seconds == 0)
        return refuse_usage("--for must be minutes or hours, at most 24h: 90m, 2h");
    if (!is_end && (*reason == '\0' || strlen(reason) > BYPASS_REASON_MAX ||
                    !text_is_clean(reason, strlen(reason))))
        return refuse_usage("--reason must be 1 to 200 bytes of UTF-8");
    if (!session_open_local(call, call->operands[0], &session))
        return COMMAND_WRONG;
    status = is_end ? end_bypass(&session, call->operands[0])
                    : begin_bypass(&session, call->operands[0], seconds, reason);
    session_close(&session);
    return status;
}

const struct command bypass_command = {
    .name = "bypass",
    .operands = "USER",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "Asks USER for no code for a while",
    .options = {
        { "for", "TIME", "for so long, at most 24h: 90m, 2h" },
        { "reason", "TEXT", "why; it stands in the log of every login" },
        { "end", NULL, "end it now" },
    },
    .run = run,
};
