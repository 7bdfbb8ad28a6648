/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Takes JSON Web Tokens apart. */
#include "jwt.h"

#include "base64.h"
#include "memory.h"
#include "parameter.h"

#include <json-c/json_object.h>
#include <string.h>

/* One part: base64url of a JSON object. NULL: it is malformed. The caller puts it. */
static struct json_object *jwt_parse_part(const char *part)
{
    size_t size = 0;
    auto_free char *text = base64_decode_url(part, &size);

    return text != NULL && strlen(text) == size ? parameter_parse_json(text) : NULL;
}

static bool jwt_parse_signature(const char *part, char ret_signature[PUBLIC_KEY_JWS_SIZE])
{
    size_t size = 0;
    auto_free char *bytes = base64_decode_url(part, &size);

    if (bytes == NULL || size != PUBLIC_KEY_JWS_SIZE)
        return false;

    memcpy(ret_signature, bytes, size);
    return true;
}

const char *jwt_text(struct json_object *object, const char *name)
{
    struct json_object *value = json_object_object_get(object, name);

    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static bool jwt_is_es256(const struct jwt *jwt)
{
    const char *algorithm = jwt_text(jwt->header, "alg");

    return algorithm != NULL && strcmp(algorithm, "ES256") == 0;
}

bool jwt_parse(const char *text, struct jwt *ret_jwt)
{
    struct jwt jwt = { .signed_text = strdup(text) };
    auto_free char *copy = strdup(text);
    char *rest = copy, *header = strsep(&rest, "."), *payload = strsep(&rest, ".");

    if (jwt.signed_text == NULL || payload == NULL || rest == NULL ||
        !jwt_parse_signature(rest, jwt.signature)) {
        free(jwt.signed_text);
        return false;
    }

    jwt.signed_text[rest - 1 - copy] = '\0';
    jwt.header = jwt_parse_part(header);
    jwt.payload = jwt_parse_part(payload);
    if (jwt.header == NULL || jwt.payload == NULL || !jwt_is_es256(&jwt)) {
        jwt_free(&jwt);
        return false;
    }

    *ret_jwt = jwt;
    return true;
}

void jwt_free(struct jwt *jwt)
{
    free(jwt->signed_text);
    json_object_put(jwt->header);
    json_object_put(jwt->payload);
}

bool jwt_is_signed(const struct jwt *jwt, const struct public_key *key)
{
    return public_key_verify_jws(key, jwt->signed_text, jwt->signature);
}
