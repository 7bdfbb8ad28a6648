/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "bypass USER": no code is asked of a user for a while. */
#include "bypass.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../core/bypass.h"
#include "../../core/descriptor.h"
#include "../../core/enrollment.h"
#include "../../core/text.h"
#include "../desk/terminal.h"
#include "directory.h"
#include "tool.h"

enum { MINUTE = 60, HOUR = 3600, FILE_SIZE = 1024, TEMPORARY_SIZE = 256 };

/* "90m" or "2h" in seconds; 0: neither, or too long. */
static int read_span(const char *text)
{
    char *unit;
    long number, seconds;

    if (*text < '0' || *text > '9')
        return 0;
    number = strtol(text, &unit, 10);
    if (number > BYPASS_SECONDS_MAX || strlen(unit) != 1 || strchr("mh", *unit) == NULL)
        return 0;
    seconds = number * (*unit == 'h' ? HOUR : MINUTE);
    return seconds <= BYPASS_SECONDS_MAX ? (int)seconds : 0;
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

static void print_file(const struct boot_moment *now, int seconds, const char *reason,
                       char text[FILE_SIZE])
{
    char quoted[2 * BYPASS_REASON_MAX + 1];

    quote(reason, quoted);
    snprintf(text, FILE_SIZE, "boot_id = \"%s\";\nuntil   = %lld;\nreason  = \"%s\";\n", now->id,
             (long long)now->seconds + seconds, quoted);
}

/* Makes the directories where nobody has made them since the boot, and the file. */
static bool put_file(const char *runtime_dir, const char *user, const char *text,
                     struct verdict *why_not)
{
    char path[BYPASS_PATH_SIZE];
    char temporary[TEMPORARY_SIZE];
    auto_close aside = directory_make(runtime_dir, 0755, why_not), directory = -1;

    if (aside >= 0)
        directory = directory_make(bypass_print_directory(runtime_dir, path), 0700, why_not);
    if (directory < 0)
        return false;
    /* Beside the directory: every name in it is a user's. */
    snprintf(temporary, sizeof temporary, "%s.new", user);
    return directory_put(directory, user, aside, temporary, text, 0600) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot write %s/%s: %s", path, user,
                          strerror(errno));
}

/* Whether it can be of use: a login looks for the bypass of the enrollment's name, and without an
 * enrollment for that of an account of exactly the name. */
static bool is_somebody(const struct tool *tool, const char *user)
{
    auto_enrollment *enrollment = NULL;
    struct verdict why_not;

    switch (enrollment_find(tool->settings->users_dir, user, &enrollment, &why_not)) {
    case ENROLLMENT_FOUND:
        return tool_takes_name(tool, "bypass", user);
    case ENROLLMENT_NONE:
        return true;
    case ENROLLMENT_UNKNOWN:
        terminal_say("\"%s\" is neither enrolled nor an account of exactly this name", user);
        return false;
    case ENROLLMENT_REFUSED:
        break;
    }
    tool_refuse(&why_not, "cannot read the enrollment");
    return false;
}

static enum command_status begin(const struct tool *tool, const char *user, int seconds,
                                 const char *reason)
{
    char text[FILE_SIZE], when[TEXT_TIME_SIZE];
    struct boot_moment now;
    struct verdict why_not;

    if (!is_somebody(tool, user))
        return COMMAND_WRONG;
    if (!boot_now(&now)) {
        terminal_say("no bypass was made: cannot read the clock: %s", strerror(errno));
        return COMMAND_WRONG;
    }
    print_file(&now, seconds, reason, text);
    if (!put_file(tool->settings->runtime_dir, user, text, &why_not))
        return tool_refuse(&why_not, "no bypass was made");
    terminal_say("%s needs no code until %s or the next restart; to end it now: twilio-verify "
                 "bypass %s --end",
                 user, text_print_time(time(NULL) + seconds, when), terminal_word(user).text);
    return COMMAND_OK;
}

bool bypass_end(const struct settings *settings, const char *name, bool *ret_was_there,
                struct verdict *why_not)
{
    bool is_absent;
    auto_close directory = bypass_open_directory(settings->runtime_dir, &is_absent, why_not);

    *ret_was_there = false;
    if (directory < 0)
        return is_absent;
    *ret_was_there = unlinkat(directory, name, 0) == 0;
    return *ret_was_there || errno == ENOENT ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "cannot remove %s/" BYPASS_DIRECTORY "/%s: %s", settings->runtime_dir,
                          name, strerror(errno));
}

static enum command_status end(const struct tool *tool, const char *user)
{
    struct verdict why_not;
    bool was_there;

    if (!bypass_end(tool->settings, user, &was_there, &why_not))
        return tool_refuse(&why_not, "could not end the bypass");
    if (!was_there && !tool_takes_name(tool, "bypass --end", user))
        return COMMAND_WRONG;
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
    int seconds = span != NULL ? read_span(span) : 0;
    auto_tool tool = TOOL_NONE;

    if (is_end ? span != NULL || reason != NULL : span == NULL || reason == NULL)
        return refuse_usage("bypass needs --for and --reason, or --end alone");
    if (!is_end && seconds == 0)
        return refuse_usage("--for must be minutes or hours, at most 24h: 90m, 2h");
    if (!is_end && (*reason == '\0' || strlen(reason) > BYPASS_REASON_MAX ||
                    !text_is_clean(reason, strlen(reason))))
        return refuse_usage("--reason must be 1 to 200 bytes of UTF-8");
    if (!tool_open_local(call, call->operands[0], &tool))
        return COMMAND_WRONG;
    return is_end ? end(&tool, call->operands[0])
                  : begin(&tool, call->operands[0], seconds, reason);
}

const struct command bypass_command = {
    .name = "bypass",
    .operands = "USER",
    .summary = "Exempts USER from the code for a time",
    .options = {
        { "for", "TIME", "how long, at most 24h: 90m, 2h" },
        { "reason", "TEXT", "why; written to the log of every login" },
        { "end", NULL, "end it now" },
    },
    .run = run,
};
