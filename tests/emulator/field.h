/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Fields of the JSON objects in replies. */
#pragma once

#include <json-c/json_types.h>
#include <stdint.h>

/* VALUE NULL: the field is null. */
void field_add_text(struct json_object *object, const char *name, const char *value);

void field_add_integer(struct json_object *object, const char *name, int64_t value);

/* In ISO 8601; 0: the field is null. */
void field_add_date(struct json_object *object, const char *name, int64_t seconds);

/* `https://verify.twilio.com` and the path that FORMAT makes. */
void field_add_url(struct json_object *object, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A copy; VALUE NULL: the field is null. */
void field_add_copy(struct json_object *object, const char *name, struct json_object *value);
