/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "status": one screen about this host, and fields for monitoring. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../core/bypass.h"
#include "../../core/secret.h"
#include "../../core/trusted.h"
#include "../../core/userfile.h"
#include "../../twilio/errors.h"
#include "../desk/listing.h"
#include "../desk/terminal.h"
#include "../enroll/directory.h"
#include "../enroll/ledgers.h"
#include "../enroll/people.h"
#include "../enroll/sessions.h"
#include "../enroll/tool.h"
#include "../lint/check-pam.h"

enum { NUMBER_SIZE = 24, NAMES_SIZE = 1000, FEW_CODES = 2 };

/* In JSON they stay as they are from one version to the next. */
static const char *const columns[] = {
    "settings",
    "problem",
    "account_sid",
    "service_sid",
    "api_key_sid",
    "twilio",
    "services",
    "enrolled",
    "pending",
    "replaced",
    "damaged",
    "missing",
    "missing_users",
    "without_recovery_codes",
    "few_recovery_codes",
    "bypassed",
    "locked",
    "sessions",
    "unmapped_user",
    NULL,
};

enum { FIELDS = sizeof columns / sizeof *columns };

struct status {
    const struct settings *settings;
    const char *texts[FIELDS];
    char numbers[FIELDS][NUMBER_SIZE];
    char services[NAMES_SIZE], missing[NAMES_SIZE];
    struct verdict problem; /* the first one */
    enum command_status worst;
};

/* The place of COLUMN, one of columns. */
static size_t field_of(const char *column)
{
    size_t field = 0;

    while (strcmp(columns[field], column) != 0)
        field++;
    return field;
}

/* What is wrong counts more than a Twilio that does not answer. */
static void note(struct status *status, const struct verdict *why_not)
{
    enum command_status now =
        why_not->outcome == OUTCOME_UNAVAILABLE || why_not->outcome == OUTCOME_EXHAUSTED
            ? COMMAND_UNAVAILABLE
            : COMMAND_WRONG;

    if (status->worst == COMMAND_OK)
        status->problem = *why_not;
    if (status->worst != COMMAND_WRONG)
        status->worst = now;
    status->texts[field_of("problem")] = status->problem.reason;
}

static void set_number(struct status *status, const char *column, size_t number)
{
    size_t field = field_of(column);

    snprintf(status->numbers[field], NUMBER_SIZE, "%zu", number);
    status->texts[field] = status->numbers[field];
}

/* The recovery codes of one user who is enrolled. */
static void count_codes(const struct status *status, const char *name, size_t *without, size_t *few)
{
    auto_recovery *recovery = NULL;
    struct verdict why_not;
    int left = 0;

    if (recovery_read(status->settings->users_dir, name, &recovery, &why_not) == TRUSTED_READ)
        left = ledgers_left(status->settings, name, recovery, &why_not);
    *without += left <= 0;
    *few += left > 0 && left <= FEW_CODES;
}

/* Whether too many codes of NAME were wrong. */
static bool is_locked(const struct status *status, const char *name)
{
    struct record record;
    struct verdict why_not;
    int64_t opens_s;

    return ledgers_read(status->settings, name, &record, &opens_s, &why_not) && opens_s != 0;
}

static void count_enrolled(struct status *status, const struct users *users, char **names)
{
    size_t enrolled = 0, damaged = 0, without = 0, few = 0, locked = 0;
    struct users_record record;
    struct verdict why_not;

    for (; *names != NULL; names++) {
        if (users_read(users, USERS_ENROLLED, *names, &record, &why_not) == USERS_FOUND) {
            enrolled++;
            count_codes(status, *names, &without, &few);
            locked += is_locked(status, *names);
        } else {
            damaged++;
            note(status, &why_not);
        }
    }
    set_number(status, "enrolled", enrolled);
    set_number(status, "damaged", damaged);
    set_number(status, "without_recovery_codes", without);
    set_number(status, "few_recovery_codes", few);
    set_number(status, "locked", locked);
}

static void add_users(struct status *status)
{
    static const char *const fields[USERS_STATES] = {
        [USERS_ENROLLED] = NULL, [USERS_PENDING] = "pending", [USERS_FORMER] = "replaced"
    };
    struct verdict why_not;
    struct users users;

    if (!users_open(status->settings->users_dir, &users, &why_not)) {
        note(status, &why_not);
        return;
    }
    for (size_t state = 0; state < USERS_STATES; state++) {
        char **names = users_names(&users, state, USERFILE_ENROLLMENT, &why_not);
        size_t count = 0;
        if (names == NULL)
            note(status, &why_not);
        while (names != NULL && names[count] != NULL)
            count++;
        if (names != NULL && state == USERS_ENROLLED)
            count_enrolled(status, &users, names);
        else if (names != NULL)
            set_number(status, fields[state], count);
        directory_free_names(&names);
    }
    users_close(&users);
}

