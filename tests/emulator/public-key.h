/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The public key of a device: ES256, that is P-256 with SHA-256 (RFC 7518 section 3.4). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { PUBLIC_KEY_JWS_SIZE = 64 };

struct public_key;

/* A SubjectPublicKeyInfo (RFC 5280) with a key on P-256, in DER. NULL: it is none, or no memory. */
struct public_key *public_key_parse(const char *der, size_t size);

void public_key_free(struct public_key *key);

/* True: the device signed TEXT. SIGNATURE is in DER, as for the first verification of a factor. */
bool public_key_verify(const struct public_key *key, const char *text, const char *signature,
                       size_t size);

/* The same, where SIGNATURE is R and S one after the other, as in a JWS. */
bool public_key_verify_jws(const struct public_key *key, const char *text,
                           const char signature[PUBLIC_KEY_JWS_SIZE]);
