/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lock of a call that changes something. */
#pragma once

/* Locks the file NAME in DIRECTORY, or AT_FDCWD, and makes it where it is missing. Only its owner
 * can open it: whoever can open a file or a directory for reading can lock it (flock(2)), and so
 * keep root out. The caller closes; the file stays, or its holder removes it. -1, with errno set:
 * EWOULDBLOCK where another call holds it. */
int lock_take(int directory, const char *name);
