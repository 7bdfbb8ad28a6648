/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program may do: all of root's first, then nothing, for good. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "../core/verdict.h"

/* Makes the process the same whoever called the host: real uid and gid 0, every resource limit from
 * one table, an ordinary share of all processors, no environment, working directory /, umask 077, not
 * dumpable, no new privileges. Not as root it does what it can. False, with OUTCOME_MISCONFIGURED in
 * *WHY_NOT: run set-user-ID to somebody who is not root, or the kernel refuses. */
bool privileges_take(struct verdict *why_not);

/* Gives this process the processor's time that one login may take; privileges_take() gave it, or the
 * process that forked it, all there is. False, with OUTCOME_MISCONFIGURED in *WHY_NOT: the kernel
 * refuses. */
bool privileges_bound(struct verdict *why_not);

/* For a process that was never root, instead of privileges_drop(): gives up what capabilities it was
 * started with, for good, and checks that it is no more than its account: not root's by user or group,
 * in the account's group and no other (getgroups(2) may repeat it). False, with OUTCOME_MISCONFIGURED
 * in *WHY_NOT: it is more, no account has its uid, or the kernel refuses. */
bool privileges_renounce(struct verdict *why_not);

/* The uid that privileges_drop() would lead to. False: no such account. */
bool privileges_find(const char *run_as, uid_t *ret_account);

/* Becomes the account RUN_AS for good, without groups and capabilities, and checks it. Where the
 * process is not root the account must exist, and nothing changes. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT: no such account, root's, or the kernel refuses. */
bool privileges_drop(const char *run_as, struct verdict *why_not);
