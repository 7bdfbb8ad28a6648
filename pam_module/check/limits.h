/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The resource limits of the check program; setrlimit(2). */
#pragma once

#include <stdbool.h>

#include "../core/verdict.h"

/* Sets every limit, soft and hard, from one table. If root lacks CAP_SYS_RESOURCE, as in many
 * containers, a hard limit that is too low stays if it is enough for a login. Without root it stays
 * in any case. False, with OUTCOME_MISCONFIGURED in *WHY_NOT: it is not enough, or the kernel
 * refuses. */
bool limits_set(struct verdict *why_not);
