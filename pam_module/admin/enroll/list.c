/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "list": who is enrolled, and what was left unfinished. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../core/bypass.h"
#include "../../core/enrollment.h"
#include "../../core/text.h"
#include "../../core/userfile.h"
#include "../desk/listing.h"
#include "../desk/terminal.h"
#include "directory.h"
#include "ledgers.h"
#include "people.h"
#include "sessions.h"
#include "tool.h"

enum { PROGRESS_SIZE = 60, ALIGNED = 5, NUMBER_SIZE = 16 };

static const char *const columns[] = {
    "user",           "state",        "identity",        "factor_sid",      "factor",
    "recovery_codes", "bypass_until", "bypass_reason",   "wrong_codes_24h", "wrong_in_a_row",
    "locked_until",   "sessions",     "push_factor_sid", "push_factor",     NULL
};

static const char *const words[USERS_STATES] = {
    [USERS_ENROLLED] = "enrolled",
    [USERS_PENDING] = "pending",
    [USERS_FORMER] = "replaced",
};

struct rows {
    struct listing *listing;
    struct tool *tool;
    bool is_checked; /* ask Twilio, too */
    bool is_watched; /* somebody sees the progress */
    size_t done, count;
    int bypasses; /* their directory; -1: there are none */
    enum command_status status;
};

/* What is wrong stays wrong, whether Twilio answers about the others or not. */
static enum command_status worse(enum command_status one, enum command_status other)
{
    return one == COMMAND_WRONG || other == COMMAND_OK ? one : other;
}

/* On a line of its own, which is gone before anything else is printed. */
static void show_progress(const struct rows *rows)
{
    if (rows->is_watched)
        fprintf(stderr, "asking Twilio: %zu of %zu", rows->done, rows->count);
}

static void hide_progress(const struct rows *rows)
{
    if (rows->is_watched)
        fprintf(stderr, "\r%*s\r", PROGRESS_SIZE, "");
}

/* The state of a factor that Twilio has, in a word. */
static const char *judge(struct rows *rows, enum users_state state, const struct factor *factor,
                         bool is_push)
{
    bool is_good = factor->is_verified && factor->is_push == is_push;

    if (!is_good && state == USERS_ENROLLED)
        rows->status = worse(rows->status, COMMAND_WRONG);
    if (factor->is_push != is_push)
        return factor->is_push ? "push" : "totp";
    return is_good ? "verified" : "unverified";
}

/* The state of the factor SID at Twilio, in a word. */
static const char *check(struct rows *rows, enum users_state state, const char *identity,
                         const char *sid, bool is_push)
{
    struct tool *tool = rows->tool;
    enum factor_result result;
    struct factor factor;
    struct verdict why_not;

    if (!rows->is_checked || *sid == '\0')
        return NULL;
    show_progress(rows);
    result = factor_fetch(&tool->service, identity, sid, tool_watch(tool), &factor, &why_not);
    hide_progress(rows);
    switch (result) {
    case FACTOR_DONE:
        return judge(rows, state, &factor, is_push);
    case FACTOR_ABSENT:
        rows->status = worse(rows->status, COMMAND_WRONG);
        return "absent";
    case FACTOR_REFUSED:
    case FACTOR_LOST:
        break;
    }
    rows->status = worse(rows->status, tool_refuse(&why_not, sid));
    return "unknown";
}

/* What else this host keeps of a user; "" is left out. */
struct extras {
    char recovery[NUMBER_SIZE], until[TEXT_TIME_SIZE], sessions[24];
    struct bypass *bypass;
    char day[NUMBER_SIZE], row[NUMBER_SIZE], locked[TEXT_TIME_SIZE]; /* wrong codes */
};

static void find_recovery(struct rows *rows, const char *name, struct extras *extras)
{
    const struct tool *tool = rows->tool;
    auto_recovery *recovery = NULL;
    struct verdict why_not;
    int left = -1;

    switch (recovery_read(tool->settings->users_dir, name, &recovery, &why_not)) {
    case TRUSTED_ABSENT:
        return;
    case TRUSTED_READ:
        left = ledgers_left(tool->settings, name, recovery, &why_not);
        break;
    case TRUSTED_REFUSED:
        break;
    }
    if (left < 0)
        rows->status = worse(rows->status, tool_refuse(&why_not, "cannot read the recovery codes"));
    snprintf(extras->recovery, sizeof extras->recovery, "%d", left > 0 ? left : 0);
}

