/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* How a login ends, and its text. */
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "text.h"

static const char *const words[] = {
    [OUTCOME_BROKEN] = "broken",
    [OUTCOME_UNAVAILABLE] = "unavailable",
    [OUTCOME_MISCONFIGURED] = "misconfigured",
    [OUTCOME_DENIED] = "denied",
    [OUTCOME_EXHAUSTED] = "exhausted",
    [OUTCOME_NOT_REQUIRED] = "not-required",
    [OUTCOME_APPROVED] = "approved",
};

enum { OUTCOMES = sizeof words / sizeof *words };

static bool lets_in(enum outcome outcome)
{
    return outcome == OUTCOME_APPROVED || outcome == OUTCOME_NOT_REQUIRED;
}

/* What is not a clean character becomes '?': a path may be any bytes, and vsnprintf() may have
 * stopped inside a character. */
static void clean(char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t length = text_character(text, left);
        if (length == 0) {
            *text = '?';
            length = 1;
        }
        text += length;
        left -= length;
    }
}

__attribute__((format(printf, 3, 0))) static void
fill(struct verdict *verdict, enum outcome outcome, const char *format, va_list values)
{
    /* VALUES may quote VERDICT's own old reason: print first, copy then. */
    char reason[VERDICT_REASON_SIZE];

    if (vsnprintf(reason, sizeof reason, format, values) < 0)
        reason[0] = '\0';
    clean(reason);

    verdict->outcome = outcome;
    memcpy(verdict->reason, reason, sizeof reason);
}

bool verdict_refuse(struct verdict *verdict, enum outcome outcome, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    fill(verdict, lets_in(outcome) ? OUTCOME_BROKEN : outcome, format, values);
    va_end(values);
    return false;
}

void verdict_pass(struct verdict *verdict, enum outcome outcome, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    fill(verdict, lets_in(outcome) ? outcome : OUTCOME_BROKEN, format, values);
    va_end(values);
}

void verdict_add(struct verdict *verdict, const char *format, ...)
{
    size_t used = strlen(verdict->reason);
    va_list values;

    va_start(values, format);
    if (vsnprintf(verdict->reason + used, sizeof verdict->reason - used, format, values) < 0)
        verdict->reason[used] = '\0';
    va_end(values);
    clean(verdict->reason + used);
}

void verdict_append(struct verdict *verdict, const char *text)
{
    size_t used = strlen(verdict->reason);
    size_t length = strnlen(text, sizeof verdict->reason - 1 - used);

    *(char *)mempcpy(verdict->reason + used, text, length) = '\0';
    clean(verdict->reason + used);
}

const char *verdict_word(enum outcome outcome)
{
    return words[(unsigned)outcome < OUTCOMES ? outcome : OUTCOME_BROKEN];
}

int verdict_level(enum outcome outcome)
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

void verdict_print(const struct verdict *verdict, char *line, unsigned size)
{
    const char *const parts[] = { verdict_word(verdict->outcome),
                                  verdict->reason[0] != '\0' ? ": " : "", verdict->reason };
    const char *end = line + size - 1;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        line = mempcpy(line, parts[i], strnlen(parts[i], (size_t)(end - line)));
    *line = '\0';
}

bool verdict_parse(const char *line, struct verdict *ret_verdict)
{
    size_t length = strcspn(line, ":");
    const char *reason = "";

    if (line[length] == ':') {
        if (line[length + 1] != ' ' || line[length + 2] == '\0')
            return false;
        reason = line + length + 2;
    }

    for (unsigned outcome = OUTCOME_BROKEN + 1; outcome < OUTCOMES; outcome++) {
        const char *word = words[outcome];
        if (strlen(word) != length || memcmp(word, line, length) != 0)
            continue;
        ret_verdict->outcome = (enum outcome)outcome;
        snprintf(ret_verdict->reason, sizeof ret_verdict->reason, "%s", reason);
        clean(ret_verdict->reason);
        return true;
    }
    return false;
}
