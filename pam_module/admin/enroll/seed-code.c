/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The code of a seed. */
#include <liboath/oath.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"

static int flags_of(const char *algorithm)
{
    return strcmp(algorithm, "sha256") == 0   ? OATH_TOTP_HMAC_SHA256
           : strcmp(algorithm, "sha512") == 0 ? OATH_TOTP_HMAC_SHA512
                                              : 0;
}

bool seed_code(const struct seed *seed, int64_t time_s, char code[SEED_CODE_SIZE])
{
    char *bytes = NULL;
    size_t size = 0;
    bool is_made =
        oath_base32_decode(seed->secret, strlen(seed->secret), &bytes, &size) == OATH_OK &&
        oath_totp_generate2(bytes, size, time_s, (unsigned)seed->config.time_step, 0,
                            (unsigned)seed->config.code_length, flags_of(seed->config.algorithm),
                            code) == OATH_OK;

    if (bytes != NULL)
        explicit_bzero(bytes, size);
    free(bytes);
    return is_made;
}
