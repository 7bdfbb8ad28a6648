/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Bends answers and replies. */
#include "fault-kind.h"

#include "field.h"
#include "memory.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <string.h>

enum { GIANT_SIZE = 200 * 1024, DEEP_LEVELS = 40 };

/* Any status. From 300 on it is an error; below, the body stays as it is. */
static void bend_status(const struct fault *fault, struct answer *answer)
{
    if (fault->form >= 0)
        answer->form = (enum error_body)fault->form;
    if (fault->number >= 300) {
        answer_fail(answer, fault->number, fault->code);
        return;
    }
    if (fault->number == 204)
        answer_free(answer);
    if (answer->code == 0)
        answer->status = fault->number;
}

static void bend_set(const struct fault *fault, struct answer *answer)
{
    if (answer->body != NULL)
        json_object_object_add(answer->body, fault->kind->field,
                               json_tokener_parse(fault->kind->value));
}

/* Another value of the same form: the last character differs. */
static void bend_other(const struct fault *fault, struct answer *answer)
{
    struct json_object *value = json_object_object_get(answer->body, fault->kind->field);
    auto_free char *text = NULL;
    char *last = NULL;

    if (!json_object_is_type(value, json_type_string) || json_object_get_string_len(value) == 0)
        return;

    text = strdup(json_object_get_string(value));
    if (text == NULL)
        return;

    last = text + strlen(text) - 1;
    *last = *last == '0' ? '1' : '0';
    json_object_set_string(value, text);
}

static void bend_factor_type(const struct fault *fault, struct answer *answer)
{
    struct json_object *value = json_object_object_get(answer->body, fault->kind->field);

    if (json_object_is_type(value, json_type_string))
        json_object_set_string(value, strcmp(json_object_get_string(value), "push") == 0 ? "totp"
                                                                                         : "push");
}

static const char *bend_field(const struct fault *fault)
{
    return fault->kind->field != NULL ? fault->kind->field : fault->field;
}

static void bend_null(const struct fault *fault, struct answer *answer)
{
    if (answer->body != NULL)
        json_object_object_add(answer->body, bend_field(fault), NULL);
}

static void bend_missing(const struct fault *fault, struct answer *answer)
{
    if (answer->body != NULL)
        json_object_object_del(answer->body, bend_field(fault));
}

static void bend_deep(const struct fault *fault, struct answer *answer)
{
    struct json_object *deep = json_object_new_object();

    for (int i = 1; i < DEEP_LEVELS; i++) {
        struct json_object *outer = json_object_new_object();

        json_object_object_add(outer, "deeper", deep);
        deep = outer;
    }
    if (answer->body != NULL)
        json_object_object_add(answer->body, fault->kind->field, deep);
    else
        json_object_put(deep);
}

static void bend_giant(const struct fault *fault, struct answer *answer)
{
    auto_free char *padding = malloc(GIANT_SIZE);

    if (padding == NULL || answer->body == NULL)
        return;

    memset(padding, 'x', GIANT_SIZE);
    json_object_object_add(answer->body, fault->kind->field,
                           json_object_new_string_len(padding, GIANT_SIZE));
}

/* Moves the field to the end and sets it; bend_first_status() puts the other one first. */
static void bend_last_status(const struct fault *fault, struct answer *answer)
{
    bend_missing(fault, answer);
    bend_set(fault, answer);
}

/* Puts TEXT in the place of the first SKIPPED bytes of the body. */
static void bend_begin(struct reply *reply, const char *text, size_t skipped)
{
    size_t size = strlen(text);
    char *body = malloc(size + reply->size + 1);

    if (body == NULL || reply->size < skipped) {
        free(body);
        return;
    }

    memcpy(body, text, size);
    memcpy(body + size, reply->body + skipped, reply->size - skipped + 1);
    free(reply->body);
    reply->body = body;
    reply->size += size - skipped;
}

static void bend_first_status(const struct fault *fault, struct reply *reply)
{
    (void)fault;
    if (reply->code == 0 && reply->body[0] == '{')
        bend_begin(reply, "{\"status\":\"pending\",", 1);
}

static void bend_trailing(const struct fault *fault, struct reply *reply)
{
    static const char trailing[] = "{\"status\":\"approved\"}";
    char *body = realloc(reply->body, reply->size + sizeof(trailing));

    (void)fault;
    if (body == NULL)
        return;

    memcpy(body + reply->size, trailing, sizeof(trailing));
    reply->body = body;
    reply->size += sizeof(trailing) - 1;
}

static void bend_unfinished(const struct fault *fault, struct reply *reply)
{
    (void)fault;
    if (reply->size > 0)
        reply->body[--reply->size] = '\0';
}

static void bend_type(const struct fault *fault, struct reply *reply)
{
    (void)fault;
    reply->content_type = "text/html";
}

