/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A challenge of Twilio Verify. */
#include "challenge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/dialogue.h"
#include "../core/text.h"
#include "errors.h"
#include "paths.h"
#include "reply.h"
#include "service.h"

enum { FORM_SIZE = 64 };

/* Of the time after Enter, what a verification may take: the rest is for asking how it went. */
enum { VERIFY_SHARE_PERCENT = 70 };

struct challenge_service {
    struct service service;
    const struct enrollment *enrollment;
};

/* The name of the first bound field in which the reply is another's; NULL: it is ours. */
static const char *find_stranger(struct json_object *object,
                                 const struct challenge_binding *binding)
{
    const char *sid = reply_text(object, "sid");

    if (sid == NULL || !text_is_sid(sid, "YC"))
        return "sid";
    if (binding->sid != NULL && strcmp(sid, binding->sid) != 0)
        return "sid";
    if (!reply_is(object, "account_sid", binding->account_sid))
        return "account_sid";
    if (!reply_is(object, "service_sid", binding->service_sid))
        return "service_sid";
    if (!reply_is(object, "identity", binding->identity))
        return "identity";
    if (!reply_is(object, "factor_sid", binding->factor_sid))
        return "factor_sid";
    if (!reply_is(object, "factor_type", "totp"))
        return "factor_type";
    return NULL;
}

static enum challenge_state refuse(struct verdict *why_not, enum outcome outcome,
                                   const char *reason)
{
    verdict_refuse(why_not, outcome, "%s", reason);
    return CHALLENGE_REFUSED;
}

enum challenge_state challenge_parse(const char *body, size_t size,
                                     const struct challenge_binding *binding,
                                     char ret_sid[CHALLENGE_SID_SIZE], struct verdict *why_not)
{
    auto_reply *object = reply_parse(body, size);
    enum challenge_state state;
    const char *stranger;

    if (object == NULL)
        return refuse(why_not, OUTCOME_UNAVAILABLE, "the reply is no JSON that can be trusted");
    stranger = find_stranger(object, binding);
    if (stranger != NULL) {
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "the reply is about something else: %s",
                       stranger);
        return CHALLENGE_REFUSED;
    }

    if (reply_is(object, "status", "approved"))
        state = CHALLENGE_APPROVED;
    else if (reply_is(object, "status", "pending"))
        state = CHALLENGE_PENDING;
    else if (reply_is(object, "status", "expired"))
        state = CHALLENGE_EXPIRED;
    else if (reply_is(object, "status", "denied"))
        return refuse(why_not, OUTCOME_DENIED, "the challenge was denied");
    else
        return refuse(why_not, OUTCOME_UNAVAILABLE, "the reply has no status that is known");

    memcpy(ret_sid, reply_text(object, "sid"), CHALLENGE_SID_SIZE);
    return state;
}

enum challenge_state challenge_judge(enum challenge_step step, int status, const char *body,
                                     size_t size, struct verdict *why_not)
{
    int code = errors_parse(body, size);
    const struct error *error = errors_find(code);
    const char *meaning;

    if (status == 404 && step != CHALLENGE_CREATE) {
        verdict_refuse(why_not, OUTCOME_DENIED,
                       "Twilio: HTTP %d, error %d: this login's challenge is gone", status, code);
        return CHALLENGE_REFUSED;
    }
    if (step == CHALLENGE_VERIFY && error != NULL && error->state != CHALLENGE_REFUSED &&
        errors_judge(status, code, &meaning) == OUTCOME_MISCONFIGURED)
        return error->state;

    errors_refuse(status, body, size, why_not);
    return CHALLENGE_REFUSED;
}

static int64_t left_ms(const struct http_watch *watch)
{
    return watch->deadline_ms == HTTP_FOREVER ? INT64_MAX
                                              : watch->deadline_ms - dialogue_clock_ms();
}

static void note_request(struct challenge *challenge, const struct http_reply *reply,
                         enum http_result result)
{
    snprintf(challenge->request_id, sizeof challenge->request_id, "%s",
             result == HTTP_REPLIED ? reply->request_id : "-");
}

static bool print_path(const struct challenge_service *service, const char *sid,
                       char path[SERVICE_PATH_SIZE], struct verdict *why_not)
{
    return service_print_path(&service->service, service->enrollment->identity, "Challenges", sid,
                              path, why_not);
}

static enum challenge_state read_reply(struct challenge_service *service, enum challenge_step step,
                                       const struct http_reply *reply, struct challenge *challenge,
                                       struct verdict *why_not)
{
    const struct challenge_binding binding = {
        .account_sid = service->service.settings->account_sid,
        .service_sid = service->service.settings->service_sid,
        .identity = service->enrollment->identity,
        .factor_sid = service->enrollment->factor_sid,
        .sid = step == CHALLENGE_CREATE ? NULL : challenge->sid,
    };
    char sid[CHALLENGE_SID_SIZE];
    enum challenge_state state;

    if (reply->status != (step == CHALLENGE_CREATE ? 201 : 200))
        return challenge_judge(step, reply->status, reply->body, reply->size, why_not);

