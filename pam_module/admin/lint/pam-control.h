/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A control of pam.conf(5): what libpam does with each code that a module may return. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The codes of security/_pam_types.h, those that are named here. */
enum pam_code {
    PAM_CODE_SUCCESS = 0,
    PAM_CODE_SERVICE_ERR = 3,
    PAM_CODE_SYSTEM_ERR = 4,
    PAM_CODE_PERM_DENIED = 6,
    PAM_CODE_AUTH_ERR = 7,
    PAM_CODE_AUTHINFO_UNAVAIL = 9,
    PAM_CODE_MAXTRIES = 11,
    PAM_CODE_NEW_AUTHTOK_REQD = 12,
    PAM_CODE_CONV_ERR = 19,
    PAM_CODE_IGNORE = 25,
    PAM_CODE_MODULE_UNKNOWN = 28,
    PAM_CODE_INCOMPLETE = 31,
    PAM_CODES,
};

/* A set of codes. */
typedef uint32_t pam_codes;

#define PAM_CODE_SET(code) ((pam_codes)1 << (code))

/* The largest jump that is told apart from a larger one: no stack is as long. */
enum { PAM_JUMP_MAX = 1000000 };

/* Above zero: a jump over that many lines. */
enum pam_action {
    PAM_ACTION_RESET = -5,
    PAM_ACTION_DIE,
    PAM_ACTION_BAD,
    PAM_ACTION_DONE,
    PAM_ACTION_OK,
    PAM_ACTION_IGNORE = 0,
};

/* libpam before 1.7 takes what is beyond for a line of its own. */
enum { PAM_LINE_MAX = 1022 };

struct pam_control {
    int actions[PAM_CODES];
};

/* Reads a control, "required" in any case or what is between brackets, into *RET_CONTROL. False
 * where libpam can't read it: then every code is PAM_ACTION_BAD, as there. "include" and "substack"
 * are not for this function. */
bool pam_control_parse(const char *text, struct pam_control *ret_control);

/* The next word of *REST, a part of a line, which then begins behind it; what is between brackets
 * is one word, without them. NULL: no more. */
char *pam_control_take_word(char **rest);

/* The word of CODE in a control: "auth_err". Static storage, never NULL. */
const char *pam_code_word(enum pam_code code);
