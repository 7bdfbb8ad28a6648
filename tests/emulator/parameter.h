/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The form fields of a request, checked. */
#pragma once

#include "call.h"

/* All return true and leave *ret_… as it is when the field was not sent;
 * false when it was sent wrong, and *answer says so. */
bool parameter_integer(const struct call *call, enum subject subject, const char *name, int least,
                       int most, int *ret_value, struct answer *answer);

/* LEAST and MOST count characters. *ret_value lives as long as the call. */
bool parameter_text(const struct call *call, enum subject subject, const char *name, size_t least,
                    size_t most, const char **ret_value, struct answer *answer);

/* A JSON object in at most 1024 characters, all of its values strings. The caller puts it. */
bool parameter_object(const struct call *call, enum subject subject, const char *name,
                      struct json_object **ret_value, struct answer *answer);

/* A date in RFC 3339. */
bool parameter_date(const struct call *call, const char *name, int64_t *ret_value,
                    struct answer *answer);

/* AuthPayload: 3 to 8 digits, or left out (NULL). */
bool parameter_code(const struct call *call, const char **ret_code, struct answer *answer);

/* One JSON object with string values; NULL: TEXT is none. The caller puts it. */
struct json_object *parameter_parse_object(const char *text);

/* The same with any values. */
struct json_object *parameter_parse_json(const char *text);
