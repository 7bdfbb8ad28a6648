/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A challenge of Twilio Verify. */
#include "challenge.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/dialogue.h"
#include "../core/text.h"
#include "errors.h"
#include "paths.h"

enum { JSON_DEPTH_MAX = 8, PATH_SIZE = 256, FORM_SIZE = 64, PAUSE_MS = 500 };

/* Of the time after Enter, what a verification may take: the rest is for asking how it went. */
enum { VERIFY_SHARE_PERCENT = 70 };

struct challenge_service {
    const struct settings *settings;
    const struct enrollment *enrollment;
    struct http *http;
    bool too_many; /* a creation was repeated after "too many requests at once", in vain */
};

static void free_tokener(json_tokener **tokener)
{
    if (*tokener != NULL)
        json_tokener_free(*tokener);
}

static void free_json(json_object **object)
{
    json_object_put(*object);
}

#define auto_tokener __attribute__((cleanup(free_tokener))) json_tokener
#define auto_json    __attribute__((cleanup(free_json))) json_object

/* The number of keys in the text of valid JSON: of the colons outside of its strings. SIZE_MAX: a
 * single quote is there, in which json-c takes a key even when it is strict. */
static size_t count_keys(const char *body, size_t size)
{
    size_t colons = 0;
    bool in_string = false;

    for (size_t i = 0; i < size; i++) {
        if (in_string && body[i] == '\\')
            i++;
        else if (body[i] == '"')
            in_string = !in_string;
        else if (!in_string && body[i] == '\'')
            return SIZE_MAX;
        else if (!in_string && body[i] == ':')
            colons++;
    }
    return colons;
}

