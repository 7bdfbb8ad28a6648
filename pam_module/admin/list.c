/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "list": who is enrolled, and what was left unfinished. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "listing.h"
#include "session.h"
#include "terminal.h"

enum { PROGRESS_SIZE = 60 };

static const char *const columns[] = { "user", "state", "identity", "factor_sid", "factor", NULL };

static const char *const words[USERS_STATES] = {
    [USERS_ENROLLED] = "enrolled",
    [USERS_PENDING] = "pending",
    [USERS_FORMER] = "replaced",
};

struct rows {
    struct listing *listing;
    struct session *session;
    bool is_checked; /* ask Twilio, too */
    bool is_watched; /* somebody sees the progress */
    size_t done, count;
    enum command_status status;
};

static enum command_status worse(enum command_status one, enum command_status other)
{
    return one > other ? one : other;
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

/* How the factor stands at Twilio, in a word. */
static const char *check(struct rows *rows, const struct users_record *record)
{
    struct session *session = rows->session;
    enum factor_result result;
    struct factor factor;
    struct verdict why_not;

    if (!rows->is_checked || record->factor_sid[0] == '\0')
        return NULL;
    show_progress(rows);
    result = factor_fetch(&session->service, record->identity, record->factor_sid,
                          session_watch(session), &factor, &why_not);
    hide_progress(rows);
    switch (result) {
    case FACTOR_DONE:
        return factor.is_verified ? "verified" : "unverified";
    case FACTOR_ABSENT:
        rows->status = worse(rows->status, COMMAND_WRONG);
        return "absent";
    case FACTOR_REFUSED:
    case FACTOR_LOST:
        break;
    }
    rows->status = worse(rows->status, session_refuse(&why_not, record->factor_sid));
    return "unknown";
}

static void add_row(struct rows *rows, enum users_state state, const char *name)
{
    struct users_record record = { 0 };
    struct verdict why_not;
    enum users_found found = users_read(&rows->session->users, state, name, &record, &why_not);

    rows->done++;
    if (found == USERS_NONE)
        return;
    if (found == USERS_REFUSED)
        rows->status = worse(rows->status, session_refuse(&why_not, name));
    listing_add(rows->listing,
                (const char *[]){ name, found == USERS_FOUND ? words[state] : "damaged",
                                  found == USERS_FOUND ? record.identity : NULL,
                                  record.factor_sid[0] != '\0' ? record.factor_sid : NULL,
                                  found == USERS_FOUND ? check(rows, &record) : NULL });
}

static void add_rows(struct rows *rows)
{
    char **names[USERS_STATES] = { NULL };

    for (size_t state = 0; state < USERS_STATES; state++) {
        struct verdict why_not;
        names[state] = users_names(&rows->session->users, state, &why_not);
        if (names[state] == NULL)
            rows->status = session_refuse(&why_not, "listing");
        for (char **name = names[state]; name != NULL && *name != NULL; name++)
            rows->count++;
    }
    for (size_t state = 0; state < USERS_STATES; state++) {
        for (char **name = names[state]; name != NULL && *name != NULL; name++)
            add_row(rows, state, *name);
        users_free_names(&names[state]);
    }
}

static enum command_status run(const struct command_call *call)
{
    struct session session;
    struct rows rows = { .session = &session, .is_checked = command_value(call, "check") != NULL };

    if (rows.is_checked ? !session_open(call, NULL, &session)
                        : !session_open_local(call, NULL, &session))
        return COMMAND_WRONG;
    rows.is_watched = rows.is_checked && isatty(STDERR_FILENO);
    rows.listing = listing_start(columns, command_value(call, "json") != NULL);
    if (rows.listing != NULL)
        add_rows(&rows);
    if (rows.listing == NULL || !listing_print(rows.listing)) {
        terminal_say("the list is not whole: no memory");
        rows.status = COMMAND_WRONG;
    }
    listing_free(rows.listing);
    session_close(&session);
    return rows.status;
}

const struct command list_command = {
    .name = "list",
    .operands = "",
    .summary = "Shows who is enrolled, and what was left unfinished",
    .options = {
        { "check", NULL, "ask Twilio how every factor stands" },
        { "json", NULL, "as JSON, for a program" },
        SESSION_OPTIONS,
    },
    .run = run,
};
