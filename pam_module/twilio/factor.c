/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A TOTP factor of Twilio Verify. */
#include "factor.h"

#include <stdio.h>
#include <string.h>

#include "../core/text.h"
#include "errors.h"
#include "reply.h"

/* Twilio wants no personal data here ("Create a Factor"). The label that an app shows is not from
 * here. */
#define FRIENDLY_NAME "pam_twilio_verify"

enum { FORM_SIZE = 512, FACTOR_CODE_MAX = 8, NUMBER_MAX = 1000 };
enum { SECRET_LENGTH_MIN = 16, SECRET_LENGTH_MAX = 128 };

static enum factor_result refuse(struct verdict *why_not, const char *reason)
{
    verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "%s", reason);
    return FACTOR_LOST;
}

/* Sends REQUEST and judges everything but the body. */
static enum factor_result send(struct service *service, const struct http_request *request,
                               int status, int again, struct http_watch *watch,
                               struct http_reply *ret_reply, struct verdict *why_not)
{
    enum http_result result = service_send(service, request, watch, again, ret_reply, why_not);

    if (result == HTTP_GIVEN_UP)
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "interrupted");
    if (result == HTTP_LOST)
        return FACTOR_LOST;
    if (result != HTTP_REPLIED)
        return FACTOR_REFUSED;
    if (ret_reply->status == status)
        return FACTOR_DONE;

    errors_refuse(ret_reply->status, ret_reply->body, ret_reply->size, why_not);
    if (ret_reply->status == 404)
        return FACTOR_ABSENT;
    return why_not->outcome == OUTCOME_UNAVAILABLE ? FACTOR_LOST : FACTOR_REFUSED;
}

/* Far more than Twilio permits, and nothing that overflows; 0: no such number. */
static int read_small(struct json_object *config, const char *name)
{
    int number = reply_number(config, name);

    return number > 0 && number <= NUMBER_MAX ? number : 0;
}

static void read_config(struct json_object *object, struct factor_config *ret_config)
{
    struct json_object *config = reply_object(object, "config");
    const char *algorithm = config != NULL ? reply_text(config, "alg") : NULL;

    *ret_config = (struct factor_config){ "", 0, 0, 0 };
    if (config == NULL)
        return;
    if (algorithm != NULL && text_is_clean(algorithm, strlen(algorithm)))
        snprintf(ret_config->algorithm, sizeof ret_config->algorithm, "%s", algorithm);
    ret_config->code_length = read_small(config, "code_length");
    ret_config->time_step = read_small(config, "time_step");
    ret_config->skew = read_small(config, "skew");
}

/* Reads a factor that must be ours. */
static bool read_factor(struct json_object *object, const struct service *service,
                        const char *identity, const char *sid, struct factor *ret_factor)
{
    const char *its_sid = reply_text(object, "sid");

    if (its_sid == NULL || !text_is_sid(its_sid, "YF") ||
        (sid != NULL && strcmp(its_sid, sid) != 0) ||
        !reply_is(object, "account_sid", service->settings->account_sid) ||
        !reply_is(object, "service_sid", service->settings->service_sid) ||
        !reply_is(object, "identity", identity))
        return false;
    if (!reply_is(object, "status", "verified") && !reply_is(object, "status", "unverified"))
        return false;

    snprintf(ret_factor->sid, sizeof ret_factor->sid, "%s", its_sid);
    read_config(object, &ret_factor->config);
    ret_factor->is_push = reply_is(object, "factor_type", "push");
    ret_factor->is_verified = reply_is(object, "status", "verified");
    return true;
}

bool factor_is_secret(const char *text)
{
    size_t length = strlen(text);

    return length >= SECRET_LENGTH_MIN && length <= SECRET_LENGTH_MAX &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == length;
}

/* Nothing but printable ASCII without a blank: what else a URI may hold is percent-encoded. */
static bool is_address(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    return length < FACTOR_URI_SIZE && strncmp(text, "otpauth://totp/", 15) == 0 &&
           strchr(text, '?') != NULL;
}

/* Both are shown at a terminal. */
static enum factor_result read_seed(struct json_object *object, struct factor_seed *ret_seed,
                                    struct verdict *why_not)
{
    struct json_object *binding = reply_object(object, "binding");
    const char *uri = binding != NULL ? reply_text(binding, "uri") : NULL;
    const char *secret = binding != NULL ? reply_text(binding, "secret") : NULL;

    if (secret == NULL || !factor_is_secret(secret))
        return refuse(why_not, "binding.secret in Twilio's reply is not 16 to 128 characters of "
                               "Base32");
    if (uri == NULL || !is_address(uri))
        return refuse(why_not, "binding.uri in Twilio's reply is not otpauth://totp/ in printable "
                               "ASCII");

    snprintf(ret_seed->uri, sizeof ret_seed->uri, "%s", uri);
    snprintf(ret_seed->secret, sizeof ret_seed->secret, "%s", secret);
    return FACTOR_DONE;
}

static void print_form(const struct factor_config *config, const char *secret, char form[FORM_SIZE])
{
    snprintf(form, FORM_SIZE,
             "FactorType=totp&FriendlyName=" FRIENDLY_NAME "&Config.Alg=%s&Config.CodeLength=%d"
             "&Config.TimeStep=%d&Config.Skew=%d%s%s",
             config->algorithm, config->code_length, config->time_step, config->skew,
             secret != NULL ? "&Binding.Secret=" : "", secret != NULL ? secret : "");
}

