/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Who may call: Basic authentication (RFC 7617). */
#pragma once

#include <stdbool.h>

enum { CREDENTIALS_MAX = 2, CREDENTIAL_SIZE_MAX = 256 };

struct credentials {
    struct {
        char user[CREDENTIAL_SIZE_MAX];
        char secret[CREDENTIAL_SIZE_MAX];
    } list[CREDENTIALS_MAX];
    unsigned count;
};

/* False: too long, or CREDENTIALS_MAX are there. */
bool credentials_add(struct credentials *credentials, const char *user, const char *secret);

/* Compares in constant time. USER and SECRET may be NULL, which is refused. */
bool credentials_accept(const struct credentials *credentials, const char *user,
                        const char *secret);

/* Wipes them. */
void credentials_free(struct credentials *credentials);
