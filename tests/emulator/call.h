/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One request to the API: where it goes, its parameters, and the ways to refuse it. */
#pragma once

#include "answer.h"
#include "emulator.h"
#include "form.h"

struct call {
    struct emulator *emulator; /* the caller holds its lock */
    const char *path;
    char service_sid[80], identity[80], sid[80]; /* the parts of the path; empty: not in it */
    struct form query, form;
    int64_t now;
};

/* What can be malformed or missing. */
enum subject {
    SUBJECT_PARAMETER,
    SUBJECT_SERVICE_SID,
    SUBJECT_IDENTITY,
    SUBJECT_FACTOR_SID,
    SUBJECT_CHALLENGE_SID,
    SUBJECT_DETAILS,
    SUBJECT_FACTOR_TYPE,
    SUBJECT_FACTOR_CONFIG,
    SUBJECT_PAGE_SIZE,
    SUBJECT_PAGE_TOKEN,
};

/* The refusals that the switches `malformed` and `not-found` choose. Always false. */
bool call_refuse_malformed(const struct call *call, enum subject subject, const char *name,
                           struct answer *answer);
bool call_refuse_missing(const struct call *call, enum subject subject, struct answer *answer);

/* What the path names. NULL: it is malformed or missing, and *answer says so. */
struct service *call_service(const struct call *call, struct answer *answer);
struct entity *call_entity(const struct call *call, struct answer *answer);
struct factor *call_factor(const struct call *call, struct answer *answer);
struct challenge *call_challenge(const struct call *call, struct answer *answer);

/* The factor with this SID; one that stayed unverified for a day is no longer there. */
struct factor *call_find_factor(const struct call *call, struct entity *entity, const char *sid,
                                struct answer *answer);

/* The form of identities and SIDs, as the properties of Twilio's API reference give it.
 * PREFIX has two letters. */
bool call_is_identity(const char *text);
bool call_is_sid(const char *text, const char *prefix);

static inline unsigned call_switch(const struct call *call, enum switch_name name)
{
    return call->emulator->switches.value[name];
}
