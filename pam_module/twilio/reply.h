/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The body of a reply: one JSON object, strictly (RFC 8259, and less than it allows). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_object; /* json-c's */

/* Parses SIZE bytes: one whole object and nothing else, UTF-8, at most HTTP_BODY_MAX bytes and 8
 * deep, no key twice, no U+0000; bytes above 0x7f become %XX. The caller frees with reply_free().
 * NULL: it is not that, or out of memory. */
struct json_object *reply_parse(const char *body, size_t size);

/* The text of member NAME, which lives as long as the object; NULL: it is absent or no string. */
const char *reply_text(struct json_object *object, const char *name);

/* Whether member NAME is the string EXPECTED, by its whole length. */
bool reply_is(struct json_object *object, const char *name, const char *expected);

/* The integer in member NAME, cut to the range of int; 0: it is absent or no integer. */
int reply_number(struct json_object *object, const char *name);

/* Member NAME where it is an object, which lives as long as its parent; NULL: it is absent or
 * none. */
struct json_object *reply_object(struct json_object *object, const char *name);

/* The objects in member NAME, an array: *RET_COUNT of them, of which reply_item() returns one, NULL
 * where it is something else. False: it is absent or no array. */
bool reply_array(struct json_object *object, const char *name, size_t *ret_count);
struct json_object *reply_item(struct json_object *object, const char *name, size_t index);

/* Frees *OBJECT, which may be NULL, and makes it NULL. */
void reply_free(struct json_object **object);

#define auto_reply __attribute__((cleanup(reply_free))) struct json_object
