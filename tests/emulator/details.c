/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Reads the details of a challenge. */
#include "details.h"

#include "field.h"
#include "parameter.h"

#include <json-c/json_object.h>
#include <string.h>

enum {
    DETAILS_MESSAGE_MAX = 256,
    DETAILS_FIELDS_MAX = 20,
    DETAILS_LABEL_MAX = 36,
    DETAILS_VALUE_MAX = 128
};

/* A member with 1 to MOST characters. */
static bool details_has_text(struct json_object *object, const char *name, size_t most)
{
    struct json_object *value = NULL;
    const char *text = NULL;

    if (!json_object_object_get_ex(object, name, &value))
        return false;

    text = json_object_get_string(value);
    return text[0] != '\0' && form_text_length(text) <= most;
}

/* `{"label","value"}` and nothing else. */
static bool details_add_field(struct json_object *fields, const char *text)
{
    struct json_object *field = parameter_parse_object(text);

    if (field == NULL)
        return false;
    if (json_object_object_length(field) != 2 ||
        !details_has_text(field, "label", DETAILS_LABEL_MAX) ||
        !details_has_text(field, "value", DETAILS_VALUE_MAX) ||
        json_object_array_length(fields) == DETAILS_FIELDS_MAX) {
        json_object_put(field);
        return false;
    }

    json_object_array_add(fields, field);
    return true;
}

bool details_parse(const struct call *call, struct json_object **ret_details, struct answer *answer)
{
    struct json_object *details = NULL, *fields = NULL;
    const char *message = NULL, *text = NULL;
    size_t index = 0;

    if (!parameter_text(call, SUBJECT_DETAILS, "Details.Message", 0, DETAILS_MESSAGE_MAX, &message,
                        answer))
        return false;
    if (message == NULL && form_next(&call->form, "Details.Fields", NULL) == NULL)
        return true;

    details = json_object_new_object();
    fields = json_object_new_array();
    field_add_text(details, "message", message);
    field_add_date(details, "date", call->now);
    json_object_object_add(details, "fields", fields);
    while ((text = form_next(&call->form, "Details.Fields", &index)) != NULL) {
        if (!details_add_field(fields, text)) {
            json_object_put(details);
            return call_refuse_malformed(call, SUBJECT_DETAILS, "Details.Fields", answer);
        }
    }

    *ret_details = details;
    return true;
}
