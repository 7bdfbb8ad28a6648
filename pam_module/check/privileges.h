/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Dropping root for good. */
#pragma once

#include <stdbool.h>

#include "../core/verdict.h"

/* Becomes the account RUN_AS for good, without groups and capabilities, and checks it. Where the
 * process is not root the account must exist, and nothing changes. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT: no such account, root's, or the kernel refuses. */
bool privileges_drop(const char *run_as, struct verdict *why_not);

/* False, with OUTCOME_MISCONFIGURED in *WHY_NOT: WHAT, errno, and which settings of a unit to check
 * (systemd.exec(5)). */
bool privileges_refuse(struct verdict *why_not, const char *what);
