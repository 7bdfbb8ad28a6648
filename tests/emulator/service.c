/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Creates, lists, fetches, updates and deletes services. */
#include "service.h"

#include "field.h"
#include "memory.h"
#include "page.h"
#include "parameter.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <stdio.h>

/* What a request asks for; a member that it leaves out stays as it was. */
struct service_settings {
    const char *friendly_name, *issuer;
    int code_length;
    int totp_time_step, totp_code_length, totp_skew;
};

void service_set_defaults(struct service *service, const char *friendly_name)
{
    snprintf(service->friendly_name, sizeof(service->friendly_name), "%s", friendly_name);
    service->code_length = 6;
    service->totp_time_step = NOT_SET;
    service->totp_code_length = NOT_SET;
    service->totp_skew = NOT_SET;
}

static void service_add_setting(struct json_object *object, const char *name, int value)
{
    if (value == NOT_SET)
        field_add_text(object, name, NULL);
    else
        field_add_integer(object, name, value);
}

static struct json_object *service_totp_to_json(const struct service *service)
{
    struct json_object *totp = json_object_new_object();

    field_add_text(totp, "issuer", service->issuer[0] == '\0' ? NULL : service->issuer);
    service_add_setting(totp, "time_step", service->totp_time_step);
    service_add_setting(totp, "code_length", service->totp_code_length);
    service_add_setting(totp, "skew", service->totp_skew);
    return totp;
}

/* What has nothing to do with totp, in Twilio's defaults. */
static const char other_settings[] =
    "{\"push\":{\"include_date\":false,\"apn_credential_sid\":null,\"fcm_credential_sid\":null},"
    "\"whatsapp\":{\"msg_service_sid\":null,\"from\":null},"
    "\"passkeys\":{\"relying_party\":{\"id\":null,\"name\":null,\"origins\":null},"
    "\"authenticator_attachment\":null,\"discoverable_credentials\":null,"
    "\"user_verification\":null}}";

static const char *const flags[] = {
    "lookup_enabled",
    "psd2_enabled",
    "skip_sms_to_landlines",
    "dtmf_input_required",
    "custom_code_enabled",
    "do_not_share_warning_enabled",
    "verify_event_subscription_enabled",
};

static const struct {
    const char *name, *path;
} links[] = {
    { "verification_checks", "VerificationCheck" },
    { "verifications", "Verifications" },
    { "rate_limits", "RateLimits" },
    { "messaging_configurations", "MessagingConfigurations" },
    { "entities", "Entities" },
    { "webhooks", "Webhooks" },
    { "access_tokens", "AccessTokens" },
};

static struct json_object *service_to_json(const struct call *call, const struct resource *resource)
{
    const struct service *service = (const struct service *)resource;
    struct json_object *object = json_object_new_object();
    struct json_object *others = json_tokener_parse(other_settings);
    struct json_object *urls = json_object_new_object();

    field_add_text(object, "sid", resource->sid);
    field_add_text(object, "account_sid", call->emulator->account_sid);
    field_add_text(object, "friendly_name", service->friendly_name);
    field_add_integer(object, "code_length", service->code_length);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        json_object_object_add(object, flags[i], json_object_new_boolean(false));
    field_add_text(object, "tts_name", NULL);
    json_object_object_foreach(others, name, value) field_add_copy(object, name, value);
    json_object_put(others);
    json_object_object_add(object, "totp", service_totp_to_json(service));
    field_add_text(object, "default_template_sid", NULL);
    field_add_date(object, "date_created", resource->created);
    field_add_date(object, "date_updated", resource->updated);
    field_add_url(object, "url", "/v2/Services/%s", resource->sid);
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        field_add_url(urls, links[i].name, "/v2/Services/%s/%s", resource->sid, links[i].path);
    json_object_object_add(object, "links", urls);
    return object;
}

static bool service_parse(const struct call *call, struct service_settings *settings,
                          struct answer *answer)
{
    return parameter_text(call, SUBJECT_PARAMETER, "FriendlyName", 1, 32, &settings->friendly_name,
                          answer) &&
           parameter_integer(call, SUBJECT_PARAMETER, "CodeLength", 4, 10, &settings->code_length,
                             answer) &&
           parameter_text(call, SUBJECT_PARAMETER, "Totp.Issuer", 1, 64, &settings->issuer,
                          answer) &&
           parameter_integer(call, SUBJECT_PARAMETER, "Totp.TimeStep", 20, 60,
                             &settings->totp_time_step, answer) &&
           parameter_integer(call, SUBJECT_PARAMETER, "Totp.CodeLength", 3, 8,
                             &settings->totp_code_length, answer) &&
           parameter_integer(call, SUBJECT_PARAMETER, "Totp.Skew", 0, 2, &settings->totp_skew,
                             answer);
}

static void service_apply(struct service *service, const struct service_settings *settings)
{
    if (settings->friendly_name != NULL)
        snprintf(service->friendly_name, sizeof(service->friendly_name), "%s",
                 settings->friendly_name);
    if (settings->issuer != NULL)
        snprintf(service->issuer, sizeof(service->issuer), "%s", settings->issuer);
    service->code_length = settings->code_length;
    service->totp_time_step = settings->totp_time_step;
    service->totp_code_length = settings->totp_code_length;
    service->totp_skew = settings->totp_skew;
}

bool service_create(const struct call *call, struct answer *answer)
{
    struct service_settings settings = { NULL, NULL, 6, NOT_SET, NOT_SET, NOT_SET };
    struct service *service = NULL;

    if (!service_parse(call, &settings, answer))
        return false;
    if (settings.friendly_name == NULL)
        return call_refuse_malformed(call, SUBJECT_PARAMETER, "FriendlyName", answer);

    service = store_add_service(&call->emulator->store, NULL, call->now);
    if (service == NULL)
        return answer_refuse(answer, 20503);

    service_apply(service, &settings);
    return answer_give(answer, 201, service_to_json(call, &service->base));
}

bool service_list(const struct call *call, struct answer *answer)
{
    const struct page page = { .key = "services",
                               .path = "/v2/Services",
                               .to_json = service_to_json };

    return page_give(call, &page, &call->emulator->store.services.list, answer);
}

bool service_fetch(const struct call *call, struct answer *answer)
{
    struct service *service = call_service(call, answer);

    return service != NULL && answer_give(answer, 200, service_to_json(call, &service->base));
}

bool service_update(const struct call *call, struct answer *answer)
{
    struct service *service = call_service(call, answer);

    if (service == NULL)
        return false;

    struct service_settings settings = { NULL,
                                         NULL,
                                         service->code_length,
                                         service->totp_time_step,
                                         service->totp_code_length,
                                         service->totp_skew };

    if (!service_parse(call, &settings, answer))
        return false;

    service_apply(service, &settings);
    service->base.updated = call->now;
    return answer_give(answer, 200, service_to_json(call, &service->base));
}

bool service_delete(const struct call *call, struct answer *answer)
{
    struct service *service = call_service(call, answer);

    if (service == NULL)
        return false;

    store_remove_service(&call->emulator->store, service);
    return answer_give(answer, 204, NULL);
}
