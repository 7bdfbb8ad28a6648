/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether a login needs a second factor at all. The check program acts on it; the tool explains
 * it. */
#pragma once

#include "bypass.h"
#include "enrollment.h"
#include "settings.h"
#include "verdict.h"

/* The first rule that fits decides. */
enum policy {
    POLICY_REFUSED,  /* a file can't be trusted or read: nobody gets in */
    POLICY_EXEMPT,   /* the service is in exempt_services: not asked */
    POLICY_BYPASSED, /* there is a bypass for the user: not asked until it ends */
    POLICY_IGNORED,  /* an account that is not enrolled, and unmapped_user is "ignore": not asked */
    POLICY_DENIED,   /* not enrolled: asked like everybody, and denied */
    POLICY_ENROLLED, /* asked */
};

/* What was found on the way. Initialise with { 0 }; policy_free() afterwards. */
struct policy_findings {
    struct enrollment *enrollment; /* of a user who is enrolled; NULL */
    struct bypass *bypass;         /* his, whether it counts or has ended; NULL */
    int bypass_left_seconds;       /* of one that counts */
    struct verdict no_bypass; /* why a bypass that is there does not count; no reason: none is */
};

/* Decides for USER, any bytes, on the PAM service SERVICE. *WHY_NOT is filled on POLICY_REFUSED
 * alone. A bypass belongs to the name of the enrollment; where there is none, to an account of
 * exactly the name USER. */
enum policy policy_find(const struct settings *settings, const char *service, const char *user,
                        struct policy_findings *findings, struct verdict *why_not);

/* What a user is asked, before what is known of this login stands: ENROLLMENT may be NULL. A prompt
 * of the administrator's own is asked of everybody. Static storage, or the settings'. */
const char *policy_prompt(const struct settings *settings, const struct enrollment *enrollment);

/* Frees what was found. */
void policy_free(struct policy_findings *findings);

#define auto_policy __attribute__((cleanup(policy_free))) struct policy_findings