/* One that has ended is none. */
static void find_bypass(struct rows *rows, const char *name, struct extras *extras)
{
    const char *runtime_dir = rows->tool->settings->runtime_dir;
    struct boot_moment now;
    struct verdict why_not;
    int left;

    if (rows->bypasses < 0)
        return;
    if (bypass_read(runtime_dir, name, &extras->bypass, &why_not) == TRUSTED_REFUSED)
        rows->status = worse(rows->status, tool_refuse(&why_not, "cannot read a bypass"));
    if (extras->bypass != NULL && boot_now(&now) &&
        bypass_counts(extras->bypass, &now, &left, &why_not))
        text_print_time(time(NULL) + left, extras->until);
}

static void find_wrong(struct rows *rows, const char *name, struct extras *extras)
{
    struct record record;
    struct verdict why_not;
    int64_t opens_s;

    if (!ledgers_read(rows->tool->settings, name, &record, &opens_s, &why_not))
        rows->status = worse(rows->status, tool_refuse(&why_not, "cannot read the wrong codes"));
    if (record_wrong(&record) > 0)
        snprintf(extras->day, sizeof extras->day, "%d", record_wrong(&record));
    if (record.row > 0)
        snprintf(extras->row, sizeof extras->row, "%d", (int)record.row);
    if (opens_s == RECORD_NEVER)
        snprintf(extras->locked, sizeof extras->locked, "unlock");
    else if (opens_s != 0)
        text_print_time(opens_s, extras->locked);
}

/* In how many the user is not asked again. */
static void find_sessions(struct rows *rows, const char *name, struct extras *extras)
{
    struct sessions sessions;
    struct verdict why_not;

    if (!sessions_find(rows->tool->settings, name, &sessions, &why_not))
        rows->status = worse(rows->status, tool_refuse(&why_not, "cannot read the sessions"));
    else if (sessions.count > 0)
        snprintf(extras->sessions, sizeof extras->sessions, "%zu", sessions.count);
}

/* NULL for "". */
static const char *some(const char *text)
{
    return *text != '\0' ? text : NULL;
}

static void add_row(struct rows *rows, enum users_state state, const char *name)
{
    struct users_record record = { 0 };
    struct extras extras = { .recovery = "" };
    struct verdict why_not;
    enum users_found found = users_read(&rows->tool->users, state, name, &record, &why_not);

    rows->done++;
    if (found == USERS_NONE)
        return;
    if (found == USERS_REFUSED)
        rows->status = worse(rows->status, tool_refuse(&why_not, name));
    if (state == USERS_ENROLLED) {
        find_recovery(rows, name, &extras);
        find_bypass(rows, name, &extras);
        find_wrong(rows, name, &extras);
        find_sessions(rows, name, &extras);
    }
    listing_add(
        rows->listing,
        (const char *[]){ name, found == USERS_FOUND ? words[state] : "damaged",
                          found == USERS_FOUND ? record.identity : NULL, some(record.factor_sid),
                          check(rows, state, record.identity, record.factor_sid, false),
                          some(extras.recovery), some(extras.until),
                          *extras.until != '\0' ? extras.bypass->reason : NULL, some(extras.day),
                          some(extras.row), some(extras.locked), some(extras.sessions),
                          some(record.push_factor_sid),
                          check(rows, state, record.identity, record.push_factor_sid, true) });
    bypass_free(&extras.bypass);
}

/* A user who is asked for no code without being enrolled. */
static void add_bypassed(struct rows *rows, const char *name)
{
    struct users_record record;
    struct extras extras = { .recovery = "" };
    struct verdict why_not;

    if (enrollment_is_name(name) &&
        users_read(&rows->tool->users, USERS_ENROLLED, name, &record, &why_not) == USERS_NONE)
        find_bypass(rows, name, &extras);
    if (*extras.until != '\0')
        listing_add(rows->listing,
                    (const char *[]){ name, "not enrolled", NULL, NULL, NULL, NULL, extras.until,
                                      extras.bypass->reason, NULL, NULL, NULL, NULL, NULL, NULL });
    bypass_free(&extras.bypass);
}

static void add_all_bypassed(struct rows *rows)
{
    char **names = directory_names(rows->bypasses, "");

    if (names == NULL) {
        terminal_say("cannot read the directory of bypasses: %s", strerror(errno));
        rows->status = COMMAND_WRONG;
    }
    for (char **name = names; name != NULL && *name != NULL; name++)
        add_bypassed(rows, *name);
    directory_free_names(&names);
}

/* Without its directory there is no bypass. */
static void open_bypasses(struct rows *rows)
{
    struct verdict why_not;
    bool is_absent;

    rows->bypasses = bypass_open_directory(rows->tool->settings->runtime_dir, &is_absent, &why_not);
    if (rows->bypasses < 0 && !is_absent)
        rows->status = worse(rows->status, tool_refuse(&why_not, "cannot read the bypasses"));
}

