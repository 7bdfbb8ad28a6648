/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Creates, fetches and verifies challenges. */
#include "challenge.h"

#include "challenge-json.h"
#include "details.h"
#include "factor.h"
#include "parameter.h"
#include "push.h"

#include <json-c/json_object.h>
#include <string.h>

/* What a request to create one asks for. */
struct challenge_settings {
    const char *code;
    int64_t expires;
    struct json_object *details, *hidden_details;
};

static bool challenge_is_within_limits(const struct call *call, const struct factor *factor,
                                       struct answer *answer)
{
    const struct window *window = &factor->new_challenges;
    unsigned in_a_day = window_count(window, call->now, WINDOW_DAY);
    bool is_short = !push_is_factor(factor) && factor->config.code_length <= SHORT_CODE_LENGTH_MAX;

    if (call_switch(call, SWITCH_CHALLENGE_LIMITS) == CHALLENGE_LIMITS_OFF)
        return true;
    if (is_short && in_a_day >= SHORT_CODE_CHALLENGES_A_DAY_MAX)
        return answer_refuse(answer, 60312);
    if (in_a_day >= CHALLENGES_A_DAY_MAX ||
        window_count(window, call->now, WINDOW_HOUR) >= CHALLENGES_AN_HOUR_MAX)
        return answer_refuse(answer, 60312);

    return true;
}

/* A push challenge has a message, and a device alone can answer it. */
static bool challenge_suits_push(const struct call *call, struct answer *answer)
{
    const char *message = form_next(&call->form, "Details.Message", NULL);

    if (form_next(&call->form, "AuthPayload", NULL) != NULL)
        return call_refuse_malformed(call, SUBJECT_PARAMETER, "AuthPayload", answer);
    if (message == NULL || message[0] == '\0')
        return call_refuse_malformed(call, SUBJECT_DETAILS, "Details.Message", answer);

    return true;
}

/* On failure nothing is left to free. */
static bool challenge_parse(const struct call *call, struct challenge_settings *ret_settings,
                            struct answer *answer)
{
    struct challenge_settings settings = { .expires = call->now + CHALLENGE_SECONDS_DEFAULT };

    if (!parameter_code(call, &settings.code, answer) ||
        !parameter_date(call, "ExpirationDate", &settings.expires, answer))
        return false;
    if (settings.expires <= call->now || settings.expires > call->now + CHALLENGE_SECONDS_MAX)
        return call_refuse_malformed(call, SUBJECT_PARAMETER, "ExpirationDate", answer);
    if (!details_parse(call, &settings.details, answer))
        return false;
    if (!parameter_object(call, SUBJECT_DETAILS, "HiddenDetails", &settings.hidden_details,
                          answer)) {
        json_object_put(settings.details);
        return false;
    }

    *ret_settings = settings;
    return true;
}

static void challenge_respond(const struct call *call, struct challenge *challenge,
                              enum challenge_status status)
{
    challenge->status = status;
    challenge->responded = challenge->base.updated = call->now;
}

/* Uses up an attempt. True: the code was right, and the challenge is approved. */
static bool challenge_try(const struct call *call, struct challenge *challenge, const char *code)
{
    static const enum challenge_status after_limit[] = {
        [AFTER_LIMIT_PENDING] = CHALLENGE_PENDING,
        [AFTER_LIMIT_DENIED] = CHALLENGE_DENIED,
        [AFTER_LIMIT_EXPIRED] = CHALLENGE_EXPIRED,
    };
    struct factor *factor = challenge->factor;
    int64_t step = 0;

    challenge->attempts++;
    if (factor_accepts(call, factor, code, &step)) {
        /* A ring: USED_STEPS_MAX is more than the steps that are valid at any time. */
        factor->used_steps[factor->used_steps_count++ % USED_STEPS_MAX] = step;
        challenge_respond(call, challenge, CHALLENGE_APPROVED);
        return true;
    }
    if (challenge->attempts >= CHALLENGE_ATTEMPTS_MAX)
        challenge->status = after_limit[call_switch(call, SWITCH_AFTER_LIMIT)];
    return false;
}

static struct factor *challenge_factor(const struct call *call, struct answer *answer)
{
    const char *sid = form_next(&call->form, "FactorSid", NULL);
    struct entity *entity = call_entity(call, answer);
    struct factor *factor = NULL;

    if (entity == NULL)
        return NULL;

    factor = call_find_factor(call, entity, sid != NULL ? sid : "", answer);
    if (factor != NULL && !factor->is_verified) {
        answer_refuse(answer, 60318);
        return NULL;
    }
    return factor;
}

