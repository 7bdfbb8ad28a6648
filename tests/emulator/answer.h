/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What an operation answers, before it becomes bytes. */
#pragma once

#include "switches.h"

#include <json-c/json_types.h>
#include <stdbool.h>

struct answer {
    unsigned status;              /* of HTTP */
    int code;                     /* Twilio's error code; 0: none */
    char message[256];            /* of an error */
    enum error_body form;         /* of an error */
    struct json_object *body;     /* of a success; NULL: none */
    const char *signature_fields; /* Twilio-Verify-Signature-Fields; NULL: no such header */
};

/* An error with the status and text of Twilio's "Error and warning dictionary". Always false. */
bool answer_refuse(struct answer *answer, int code);

/* The same with a text of one's own in place of the table's. */
bool answer_refuse_with(struct answer *answer, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An error with any HTTP status; CODE 0 leaves it out of the body. */
void answer_fail(struct answer *answer, unsigned status, int code);

/* A success. Takes BODY over; NULL for none. Always true. */
bool answer_give(struct answer *answer, unsigned status, struct json_object *body);

/* The body as text, which the caller frees, and its type. NULL: no memory. */
char *answer_print(const struct answer *answer, const char **ret_content_type);

void answer_free(struct answer *answer);
