/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The table of switches. */
#include "switches.h"

#include "memory.h"

#include <string.h>

struct switch_definition {
    const char *name;
    const char *values[5]; /* ends with NULL; the first is the default */
    const char *meaning;
};

static const struct switch_definition definitions[SWITCH_COUNT] = {
    [SWITCH_WRONG_CODE] = { "wrong-code",
                            { "200-pending", "403-60324" },
                            "the answer to a wrong code" },
    [SWITCH_USED_CODE] = { "used-code",
                           { "accepted", "pending" },
                           "a code that approved an earlier challenge of the factor" },
    [SWITCH_AFTER_LIMIT] = { "after-limit",
                             { "pending", "denied", "expired" },
                             "the status after five wrong codes" },
    [SWITCH_LIMIT_CALL] = { "limit-call",
                            { "sixth", "fifth" },
                            "which call is the first to answer 60308" },
    [SWITCH_WRONG_CODE_AT_CREATION] = { "wrong-code-at-creation",
                                        { "counts", "free" },
                                        "whether it uses up an attempt" },
    [SWITCH_NOT_FOUND] = { "not-found",
                           { "20404", "6039x" },
                           "the code for a missing factor, challenge or entity" },
    [SWITCH_MALFORMED] = { "malformed",
                           { "60306", "60200", "6036x", "404" },
                           "the code for a malformed SID, identity or parameter" },
    [SWITCH_EXPIRED_VERIFY] = { "expired-verify",
                                { "403", "200" },
                                "a code after the end: 403 with 60323, or 200 with expired" },
    [SWITCH_DATE_RESPONDED] = { "date-responded",
                                { "null", "filled" },
                                "date_responded of a pending challenge" },
    [SWITCH_DETAILS] = { "details",
                         { "null", "object" },
                         "details and hidden_details of a challenge made without" },
    [SWITCH_ERROR_BODY] = { "error-body",
                            { "twilio", "rfc9457", "html", "empty" },
                            "the form of error bodies" },
    [SWITCH_SIGNATURE_HEADER] = { "signature-header",
                                  { "absent", "present" },
                                  "the Twilio-Verify-*-Signature headers" },
    [SWITCH_IDENTITY_CASE] = { "identity-case",
                               { "distinct", "folded" },
                               "whether ABC and abc are two entities" },
    [SWITCH_CHALLENGE_LIMITS] = { "challenge-limits",
                                  { "on", "off" },
                                  "60312: 50 an hour and 100 a day, short codes 10 a day" },
};

static void switch_print_values(const struct switch_definition *definition, FILE *stream)
{
    for (size_t i = 0; definition->values[i] != NULL; i++)
        fprintf(stream, "%s%s", i == 0 ? "" : "|", definition->values[i]);
}

static bool switch_refuse_value(const struct switch_definition *definition, struct reason *why_not)
{
    char values[128] = "";
    FILE *stream = fmemopen(values, sizeof(values), "w");

    if (stream != NULL) {
        switch_print_values(definition, stream);
        fclose(stream);
    }
    return reason_refuse(why_not, "switch %s takes %s", definition->name, values);
}

bool switches_set(struct switches *switches, const char *name, const char *value,
                  struct reason *why_not)
{
    for (size_t i = 0; i < SWITCH_COUNT; i++) {
        if (strcmp(definitions[i].name, name) != 0)
            continue;
        for (unsigned char v = 0; definitions[i].values[v] != NULL; v++) {
            if (strcmp(definitions[i].values[v], value) == 0) {
                switches->value[i] = v;
                return true;
            }
        }
        return switch_refuse_value(&definitions[i], why_not);
    }
    return reason_refuse(why_not, "there is no such switch; --help lists them");
}

void switches_print_help(FILE *stream)
{
    for (size_t i = 0; i < SWITCH_COUNT; i++) {
        fprintf(stream, "  %s=", definitions[i].name);
        switch_print_values(&definitions[i], stream);
        fprintf(stream, "\n        %s\n", definitions[i].meaning);
    }
}
