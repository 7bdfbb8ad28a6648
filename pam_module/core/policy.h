/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether a login needs a second factor at all. The check program obeys it, and the tool explains it. */
#pragma once

#include "enrollment.h"
#include "settings.h"
#include "verdict.h"

/* The first rule that fits decides. */
enum policy {
    POLICY_REFUSED,  /* a file can't be trusted or read: nobody gets in */
    POLICY_EXEMPT,   /* the service is in exempt_services: not asked */
    POLICY_IGNORED,  /* an account that is not enrolled, and unmapped_user is "ignore": not asked */
    POLICY_DENIED,   /* not enrolled: asked like everybody, and denied */
    POLICY_ENROLLED, /* asked */
};

/* Decides for USER, any bytes, on the PAM service SERVICE. *RET_ENROLLMENT is filled on
 * POLICY_ENROLLED alone, *WHY_NOT on POLICY_REFUSED alone. */
enum policy policy_find(const struct settings *settings, const char *service, const char *user,
                        struct enrollment **ret_enrollment, struct verdict *why_not);
