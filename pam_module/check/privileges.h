/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program may do: all of root's first, then nothing, for good. */
#pragma once

#include <stdbool.h>

#include "../core/verdict.h"

/* Makes the process the same whoever called the host: real uid and gid 0, every resource limit from
 * one table, an ordinary share of all processors, no environment, working directory /, umask 077, not
 * dumpable, no new privileges. Not as root it does what it can. False, with OUTCOME_MISCONFIGURED in
 * *WHY_NOT: run set-user-ID to somebody who is not root, or the kernel refuses. */
bool privileges_take(struct verdict *why_not);

/* Becomes the account RUN_AS for good, without groups and capabilities, and checks it. Where the
 * process is not root the account must exist, and nothing changes. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT: no such account, root's, or the kernel refuses. */
bool privileges_drop(const char *run_as, struct verdict *why_not);