static void add_missing(struct status *status)
{
    auto_people people = { 0 };
    size_t count = 0;

    if (!people_find(&people))
        return;
    for (size_t i = 0; i < people.count; i++) {
        if (people_state(status->settings, "", people.persons[i].name) == PEOPLE_READY)
            continue;
        count++;
        terminal_add_word(status->missing, sizeof status->missing, " ", people.persons[i].name);
    }
    set_number(status, "missing", count);
    status->texts[field_of("missing_users")] = count > 0 ? status->missing : NULL;
}

static void add_bypassed(struct status *status)
{
    struct boot_moment now;
    struct verdict why_not;
    bool is_absent;
    int left,
        directory = bypass_open_directory(status->settings->runtime_dir, &is_absent, &why_not);
    char **names = directory_names(directory, "");
    size_t count = 0;

    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        auto_bypass *bypass = NULL;
        count += bypass_read(status->settings->runtime_dir, names[i], &bypass, &why_not) ==
                     TRUSTED_READ &&
                 boot_now(&now) && bypass_counts(bypass, &now, &left, &why_not);
    }
    set_number(status, "bypassed", count);
    directory_free_names(&names);
    if (directory >= 0)
        close(directory);
}

static void add_sessions(struct status *status)
{
    struct sessions sessions = { 0 };
    struct verdict why_not;

    if (sessions_find(status->settings, NULL, &sessions, &why_not))
        set_number(status, "sessions", sessions.count);
    else
        note(status, &why_not);
}

/* What Twilio says to the key of logins, in a word. */
static const char *ask(struct status *status, struct service *service)
{
    struct http_watch watch = tool_watch_of(status->settings, -1);
    struct verdict why_not;

    if (service_fetch(service, &watch, &why_not))
        return "ok";
    if (service->error == ERRORS_NOT_PERMITTED)
        return "restricted";
    note(status, &why_not);
    return why_not.outcome == OUTCOME_UNAVAILABLE || why_not.outcome == OUTCOME_EXHAUSTED
               ? "away"
               : "refused";
}

static void add_twilio(struct status *status)
{
    const struct settings *settings = status->settings;
    struct http_credentials credentials = { .user = service_user(settings) };
    auto_secret char *secret = NULL;
    struct service service;
    struct verdict why_not;
    bool is_open = secret_read_line(settings->api_key_file, &secret, &why_not);

    credentials.secret = secret;
    if (!is_open || !service_open(settings, &credentials, &service, &why_not)) {
        note(status, &why_not);
        return;
    }
    status->texts[field_of("twilio")] = ask(status, &service);
    service_close(&service);
}

static void add_settings(struct status *status)
{
    status->texts[field_of("account_sid")] = status->settings->account_sid;
    status->texts[field_of("service_sid")] = status->settings->service_sid;
    status->texts[field_of("api_key_sid")] = status->settings->api_key_sid;
    status->texts[field_of("unmapped_user")] =
        status->settings->unmapped_user == SETTINGS_UNMAPPED_IGNORE ? "ignore" : "deny";
    add_users(status);
    add_missing(status);
    add_bypassed(status);
    add_sessions(status);
    add_twilio(status);
}

static enum command_status run(const struct command_call *call)
{
    const char *pam_dir = command_value(call, "pam-dir");
    struct listing *listing = listing_start(columns, 0, command_value(call, "json") != NULL);
    struct status status = { 0 };
    auto_settings *settings = NULL;
    struct verdict why_not;
    bool is_printed;

    status.texts[field_of("settings")] = call->settings_path;
    if (geteuid() != 0)
        terminal_say("run this command as root: what root alone can read looks wrong");
    check_pam_list(pam_dir, status.services, sizeof status.services);
    status.texts[field_of("services")] = *status.services != '\0' ? status.services : NULL;
    if (tool_settings(call, &settings, &why_not)) {
        status.settings = settings;
        if (pam_dir == NULL && !tool_is_installed(settings, &why_not))
            note(&status, &why_not);
        add_settings(&status);
    } else {
        note(&status, &why_not);
    }

    if (listing != NULL)
        listing_add(listing, status.texts);
    is_printed = listing != NULL && listing_print_record(listing);
    listing_free(listing);
    if (!is_printed)
        terminal_say("out of memory");
    return is_printed ? status.worst : COMMAND_WRONG;
}

const struct command status_command = {
    .name = "status",
    .operands = "",
    .summary = "Shows the state of this host on one screen",
    .options = {
        { "json", NULL, "print JSON, for a program" },
        { "pam-dir", "DIR", "as in check-pam" },
    },
    .run = run,
};
