/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A timer that ends a login, whatever else in this process hangs: the thread of a resolver may hang
 * for longer than the login may take, and nobody waits for it. Its verdict is never "unavailable",
 * because a caller of sudo can freeze or throttle this process. The login itself finds out which
 * side is the reason (move.h), and says so before the timer does if this host lets it run. A
 * process has one such timer, as it has one ITIMER_REAL (setitimer(2)). */
#pragma once

#include <stdint.h>

/* From here on SIGALRM is the timer's, and SIGCONT ends the process with EXIT_FAILURE and without a
 * verdict: somebody has stopped it. Call it only when the process is root's alone: an account that
 * may signal the process could choose the verdict. */
void deadline_begin(void);

/* The process ends a moment after the time DEADLINE_MS of clock_ms(), or after now where that
 * is over, with "misconfigured" as the last line on standard output, and status 0. HTTP_FOREVER of
 * http.h: without an end until the next call. */
void deadline_set(int64_t deadline_ms);
