/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* JSON Web Tokens that a device signs with ES256: RFC 7519, RFC 7515 section 7.1. */
#pragma once

#include "public-key.h"

#include <json-c/json_types.h>

struct jwt {
    char *signed_text; /* the header and the payload, as they were sent */
    struct json_object *header, *payload;
    char signature[PUBLIC_KEY_JWS_SIZE];
};

/* Says nothing of who signed it. False: TEXT is malformed, or its `alg` is not ES256. jwt_free() is
 * due only after true. */
bool jwt_parse(const char *text, struct jwt *ret_jwt);

void jwt_free(struct jwt *jwt);

/* True: the owner of KEY signed it. */
bool jwt_is_signed(const struct jwt *jwt, const struct public_key *key);

/* The text of a member; NULL: OBJECT has none of that name, or no text. */
const char *jwt_text(struct json_object *object, const char *name);
