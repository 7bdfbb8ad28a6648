/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program inherits from whoever called the host. */
#pragma once

#include <stdbool.h>

#include "../core/verdict.h"

/* Makes the process the same whoever called the host: real uid and gid 0, every resource limit
 * (limits.h), an ordinary share of all processors, no environment, working directory /, umask 077,
 * not dumpable, no new privileges. Not as root it does what it can. Where root lacks CAP_SYS_NICE,
 * as in many containers, the priority stays as it is.
 *
 * False, with OUTCOME_MISCONFIGURED in *WHY_NOT: run set-user-ID to another account than root, a
 * limit is too low, or the kernel refuses. */
bool process_clean(struct verdict *why_not);
