/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Any text as the file of a seed, and as settings in which "setup" changes a key. */
#include "admin/enroll/seed.h"
#include "admin/setup/settings-text.h"
#include "core/settings.h"
#include "fuzz.h"

#define SID "VA0123456789abcdef0123456789abcdef"

static void try_seed(const char *text)
{
    const char *why_not = NULL;
    struct seed seed;

    if (seed_parse(text, "alice", &seed, &why_not)) {
        fuzz_demand(factor_is_secret(seed.secret), "a seed is Base32");
        fuzz_demand(seed.config.code_length >= 6 && seed.config.code_length <= 8, "6 to 8 digits");
        fuzz_demand(seed.config.time_step >= 20 && seed.config.time_step <= 60, "20 to 60 s");
        fuzz_demand(strncmp(seed.config.algorithm, "sha", 3) == 0, "an algorithm");
    } else {
        fuzz_demand(why_not != NULL, "a refusal tells why");
        fuzz_demand(*seed.secret == '\0', "nothing of a refused seed is left");
    }
}

/* Settings that can be read stay so, and say what was set. */
static void try_settings(const char *text)
{
    struct settings *before = NULL, *after = NULL;
    struct verdict why_not;
    char value[64];
    char *changed = settings_text_set(text, "service", "service_sid", SID);

    fuzz_demand(changed != NULL, "there is memory");
    settings_text_get(text, "service", "service_sid", value, sizeof value);
    if (settings_parse(text, "SHOWN", &before, &why_not)) {
        fuzz_demand(settings_parse(changed, "SHOWN", &after, &why_not), "settings stay settings");
        fuzz_demand(strcmp(after->service_sid, SID) == 0, "the key is set");
        fuzz_demand(strcmp(after->account_sid, before->account_sid) == 0 &&
                        strcmp(after->prompt, before->prompt) == 0 &&
                        after->attempts == before->attempts,
                    "no other key is changed");
    }
    settings_free(&after);
    settings_free(&before);
    free(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);

    try_seed(text);
    try_settings(text);
    free(text);
    return 0;
}
