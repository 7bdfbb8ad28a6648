/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Codes by RFC 6238, T0 = 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum totp_algorithm { TOTP_SHA1, TOTP_SHA256, TOTP_SHA512 };

enum { TOTP_SEED_SIZE_MAX = 128, TOTP_SECRET_SIZE = 256, TOTP_CODE_LENGTH_MAX = 8 };

struct totp_config {
    enum totp_algorithm algorithm;
    int time_step; /* seconds */
    int code_length;
    int skew; /* steps before and after now */
};

struct totp_seed {
    unsigned char bytes[TOTP_SEED_SIZE_MAX];
    size_t size;
};

/* To be called once, before any other. False: the library can't start. */
bool totp_start(void);

/* 160 random bits. */
bool totp_make_seed(struct totp_seed *ret_seed);

/* Base32 of either case, padded or not. False: it is not, or it is empty or too long. */
bool totp_parse_seed(const char *base32, struct totp_seed *ret_seed);

/* Base32 in capitals, no padding. */
bool totp_print_seed(const struct totp_seed *seed, char ret_text[TOTP_SECRET_SIZE]);

/* True: CODE is the code of step number STEP. */
bool totp_is_code(const struct totp_seed *seed, const struct totp_config *config, int64_t step,
                  const char *code);

/* `sha1`, `sha256` or `sha512`. */
const char *totp_algorithm_name(enum totp_algorithm algorithm);
bool totp_parse_algorithm(const char *name, enum totp_algorithm *ret_algorithm);
