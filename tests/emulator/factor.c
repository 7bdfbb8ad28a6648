/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Creates, lists, fetches, verifies and deletes factors. */
#include "factor.h"

#include "binding.h"
#include "entity.h"
#include "field.h"
#include "page.h"
#include "parameter.h"
#include "push.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

/* What a request asks for. */
struct factor_settings {
    const char *friendly_name;
    struct json_object *metadata;
    struct totp_config config;
    struct totp_seed seed;
    struct public_key *key; /* of a push factor */
    struct json_object *push_config;
};

static void factor_settings_free(struct factor_settings *settings)
{
    json_object_put(settings->metadata);
    json_object_put(settings->push_config);
    public_key_free(settings->key);
}

static struct json_object *factor_totp_config_to_json(const struct totp_config *config)
{
    struct json_object *object = json_object_new_object();

    field_add_text(object, "alg", totp_algorithm_name(config->algorithm));
    field_add_integer(object, "skew", config->skew);
    field_add_integer(object, "code_length", config->code_length);
    field_add_integer(object, "time_step", config->time_step);
    return object;
}

static struct json_object *factor_to_json(const struct call *call, const struct resource *resource)
{
    const struct factor *factor = (const struct factor *)resource;
    struct json_object *object = json_object_new_object();

    field_add_text(object, "sid", resource->sid);
    field_add_text(object, "account_sid", call->emulator->account_sid);
    entity_add_fields(object, factor->entity);
    field_add_date(object, "date_created", resource->created);
    field_add_date(object, "date_updated", resource->updated);
    field_add_text(object, "friendly_name", factor->friendly_name);
    field_add_text(object, "status", factor->is_verified ? "verified" : "unverified");
    field_add_text(object, "factor_type", push_is_factor(factor) ? "push" : "totp");
    if (push_is_factor(factor))
        field_add_copy(object, "config", factor->push_config);
    else
        json_object_object_add(object, "config", factor_totp_config_to_json(&factor->config));
    field_add_copy(object, "metadata", factor->metadata);
    field_add_url(object, "url", "/v2/Services/%s/Entities/%s/Factors/%s",
                  factor->entity->service->base.sid, factor->entity->identity, resource->sid);
    return object;
}

bool factor_accepts(const struct call *call, const struct factor *factor, const char *code,
                    int64_t *ret_step)
{
    bool refuses_used = call_switch(call, SWITCH_USED_CODE) == USED_CODE_PENDING;
    int64_t now = call->now / factor->config.time_step;

    for (int64_t step = now - factor->config.skew; step <= now + factor->config.skew; step++) {
        bool is_used = false;

        for (unsigned i = 0; refuses_used && i < factor->used_steps_count && i < USED_STEPS_MAX;
             i++)
            is_used |= factor->used_steps[i] == step;
        if (!is_used && totp_is_code(&factor->seed, &factor->config, step, code)) {
            *ret_step = step;
            return true;
        }
    }
    return false;
}

static bool factor_parse_totp_config(const struct call *call, struct totp_config *config,
                                     struct answer *answer)
{
    const char *algorithm = NULL;

    if (!parameter_integer(call, SUBJECT_FACTOR_CONFIG, "Config.TimeStep", 20, 60,
                           &config->time_step, answer) ||
        !parameter_integer(call, SUBJECT_FACTOR_CONFIG, "Config.Skew", 0, 2, &config->skew,
                           answer) ||
        !parameter_integer(call, SUBJECT_FACTOR_CONFIG, "Config.CodeLength", 3,
                           TOTP_CODE_LENGTH_MAX, &config->code_length, answer) ||
        !parameter_text(call, SUBJECT_FACTOR_CONFIG, "Config.Alg", 4, 6, &algorithm, answer))
        return false;
    if (algorithm != NULL && !totp_parse_algorithm(algorithm, &config->algorithm))
        return call_refuse_malformed(call, SUBJECT_FACTOR_CONFIG, "Config.Alg", answer);

    return true;
}

/* What both creation and change may say. */
static bool factor_parse(const struct call *call, struct factor_settings *settings,
                         struct answer *answer)
{
    if (!parameter_text(call, SUBJECT_PARAMETER, "FriendlyName", 1, 64, &settings->friendly_name,
                        answer))
        return false;