/* Files of an earlier version, where a bypass lay beside the enrollment. */
static void say_old_bypasses(const struct rows *rows)
{
    const struct users *users = &rows->tool->users;
    struct verdict why_not;
    char **names = users_names(users, USERS_ENROLLED, USERS_OLD_BYPASS, &why_not);

    for (char **name = names; name != NULL && *name != NULL; name++)
        terminal_say("%s/%s" USERS_OLD_BYPASS " is of an earlier version and no longer counts: rm "
                     "%s/%s" USERS_OLD_BYPASS,
                     users->path, *name, users->path, *name);
    directory_free_names(&names);
}

static void add_rows(struct rows *rows)
{
    char **names[USERS_STATES] = { NULL };

    for (size_t state = 0; state < USERS_STATES; state++) {
        struct verdict why_not;
        names[state] = users_names(&rows->tool->users, state, USERFILE_ENROLLMENT, &why_not);
        if (names[state] == NULL)
            rows->status = tool_refuse(&why_not, "listing");
        for (char **name = names[state]; name != NULL && *name != NULL; name++)
            rows->count++;
    }
    for (size_t state = 0; state < USERS_STATES; state++) {
        for (char **name = names[state]; name != NULL && *name != NULL; name++)
            add_row(rows, state, *name);
        directory_free_names(&names[state]);
    }
}

/* Who is not enrolled; *RET_IS_IGNORED: somebody of them is let in for all that. */
static bool add_missing(struct listing *listing, const struct settings *settings,
                        bool *ret_is_ignored)
{
    auto_people people = { 0 };

    if (!people_find(&people))
        return false;
    for (size_t i = 0; i < people.count; i++) {
        enum people_state state = people_state(settings, "", people.persons[i].name);
        *ret_is_ignored |= state == PEOPLE_IGNORED;
        if (state != PEOPLE_READY)
            listing_add(listing, (const char *[]){ people.persons[i].name, people.persons[i].why });
    }
    return true;
}

static enum command_status list_missing(const struct command_call *call)
{
    static const char *const names[] = { "user", "why", NULL };
    auto_settings *settings = NULL;
    struct verdict why_not;
    struct listing *listing;
    bool is_whole, is_ignored = false;

    if (!tool_settings(call, &settings, &why_not))
        return tool_refuse(&why_not, "cannot read the settings");
    if (geteuid() != 0) {
        terminal_say("run this command as root, who alone sees passwords and keys");
        return COMMAND_WRONG;
    }
    listing = listing_start(names, 2, command_value(call, "json") != NULL);
    is_whole =
        listing != NULL && add_missing(listing, settings, &is_ignored) && listing_print(listing);
    listing_free(listing);
    if (is_ignored)
        terminal_say("unmapped_user is \"ignore\": these users log in without a code");
    if (is_whole)
        return COMMAND_OK;
    terminal_say("the list is incomplete: out of memory");
    return COMMAND_WRONG;
}

static enum command_status run(const struct command_call *call)
{
    auto_tool tool = TOOL_NONE;
    struct rows rows = { .tool = &tool, .is_checked = command_value(call, "check") != NULL };

    if (command_value(call, "missing") != NULL)
        return list_missing(call);
    if (rows.is_checked ? !tool_open(call, NULL, &tool) : !tool_open_local(call, NULL, &tool))
        return COMMAND_WRONG;
    rows.is_watched = rows.is_checked && isatty(STDERR_FILENO);
    rows.listing = listing_start(columns, ALIGNED, command_value(call, "json") != NULL);
    open_bypasses(&rows);
    if (rows.listing != NULL) {
        add_rows(&rows);
        add_all_bypassed(&rows);
    }
    say_old_bypasses(&rows);
    if (rows.bypasses >= 0)
        close(rows.bypasses);
    if (rows.listing == NULL || !listing_print(rows.listing)) {
        terminal_say("the list is incomplete: out of memory");
        rows.status = COMMAND_WRONG;
    }
    listing_free(rows.listing);
    return rows.status;
}

const struct command list_command = {
    .name = "list",
    .operands = "",
    .summary = "Lists the users who are enrolled or need no code",
    .options = {
        { "check", NULL, "ask Twilio about every factor" },
        { "missing", NULL, "list accounts that may log in and are not enrolled" },
        { "json", NULL, "print JSON, for a program" },
        TOOL_OPTIONS,
    },
    .run = run,
};
