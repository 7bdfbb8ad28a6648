/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program can still do once its files are read: talk to the network, and read what
 * libraries, name service and TLS want. For whoever gets hold of it through a reply. */
#pragma once

#include "../core/settings.h"
#include "../core/verdict.h"

/* Shuts this thread and those that it will start in, for good: by filter.h, so that system calls which
 * nothing here needs answer ENOSYS, and by landlock(7), so that files are read below a few folders and
 * written in state_dir alone. Wants no_new_privs. A kernel or a container without the one or the
 * other shuts in less, and keeps nobody from logging in. False, with OUTCOME_MISCONFIGURED in
 * *WHY_NOT: it is there, and does not shut in, as where memory is short; whoever could bring that
 * about must not get a process that is open. */
bool cage_shut(const struct settings *settings, struct verdict *why_not);
