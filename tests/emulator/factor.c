/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Creates, lists, fetches, verifies and deletes factors. */
#include "factor.h"

#include "binding.h"
#include "entity.h"
#include "field.h"
#include "page.h"
#include "parameter.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

/* What a request asks for. */
struct factor_settings {
    const char *friendly_name;
    struct totp_config config;
};

static struct json_object *factor_config_to_json(const struct totp_config *config)
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
    field_add_text(object, "factor_type", "totp");
    json_object_object_add(object, "config", factor_config_to_json(&factor->config));
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

static bool factor_parse(const struct call *call, struct factor_settings *settings,
                         struct answer *answer)
{
    struct totp_config *config = &settings->config;
    const char *algorithm = NULL;

    if (!parameter_text(call, SUBJECT_PARAMETER, "FriendlyName", 1, 64, &settings->friendly_name,
                        answer) ||
        !parameter_integer(call, SUBJECT_FACTOR_CONFIG, "Config.TimeStep", 20, 60,
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

static bool factor_parse_type(const struct call *call, struct answer *answer)
{
    const char *type = form_next(&call->form, "FactorType", NULL);

    if (type != NULL && (strcmp(type, "push") == 0 || strcmp(type, "passkeys") == 0))
        return answer_refuse_with(answer, 60300, "This emulator makes totp factors only");
    if (type == NULL || strcmp(type, "totp") != 0)
        return call_refuse_malformed(call, SUBJECT_FACTOR_TYPE, "FactorType", answer);

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

static bool factor_is_within_limits(const struct call *call, struct entity *entity,
                                    struct answer *answer)
{
    struct resource *resource = NULL, *next = NULL;
    unsigned count = 0;

    for (resource = TAILQ_FIRST(&entity->factors.list); resource != NULL; resource = next) {
        struct answer missing = { 0 };

        next = TAILQ_NEXT(resource, link);
        count += call_find_factor(call, entity, resource->sid, &missing) != NULL;
    }
    if (count >= FACTORS_MAX)
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

    json_object_object_add(object, "binding", binding_to_json(factor));
    field_add_text(object, "options", NULL);
    return answer_give(answer, 201, object);
}

bool factor_create(const struct call *call, struct answer *answer)
{
    struct service *service = call_service(call, answer);
    struct factor_settings settings = { 0 };
    struct totp_seed seed = { 0 };
    struct json_object *metadata = NULL;
    struct entity *entity = NULL;
    struct factor *factor = NULL;

    if (service == NULL)
        return false;
    if (!call_is_identity(call->identity))
        return call_refuse_malformed(call, SUBJECT_IDENTITY, "Identity", answer);

    settings.config = (struct totp_config){
        .time_step = factor_default(service->totp_time_step, 30),
        .code_length = factor_default(service->totp_code_length, 6),
        .skew = factor_default(service->totp_skew, 1),
    };
    if (!factor_parse_type(call, answer) || !factor_parse(call, &settings, answer))
        return false;
    if (settings.friendly_name == NULL)
        return call_refuse_malformed(call, SUBJECT_PARAMETER, "FriendlyName", answer);
    if (!binding_parse(call, &seed, answer) ||
        !parameter_object(call, SUBJECT_PARAMETER, "Metadata", &metadata, answer))
        return false;

    entity = factor_entity(call, service, answer);
    if (entity == NULL || !factor_is_within_limits(call, entity, answer)) {
        json_object_put(metadata);
        return false;
    }

    factor = store_add_factor(&call->emulator->store, entity, call->now);
    if (factor == NULL || !window_note(&entity->new_factors, call->now)) {
        json_object_put(metadata);
        return answer_refuse(answer, 20503);
    }

    snprintf(factor->friendly_name, sizeof(factor->friendly_name), "%s", settings.friendly_name);
    factor->config = settings.config;
    factor->seed = seed;
    factor->metadata = metadata;
    return factor_give_new(call, factor, answer);
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

/* The first verification. A code for a verified factor changes nothing. */
static bool factor_try(const struct call *call, struct factor *factor, const char *code,
                       struct answer *answer)
{
    int64_t step = 0;

    if (factor->is_verified)
        return true;
    if (factor->attempts >= FACTOR_ATTEMPTS_MAX)
        return answer_refuse(answer, 60310);

    factor->attempts++;
    factor->is_verified = factor_accepts(call, factor, code, &step);
    return true;
}

bool factor_verify(const struct call *call, struct answer *answer)
{
    struct factor *factor = call_factor(call, answer);
    struct factor_settings settings = { 0 };
    const char *code = NULL;

    if (factor == NULL)
        return false;

    settings.config = factor->config;
    if (!factor_parse(call, &settings, answer) || !parameter_code(call, &code, answer) ||
        (code != NULL && !factor_try(call, factor, code, answer)))
        return false;

    if (settings.friendly_name != NULL)
        snprintf(factor->friendly_name, sizeof(factor->friendly_name), "%s",
                 settings.friendly_name);
    factor->config = settings.config;
    factor->base.updated = call->now;
    return answer_give(answer, 200, factor_to_json(call, &factor->base));
}

bool factor_delete(const struct call *call, struct answer *answer)
{
    struct factor *factor = call_factor(call, answer);

    if (factor == NULL)
        return false;

    store_remove_factor(&call->emulator->store, factor);
    return answer_give(answer, 204, NULL);
}
