/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A challenge of Twilio Verify. */
#include "challenge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../core/clock.h"
#include "../core/text.h"
#include "errors.h"
#include "paths.h"
#include "reply.h"
#include "service.h"

enum { FORM_SIZE = 64 }; /* without a code */

enum {
    FIELD_SIZE = 64,
    MESSAGE_FORM_SIZE = 3 * CHALLENGE_MESSAGE_MAX + 1,
    PUSH_FORM_SIZE = 4 * FORM_SIZE + MESSAGE_FORM_SIZE + 3 * FIELD_SIZE + 3 * TEXT_TIME_SIZE,
};

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
    if (!reply_is(object, "factor_type", binding->factor_type))
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
        return refuse(why_not, OUTCOME_UNAVAILABLE, "invalid JSON in Twilio's reply");
    stranger = find_stranger(object, binding);
    if (stranger != NULL) {
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "the reply does not match this login: %s",
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
        state = CHALLENGE_DENIED;
    else
        return refuse(why_not, OUTCOME_UNAVAILABLE, "the reply has an unknown status");

    if (state == CHALLENGE_DENIED)
        verdict_refuse(why_not, OUTCOME_DENIED, "the challenge was denied");
    memcpy(ret_sid, reply_text(object, "sid"), CHALLENGE_SID_SIZE);
    return state;
}

static bool is_creation(enum challenge_step step)
{
    return step == CHALLENGE_CREATE || step == CHALLENGE_CREATE_WITH_CODE;
}

enum challenge_state challenge_judge(enum challenge_step step, int status, const char *body,
                                     size_t size, struct verdict *why_not)
{
    int code = errors_parse(body, size);
    const struct error *error = errors_find(code);
    const char *meaning;

    if (status == 404 && !is_creation(step)) {
        verdict_refuse(why_not, OUTCOME_DENIED,
                       "Twilio: HTTP %d, error %d: Twilio no longer has this login's challenge",
                       status, code);
        return CHALLENGE_REFUSED;
    }
    if ((step == CHALLENGE_VERIFY || step == CHALLENGE_CREATE_WITH_CODE) && status != 404 &&
        error != NULL && error->state != CHALLENGE_REFUSED &&
        errors_judge(status, code, &meaning) == OUTCOME_MISCONFIGURED)
        return error->state;

    errors_refuse(status, body, size, why_not);
    return CHALLENGE_REFUSED;
}

static int64_t left_ms(const struct http_watch *watch)
{
    return watch->deadline_ms == HTTP_FOREVER ? INT64_MAX : watch->deadline_ms - clock_ms();
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
    const struct enrollment *enrollment = service->enrollment;
    const struct challenge_binding binding = {
        .account_sid = service->service.settings->account_sid,
        .service_sid = service->service.settings->service_sid,
        .identity = enrollment->identity,
        .factor_sid = challenge->is_push ? enrollment->push_factor_sid : enrollment->factor_sid,
        .factor_type = challenge->is_push ? "push" : "totp",
        .sid = is_creation(step) ? NULL : challenge->sid,
    };
    char sid[CHALLENGE_SID_SIZE];
    enum challenge_state state;

    if (reply->status != (is_creation(step) ? 201 : 200))
        return challenge_judge(step, reply->status, reply->body, reply->size, why_not);

    state = challenge_parse(reply->body, reply->size, &binding, sid, why_not);
    if (step == CHALLENGE_CREATE && state != CHALLENGE_PENDING &&
        (state != CHALLENGE_REFUSED || why_not->outcome != OUTCOME_UNAVAILABLE))
        return refuse(why_not, OUTCOME_UNAVAILABLE, "the new challenge is not pending");
    if (is_creation(step) && state != CHALLENGE_REFUSED)
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

static void connect_only(struct challenge_service *service, struct http_watch *watch,
                         struct verdict *why_not)
{
    const struct http_request request = { .path = "/",
                                          .patience_ms = service_patience_ms(&service->service) };
    struct http_reply reply;

    service_send(&service->service, &request, watch, SERVICE_ONCE, &reply, why_not);
}

/* Whether the person who typed the code learned nothing of it. A reply that got lost may have been
 * seen. */
static bool is_unjudged(const struct service *service, enum http_result result)
{
    if (result == HTTP_LOST)
        return false;
    return result != HTTP_REPLIED || service->status >= 500 ||
           (service->status == 429 && service->error == ERRORS_TOO_MANY_REQUESTS);
}

/* Sends REQUEST, which may carry a code. CHALLENGE_PENDING: there is a reply. */
static enum challenge_state send_form(struct challenge_service *service,
                                      const struct http_request *request, struct http_watch *watch,
                                      int again, struct challenge *challenge,
                                      struct http_reply *ret_reply, struct verdict *why_not)
{
    static const enum challenge_state states[] = {
        [HTTP_REPLIED] = CHALLENGE_PENDING,
        [HTTP_UNSENT] = CHALLENGE_UNSENT,
        [HTTP_LOST] = CHALLENGE_LOST,
        [HTTP_GIVEN_UP] = CHALLENGE_GIVEN_UP,
    };
    enum http_result result;

    if (challenge->was_repeated)
        again |= SERVICE_NOT_WHEN_BUSY;
    result = service_send(&service->service, request, watch, again, ret_reply, why_not);
    challenge->was_repeated |= service->service.was_busy;
    challenge->is_unjudged = is_unjudged(&service->service, result);
    note_request(challenge, ret_reply, result);
    return states[result];
}

static enum challenge_state create(struct challenge_service *service, struct http_watch *watch,
                                   const char *code, struct challenge *challenge,
                                   struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE], form[FORM_SIZE];
    const struct http_request request = { path, form, service_patience_ms(&service->service), false,
                                          code };
    struct http_reply reply;
    enum challenge_state state;

    if (!print_path(service, NULL, path, why_not))
        return CHALLENGE_REFUSED;
    snprintf(form, sizeof form, "FactorSid=%s%s", service->enrollment->factor_sid,
             code != NULL ? "&AuthPayload=" : "");

    state = send_form(service, &request, watch, SERVICE_ONCE, challenge, &reply, why_not);
    if (state != CHALLENGE_PENDING)
        return state;
    state = read_reply(service, code != NULL ? CHALLENGE_CREATE_WITH_CODE : CHALLENGE_CREATE,
                       &reply, challenge, why_not);
    if (state == CHALLENGE_REFUSED)
        verdict_add(why_not, "; request=%s", challenge->request_id);
    return state;
}

