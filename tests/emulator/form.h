/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Parameters in application/x-www-form-urlencoded: a body, or the query of an address. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { FORM_FIELDS_MAX = 64 };

struct form {
    char *memory; /* owns what the fields point to */
    size_t count;
    struct {
        const char *name;
        const char *value;
    } fields[FORM_FIELDS_MAX];
};

/* False: a bad percent sign, a NUL, no UTF-8, too many fields, or no memory. */
bool form_parse(const char *text, size_t size, struct form *ret_form);

void form_free(struct form *form);

/* The value of the first field of that name at or after *index, which moves behind it.
 * INDEX NULL: from the start. NULL: there is none. */
const char *form_next(const struct form *form, const char *name, size_t *index);

/* The name of a field that stands twice and is not one of the repeatable ones; NULL: none. */
const char *form_find_double(const struct form *form);

/* The number of characters in TEXT, which form_parse() found to be UTF-8. */
size_t form_text_length(const char *text);
