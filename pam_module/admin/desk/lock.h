/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lock of a call that changes something. */
#pragma once

/* Locks the file NAME in DIRECTORY, or AT_FDCWD, and makes it where it is missing. Only its owner
 * can open it: whoever can open a file or a directory for reading can lock it (flock(2)), and so
 * keep root out. The caller ends it with lock_end(), or closes, and the file stays. -1, with errno
 * set: EWOULDBLOCK where another call holds it. */
int lock_take(int directory, const char *name);

/* Removes the file NAME in DIRECTORY, which LOCK holds, and lets others in. */
void lock_end(int directory, const char *name, int lock);