static enum challenge_state verify(struct challenge_service *service, struct http_watch *watch,
                                   struct challenge *challenge, const char *code,
                                   struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE];
    const struct http_request request = {
        path, "AuthPayload=", left_ms(watch) / 100 * VERIFY_SHARE_PERCENT, false, code
    };
    struct http_reply reply;
    enum challenge_state state;

    if (!print_path(service, challenge->sid, path, why_not))
        return CHALLENGE_REFUSED;

    state = send_form(service, &request, watch, SERVICE_AGAIN_UNSENT, challenge, &reply, why_not);
    if (state == CHALLENGE_PENDING)
        return read_reply(service, CHALLENGE_VERIFY, &reply, challenge, why_not);
    return state == CHALLENGE_LOST ? state : CHALLENGE_REFUSED;
}

static void print_push(const char *factor_sid, const struct challenge_push *push, int64_t ends_s,
                       char form[PUSH_FORM_SIZE])
{
    char message[MESSAGE_FORM_SIZE], field[FIELD_SIZE], value[3 * FIELD_SIZE];
    char end[TEXT_TIME_SIZE], until[3 * TEXT_TIME_SIZE];

    service_print_value(text_print_time(ends_s, end), until, sizeof until);
    snprintf(field, sizeof field, "{\"label\":\"Number\",\"value\":\"%d\"}", push->number);
    service_print_value(field, value, sizeof value);
    service_print_value(push->message, message, sizeof message);
    snprintf(form, PUSH_FORM_SIZE,
             "FactorSid=%s&Details.Message=%s&Details.Fields=%s&ExpirationDate=%s", factor_sid,
             message, value, until);
    explicit_bzero(field, sizeof field);
    explicit_bzero(value, sizeof value);
}

/* Its time ends by Twilio's clock, as far as it is known. */
static enum http_result send_push(struct challenge_service *service, struct http_watch *watch,
                                  const char *path, const struct challenge_push *push,
                                  struct http_reply *ret_reply, struct verdict *why_not)
{
    char form[PUSH_FORM_SIZE];
    const struct http_request request = { .path = path,
                                          .form = form,
                                          .patience_ms = service_patience_ms(&service->service) };
    enum http_result result;

    print_push(service->enrollment->push_factor_sid, push,
               time(NULL) - service->service.ahead_seconds + CHALLENGE_PUSH_SECONDS, form);
    result =
        service_send(&service->service, &request, watch, SERVICE_AGAIN_UNSENT, ret_reply, why_not);
    explicit_bzero(form, sizeof form);
    return result;
}

/* Whether Twilio refused the end of a push, which this host's wrong clock had printed. */
static bool was_misdated(const struct service *service, int64_t ahead_seconds)
{
    return service->status == 400 &&
           llabs(service->ahead_seconds - ahead_seconds) >= CHALLENGE_PUSH_SECONDS / 2;
}

static enum challenge_state push(struct challenge_service *service, struct http_watch *watch,
                                 const struct challenge_push *push, struct challenge *challenge,
                                 struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE];
    int64_t ahead_seconds = service->service.ahead_seconds;
    struct http_reply reply;
    enum http_result result;

    *challenge = (struct challenge){ .is_push = true };
    if (!print_path(service, NULL, path, why_not))
        return CHALLENGE_REFUSED;
    result = send_push(service, watch, path, push, &reply, why_not);
    if (was_misdated(&service->service, ahead_seconds))
        result = send_push(service, watch, path, push, &reply, why_not);
    note_request(challenge, &reply, result);
    if (result == HTTP_GIVEN_UP)
        return refuse(why_not, OUTCOME_UNAVAILABLE, "the push was interrupted");
    return result == HTTP_REPLIED
               ? read_reply(service, CHALLENGE_CREATE, &reply, challenge, why_not)
               : CHALLENGE_REFUSED;
}

static bool pause_for(struct challenge_service *service, struct http_watch *watch, int64_t pause_ms)
{
    return http_pause(service->service.http, pause_ms, watch);
}

static enum challenge_state fetch(struct challenge_service *service, struct http_watch *watch,
                                  struct challenge *challenge, struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE];
    const struct http_request request = { .path = path,
                                          .patience_ms = service_patience_ms(&service->service) };
    struct http_reply reply;
    enum http_result result;

    if (!print_path(service, challenge->sid, path, why_not))
        return CHALLENGE_REFUSED;

    result = service_send(&service->service, &request, watch, SERVICE_AGAIN, &reply, why_not);
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
    .push = push,
    .pause = pause_for,
    .fetch = fetch,
};
