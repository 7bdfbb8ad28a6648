/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Twilio's error codes for entities, factors and challenges, and what each does to a login. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "challenge.h"

struct error {
    int code;
    enum challenge_state state; /* CHALLENGE_REFUSED, unless the login goes on */
    enum outcome outcome;       /* of a refusal */
    const char *meaning;        /* and the remedy, for the log */
};

/* The row of CODE; NULL: it is not in the table. Static storage. */
const struct error *errors_find(int code);

/* The outcome of a refusal with HTTP STATUS and Twilio's CODE (0: none), for every kind of request;
 * *RET_MEANING says why, for the log: static storage. Every 429 is OUTCOME_EXHAUSTED; 408 and what
 * is no 4xx is OUTCOME_UNAVAILABLE; other codes are in the table, and all else is
 * OUTCOME_MISCONFIGURED. */
enum outcome errors_judge(int status, int code, const char **ret_meaning);

/* Fills *WHY_NOT with that outcome, the HTTP STATUS, the code of the error's body of SIZE bytes,
 * and its meaning. For a 400, and for a code that is not in the table, it quotes what Twilio says:
 * at most 120 bytes, words of digits alone as '#', since they may be a code. Returns false. */
bool errors_refuse(int status, const char *body, size_t size, struct verdict *why_not);

/* The number in "code" of an error's body of SIZE bytes, in either form that Twilio uses; 0:
 * none. */
int errors_parse(const char *body, size_t size);

/* Codes that are acted upon. "Too many requests at once" is the one refusal by which Twilio says
 * that nothing was done. */
enum {
    ERRORS_TOO_MANY_REQUESTS = 20429,
    ERRORS_FACTOR_USED_UP = 60310,       /* a new factor: five wrong codes */
    ERRORS_FACTOR_NOT_CONFIRMED = 60311, /* a new factor: a wrong code */
    ERRORS_NOT_PERMITTED = 70051,        /* the key is known, and restricted to other things */
};
