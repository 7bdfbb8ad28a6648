/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The log line of a login, safe to read whatever the names in it are. */
#pragma once

#include <stdint.h>

#include "../core/verdict.h"

enum { LOG_LINE_SIZE = 2048 };

/* What one line tells. The strings are anybody's bytes; RHOST may be NULL. */
struct log_entry {
    const char *user, *service, *rhost;
    const char *outcome;
    const char *reason;
    int64_t spent_ms; /* the user's own time in the conversation not counted */
};

/* Writes user=… service=… rhost=… outcome=… reason="…" ms=… without a newline. Blanks outside of
 * the quotes, quotes, backslashes and all but printable ASCII become \xNN; a long value is cut and
 * ends in "...". */
void log_print(const struct log_entry *entry, char line[LOG_LINE_SIZE]);

/* Writes TEXT so into OUT of SIZE bytes, blanks kept. */
void log_escape(const char *text, char *out, unsigned size);

/* The level of syslog(3): INFO lets in, NOTICE refuses the user, ERR is the administrator's. */
int log_level(enum outcome outcome);
