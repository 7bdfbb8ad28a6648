/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Adds fields to JSON objects. */
#include "field.h"

#include "clock.h"

#include <json-c/json_object.h>
#include <stdarg.h>
#include <stdio.h>

void field_add_text(struct json_object *object, const char *name, const char *value)
{
    json_object_object_add(object, name, value == NULL ? NULL : json_object_new_string(value));
}

void field_add_integer(struct json_object *object, const char *name, int64_t value)
{
    json_object_object_add(object, name, json_object_new_int64(value));
}

void field_add_date(struct json_object *object, const char *name, int64_t seconds)
{
    char text[CLOCK_DATE_SIZE];

    clock_print_date(seconds, text);
    field_add_text(object, name, seconds == 0 ? NULL : text);
}

void field_add_url(struct json_object *object, const char *name, const char *format, ...)
{
    char url[512] = "https://verify.twilio.com";
    size_t host_size = sizeof("https://verify.twilio.com") - 1;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(url + host_size, sizeof(url) - host_size, format, arguments);
    va_end(arguments);
    field_add_text(object, name, url);
}

void field_add_copy(struct json_object *object, const char *name, struct json_object *value)
{
    struct json_object *copy = NULL;

    if (value != NULL)
        json_object_deep_copy(value, &copy, NULL);
    json_object_object_add(object, name, copy);
}
