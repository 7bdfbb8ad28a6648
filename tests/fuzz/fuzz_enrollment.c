/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Any text as the file of a user: what is taken may stand in a URL, what is refused is told. */
#include "core/enrollment.h"
#include "core/text.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct enrollment *enrollment = NULL;
    struct verdict why_not = { 0 };

    if (enrollment_parse(text, "alice.conf", &enrollment, &why_not)) {
        size_t length = strlen(enrollment->identity);
        fuzz_demand(length >= 8 && length <= 64, "the identity has 8 to 64 characters");
        for (const char *byte = enrollment->identity; *byte != '\0'; byte++)
            fuzz_demand((*byte >= 'a' && *byte <= 'z') || (*byte >= 'A' && *byte <= 'Z') ||
                            (*byte >= '0' && *byte <= '9') || *byte == '-',
                        "the identity needs no escape in a URL");
        fuzz_demand(enrollment->factor_sid != NULL || enrollment->push_factor_sid != NULL,
                    "there is a factor");
        fuzz_demand(enrollment->factor_sid == NULL || text_is_sid(enrollment->factor_sid, "YF"),
                    "the factor is one");
        fuzz_demand(enrollment->push_factor_sid == NULL ||
                        text_is_sid(enrollment->push_factor_sid, "YF"),
                    "and so is the push factor");
    } else {
        fuzz_demand(enrollment == NULL, "the output changes only on success");
        fuzz_demand(why_not.outcome == OUTCOME_MISCONFIGURED, "a refusal is the administrator's");
        fuzz_demand(strncmp(why_not.reason, "alice.conf:", 11) == 0, "a refusal names the file");
    }
    enrollment_free(&enrollment);
    free(text);
    return 0;
}
