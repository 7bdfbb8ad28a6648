/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Findings, one line each, for a person or, as JSON, for a program. */
#pragma once

#include "command.h"

enum report_level {
    REPORT_OK,
    REPORT_NOTE,    /* worth knowing; nothing to do */
    REPORT_WARNING, /* works, and is not as it should be */
    REPORT_AWAY,    /* Twilio or the network does not answer; as long as that lasts a login fails */
    REPORT_WRONG,   /* a login would fail, or the second factor can be bypassed */
};

struct report;

/* Starts the report of CALL on standard output: lines such as
 *     ok       sshd: asked after the password
 *     wrong    sudo: line 3 of /etc/pam.d/sudo ends the stack before the module; move it below
 * in colours on a terminal unless NO_COLOR is set (no-color.org), or, with its option --json, one
 * array of objects { level, subject, text, remedy } when it ends. Anyone who is not root gets a
 * first finding about that. NULL: out of memory, which is said. */
struct report *report_start(const struct command_call *call);

/* Adds a finding about SUBJECT ("sshd", "settings"): the formatted text, and what to do about it;
 * REMEDY of NULL: nothing. Control bytes become '?'. */
void report_add(struct report *report, enum report_level level, const char *subject,
                const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The worst level so far. */
enum report_level report_worst(const struct report *report);

/* Prints what is left to print and frees. Returns how the tool has to end after the worst level. */
enum command_status report_end(struct report *report);
