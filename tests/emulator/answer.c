/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Makes errors, and prints bodies. */
#define _GNU_SOURCE 1 /* asprintf */

#include "answer.h"

#include "memory.h"

#include <json-c/json_object.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct error {
    int code;
    unsigned status;
    const char *message;
} errors[] = {
    { 20001, 400, "Unknown parameters" },
    { 20003, 401, "Authenticate" },
    { 20004, 405, "Method not allowed" },
    { 20404, 404, "The requested resource was not found" },
    { 20429, 429, "Too many requests" },
    { 20500, 500, "Internal Server Error" },
    { 20503, 503, "Service Unavailable" },
    { 60200, 400, "Invalid parameter" },
    { 60204, 403, "Service does not support this feature" },
    { 60300, 400, "Malformed or semantically invalid parameter" },
    { 60301, 409, "Entity already exists" },
    { 60302, 400, "Factor type already exists" },
    { 60305, 400, "Invalid access token parameters" },
    { 60306, 400, "Input parameter has an invalid format" },
    { 60307, 400, "Challenge notification can't be sent to this factor" },
    { 60308, 429, "Max verification attempts reached for this challenge" },
    { 60309, 429, "Max notifications reached for this challenge" },
    { 60310, 429, "Max verification attempts reached for this factor" },
    { 60311, 403, "Factor verification failed" },
    { 60312, 429, "Max challenges reached for this factor" },
    { 60313, 403, "Not allowed to create a factor" },
    { 60314, 400, "Invalid factor binding" },
    { 60315, 400, "Max factors reached for this entity" },
    { 60317, 409, "Factor already exists" },
    { 60318, 403, "Factor is unverified" },
    { 60322, 403, "Challenge already responded" },
    { 60323, 403, "Challenge expired" },
    { 60324, 403, "Challenge verification failed" },
    { 60326, 429, "Max factors created for this entity today" },
    { 60328, 429, "Max entities created in a second" },
    { 60330, 400, "Webhook could not be called" },
    { 60361, 400, "Account SID is missing or malformed" },
    { 60362, 400, "Factor SID is missing or malformed" },
    { 60363, 400, "Service SID is missing or malformed" },
    { 60364, 400, "Challenge SID is missing or malformed" },
    { 60365, 400, "Entity SID is missing or malformed" },
    { 60366, 400, "Challenge details are malformed" },
    { 60367, 400, "Identity is malformed" },
    { 60368, 400, "Factor type is missing or malformed" },
    { 60369, 400, "Factor config is missing or malformed" },
    { 60370, 400, "Factor config is malformed" },
    { 60373, 400, "Page size is malformed" },
    { 60374, 400, "Page token is malformed" },
    { 60383, 400, "Operation is not possible in this state of the factor" },
    { 60390, 404, "Factor not found" },
    { 60391, 404, "Challenge not found" },
    { 60392, 404, "Entity not found" },
    { 70005, 429, "Too many failing requests" },
    { 70051, 403, "Authorization failed" },
};

static const struct error *error_find(int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        if (errors[i].code == code)
            return &errors[i];
    }
    return NULL;
}

void answer_fail(struct answer *answer, unsigned status, int code)
{
    const struct error *error = error_find(code);
    enum error_body form = answer->form;

    answer_free(answer);
    *answer = (struct answer){ .status = status, .code = code, .form = form };
    snprintf(answer->message, sizeof(answer->message), "%s",
             error != NULL ? error->message : "Error");
}

bool answer_refuse(struct answer *answer, int code)
{
    const struct error *error = error_find(code);

    answer_fail(answer, error != NULL ? error->status : 500, code);
    return false;
}

bool answer_refuse_with(struct answer *answer, int code, const char *format, ...)
{
    va_list arguments;

    answer_refuse(answer, code);
    va_start(arguments, format);
    vsnprintf(answer->message, sizeof(answer->message), format, arguments);
    va_end(arguments);
    return false;
}

bool answer_give(struct answer *answer, unsigned status, struct json_object *body)
{
    answer->status = status;
    answer->body = body;
    return true;
}

void answer_free(struct answer *answer)
{
    json_object_put(answer->body);
    answer->body = NULL;
}

static struct json_object *answer_twilio_error(const struct answer *answer)
{
    struct json_object *body = json_object_new_object();
    char more_info[64];

    snprintf(more_info, sizeof(more_info), "https://www.twilio.com/docs/errors/%d", answer->code);
    if (answer->code != 0)
        json_object_object_add(body, "code", json_object_new_int(answer->code));
    json_object_object_add(body, "message", json_object_new_string(answer->message));
    if (answer->code != 0)
        json_object_object_add(body, "more_info", json_object_new_string(more_info));
    json_object_object_add(body, "status", json_object_new_int((int)answer->status));
    return body;
}

static struct json_object *answer_rfc9457_error(const struct answer *answer)
{
    struct json_object *body = json_object_new_object();
    char type[64];

    snprintf(type, sizeof(type), "https://www.twilio.com/docs/api/errors/%d", answer->code);
    json_object_object_add(body, "type", json_object_new_string(type));
    json_object_object_add(body, "title", json_object_new_string(answer->message));
    json_object_object_add(body, "status", json_object_new_int((int)answer->status));
    if (answer->code != 0)
        json_object_object_add(body, "code", json_object_new_int(answer->code));
    return body;
}

/* Takes BODY over. */
static char *answer_print_json(struct json_object *body)
{
    const char *text = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN |
                                                                JSON_C_TO_STRING_NOSLASHESCAPE);
    char *copy = text == NULL ? NULL : strdup(text);

    json_object_put(body);
    return copy;
}

char *answer_print(const struct answer *answer, const char **ret_content_type)
{
    char *html = NULL;

    *ret_content_type = "application/json";
    if (answer->body != NULL)
        return answer_print_json(json_object_get(answer->body));
    if (answer->status < 300)
        return strdup("");

    switch (answer->form) {
    case ERROR_BODY_TWILIO:
        return answer_print_json(answer_twilio_error(answer));
    case ERROR_BODY_RFC9457:
        *ret_content_type = "application/problem+json";
        return answer_print_json(answer_rfc9457_error(answer));
    case ERROR_BODY_HTML:
        *ret_content_type = "text/html";
        if (asprintf(&html, "<html><head><title>%u</title></head><body>%u</body></html>\n",
                     answer->status, answer->status) < 0)
            return NULL;
        return html;
    case ERROR_BODY_EMPTY:
        return strdup("");
    }
    return NULL;
}
