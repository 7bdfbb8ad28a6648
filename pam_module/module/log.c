/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The log line of a login. */
#include "log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

enum { NAME_SIZE = 260, REASON_SIZE = 640, ESCAPE_LENGTH = sizeof "\\xNN" - 1 };

static const char cut[] = "...";

static void escape(const char *text, bool keep_blanks, char *out, size_t size)
{
    size_t used = 0;

    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = (byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\') ||
                     (byte == ' ' && keep_blanks);
        if (used + ESCAPE_LENGTH + sizeof cut > size) {
            used += (size_t)sprintf(out + used, "%s", cut);
            break;
        }
        used += (size_t)(plain ? sprintf(out + used, "%c", byte)
                               : sprintf(out + used, "\\x%02x", byte));
    }
    out[used] = '\0';
}

void log_escape(const char *text, char *out, unsigned size)
{
    escape(text, true, out, size);
}

void log_print(const struct log_entry *entry, char line[LOG_LINE_SIZE])
{
    char user[NAME_SIZE], service[NAME_SIZE], rhost[NAME_SIZE], reason[REASON_SIZE];

    escape(entry->user, false, user, sizeof user);
    escape(entry->service, false, service, sizeof service);
    /* login(1) of Debian 12 sets an empty one. */
    escape(entry->rhost != NULL && *entry->rhost != '\0' ? entry->rhost : "-", false, rhost,
           sizeof rhost);
    escape(entry->reason, true, reason, sizeof reason);

    snprintf(line, LOG_LINE_SIZE,
             "user=%s service=%s rhost=%s outcome=%s reason=\"%s\" ms=%" PRId64, user, service,
             rhost, entry->outcome, reason, entry->spent_ms);
}

int log_level(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_APPROVED:
    case OUTCOME_NOT_REQUIRED:
        return LOG_INFO;
    case OUTCOME_DENIED:
    case OUTCOME_EXHAUSTED:
        return LOG_NOTICE;
    case OUTCOME_BROKEN:
    case OUTCOME_UNAVAILABLE:
    case OUTCOME_MISCONFIGURED:
        break;
    }
    return LOG_ERR;
}