static void bend_close(const struct fault *fault, struct reply *reply)
{
    (void)fault;
    reply->announces_close = true;
}

static void bend_drop(const struct fault *fault, struct reply *reply)
{
    (void)fault;
    reply->drops = true;
}

static void bend_retry_after(const struct fault *fault, struct reply *reply)
{
    reply->retry_after = (int)fault->number;
}

static void bend_delay(const struct fault *fault, struct reply *reply)
{
    reply->delay_ms = fault->number;
}

const struct fault_kind fault_kinds[] = {
    { "status-", .argument = FAULT_ARGUMENT_STATUS, .replaces = true, .keeps_undone = true,
      .bend_answer = bend_status,
      .meaning = "NNN[/CODE][-html|-empty|-rfc9457]: another HTTP status, 200 to 599; from 300 on\n"
                 "        it is an error, with or without CODE, and not carried out" },
    { "no-answer", .replaces = true, .keeps_undone = true, .transport = TRANSPORT_SILENCE,
      .meaning = "silence until the client goes" },
    { "close-before", .replaces = true, .keeps_undone = true, .transport = TRANSPORT_CLOSE,
      .meaning = "closes without a byte; not carried out" },
    { "close-after", .replaces = true, .transport = TRANSPORT_CLOSE,
      .meaning = "closes without a byte; carried out" },
    { "retry-after", .argument = FAULT_ARGUMENT_NUMBER, .bend_reply = bend_retry_after,
      .meaning = "=SECONDS: a Retry-After header" },
    { "slow", .argument = FAULT_ARGUMENT_NUMBER, .bend_reply = bend_delay,
      .meaning = "=MILLISECONDS: a delay before the reply" },
    { "slow-body", .transport = TRANSPORT_DRIP, .meaning = "one byte each 0.3 s" },
    { "cut-body", .transport = TRANSPORT_CUT,
      .meaning = "the whole body, but Content-Length promised more" },
    { "endless-body", .transport = TRANSPORT_ENDLESS,
      .meaning = "chunked blanks behind the body until the client goes" },
    { "giant-body", .field = "padding", .bend_answer = bend_giant, .meaning = "200 KiB" },
    { "connection-close", .bend_reply = bend_close,
      .meaning = "the usual reply with Connection: close" },
    { "drop-connection", .bend_reply = bend_drop,
      .meaning = "the usual reply, then closes unannounced" },
    { "wrong-sid", .field = "sid", .bend_answer = bend_other,
      .meaning = "the last character of sid is another; likewise:" },
    { "wrong-account", .field = "account_sid", .bend_answer = bend_other },
    { "wrong-service", .field = "service_sid", .bend_answer = bend_other },
    { "wrong-identity", .field = "identity", .bend_answer = bend_other },
    { "wrong-factor", .field = "factor_sid", .bend_answer = bend_other },
    { "wrong-type", .field = "factor_type", .bend_answer = bend_factor_type,
      .meaning = "factor_type is push for totp, totp for push" },
    { "status-missing", .field = "status", .bend_answer = bend_missing },
    { "status-null", .field = "status", .bend_answer = bend_null },
    { "status-capitals", .field = "status", .value = "\"APPROVED\"", .bend_answer = bend_set,
      .meaning = "status is \"APPROVED\"" },
    { "status-unknown", .field = "status", .value = "\"granted\"", .bend_answer = bend_set,
      .meaning = "status is \"granted\"" },
    { "status-array", .field = "status", .value = "[\"approved\"]", .bend_answer = bend_set,
      .meaning = "status is [\"approved\"]" },
    { "status-nul", .field = "status", .value = "\"approved\\u0000x\"", .bend_answer = bend_set,
      .meaning = "status is \"approved\\u0000x\"" },
    { "duplicate-status", .field = "status", .value = "\"approved\"",
      .bend_answer = bend_last_status, .bend_reply = bend_first_status,
      .meaning = "pending first and approved last" },
    { "approved-lie", .field = "status", .value = "\"approved\"", .bend_answer = bend_set,
      .meaning = "status is approved, whatever the code" },
    { "trailing-bytes", .bend_reply = bend_trailing,
      .meaning = "a second JSON object behind the body" },
    { "bad-json", .bend_reply = bend_unfinished, .meaning = "the body lacks its last byte" },
    { "deep-json", .field = "details", .bend_answer = bend_deep,
      .meaning = "details are nested 40 times" },
    { "field-null", .argument = FAULT_ARGUMENT_FIELD, .bend_answer = bend_null,
      .meaning = ":NAME: that field is null" },
    { "field-missing", .argument = FAULT_ARGUMENT_FIELD, .bend_answer = bend_missing,
      .meaning = ":NAME: that field is missing" },
    { "content-type-html", .bend_reply = bend_type, .meaning = "the usual body as text/html" },
};

const size_t fault_kinds_count = ARRAY_SIZE(fault_kinds);
