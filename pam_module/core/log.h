/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines of a login in the log, safe to read whatever the names in them are. */
#pragma once

#include <stdint.h>

enum { LOG_LINE_SIZE = 2048 };

/* What one line tells. The strings are anybody's bytes; a key whose value is NULL is left out, and
 * "-" stands for an empty one. */
struct log_entry {
    const char *user, *service;
    const char *rhost, *tty, *ruser; /* from where, and who calls */
    const char *outcome;             /* NULL: the login goes on; ms= is left out too */
    const char *reason;
    int64_t spent_ms; /* the user's own time in the conversation not counted */
};

/* Writes a line without a newline:
 *
 *   user=… service=… rhost=… tty=… ruser=… outcome=… reason="…" ms=…
 *
 * with the values as text_escape() writes them. A handler of a signal may call it. */
void log_print(const struct log_entry *entry, char line[LOG_LINE_SIZE]);
