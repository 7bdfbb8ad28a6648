/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program inherits from the caller of the host. */
#pragma once

#include <stdbool.h>

#include "../core/verdict.h"

/* Makes the process the same for every caller of the host: real uid and gid 0, every resource limit
 * (limits.h), an ordinary share of processors, disks and memory, no environment, working directory
 * /, umask 077, not dumpable, no new privileges. Without root it does what it can. What root can't
 * reset stays as it is: a low priority without CAP_SYS_NICE; oom_score_adj, if the service was
 * given more than 0, without CAP_SYS_RESOURCE; what the seccomp profile of a container refuses.
 * Nobody can take PR_SET_MDWE and PR_SET_SPECULATION_CTRL back: they only restrict. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT: run set-user-ID to another account than root, a limit is too
 * low, or the kernel refuses. */
bool process_clean(struct verdict *why_not);
