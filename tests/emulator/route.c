/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Finds the operation for a request. */
#include "route.h"

#include "challenge.h"
#include "entity.h"
#include "factor.h"
#include "memory.h"
#include "service.h"

#include <stdio.h>
#include <string.h>

#define SERVICES   "/v2/Services"
#define ENTITIES   SERVICES "/*/Entities"
#define FACTORS    ENTITIES "/*/Factors"
#define CHALLENGES ENTITIES "/*/Challenges"

static const struct route routes[] = {
    { "POST", CHALLENGES, "create", challenge_create },
    { "GET", CHALLENGES, "list", challenge_list, DEVICE_SCOPE_LIST },
    { "GET", CHALLENGES "/*", "fetch", challenge_fetch, DEVICE_SCOPE_CHALLENGE },
    { "POST", CHALLENGES "/*", "verify", challenge_verify, DEVICE_SCOPE_CHALLENGE,
      "Twilio-Verify-Challenge-Signature" },
    { "POST", CHALLENGES "/*/Notifications", "notify", challenge_notify },
    { "POST", FACTORS, "factor-create", factor_create },
    { "GET", FACTORS, "factor-list", factor_list },
    { "GET", FACTORS "/*", "factor-fetch", factor_fetch, DEVICE_SCOPE_FACTOR },
    { "POST", FACTORS "/*", "factor-verify", factor_verify, DEVICE_SCOPE_FACTOR,
      "Twilio-Verify-Factor-Signature" },
    { "DELETE", FACTORS "/*", "factor-delete", factor_delete, DEVICE_SCOPE_FACTOR },
    { "POST", ENTITIES, "entity-create", entity_create },
    { "GET", ENTITIES, "entity-list", entity_list },
    { "GET", ENTITIES "/*", "entity-fetch", entity_fetch },
    { "DELETE", ENTITIES "/*", "entity-delete", entity_delete },
    { "POST", SERVICES, "service-create", service_create },
    { "GET", SERVICES, "service-list", service_list },
    { "GET", SERVICES "/*", "service-fetch", service_fetch },
    { "POST", SERVICES "/*", "service-update", service_update },
    { "DELETE", SERVICES "/*", "service-delete", service_delete },
};

_Static_assert(ARRAY_SIZE(routes) <= STATS_OPERATIONS_MAX, "stats.h counts each operation");

/* A part that is too long is cut, and then too long to be valid. */
static bool route_matches(const char *pattern, struct call *call)
{
    char *const parts[] = { call->service_sid, call->identity, call->sid };
    const char *path = call->path;
    size_t part = 0;

    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '*') {
            if (*path++ != *pattern)
                return false;
            continue;
        }

        size_t length = strcspn(path, "/");

        if (length == 0)
            return false;
        snprintf(parts[part++], sizeof(call->sid), "%.*s", (int)length, path);
        path += length;
    }
    return *path == '\0';
}

const struct route *route_find(const char *method, struct call *call)
{
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        if (strcmp(routes[i].method, method) == 0 && route_matches(routes[i].pattern, call))
            return &routes[i];
    }
    return NULL;
}

void route_print_methods(const struct call *call, char *ret_methods, size_t size)
{
    struct call scratch = *call;
    size_t used = 0;

    ret_methods[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(routes) && used < size; i++) {
        if (route_matches(routes[i].pattern, &scratch))
            used += (size_t)snprintf(ret_methods + used, size - used, "%s%s", used == 0 ? "" : ", ",
                                     routes[i].method);
    }
}

bool route_find_operation(const char *name, int *ret_number)
{
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        if (strcmp(routes[i].operation, name) == 0) {
            *ret_number = (int)i;
            return true;
        }
    }
    return false;
}

const char *route_operation_name(int number)
{
    return number >= 0 && (size_t)number < ARRAY_SIZE(routes) ? routes[number].operation : NULL;
}

int route_number(const struct route *route)
{
    return (int)(route - routes);
}
