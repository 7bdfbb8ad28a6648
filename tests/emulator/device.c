/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Says what a device may do. */
#include "device.h"

#include "jwt.h"
#include "push.h"

#include <json-c/json_object.h>
#include <string.h>

enum { DEVICE_TOKEN_SECONDS_MAX = 10 * 60 };

static bool device_is_text(struct json_object *object, const char *name, const char *expected)
{
    const char *text = jwt_text(object, name);

    return text != NULL && strcmp(text, expected) == 0;
}

static bool device_parse_time(struct json_object *object, const char *name, int64_t *ret_seconds)
{
    struct json_object *value = json_object_object_get(object, name);

    *ret_seconds = json_object_get_int64(value);
    return json_object_is_type(value, json_type_int);
}

/* Every claim but the signature. */
static bool device_is_valid(const struct call *call, const struct jwt *jwt)
{
    int64_t begin = 0, end = 0;

    return device_is_text(jwt->header, "cty", "twilio-pba;v=1") &&
           device_is_text(jwt->payload, "sub", call->emulator->account_sid) &&
           device_parse_time(jwt->payload, "nbf", &begin) &&
           device_parse_time(jwt->payload, "exp", &end) && begin <= call->now && call->now < end &&
           end - begin <= DEVICE_TOKEN_SECONDS_MAX;
}

/* The push factor of ENTITY whose key signed JWT. NULL: none did. */
static const struct factor *device_factor(const struct entity *entity, const struct jwt *jwt)
{
    for (struct resource *r = TAILQ_FIRST(&entity->factors.list); r != NULL;
         r = TAILQ_NEXT(r, link)) {
        const struct factor *factor = (const struct factor *)r;

        if (push_is_factor(factor) &&
            device_is_text(jwt->header, "kid", jwt_text(factor->push_config, "credential_sid")))
            return jwt_is_signed(jwt, factor->key) ? factor : NULL;
    }
    return NULL;
}

static bool device_owns_challenge(const struct call *call, const struct factor *factor)
{
    const struct challenge *challenge =
        (struct challenge *)collection_find(&factor->entity->challenges, call->sid, false);

    return challenge != NULL && challenge->factor == factor;
}

static bool device_owns(const struct call *call, const struct route *route,
                        const struct factor *factor)
{
    const char *listed = form_next(&call->query, "FactorSid", NULL);

    switch (route->device_scope) {
    case DEVICE_SCOPE_NOTHING:
        return false;
    case DEVICE_SCOPE_FACTOR:
        return strcmp(call->sid, factor->base.sid) == 0;
    case DEVICE_SCOPE_CHALLENGE:
        return device_owns_challenge(call, factor);
    case DEVICE_SCOPE_LIST:
        return listed != NULL && strcmp(listed, factor->base.sid) == 0;
    }
    return false;
}

bool device_may(const struct call *call, const struct route *route, const char *token)
{
    struct answer missing = { 0 };
    const struct entity *entity = NULL;
    const struct factor *factor = NULL;
    struct jwt jwt = { 0 };

    if (token == NULL || route == NULL || !jwt_parse(token, &jwt))
        return false;

    entity = device_is_valid(call, &jwt) ? call_entity(call, &missing) : NULL;
    factor = entity == NULL ? NULL : device_factor(entity, &jwt);
    jwt_free(&jwt);
    return factor != NULL && device_owns(call, route, factor);
}
