/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A password with a code at its end, for hosts that have one field. An early line of the module
 * cuts the code off, a later one takes it. libpam keeps it between them; pam_set_data(3). */
#pragma once

#include <security/pam_modules.h>

enum { SPLIT_LENGTH_MAX = 8, SPLIT_SIZE = SPLIT_LENGTH_MAX + 1, SPLIT_LIFETIME_MS = 60000 };

#define SPLIT_PROMPT "Password and code: "

/* What is kept for the later line. */
enum split {
    SPLIT_NONE, /* no line has cut; or it was for another user, or SPLIT_LIFETIME_MS ago */
    SPLIT_NO_CODE,
    SPLIT_CODE,
};

/* The length in ARGUMENT, which is "split=" and 1 to SPLIT_LENGTH_MAX; 0: it is none. */
int split_parse(const char *argument);

/* Takes the password, or asks for it, and keeps the LENGTH digits at its end for split_take(). What
 * is before them becomes the password, PAM_AUTHTOK. Where they are missing, or nothing stands
 * before them, the password stays whole, and SPLIT_NO_CODE is kept. PAM_IGNORE: done. Else what
 * pam_get_authtok(3) returned, PAM_BUF_ERR or PAM_SYSTEM_ERR, and nothing is kept. Never
 * PAM_SUCCESS. */
int split_cut(pam_handle_t *pamh, const char *user, int length);

/* Takes what is kept for USER, once; what is kept for another is lost. With SPLIT_CODE the digits
 * are in RET_CODE, which the caller wipes. */
enum split split_take(pam_handle_t *pamh, const char *user, char ret_code[SPLIT_SIZE]);
