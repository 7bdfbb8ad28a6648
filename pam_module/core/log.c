/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines of a login in the log. */
#include "log.h"

#include <string.h>

#include "text.h"

enum { NAME_SIZE = 260, TTY_SIZE = 80, OUTCOME_SIZE = 20, REASON_SIZE = 640 };

/* Adds the text KEY and VALUE, cut to SIZE, to a line that ends at END; returns the new end. */
static char *add(char *end, const char *key, const char *value, size_t size)
{
    if (value == NULL)
        return end;
    return text_escape(*value != '\0' ? value : "-", false, stpcpy(end, key), size);
}

void log_print(const struct log_entry *entry, char line[LOG_LINE_SIZE])
{
    char *end = line;

    end = add(end, "user=", entry->user, NAME_SIZE);
    end = add(end, " service=", entry->service, NAME_SIZE);
    end = add(end, " rhost=", entry->rhost, NAME_SIZE);
    end = add(end, " tty=", entry->tty, TTY_SIZE);
    end = add(end, " ruser=", entry->ruser, NAME_SIZE);
    end = add(end, " outcome=", entry->outcome, OUTCOME_SIZE);
    end = text_escape(entry->reason, true, stpcpy(end, " reason=\""), REASON_SIZE);
    end = stpcpy(end, "\"");
    if (entry->outcome != NULL)
        text_print_number(entry->spent_ms > 0 ? (uint64_t)entry->spent_ms : 0, stpcpy(end, " ms="));
}
