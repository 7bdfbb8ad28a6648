/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The wrong codes that this host has counted. */
#include "counts.h"

#include <stdio.h>
#include <time.h>

#include "../../core/text.h"
#include "../desk/terminal.h"
#include "../enroll/ledgers.h"

enum { READ_MAX = 20000, LOCKED_MAX = 10 };

static void add_lock(struct report *report, const char *name, int64_t opens_s)
{
    bool is_for_ever = opens_s == RECORD_NEVER;
    char when[TEXT_TIME_SIZE];

    report_add(report, REPORT_WARNING, "wrong codes",
               terminal_command("twilio-verify unlock", name).text,
               "%d in %s: codes of %s are refused until %s; recovery codes work",
               is_for_ever ? RECORD_WRONG_ROW : RECORD_WRONG_DAY, is_for_ever ? "a row" : "24 h",
               name, is_for_ever ? "unlocked" : text_print_time(opens_s, when));
}

static void add_push_stop(struct report *report, const char *name, struct record *record)
{
    int64_t stopped_s = record_push_stopped(record, time(NULL));
    char when[TEXT_TIME_SIZE];

    if (stopped_s == 0)
        return;
    report_add(report, REPORT_WARNING, "pushes",
               terminal_command("twilio-verify unlock", name).text,
               "none to %s until %s: one was denied, or its number was wrong", name,
               text_print_time(stopped_s, when));
}

void counts_add(struct report *report, const struct settings *settings, const char *name)
{
    struct record record;
    struct verdict why_not;
    int64_t opens_s;

    if (!ledgers_read(settings, name, &record, &opens_s, &why_not))
        report_add(report, REPORT_WARNING, "memory", NULL, "cannot store used codes of %s: %s",
                   name, why_not.reason);
    else if (opens_s != 0)
        add_lock(report, name, opens_s);
    else if (record.row > 0 || record_wrong(&record) > 0)
        report_add(report, REPORT_NOTE, "wrong codes", NULL, "%d in 24 h, %d in a row",
                   record_wrong(&record), (int)record.row);
    add_push_stop(report, name, &record);
}

void counts_add_locked(struct report *report, const struct settings *settings, char *const *names)
{
    int locked = 0;

    for (size_t i = 0; i < READ_MAX && names[i] != NULL; i++) {
        struct record record;
        struct verdict why_not;
        int64_t opens_s;
        if (!ledgers_read(settings, names[i], &record, &opens_s, &why_not) || opens_s == 0)
            continue;
        if (locked++ < LOCKED_MAX)
            add_lock(report, names[i], opens_s);
    }
    if (locked > LOCKED_MAX)
        report_add(report, REPORT_WARNING, "wrong codes", "twilio-verify list",
                   "codes of %d more users are refused", locked - LOCKED_MAX);
}
