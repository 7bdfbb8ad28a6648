/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* twilio.so. It is found and checked as root, but loaded after root is dropped and the question is
 * out, so that the constructors of libcurl's thirty libraries do not run as root. */
#pragma once

#include "../core/verdict.h"
#include "../twilio/challenge.h"

/* Opens twilio.so beside the running program, or at the compiled-in path where there is none. The
 * caller closes. -1, with OUTCOME_MISCONFIGURED in *WHY_NOT: absent, not root's, writable by
 * others, or /proc is not mounted. */
int library_open(struct verdict *why_not);

/* Loads what library_open() opened; it stays loaded. False, with OUTCOME_MISCONFIGURED in *WHY_NOT:
 * it does not load, or is of another version. */
bool library_load(int library, const struct challenge_api **ret_api, struct verdict *why_not);
