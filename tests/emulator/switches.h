/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Behaviour that Twilio's API reference does not document, or that Twilio may change. */
#pragma once

#include "reason.h"

#include <stdio.h>

enum switch_name {
    SWITCH_WRONG_CODE,
    SWITCH_USED_CODE,
    SWITCH_AFTER_LIMIT,
    SWITCH_LIMIT_CALL,
    SWITCH_WRONG_CODE_AT_CREATION,
    SWITCH_NOT_FOUND,
    SWITCH_MALFORMED,
    SWITCH_EXPIRED_VERIFY,
    SWITCH_DATE_RESPONDED,
    SWITCH_DETAILS,
    SWITCH_ERROR_BODY,
    SWITCH_SIGNATURE_HEADER,
    SWITCH_IDENTITY_CASE,
    SWITCH_CHALLENGE_LIMITS,
    SWITCH_COUNT,
};

/* The values of each switch; the first is the default. */
enum { WRONG_CODE_PENDING, WRONG_CODE_60324 };
enum { USED_CODE_ACCEPTED, USED_CODE_PENDING };
enum { AFTER_LIMIT_PENDING, AFTER_LIMIT_DENIED, AFTER_LIMIT_EXPIRED };
enum { LIMIT_CALL_SIXTH, LIMIT_CALL_FIFTH };
enum { WRONG_CODE_AT_CREATION_COUNTS, WRONG_CODE_AT_CREATION_FREE };
enum { NOT_FOUND_20404, NOT_FOUND_6039X };
enum { MALFORMED_60306, MALFORMED_60200, MALFORMED_6036X, MALFORMED_404 };
enum { EXPIRED_VERIFY_403, EXPIRED_VERIFY_200 };
enum { DATE_RESPONDED_NULL, DATE_RESPONDED_FILLED };
enum { DETAILS_NULL, DETAILS_OBJECT };
enum error_body { ERROR_BODY_TWILIO, ERROR_BODY_RFC9457, ERROR_BODY_HTML, ERROR_BODY_EMPTY };
enum { SIGNATURE_HEADER_ABSENT, SIGNATURE_HEADER_PRESENT };
enum { IDENTITY_CASE_DISTINCT, IDENTITY_CASE_FOLDED };
enum { CHALLENGE_LIMITS_ON, CHALLENGE_LIMITS_OFF };

/* Zero has every default. */
struct switches {
    unsigned char value[SWITCH_COUNT];
};

/* Sets one switch by its name and value, as in `wrong-code` and `403-60324`.
 * False: *why_not names the known switches or values. */
bool switches_set(struct switches *switches, const char *name, const char *value,
                  struct reason *why_not);

/* One line for each switch: name, values, meaning. */
void switches_print_help(FILE *stream);
