/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Replies as Twilio gives them, with one field changed. */
#include "reply.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *value;
} fields[] = {
    { "sid", "\"" REPLY_SID "\"" },
    { "account_sid", "\"" REPLY_ACCOUNT "\"" },
    { "service_sid", "\"" REPLY_SERVICE "\"" },
    { "entity_sid", "\"YE" REPLY_HEX32 "\"" },
    { "identity", "\"" REPLY_IDENTITY "\"" },
    { "factor_sid", "\"" REPLY_FACTOR "\"" },
    { "date_created", "\"2015-07-30T20:00:00Z\"" },
    { "date_updated", "\"2015-07-30T20:00:00Z\"" },
    { "date_responded", "null" },
    { "expiration_date", "\"2015-07-30T20:05:00Z\"" },
    { "status", NULL },
    { "responded_reason", "\"none\"" },
    { "details", "{\"message\": null, \"date\": \"2015\", \"fields\": [{\"label\": \"a:b\"}]}" },
    { "hidden_details", "null" },
    { "metadata", "null" },
    { "factor_type", "\"totp\"" },
    { "url", "\"https://verify.twilio.com/v2/Services\"" },
    { "links", "{\"notifications\": \"https://verify.twilio.com/v2/Services\"}" },
};

enum { FIELDS = sizeof fields / sizeof *fields, REPLY_SIZE = 4096 };

const char *reply_print(const char *status, const char *name, const char *value)
{
    static char text[REPLY_SIZE];
    char status_value[100];
    size_t used = 0;
    bool changed = name == NULL;

    snprintf(status_value, sizeof status_value, "\"%s\"", status);
    for (size_t i = 0; i < FIELDS; i++) {
        const char *shown = fields[i].value != NULL ? fields[i].value : status_value;
        if (name != NULL && strcmp(fields[i].name, name) == 0) {
            changed = true;
            shown = value;
        }
        if (shown != NULL)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s\"%s\": %s",
                                     used == 0 ? "{" : ", ", fields[i].name, shown);
    }
    if (!changed)
        used += (size_t)snprintf(text + used, sizeof text - used, ", \"%s\": %s", name, value);
    snprintf(text + used, sizeof text - used, "}");
    return text;
}

const char *reply_print_error(int code, int status)
{
    static char text[REPLY_SIZE];

    snprintf(text, sizeof text,
             "{\"code\": %d, \"message\": \"Challenge already responded\", "
             "\"more_info\": \"https://www.twilio.com/docs/errors/%d\", \"status\": %d}",
             code, code, status);
    return text;
}
