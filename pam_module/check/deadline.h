/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The clock that ends a login, which nothing in this process can hold up: a resolver may hang for
 * longer than the login may take, and its thread is not waited for. Its verdict is never an outage:
 * whoever calls sudo can freeze or throttle this process. The login itself says who is to blame
 * (move.h), and it has said so by then where this host lets it run. There is one clock for a
 * process, as ITIMER_REAL of setitimer(2) is. */
#pragma once

#include <stdint.h>

/* From here on SIGALRM is the clock's, and SIGCONT ends the process with EXIT_FAILURE and without a
 * verdict: somebody has stopped it. Not before the process is root's alone: who may signal it could
 * choose the verdict. */
void deadline_begin(void);

/* The process ends a moment after the time DEADLINE_MS of clock_ms(), or after now where that
 * is over, with "misconfigured" as the last line on standard output, and status 0. HTTP_FOREVER of
 * http.h: without an end until the next call. */
void deadline_set(int64_t deadline_ms);