bool challenge_create(const struct call *call, struct answer *answer)
{
    struct factor *factor = challenge_factor(call, answer);
    struct challenge_settings settings = { 0 };
    struct challenge *challenge = NULL;

    if (factor == NULL || !challenge_is_within_limits(call, factor, answer) ||
        (push_is_factor(factor) && !challenge_suits_push(call, answer)) ||
        !challenge_parse(call, &settings, answer))
        return false;

    challenge = store_add_challenge(&call->emulator->store, factor, call->now);
    if (challenge == NULL || !window_note(&factor->new_challenges, call->now)) {
        json_object_put(settings.details);
        json_object_put(settings.hidden_details);
        return answer_refuse(answer, 20503);
    }

    challenge->expires = settings.expires;
    challenge->details = settings.details;
    challenge->hidden_details = settings.hidden_details;
    if (settings.code != NULL && !challenge_try(call, challenge, settings.code) &&
        call_switch(call, SWITCH_WRONG_CODE_AT_CREATION) == WRONG_CODE_AT_CREATION_FREE)
        challenge->attempts = 0;
    return answer_give(answer, 201, challenge_to_json(call, &challenge->base));
}

bool challenge_fetch(const struct call *call, struct answer *answer)
{
    struct challenge *challenge = call_challenge(call, answer);

    if (challenge == NULL)
        return false;

    if (push_is_factor(challenge->factor) &&
        challenge_status_now(call, challenge) == CHALLENGE_PENDING)
        answer->signature_fields = push_signature_fields;
    return answer_give(answer, 200, challenge_to_json(call, &challenge->base));
}

/* What keeps a code from being judged: errors 60322, 60323 and 60308 of Twilio's dictionary. */
static bool challenge_is_open(const struct call *call, const struct challenge *challenge,
                              struct answer *answer)
{
    enum challenge_status status = challenge_status_now(call, challenge);

    if (status == CHALLENGE_APPROVED)
        return answer_refuse(answer, 60322);
    if (challenge->attempts >= CHALLENGE_ATTEMPTS_MAX)
        return answer_refuse(answer, 60308);
    if (status == CHALLENGE_DENIED)
        return answer_refuse(answer, 60322);
    if (status == CHALLENGE_EXPIRED &&
        call_switch(call, SWITCH_EXPIRED_VERIFY) == EXPIRED_VERIFY_403)
        return answer_refuse(answer, 60323);

    return true;
}

static bool challenge_refuse_code(const struct call *call, const struct challenge *challenge,
                                  struct answer *answer)
{
    bool is_last = challenge->attempts >= CHALLENGE_ATTEMPTS_MAX;

    if (is_last && call_switch(call, SWITCH_LIMIT_CALL) == LIMIT_CALL_FIFTH)
        return answer_refuse(answer, 60308);
    if (call_switch(call, SWITCH_WRONG_CODE) == WRONG_CODE_60324)
        return answer_refuse(answer, 60324);

    return answer_give(answer, 200, challenge_to_json(call, &challenge->base));
}

static bool challenge_parse_payload(const struct call *call, const struct challenge *challenge,
                                    const char **ret_payload, struct answer *answer)
{
    if (push_is_factor(challenge->factor)
            ? !parameter_text(call, SUBJECT_PARAMETER, "AuthPayload", 1, PUSH_PAYLOAD_MAX,
                              ret_payload, answer)
            : !parameter_code(call, ret_payload, answer))
        return false;

    return *ret_payload != NULL ||
           call_refuse_malformed(call, SUBJECT_PARAMETER, "AuthPayload", answer);
}

static bool challenge_judge(const struct call *call, struct challenge *challenge,
                            const char *payload, struct answer *answer)
{
    enum challenge_status status = CHALLENGE_PENDING;

    if (push_is_factor(challenge->factor)) {
        if (!push_parse_answer(call, challenge, payload, &status))
            return answer_refuse(answer, 60324);
        challenge_respond(call, challenge, status);
    } else if (!challenge_try(call, challenge, payload))
        return challenge_refuse_code(call, challenge, answer);

    return answer_give(answer, 200, challenge_to_json(call, &challenge->base));
}

bool challenge_verify(const struct call *call, struct answer *answer)
{
    struct challenge *challenge = call_challenge(call, answer);
    struct json_object *metadata = NULL;
    const char *payload = NULL;

    if (challenge == NULL || !challenge_parse_payload(call, challenge, &payload, answer) ||
        !challenge_is_open(call, challenge, answer) ||
        !parameter_object(call, SUBJECT_PARAMETER, "Metadata", &metadata, answer))
        return false;

    if (metadata != NULL) {
        json_object_put(challenge->metadata);
        challenge->metadata = metadata;
    }
    if (challenge_status_now(call, challenge) == CHALLENGE_EXPIRED)
        return answer_give(answer, 200, challenge_to_json(call, &challenge->base));

    challenge->base.updated = call->now;
    return challenge_judge(call, challenge, payload, answer);
}

bool challenge_notify(const struct call *call, struct answer *answer)
{
    struct challenge *challenge = call_challenge(call, answer);

    return challenge != NULL && challenge_is_open(call, challenge, answer) &&
           push_notify(call, challenge, answer);
}
