/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What is special about push factors, and what a device signs: the Verify Push SDKs. */
#pragma once

#include "call.h"

enum {
    PUSH_PAYLOAD_MAX = 5456,
    PUSH_NOTIFICATIONS_MAX = 3,
    PUSH_TTL_MAX = 5 * 60,
    PUSH_FACTORS_MAX = 20
};

/* The fields of a challenge that a device signs, as Twilio-Verify-Signature-Fields names them. */
extern const char push_signature_fields[];

static inline bool push_is_factor(const struct factor *factor)
{
    return factor->key != NULL;
}

/* Binding.Alg and Binding.PublicKey. The caller frees the key. False: *answer says so. */
bool push_parse_binding(const struct call *call, struct public_key **ret_key,
                        struct answer *answer);
struct json_object *push_binding_to_json(const struct call *call);

/* Puts Config.AppId and its neighbours into CONFIG; an empty one, of a new factor, needs them all.
 * False: *answer says so. */
bool push_parse_config(const struct call *call, struct json_object *config, struct answer *answer);

/* True: PAYLOAD is the base64 of the device's signature over the factor's SID. */
bool push_accepts(const struct factor *factor, const char *payload);

/* The JWT that answers CHALLENGE with `approved` or `denied`. False: another key signed it, or it
 * is about something else. */
bool push_parse_answer(const struct call *call, const struct challenge *challenge,
                       const char *payload, enum challenge_status *ret_status);

/* Counts one more message of CHALLENGE, which is pending; none goes anywhere. */
bool push_notify(const struct call *call, struct challenge *challenge, struct answer *answer);
