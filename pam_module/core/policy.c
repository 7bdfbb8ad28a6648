/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether a login needs a second factor. */
#include "policy.h"

#include <string.h>

/* A bypass that can't be read, or has ended, does not count: the user is asked. */
static bool is_bypassed(const struct settings *settings, const char *user,
                        struct policy_findings *findings)
{
    struct verdict *no_bypass = &findings->no_bypass;
    struct boot_moment now;

    switch (bypass_read(settings->runtime_dir, user, &findings->bypass, no_bypass)) {
    case TRUSTED_READ:
        break;
    case TRUSTED_ABSENT:
        *no_bypass = (struct verdict){ 0 };
        return false;
    case TRUSTED_REFUSED:
        return false;
    }
    if (!boot_now(&now))
        return verdict_refuse(no_bypass, OUTCOME_MISCONFIGURED,
                              "cannot check the bypass: cannot read the clock");
    return bypass_counts(findings->bypass, &now, &findings->bypass_left_seconds, no_bypass);
}

enum policy policy_find(const struct settings *settings, const char *service, const char *user,
                        struct policy_findings *findings, struct verdict *why_not)
{
    if (settings_exempts(settings, service))
        return POLICY_EXEMPT;

    switch (enrollment_find(settings->users_dir, user, &findings->enrollment, why_not)) {
    case ENROLLMENT_FOUND:
        return is_bypassed(settings, findings->enrollment->user, findings) ? POLICY_BYPASSED
                                                                           : POLICY_ENROLLED;
    case ENROLLMENT_NONE:
        if (is_bypassed(settings, user, findings))
            return POLICY_BYPASSED;
        return settings->unmapped_user == SETTINGS_UNMAPPED_IGNORE ? POLICY_IGNORED : POLICY_DENIED;
    case ENROLLMENT_UNKNOWN:
        return POLICY_DENIED;
    case ENROLLMENT_REFUSED:
        break;
    }
    return POLICY_REFUSED;
}

const char *policy_prompt(const struct settings *settings, const struct enrollment *enrollment)
{
    static const char usual[] = "Verification code: ";

    if (enrollment == NULL || enrollment->push_factor_sid == NULL ||
        strcmp(settings->prompt, usual) != 0)
        return settings->prompt;
    return enrollment->factor_sid != NULL ? "Verification code, or \"push\": "
                                          : "Type \"push\" to ask your phone: ";
}

void policy_free(struct policy_findings *findings)
{
    enrollment_free(&findings->enrollment);
    bypass_free(&findings->bypass);
}
