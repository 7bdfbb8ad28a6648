/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The seed of a factor that another module's file holds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../../twilio/factor.h"

enum { SEED_CODE_SIZE = 9 };

struct seed {
    char secret[FACTOR_SECRET_SIZE]; /* Base32, upper case, without padding */
    struct factor_config config;
    bool is_shared; /* the file holds other users' seeds, too */
};

/* Reads TEXT as one of these, whichever it is:
 *     a file of google-authenticator(1), ~/.google_authenticator
 *     a file of pam_oath, users.oath, in which the entry of USER counts
 *     an address as of a QR code, otpauth://totp/...
 *     a Base32 secret (RFC 4648 section 6), upper or lower case, blanks and dashes ignored
 * Digits, time step and algorithm are as there; 6, 30 s and SHA-1 where it says nothing. The caller
 * wipes *RET_SEED. False: *RET_WHY_NOT tells in static storage, and quotes nothing of TEXT. */
bool seed_parse(const char *text, const char *user, struct seed *ret_seed,
                const char **ret_why_not);

/* Prints the code (RFC 6238) at the time TIME_S since 1970. False: out of memory. */
bool seed_code(const struct seed *seed, int64_t time_s, char code[SEED_CODE_SIZE]);
