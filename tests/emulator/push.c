/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Reads and checks what belongs to push. */
#include "push.h"

#include "base64.h"
#include "challenge-json.h"
#include "entity.h"
#include "field.h"
#include "jwt.h"
#include "memory.h"
#include "parameter.h"

#include <json-c/json_object.h>
#include <string.h>

const char push_signature_fields[] = "sid,account_sid,service_sid,entity_sid,identity,factor_sid,"
                                     "date_created,expiration_date,details,hidden_details";

bool push_parse_binding(const struct call *call, struct public_key **ret_key, struct answer *answer)
{
    const char *algorithm = form_next(&call->form, "Binding.Alg", NULL);
    const char *text = form_next(&call->form, "Binding.PublicKey", NULL);
    size_t size = 0;
    auto_free char *der = text == NULL ? NULL : base64_decode(text, &size);
    struct public_key *key = der == NULL ? NULL : public_key_parse(der, size);

    if (key == NULL || algorithm == NULL || strcmp(algorithm, "ES256") != 0) {
        public_key_free(key);
        return answer_refuse(answer, 60314);
    }

    *ret_key = key;
    return true;
}

struct json_object *push_binding_to_json(const struct call *call)
{
    struct json_object *object = json_object_new_object();

    field_add_text(object, "alg", "ES256");
    field_add_text(object, "public_key", form_next(&call->form, "Binding.PublicKey", NULL));
    return object;
}

static const struct {
    const char *parameter, *field;
    size_t least, most;
    bool is_fixed; /* once the factor is made */
} push_fields[] = {
    { "Config.SdkVersion", "sdk_version", 1, 64, false },
    { "Config.AppId", "app_id", 1, 100, true },
    { "Config.NotificationPlatform", "notification_platform", 3, 4, false },
    { "Config.NotificationToken", "notification_token", 32, 255, false },
};

static bool push_is_platform(const char *text)
{
    return text != NULL &&
           (strcmp(text, "apn") == 0 || strcmp(text, "fcm") == 0 || strcmp(text, "none") == 0);
}

static bool push_has_messages(struct json_object *config)
{
    return strcmp(jwt_text(config, "notification_platform"), "none") != 0;
}

/* What a whole config has: a token is of use only where there are messages. */
static bool push_check_config(const struct call *call, struct json_object *config,
                              struct answer *answer)
{
    const char *missing = NULL;

    if (!push_is_platform(jwt_text(config, "notification_platform")))
        missing = "Config.NotificationPlatform";
    else if (jwt_text(config, "sdk_version") == NULL)
        missing = "Config.SdkVersion";
    else if (jwt_text(config, "app_id") == NULL)
        missing = "Config.AppId";
    else if (push_has_messages(config) && jwt_text(config, "notification_token") == NULL)
        missing = "Config.NotificationToken";

    return missing == NULL || call_refuse_malformed(call, SUBJECT_FACTOR_CONFIG, missing, answer);
}

bool push_parse_config(const struct call *call, struct json_object *config, struct answer *answer)
{
    bool is_new = json_object_object_length(config) == 0;
    char sid[SID_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(push_fields); i++) {
        const char *text = NULL;

        if (!parameter_text(call, SUBJECT_FACTOR_CONFIG, push_fields[i].parameter,
                            push_fields[i].least, push_fields[i].most, &text, answer))
            return false;
        if (is_new || (text != NULL && !push_fields[i].is_fixed))
            field_add_text(config, push_fields[i].field, text);
    }
    if (!push_check_config(call, config, answer))
        return false;
    if (is_new && !store_make_sid("CR", sid))
        return answer_refuse(answer, 20500);
    if (is_new)
        field_add_text(config, "credential_sid", sid);

    return true;
}

bool push_accepts(const struct factor *factor, const char *payload)
{
    size_t size = 0;
    auto_free char *signature = base64_decode(payload, &size);

    return signature != NULL && public_key_verify(factor->key, factor->base.sid, signature, size);
}

/* What a device that answers with STATUS has to sign. */
static struct json_object *
push_expected_answer(const struct call *call, const struct challenge *challenge, const char *status)
{
    struct json_object *all = challenge_to_json(call, &challenge->base);
    struct json_object *signed_fields = json_object_new_object();
    char names[sizeof(push_signature_fields)], *rest = names, *name = NULL;

    strcpy(names, push_signature_fields);
    while ((name = strsep(&rest, ",")) != NULL)
        field_add_copy(signed_fields, name, json_object_object_get(all, name));
    field_add_text(signed_fields, "status", status);
    json_object_put(all);
    return signed_fields;
}

static bool push_is_answer(const struct call *call, const struct challenge *challenge,
                           const struct jwt *jwt, enum challenge_status *ret_status)
{
    const char *status = jwt_text(jwt->payload, "status");
    struct json_object *expected = NULL;
    bool is_answer = false;

    if (status == NULL || !jwt_is_signed(jwt, challenge->factor->key) ||
        !challenge_parse_status(status, ret_status) ||
        (*ret_status != CHALLENGE_APPROVED && *ret_status != CHALLENGE_DENIED))
        return false;

    expected = push_expected_answer(call, challenge, status);
    is_answer = json_object_equal(expected, jwt->payload) == 1;
    json_object_put(expected);
    return is_answer;
}

bool push_parse_answer(const struct call *call, const struct challenge *challenge,
                       const char *payload, enum challenge_status *ret_status)
{
    struct jwt jwt = { 0 };
    enum challenge_status status = CHALLENGE_PENDING;
    bool is_answer = false;

    if (!jwt_parse(payload, &jwt))
        return false;

    is_answer = push_is_answer(call, challenge, &jwt, &status);
    jwt_free(&jwt);
    if (is_answer)
        *ret_status = status;
    return is_answer;
}

static struct json_object *push_notification_to_json(const struct call *call,
                                                     const struct challenge *challenge, int ttl)
{
    struct json_object *object = json_object_new_object();
    char sid[SID_SIZE] = "";

    store_make_sid("NT", sid);
    field_add_text(object, "sid", sid);
    field_add_text(object, "account_sid", call->emulator->account_sid);
    entity_add_fields(object, challenge->factor->entity);
    field_add_text(object, "challenge_sid", challenge->base.sid);
    field_add_date(object, "date_created", call->now);
    field_add_text(object, "priority", "high");
    field_add_integer(object, "ttl", ttl);
    return object;
}

bool push_notify(const struct call *call, struct challenge *challenge, struct answer *answer)
{
    int ttl = PUSH_TTL_MAX;

    if (!push_is_factor(challenge->factor) || !push_has_messages(challenge->factor->push_config))
        return answer_refuse(answer, 60307);
    if (!parameter_integer(call, SUBJECT_PARAMETER, "Ttl", 0, PUSH_TTL_MAX, &ttl, answer))
        return false;
    if (challenge->notifications >= PUSH_NOTIFICATIONS_MAX)
        return answer_refuse(answer, 60309);

    challenge->notifications++;
    return answer_give(answer, 201, push_notification_to_json(call, challenge, ttl));
}
