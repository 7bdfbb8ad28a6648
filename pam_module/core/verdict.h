/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* How a login ends, and "denied: the reason" as text, both ways. */
#pragma once

#include <stdbool.h>

/* Zero refuses: memory that nobody filled in is a refusal. */
enum outcome {
    OUTCOME_BROKEN = 0,    /* concluded by the module alone; no program can say it */
    OUTCOME_UNAVAILABLE,   /* no answer that can be trusted from the network or from Twilio */
    OUTCOME_MISCONFIGURED, /* files, owners, modes, syntax, credentials: for the administrator */
    OUTCOME_DENIED,        /* the second factor was not shown */
    OUTCOME_EXHAUSTED,     /* a limit of Twilio's is reached */
    OUTCOME_NOT_REQUIRED,  /* an explicit setting exempts this user or this service */
    OUTCOME_APPROVED,      /* Twilio approved this login's challenge */
};

enum { VERDICT_REASON_SIZE = 400 };

/* REASON is for the log, never for the user: UTF-8 without control bytes, cut to fit. */
struct verdict {
    enum outcome outcome;
    char reason[VERDICT_REASON_SIZE];
};

/* Fills VERDICT with OUTCOME and the formatted reason, in which every byte
 * that is not clean text becomes '?'.
 * Returns false, so that a function that fails can say so in one statement. An outcome that lets
 * somebody in is not for this function: it is recorded as OUTCOME_BROKEN. */
bool verdict_refuse(struct verdict *verdict, enum outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds the formatted text to the reason of VERDICT, cleaned as above; its outcome stays. */
void verdict_add(struct verdict *verdict, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for TEXT as it is. A handler of a signal may call it. */
void verdict_append(struct verdict *verdict, const char *text);

/* Fills VERDICT with OUTCOME_APPROVED or OUTCOME_NOT_REQUIRED; every other outcome is recorded as
 * OUTCOME_BROKEN. The only way to say that somebody may pass. */
void verdict_pass(struct verdict *verdict, enum outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The word of OUTCOME in the dialogue and in the log: "denied". Static storage, never NULL. */
const char *verdict_word(enum outcome outcome);

/* The level of syslog(3): INFO lets in, NOTICE refuses the user, ERR is the administrator's. */
int verdict_level(enum outcome outcome);

/* Writes "OUTCOME: REASON", or "OUTCOME" where there is no reason, without a newline. LINE is cut
 * at SIZE, which should be DIALOGUE_LINE_SIZE. A handler of a signal may call it. */
void verdict_print(const struct verdict *verdict, char *line, unsigned size);

/* Reads what verdict_print() wrote. False, and *RET_VERDICT untouched, for every other line;
 * "broken" is no verdict that a program can say. */
bool verdict_parse(const char *line, struct verdict *ret_verdict);