static size_t count_members(json_object *value)
{
    size_t members = 0;

    if (json_object_is_type(value, json_type_object)) {
        members = (size_t)json_object_object_length(value);
        json_object_object_foreach(value, key, child)
        {
            (void)key;
            members += count_members(child);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            members += count_members(json_object_array_get_idx(value, i));
    }
    return members;
}

static void free_text(char **text)
{
    free(*text);
}

#define auto_text __attribute__((cleanup(free_text))) char

/* json-c 0.17 and 0.18 take a byte above 0x7f for a control character where they are strict, and
 * nothing that counts here holds one: each becomes %XX. NULL: no memory. */
static char *print_ascii(const char *body, size_t size, size_t *ret_size)
{
    char *text = malloc(3 * size + 1);
    char *end = text;

    for (size_t i = 0; text != NULL && i < size; i++)
        if ((unsigned char)body[i] < 0x80)
            *end++ = body[i];
        else
            end += sprintf(end, "%%%02X", (unsigned char)body[i]);
    *ret_size = (size_t)(end - text);
    return text;
}

/* One whole object and nothing else. json-c lets the last of two equal keys win and cuts a key off
 * at U+0000: neither may be there. The caller puts the object. NULL: it is not that. */
static json_object *parse_object(const char *body, size_t size)
{
    auto_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
    auto_text *text = NULL;
    json_object *object;

    if (tokener == NULL || size == 0 || size > HTTP_BODY_MAX || !text_is_utf8(body, size))
        return NULL;
    if (memchr(body, '\0', size) != NULL || memmem(body, size, "\\u0000", 6) != NULL)
        return NULL;
    text = print_ascii(body, size, &size);
    if (text == NULL)
        return NULL;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    object = json_tokener_parse_ex(tokener, text, (int)size);
    if (json_tokener_get_error(tokener) == json_tokener_success &&
        json_tokener_get_parse_end(tokener) == size &&
        json_object_is_type(object, json_type_object) &&
        count_members(object) == count_keys(text, size))
        return object;

    json_object_put(object);
    return NULL;
}

/* The text of member NAME; NULL where it is no string or has a NUL inside. */
static const char *get_text(json_object *object, const char *name)
{
    json_object *value;
    const char *text;

    if (!json_object_object_get_ex(object, name, &value) ||
        !json_object_is_type(value, json_type_string))
        return NULL;
    text = json_object_get_string(value);
    return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

static bool is_text(json_object *object, const char *name, const char *expected)
{
    const char *text = get_text(object, name);

    return text != NULL && strcmp(text, expected) == 0;
}

/* The name of the first bound field in which the reply is another's; NULL: it is ours. */
static const char *find_stranger(json_object *object, const struct challenge_binding *binding)
{
    const char *sid = get_text(object, "sid");

    if (sid == NULL || !text_is_sid(sid, "YC"))
        return "sid";
    if (binding->sid != NULL && strcmp(sid, binding->sid) != 0)
        return "sid";
    if (!is_text(object, "account_sid", binding->account_sid))
        return "account_sid";
    if (!is_text(object, "service_sid", binding->service_sid))
        return "service_sid";
    if (!is_text(object, "identity", binding->identity))
        return "identity";
    if (!is_text(object, "factor_sid", binding->factor_sid))
        return "factor_sid";
    if (!is_text(object, "factor_type", "totp"))
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
    auto_json *object = parse_object(body, size);
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

    if (is_text(object, "status", "approved"))
        state = CHALLENGE_APPROVED;
    else if (is_text(object, "status", "pending"))
        state = CHALLENGE_PENDING;
    else if (is_text(object, "status", "expired"))
        state = CHALLENGE_EXPIRED;
    else if (is_text(object, "status", "denied"))
        return refuse(why_not, OUTCOME_DENIED, "the challenge was denied");
    else
        return refuse(why_not, OUTCOME_UNAVAILABLE, "the reply has no status that is known");

    memcpy(ret_sid, get_text(object, "sid"), CHALLENGE_SID_SIZE);
    return state;
}

/* The number in "code", in either form of Twilio's error body; 0: there is none. */
static int get_code(const char *body, size_t size)
{
    auto_json *object = parse_object(body, size);
    json_object *code;

    if (object == NULL || !json_object_object_get_ex(object, "code", &code) ||
        !json_object_is_type(code, json_type_int))
        return 0;
    return json_object_get_int(code);
}

enum challenge_state challenge_judge(enum challenge_step step, int status, const char *body,
                                     size_t size, struct verdict *why_not)
{
    int code = status >= 400 ? get_code(body, size) : 0;
    const struct error *error = errors_find(code);
    enum outcome outcome = OUTCOME_MISCONFIGURED;
    const char *meaning = "the request was refused";

    if (status == 404 && step != CHALLENGE_CREATE) {
        outcome = OUTCOME_DENIED;
        meaning = "this login's challenge is gone";
    } else if (status < 400 || status >= 500 || status == 408 || (status == 429 && code == 0)) {
        outcome = OUTCOME_UNAVAILABLE;
        meaning = "no answer that can be used";
    } else if (error != NULL && error->state != CHALLENGE_REFUSED && step == CHALLENGE_VERIFY) {
        return error->state;
    } else if (error != NULL && error->state == CHALLENGE_REFUSED) {
        outcome = error->outcome;
        meaning = error->meaning;
    }

    verdict_refuse(why_not, outcome, "Twilio: HTTP %d, error %d: %s", status, code, meaning);
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

static bool says_too_many(const struct http_reply *reply)
{
    return reply->status == 429 && get_code(reply->body, reply->size) == ERRORS_TOO_MANY_REQUESTS;
}

/* Sends REQUEST, and once more where that is harmless and asked for: after "too many requests at
 * once", by which Twilio says that nothing was done; and after a failure in AGAIN. */
static enum http_result send_request(struct challenge_service *service,
                                     const struct http_request *request, struct http_watch *watch,
                                     bool again_unsent, bool again_lost, struct http_reply *reply,
                                     struct verdict *why_not)
{
    enum http_result result = http_send(service->http, request, watch, reply, why_not);

    if (result == HTTP_REPLIED && says_too_many(reply)) {
        int64_t pause_ms =
            reply->retry_after_seconds > 0 ? reply->retry_after_seconds * 1000 : PAUSE_MS;
        if (!http_pause(service->http, pause_ms, watch))
            return result;
    } else if ((result != HTTP_UNSENT || !again_unsent) && (result != HTTP_LOST || !again_lost)) {
        return result;
    }

    if (left_ms(watch) <= 0)
        return result;
    return http_send(service->http, request, watch, reply, why_not);
}

static bool print_path(const struct challenge_service *service, const char *sid, char *path)
{
    int length = snprintf(path, PATH_SIZE, "/v2/Services/%s/Entities/%s/Challenges%s%s",
                          service->settings->service_sid, service->enrollment->identity,
                          sid != NULL ? "/" : "", sid != NULL ? sid : "");

    return length > 0 && length < PATH_SIZE;
}

static enum challenge_state read_reply(struct challenge_service *service, enum challenge_step step,
                                       const struct http_reply *reply, struct challenge *challenge,
                                       struct verdict *why_not)
{
    const struct challenge_binding binding = {
        .account_sid = service->settings->account_sid,
        .service_sid = service->settings->service_sid,
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

static bool service_open(const struct settings *settings, const struct enrollment *enrollment,
                         const char *secret, struct challenge_service **ret_service,
                         struct verdict *why_not)
{
    struct challenge_service *service = calloc(1, sizeof *service);

    if (service == NULL)
        return verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "no memory");
    service->settings = settings;
    service->enrollment = enrollment;
    if (!http_open(settings, secret, &service->http, why_not)) {
        free(service);
        return false;
    }

    *ret_service = service;
    return true;
}

static int64_t patience_ms(const struct challenge_service *service)
{
    return (int64_t)service->settings->timeout_seconds * 1000;
}

static enum challenge_state create(struct challenge_service *service, struct http_watch *watch,
                                   struct challenge *ret_challenge, struct verdict *why_not)
{
    char path[PATH_SIZE] = "", form[FORM_SIZE] = "";
    struct http_request request = { path, form, patience_ms(service) };
    struct challenge challenge = { 0 };
    struct http_reply reply;
    enum challenge_state state;
    enum http_result result;

    if (service->too_many)
        return refuse(why_not, OUTCOME_UNAVAILABLE, errors_find(ERRORS_TOO_MANY_REQUESTS)->meaning);
    /* Without an enrollment the watch lets nothing leave. */
    if (service->enrollment != NULL) {
        if (!print_path(service, NULL, path))
            return refuse(why_not, OUTCOME_MISCONFIGURED, "the names are too long for a URL");
        snprintf(form, sizeof form, "FactorSid=%s", service->enrollment->factor_sid);
    }

    result = send_request(service, &request, watch, false, false, &reply, why_not);
    note_request(&challenge, &reply, result);
    if (result == HTTP_GIVEN_UP)
        return CHALLENGE_GIVEN_UP;
    if (result != HTTP_REPLIED || service->enrollment == NULL)
        return CHALLENGE_REFUSED;

    service->too_many = says_too_many(&reply);
    state = read_reply(service, CHALLENGE_CREATE, &reply, &challenge, why_not);
    if (state == CHALLENGE_PENDING)
        *ret_challenge = challenge;
    return state;
}

static enum challenge_state verify(struct challenge_service *service, struct http_watch *watch,
                                   struct challenge *challenge, const char *code,
                                   struct verdict *why_not)
{
    char path[PATH_SIZE], form[FORM_SIZE];
    struct http_request request = { path, form, left_ms(watch) / 100 * VERIFY_SHARE_PERCENT };
    struct http_reply reply;
    enum http_result result;

    if (!print_path(service, challenge->sid, path))
        return refuse(why_not, OUTCOME_MISCONFIGURED, "the names are too long for a URL");
    snprintf(form, sizeof form, "AuthPayload=%s", code);

    result = send_request(service, &request, watch, true, false, &reply, why_not);
    explicit_bzero(form, sizeof form);
    note_request(challenge, &reply, result);
    if (result == HTTP_LOST)
        return CHALLENGE_LOST;
    if (result != HTTP_REPLIED)
        return CHALLENGE_REFUSED;
    return read_reply(service, CHALLENGE_VERIFY, &reply, challenge, why_not);
}

static enum challenge_state fetch(struct challenge_service *service, struct http_watch *watch,
                                  struct challenge *challenge, struct verdict *why_not)
{
    char path[PATH_SIZE];
    struct http_request request = { path, NULL, patience_ms(service) };
    struct http_reply reply;
    enum http_result result;

    if (!print_path(service, challenge->sid, path))
        return refuse(why_not, OUTCOME_MISCONFIGURED, "the names are too long for a URL");

    result = send_request(service, &request, watch, true, true, &reply, why_not);
    note_request(challenge, &reply, result);
    if (result != HTTP_REPLIED)
        return CHALLENGE_REFUSED;
    return read_reply(service, CHALLENGE_FETCH, &reply, challenge, why_not);
}

__attribute__((visibility("default"))) const struct challenge_api challenge_api = {
    .version = PATHS_VERSION,
    .open = service_open,
    .create = create,
    .verify = verify,
    .fetch = fetch,
};