    state = challenge_parse(reply->body, reply->size, &binding, sid, why_not);
    if (step != CHALLENGE_CREATE)
        return state;
    if (state == CHALLENGE_REFUSED && why_not->outcome == OUTCOME_UNAVAILABLE)
        return state;
    if (state != CHALLENGE_PENDING)
        return refuse(why_not, OUTCOME_UNAVAILABLE, "a new challenge is not pending");
    memcpy(challenge->sid, sid, sizeof sid);
    return state;
}

static bool open_service(const struct settings *settings, const struct enrollment *enrollment,
                         const char *secret, struct challenge_service **ret_service,
                         struct verdict *why_not)
{
    struct challenge_service *service = calloc(1, sizeof *service);
    const struct http_credentials credentials = { service_user(settings), secret };

    if (service == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "out of memory");
    service->enrollment = enrollment;
    if (!service_open(settings, &credentials, &service->service, why_not)) {
        free(service);
        return false;
    }

    *ret_service = service;
    return true;
}

static int64_t patience_ms(const struct challenge_service *service)
{
    return (int64_t)service->service.settings->timeout_seconds * 1000;
}

static void connect_only(struct challenge_service *service, struct http_watch *watch,
                         struct verdict *why_not)
{
    const struct http_request request = { .path = "/", .patience_ms = patience_ms(service) };
    struct http_reply reply;

    service_send(&service->service, &request, watch, SERVICE_ONCE, &reply, why_not);
}

static enum challenge_state create(struct challenge_service *service, struct http_watch *watch,
                                   struct challenge *ret_challenge, struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE], form[FORM_SIZE];
    struct http_request request = { path, form, patience_ms(service) };
    struct challenge challenge = { 0 };
    struct http_reply reply;
    enum challenge_state state;
    enum http_result result;

    if (!print_path(service, NULL, path, why_not))
        return CHALLENGE_REFUSED;
    snprintf(form, sizeof form, "FactorSid=%s", service->enrollment->factor_sid);

    result = service_send(&service->service, &request, watch, SERVICE_ONCE, &reply, why_not);
    note_request(&challenge, &reply, result);
    if (result == HTTP_GIVEN_UP)
        return CHALLENGE_GIVEN_UP;
    if (result != HTTP_REPLIED)
        return CHALLENGE_REFUSED;

    state = read_reply(service, CHALLENGE_CREATE, &reply, &challenge, why_not);
    if (state == CHALLENGE_PENDING)
        *ret_challenge = challenge;
    else
        verdict_refuse(why_not, why_not->outcome, "%s; request=%s", why_not->reason,
                       challenge.request_id);
    return state;
}

/* Whether whoever typed the code has learned nothing of it. A reply that got lost may have been seen. */
static bool is_unjudged(enum http_result result, const struct http_reply *reply)
{
    if (result == HTTP_LOST)
        return false;
    return result != HTTP_REPLIED || reply->status >= 500 ||
           (reply->status == 429 && service_error(reply) == ERRORS_TOO_MANY_REQUESTS);
}

static enum challenge_state verify(struct challenge_service *service, struct http_watch *watch,
                                   struct challenge *challenge, const char *code,
                                   struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE], form[FORM_SIZE];
    struct http_request request = { path, form, left_ms(watch) / 100 * VERIFY_SHARE_PERCENT };
    int again = SERVICE_AGAIN_UNSENT | (challenge->was_repeated ? SERVICE_NOT_WHEN_BUSY : 0);
    struct http_reply reply;
    enum http_result result;

    if (!print_path(service, challenge->sid, path, why_not))
        return CHALLENGE_REFUSED;
    snprintf(form, sizeof form, "AuthPayload=%s", code);

    result = service_send(&service->service, &request, watch, again, &reply, why_not);
    challenge->was_repeated |= service->service.was_busy;
    explicit_bzero(form, sizeof form);
    note_request(challenge, &reply, result);
    challenge->is_unjudged = is_unjudged(result, &reply);
    if (result == HTTP_LOST)
        return CHALLENGE_LOST;
    if (result != HTTP_REPLIED)
        return CHALLENGE_REFUSED;
    return read_reply(service, CHALLENGE_VERIFY, &reply, challenge, why_not);
}

static enum challenge_state fetch(struct challenge_service *service, struct http_watch *watch,
                                  struct challenge *challenge, struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE];
    struct http_request request = { path, NULL, patience_ms(service) };
    struct http_reply reply;
    enum http_result result;

    if (!print_path(service, challenge->sid, path, why_not))
        return CHALLENGE_REFUSED;

    result = service_send(&service->service, &request, watch,
                          SERVICE_AGAIN_UNSENT | SERVICE_AGAIN_LOST, &reply, why_not);
    note_request(challenge, &reply, result);
    if (result != HTTP_REPLIED)
        return CHALLENGE_REFUSED;
    return read_reply(service, CHALLENGE_FETCH, &reply, challenge, why_not);
}

__attribute__((visibility("default"))) const struct challenge_api challenge_api = {
    .version = PATHS_VERSION,
    .open = open_service,
    .connect = connect_only,
    .create = create,
    .verify = verify,
    .fetch = fetch,
};
