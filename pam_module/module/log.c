/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines of a login in the log. */
#include "log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

enum { NAME_SIZE = 260, TTY_SIZE = 80, OUTCOME_SIZE = 20, REASON_SIZE = 640 };

enum { ESCAPE_LENGTH = sizeof "\\xNN" - 1 };

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

/* Adds " KEY=VALUE", cut to SIZE, to a line that ends at END; returns the new end. */
static char *add(char *end, const char *key, const char *value, size_t size)
{
    if (value == NULL)
        return end;
    end += sprintf(end, " %s=", key);
    escape(*value != '\0' ? value : "-", false, end, size);
    return end + strlen(end);
}

void log_print(const struct log_entry *entry, char line[LOG_LINE_SIZE])
{
    char *end = line + sprintf(line, "user=");

    escape(entry->user, false, end, NAME_SIZE);
    end = add(end + strlen(end), "service", entry->service, NAME_SIZE);
    end = add(end, "rhost", entry->rhost, NAME_SIZE);
    end = add(end, "tty", entry->tty, TTY_SIZE);
    end = add(end, "ruser", entry->ruser, NAME_SIZE);
    end = add(end, "outcome", entry->outcome, OUTCOME_SIZE);
    end += sprintf(end, " reason=\"");
    escape(entry->reason, true, end, REASON_SIZE);
    end += strlen(end);
    end += sprintf(end, "\"");
    if (entry->outcome != NULL)
        sprintf(end, " ms=%" PRId64, entry->spent_ms);
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
