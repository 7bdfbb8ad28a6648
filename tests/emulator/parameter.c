/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Reads and checks form fields. */
#include "parameter.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789";

bool parameter_integer(const struct call *call, enum subject subject, const char *name, int least,
                       int most, int *ret_value, struct answer *answer)
{
    const char *text = form_next(&call->form, name, NULL);

    if (text == NULL)
        return true;
    if (text[0] == '\0' || text[strspn(text, digits)] != '\0' || strlen(text) > 6)
        return call_refuse_malformed(call, subject, name, answer);

    int value = atoi(text);

    if (value < least || value > most)
        return call_refuse_malformed(call, subject, name, answer);

    *ret_value = value;
    return true;
}

bool parameter_text(const struct call *call, enum subject subject, const char *name, size_t least,
                    size_t most, const char **ret_value, struct answer *answer)
{
    const char *text = form_next(&call->form, name, NULL);

    if (text == NULL)
        return true;
    if (form_text_length(text) < least || form_text_length(text) > most)
        return call_refuse_malformed(call, subject, name, answer);

    *ret_value = text;
    return true;
}

struct json_object *parameter_parse_json(const char *text)
{
    struct json_tokener *tokener = json_tokener_new_ex(8);
    struct json_object *object = NULL;

    if (tokener == NULL)
        return NULL;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    object = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
    json_tokener_free(tokener);
    if (!json_object_is_type(object, json_type_object)) {
        json_object_put(object);
        return NULL;
    }
    return object;
}

struct json_object *parameter_parse_object(const char *text)
{
    struct json_object *object = parameter_parse_json(text);

    if (object == NULL)
        return NULL;

    json_object_object_foreach(object, name, value)
    {
        if (!json_object_is_type(value, json_type_string)) {
            (void)name;
            json_object_put(object);
            return NULL;
        }
    }
    return object;
}

bool parameter_object(const struct call *call, enum subject subject, const char *name,
                      struct json_object **ret_value, struct answer *answer)
{
    const char *text = NULL;
    struct json_object *object = NULL;

    if (!parameter_text(call, subject, name, 2, 1024, &text, answer))
        return false;
    if (text == NULL)
        return true;

    object = parameter_parse_object(text);
    if (object == NULL)
        return call_refuse_malformed(call, subject, name, answer);

    *ret_value = object;
    return true;
}

bool parameter_date(const struct call *call, const char *name, int64_t *ret_value,
                    struct answer *answer)
{
    const char *text = form_next(&call->form, name, NULL);

    if (text == NULL)
        return true;
    if (!clock_parse_date(text, ret_value))
        return call_refuse_malformed(call, SUBJECT_PARAMETER, name, answer);

    return true;
}

bool parameter_code(const struct call *call, const char **ret_code, struct answer *answer)
{
    const char *code = NULL;

    if (!parameter_text(call, SUBJECT_PARAMETER, "AuthPayload", 3, TOTP_CODE_LENGTH_MAX, &code,
                        answer))
        return false;
    if (code != NULL && code[strspn(code, digits)] != '\0')
        return call_refuse_malformed(call, SUBJECT_PARAMETER, "AuthPayload", answer);

    *ret_code = code;
    return true;
}
