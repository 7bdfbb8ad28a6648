/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Finds what a request is about, or refuses it. */
#include "call.h"

#include "memory.h"

#include <ctype.h>
#include <string.h>

/* The codes of the switches `malformed=6036x` and `not-found=6039x`. */
static const struct {
    int malformed;
    int missing;
} subjects[] = {
    [SUBJECT_PARAMETER] = { 60306, 20404 },     [SUBJECT_SERVICE_SID] = { 60363, 20404 },
    [SUBJECT_IDENTITY] = { 60367, 60392 },      [SUBJECT_FACTOR_SID] = { 60362, 60390 },
    [SUBJECT_CHALLENGE_SID] = { 60364, 60391 }, [SUBJECT_DETAILS] = { 60366, 20404 },
    [SUBJECT_FACTOR_TYPE] = { 60368, 20404 },   [SUBJECT_FACTOR_CONFIG] = { 60370, 20404 },
    [SUBJECT_PAGE_SIZE] = { 60373, 20404 },     [SUBJECT_PAGE_TOKEN] = { 60374, 20404 },
};

static bool call_refuse_path(const struct call *call, struct answer *answer)
{
    return answer_refuse_with(answer, 20404, "The requested resource %.200s was not found",
                              call->path);
}

bool call_refuse_malformed(const struct call *call, enum subject subject, const char *name,
                           struct answer *answer)
{
    switch (call_switch(call, SWITCH_MALFORMED)) {
    case MALFORMED_404:
        return call_refuse_path(call, answer);
    case MALFORMED_60200:
        return answer_refuse_with(answer, 60200, "Invalid parameter: %s", name);
    case MALFORMED_6036X:
        return answer_refuse_with(answer, subjects[subject].malformed, "%s is missing or malformed",
                                  name);
    default:
        return answer_refuse_with(answer, 60306, "Input parameter has an invalid format: %s", name);
    }
}

bool call_refuse_missing(const struct call *call, enum subject subject, struct answer *answer)
{
    if (call_switch(call, SWITCH_NOT_FOUND) == NOT_FOUND_6039X &&
        subjects[subject].missing != 20404)
        return answer_refuse(answer, subjects[subject].missing);

    return call_refuse_path(call, answer);
}

bool call_is_identity(const char *text)
{
    size_t length = strlen(text);

    if (length < 8 || length > 64 || text[0] == '-' || text[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '-' ? text[i + 1] == '-' : !isalnum((unsigned char)text[i]))
            return false;
    }
    return true;
}

bool call_is_sid(const char *text, const char *prefix)
{
    return strlen(text) == SID_SIZE - 1 && strncmp(text, prefix, 2) == 0 &&
           strspn(text + 2, "0123456789abcdefABCDEF") == SID_SIZE - 3;
}

struct service *call_service(const struct call *call, struct answer *answer)
{
    struct resource *found = NULL;

    if (!call_is_sid(call->service_sid, "VA")) {
        call_refuse_malformed(call, SUBJECT_SERVICE_SID, "ServiceSid", answer);
        return NULL;
    }

    found = collection_find(&call->emulator->store.services, call->service_sid, false);
    if (found == NULL)
        call_refuse_missing(call, SUBJECT_SERVICE_SID, answer);
    return (struct service *)found;
}

struct entity *call_entity(const struct call *call, struct answer *answer)
{
    bool folded = call_switch(call, SWITCH_IDENTITY_CASE) == IDENTITY_CASE_FOLDED;
    struct service *service = call_service(call, answer);
    struct resource *found = NULL;

    if (service == NULL)
        return NULL;
    if (!call_is_identity(call->identity)) {
        call_refuse_malformed(call, SUBJECT_IDENTITY, "Identity", answer);
        return NULL;
    }

    found = collection_find(&service->entities, call->identity, folded);
    if (found == NULL)
        call_refuse_missing(call, SUBJECT_IDENTITY, answer);
    return (struct entity *)found;
}

struct factor *call_find_factor(const struct call *call, struct entity *entity, const char *sid,
                                struct answer *answer)
{
    struct factor *factor = NULL;

    if (!call_is_sid(sid, "YF")) {
        call_refuse_malformed(call, SUBJECT_FACTOR_SID, "FactorSid", answer);
        return NULL;
    }

    factor = (struct factor *)collection_find(&entity->factors, sid, false);
    if (factor != NULL && !factor->is_verified && factor->base.created <= call->now - WINDOW_DAY) {
        store_remove_factor(&call->emulator->store, factor);
        factor = NULL;
    }
    if (factor == NULL)
        call_refuse_missing(call, SUBJECT_FACTOR_SID, answer);
    return factor;
}

struct factor *call_factor(const struct call *call, struct answer *answer)
{
    struct entity *entity = call_entity(call, answer);

    return entity == NULL ? NULL : call_find_factor(call, entity, call->sid, answer);
}

struct challenge *call_challenge(const struct call *call, struct answer *answer)
{
    struct entity *entity = call_entity(call, answer);
    struct resource *found = NULL;

    if (entity == NULL)
        return NULL;
    if (!call_is_sid(call->sid, "YC")) {
        call_refuse_malformed(call, SUBJECT_CHALLENGE_SID, "Sid", answer);
        return NULL;
    }

    found = collection_find(&entity->challenges, call->sid, false);
    if (found == NULL)
        call_refuse_missing(call, SUBJECT_CHALLENGE_SID, answer);
    return (struct challenge *)found;
}
