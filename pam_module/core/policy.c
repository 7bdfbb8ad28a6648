/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether a login needs a second factor. */
#include "policy.h"

enum policy policy_find(const struct settings *settings, const char *service, const char *user,
                        struct enrollment **ret_enrollment, struct verdict *why_not)
{
    if (settings_exempts(settings, service))
        return POLICY_EXEMPT;

    switch (enrollment_find(settings->users_dir, user, ret_enrollment, why_not)) {
    case ENROLLMENT_FOUND:
        return POLICY_ENROLLED;
    case ENROLLMENT_NONE:
        return settings->unmapped_user == SETTINGS_UNMAPPED_IGNORE ? POLICY_IGNORED : POLICY_DENIED;
    case ENROLLMENT_UNKNOWN:
        return POLICY_DENIED;
    case ENROLLMENT_REFUSED:
        break;
    }
    return POLICY_REFUSED;
}
