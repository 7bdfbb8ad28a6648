/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Any text as the file of a user's recovery codes, as the file of a bypass, and as a recovery
 * code. */
#include "core/bypass.h"
#include "core/recovery.h"
#include "core/text.h"
#include "fuzz.h"

static void demand_refusal(const struct verdict *why_not)
{
    fuzz_demand(why_not->outcome == OUTCOME_MISCONFIGURED, "a refusal is the administrator's");
    fuzz_demand(strncmp(why_not->reason, "SHOWN", 5) == 0, "a refusal names the file");
}

static void try_recovery(const char *text)
{
    struct recovery *recovery = NULL;
    struct verdict why_not = { 0 };

    if (recovery_parse(text, "SHOWN", &recovery, &why_not)) {
        fuzz_demand(strlen(recovery->set) == 32, "a set has a name");
        fuzz_demand(strncmp(recovery->salt, "$y$", 3) == 0, "the salt is yescrypt's");
        fuzz_demand(recovery_count(recovery) >= 1 && recovery_count(recovery) <= RECOVERY_CODES_MAX,
                    "each code has a bit");
    } else {
        fuzz_demand(recovery == NULL, "the output changes only on success");
        demand_refusal(&why_not);
    }
    recovery_free(&recovery);
}

static void try_bypass(const char *text)
{
    struct bypass *bypass = NULL;
    struct verdict why_not = { 0 };
    int left;

    if (bypass_parse(text, "SHOWN", &bypass, &why_not)) {
        struct boot_moment now = { .seconds = bypass->until - 1 };
        fuzz_demand(text_is_clean(bypass->reason, strlen(bypass->reason)), "a reason is clean");
        fuzz_demand(boot_is_id(bypass->boot_id), "a bypass is for one boot");
        fuzz_demand(!bypass_counts(bypass, &now, &left, &why_not), "and for no other");
        strcpy(now.id, bypass->boot_id);
        fuzz_demand(bypass_counts(bypass, &now, &left, &why_not) && left == 1, "a bypass counts");
        now.seconds++;
        fuzz_demand(!bypass_counts(bypass, &now, &left, &why_not), "a bypass ends");
        now.seconds -= BYPASS_SECONDS_MAX + 1;
        fuzz_demand(!bypass_counts(bypass, &now, &left, &why_not), "it lasts a day at most");
    } else {
        fuzz_demand(bypass == NULL, "the output changes only on success");
        demand_refusal(&why_not);
    }
    bypass_free(&bypass);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    char code[RECOVERY_CODE_SIZE];

    try_recovery(text);
    try_bypass(text);
    if (recovery_read_code(text, code))
        fuzz_demand(strlen(code) == RECOVERY_CODE_LENGTH &&
                        strspn(code, RECOVERY_LETTERS) == RECOVERY_CODE_LENGTH,
                    "a recovery code is letters");
    free(text);
    return 0;
}