    return settings->push_config != NULL
               ? push_parse_config(call, settings->push_config, answer)
               : factor_parse_totp_config(call, &settings->config, answer);
}

static bool factor_parse_type(const struct call *call, bool *ret_is_push, struct answer *answer)
{
    const char *type = form_next(&call->form, "FactorType", NULL);

    if (type != NULL && strcmp(type, "passkeys") == 0)
        return answer_refuse_with(answer, 60300, "This emulator makes no passkeys");
    if (type == NULL || (strcmp(type, "totp") != 0 && strcmp(type, "push") != 0))
        return call_refuse_malformed(call, SUBJECT_FACTOR_TYPE, "FactorType", answer);

    *ret_is_push = strcmp(type, "push") == 0;
    return true;
}

static int factor_default(int of_service, int otherwise)
{
    return of_service == NOT_SET ? otherwise : of_service;
}

/* The entity of the path, which may still have to be made. NULL: refused. */
static struct entity *factor_entity(const struct call *call, struct service *service,
                                    struct answer *answer)
{
    bool folded = call_switch(call, SWITCH_IDENTITY_CASE) == IDENTITY_CASE_FOLDED;
    struct entity *entity =
        (struct entity *)collection_find(&service->entities, call->identity, folded);

    if (entity == NULL)
        entity = store_add_entity(&call->emulator->store, service, call->identity, call->now);
    if (entity == NULL)
        answer_refuse(answer, 20503);
    return entity;
}

static bool factor_is_within_limits(const struct call *call, struct entity *entity, bool is_push,
                                    struct answer *answer)
{
    struct resource *resource = NULL, *next = NULL;
    unsigned count = 0;

    for (resource = TAILQ_FIRST(&entity->factors.list); resource != NULL; resource = next) {
        struct answer missing = { 0 };
        const struct factor *factor = NULL;

        next = TAILQ_NEXT(resource, link);
        factor = call_find_factor(call, entity, resource->sid, &missing);
        count += factor != NULL && push_is_factor(factor) == is_push;
    }
    if (count >= (is_push ? PUSH_FACTORS_MAX : FACTORS_MAX))
        return answer_refuse(answer, 60315);
    if (window_count(&entity->new_factors, call->now, WINDOW_DAY) >= NEW_FACTORS_A_DAY_MAX)
        return answer_refuse(answer, 60326);

    return true;
}

/* Section 3.4: this reply alone tells the secret. */
static bool factor_give_new(const struct call *call, const struct factor *factor,
                            struct answer *answer)
{
    struct json_object *object = factor_to_json(call, &factor->base);

    json_object_object_add(object, "binding",
                           push_is_factor(factor) ? push_binding_to_json(call)
                                                  : binding_to_json(factor));
    field_add_text(object, "options", NULL);
    return answer_give(answer, 201, object);
}

static bool factor_parse_new(const struct call *call, const struct service *service,
                             struct factor_settings *settings, struct answer *answer)
{
    bool is_push = false;

    settings->config = (struct totp_config){
        .time_step = factor_default(service->totp_time_step, 30),
        .code_length = factor_default(service->totp_code_length, 6),
        .skew = factor_default(service->totp_skew, 1),
    };
    if (!factor_parse_type(call, &is_push, answer))
        return false;
    if (is_push)
        settings->push_config = json_object_new_object();
    if (!factor_parse(call, settings, answer))
        return false;
    if (settings->friendly_name == NULL)
        return call_refuse_malformed(call, SUBJECT_PARAMETER, "FriendlyName", answer);

    return (is_push ? push_parse_binding(call, &settings->key, answer)
                    : binding_parse(call, &settings->seed, answer)) &&
           parameter_object(call, SUBJECT_PARAMETER, "Metadata", &settings->metadata, answer);
}

/* Takes over what SETTINGS own. NULL: refused, and nothing was taken. */
static struct factor *factor_add(const struct call *call, struct service *service,
                                 struct factor_settings *settings, struct answer *answer)
{
    struct entity *entity = factor_entity(call, service, answer);
    struct factor *factor = NULL;

    if (entity == NULL || !factor_is_within_limits(call, entity, settings->key != NULL, answer))
        return NULL;

    factor = store_add_factor(&call->emulator->store, entity, call->now);
    if (factor == NULL || !window_note(&entity->new_factors, call->now)) {
        answer_refuse(answer, 20503);
        return NULL;
    }