enum factor_result factor_create(struct service *service, const char *identity,
                                 const struct factor_config *config, const char *secret,
                                 struct http_watch *watch, struct factor *ret_factor,
                                 struct factor_seed *ret_seed, struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE], form[FORM_SIZE];
    const struct http_request request = { path, form, service_patience_ms(service), false };
    struct http_reply reply = { 0 };
    enum factor_result result;

    if (!service_print_path(service, identity, "Factors", NULL, path, why_not))
        return FACTOR_REFUSED;
    print_form(config, secret, form);
    result = send(service, &request, 201, SERVICE_AGAIN_UNSENT, watch, &reply, why_not);
    explicit_bzero(form, sizeof form);
    if (result != FACTOR_DONE)
        return result;
    auto_reply *object = reply_parse(reply.body, reply.size);
    if (object == NULL || !read_factor(object, service, identity, NULL, ret_factor) ||
        !reply_is(object, "factor_type", "totp"))
        return refuse(why_not, "the reply is not a new factor of this identity");
    return secret != NULL ? FACTOR_DONE : read_seed(object, ret_seed, why_not);
}

static enum factor_result take_factor(const struct http_reply *reply, const struct service *service,
                                      const char *identity, const char *sid,
                                      struct factor *ret_factor, struct verdict *why_not)
{
    auto_reply *object = reply_parse(reply->body, reply->size);

    return object != NULL && read_factor(object, service, identity, sid, ret_factor)
               ? FACTOR_DONE
               : refuse(why_not, "the reply does not match this factor");
}

enum factor_result factor_confirm(struct service *service, const char *identity, const char *sid,
                                  const char *code, struct http_watch *watch, bool *ret_is_verified,
                                  struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE], form[FORM_SIZE];
    const struct http_request request = { path, form, service_patience_ms(service), false };
    struct http_reply reply = { 0 };
    struct factor factor;
    enum factor_result result;

    if (!service_print_path(service, identity, "Factors", sid, path, why_not))
        return FACTOR_REFUSED;
    snprintf(form, sizeof form, "AuthPayload=%.*s", FACTOR_CODE_MAX, code);

    result = send(service, &request, 200, SERVICE_AGAIN_UNSENT, watch, &reply, why_not);
    explicit_bzero(form, sizeof form);
    if (result == FACTOR_REFUSED && service->error == ERRORS_FACTOR_USED_UP)
        return FACTOR_ABSENT;
    /* The older answer to a wrong code. */
    if (result == FACTOR_REFUSED && service->error == ERRORS_FACTOR_NOT_CONFIRMED) {
        *ret_is_verified = false;
        return FACTOR_DONE;
    }
    if (result == FACTOR_DONE)
        result = take_factor(&reply, service, identity, sid, &factor, why_not);
    if (result == FACTOR_DONE)
        *ret_is_verified = factor.is_verified;
    return result;
}

enum factor_result factor_fetch(struct service *service, const char *identity, const char *sid,
                                struct http_watch *watch, struct factor *ret_factor,
                                struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE];
    const struct http_request request = { path, NULL, service_patience_ms(service), false };
    struct http_reply reply = { 0 };
    enum factor_result result;

    if (!service_print_path(service, identity, "Factors", sid, path, why_not))
        return FACTOR_REFUSED;
    result = send(service, &request, 200, SERVICE_AGAIN, watch, &reply, why_not);
    return result == FACTOR_DONE ? take_factor(&reply, service, identity, sid, ret_factor, why_not)
                                 : result;
}

enum factor_result factor_list(struct service *service, const char *identity,
                               struct http_watch *watch, struct factor ret_factors[FACTOR_LIST_MAX],
                               size_t *ret_count, struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE], query[SERVICE_PATH_SIZE + 16];
    const struct http_request request = { query, NULL, service_patience_ms(service), false };
    struct http_reply reply = { 0 };
    enum factor_result result;
    size_t count;

    if (!service_print_path(service, identity, "Factors", NULL, path, why_not))
        return FACTOR_REFUSED;
    snprintf(query, sizeof query, "%s?PageSize=%d", path, FACTOR_LIST_MAX);
    result = send(service, &request, 200, SERVICE_AGAIN, watch, &reply, why_not);
    if (result != FACTOR_DONE)
        return result;

    auto_reply *object = reply_parse(reply.body, reply.size);
    if (object == NULL || !reply_array(object, "factors", &count) || count > FACTOR_LIST_MAX)
        return refuse(why_not, "the reply is not a list of factors");
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = reply_item(object, "factors", i);
        if (item == NULL || !read_factor(item, service, identity, NULL, &ret_factors[i]))
            return refuse(why_not, "the list has an entry that is not a factor of this identity");
    }
    *ret_count = count;
    return FACTOR_DONE;
}

enum factor_result factor_remove(struct service *service, const char *identity, const char *sid,
                                 struct http_watch *watch, struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE];
    const struct http_request request = { path, NULL, service_patience_ms(service), true };
    struct http_reply reply = { 0 };

    if (!service_print_path(service, identity, sid != NULL ? "Factors" : NULL, sid, path, why_not))
        return FACTOR_REFUSED;
    return send(service, &request, 204, SERVICE_AGAIN, watch, &reply, why_not);
}
