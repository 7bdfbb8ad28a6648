/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program can still do once its files are read: talk to the network, and read what
 * libraries, name service and TLS want. For anyone who gets hold of it through a reply. */
#pragma once

#include "../core/settings.h"
#include "../core/verdict.h"

/* Shuts this thread and those that it will start in, for good: by filter.h, and by landlock(7), so
 * that files are read where libraries, name service and TLS have them, and of state_dir the file of
 * USER alone is read and written, if it is there; NULL: none. From version 6 of Landlock's
 * interface no signal leaves this process, and no abstract socket outside is reached. Wants
 * no_new_privs. A kernel or a container without the one or the other shuts in less, and keeps
 * nobody from logging in. False, with OUTCOME_MISCONFIGURED in *WHY_NOT: it is there, and does not
 * restrict this process, as where memory is short; whoever could bring that about must not get a
 * process that is open. */
bool cage_shut(const struct settings *settings, const char *user, struct verdict *why_not);