    snprintf(factor->friendly_name, sizeof(factor->friendly_name), "%s", settings->friendly_name);
    factor->config = settings->config;
    factor->seed = settings->seed;
    factor->metadata = settings->metadata;
    factor->key = settings->key;
    factor->push_config = settings->push_config;
    *settings = (struct factor_settings){ 0 };
    return factor;
}

bool factor_create(const struct call *call, struct answer *answer)
{
    struct service *service = call_service(call, answer);
    struct factor_settings settings = { 0 };
    struct factor *factor = NULL;

    if (service == NULL)
        return false;
    if (!call_is_identity(call->identity))
        return call_refuse_malformed(call, SUBJECT_IDENTITY, "Identity", answer);

    if (factor_parse_new(call, service, &settings, answer))
        factor = factor_add(call, service, &settings, answer);
    factor_settings_free(&settings);
    return factor != NULL && factor_give_new(call, factor, answer);
}

bool factor_list(const struct call *call, struct answer *answer)
{
    struct page page = { .key = "factors", .to_json = factor_to_json };
    struct entity *entity = call_entity(call, answer);

    if (entity == NULL)
        return false;

    snprintf(page.path, sizeof(page.path), "/v2/Services/%s/Entities/%s/Factors",
             entity->service->base.sid, call->identity);
    return page_give(call, &page, &entity->factors.list, answer);
}

bool factor_fetch(const struct call *call, struct answer *answer)
{
    struct factor *factor = call_factor(call, answer);

    return factor != NULL && answer_give(answer, 200, factor_to_json(call, &factor->base));
}

/* AuthPayload: a code, or the signature of a device. NULL: it was not sent. */
static bool factor_parse_payload(const struct call *call, const struct factor *factor,
                                 const char **ret_payload, struct answer *answer)
{
    if (!push_is_factor(factor))
        return parameter_code(call, ret_payload, answer);

    return parameter_text(call, SUBJECT_PARAMETER, "AuthPayload", 1, PUSH_PAYLOAD_MAX, ret_payload,
                          answer);
}

/* The first verification. What comes for a verified factor changes nothing. */
static bool factor_try(const struct call *call, struct factor *factor, const char *payload,
                       struct answer *answer)
{
    int64_t step = 0;

    if (factor->is_verified)
        return true;
    if (factor->attempts >= FACTOR_ATTEMPTS_MAX)
        return answer_refuse(answer, 60310);

    factor->attempts++;
    if (push_is_factor(factor)) {
        factor->is_verified = push_accepts(factor, payload);
        return factor->is_verified || answer_refuse(answer, 60311);
    }
    factor->is_verified = factor_accepts(call, factor, payload, &step);
    return true;
}

static bool factor_change(const struct call *call, struct factor *factor,
                          struct factor_settings *settings, struct answer *answer)
{
    const char *payload = NULL;

    if (!factor_parse(call, settings, answer) ||
        !factor_parse_payload(call, factor, &payload, answer) ||
        (payload != NULL && !factor_try(call, factor, payload, answer)))
        return false;

    if (settings->friendly_name != NULL)
        snprintf(factor->friendly_name, sizeof(factor->friendly_name), "%s",
                 settings->friendly_name);
    factor->config = settings->config;
    json_object_put(factor->push_config);
    factor->push_config = json_object_get(settings->push_config);
    factor->base.updated = call->now;
    return true;
}

bool factor_verify(const struct call *call, struct answer *answer)
{
    struct factor *factor = call_factor(call, answer);
    struct factor_settings settings = { 0 };
    bool is_changed = false;

    if (factor == NULL)
        return false;

    settings.config = factor->config;
    if (push_is_factor(factor))
        json_object_deep_copy(factor->push_config, &settings.push_config, NULL);
    is_changed = factor_change(call, factor, &settings, answer);
    factor_settings_free(&settings);
    return is_changed && answer_give(answer, 200, factor_to_json(call, &factor->base));
}

bool factor_delete(const struct call *call, struct answer *answer)
{
    struct factor *factor = call_factor(call, answer);

    if (factor == NULL)
        return false;

    store_remove_factor(&call->emulator->store, factor);
    return answer_give(answer, 204, NULL);
}
