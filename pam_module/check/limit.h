/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The clock that ends a login, which nothing in this process can hold up: a resolver may hang for longer
 * than the login may take, and its thread is not waited for. It ticks, so that it tells as well for how
 * long this process was not let run. There is one for a process, as ITIMER_REAL of setitimer(2) is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the log is to say where limit_is_held_up(). */
#define LIMIT_HELD_UP                                                                              \
    "this host did not let the check program run: is its user's cgroup frozen or throttled?"

/* From here on SIGALRM is the clock's, and SIGCONT ends the process with EXIT_FAILURE and without a
 * verdict: somebody has stopped it. Not before the process is root's alone: who may signal it could
 * choose the verdict. */
void limit_begin(void);

/* The login ends a moment after the time DEADLINE_MS of dialogue_clock_ms(), or after now where that is
 * over: with a last line on standard output, "unavailable", or "misconfigured" where
 * limit_is_held_up(), and status 0. HTTP_FOREVER of http.h: without an end until the next call. */
void limit_set(int64_t deadline_ms);

/* Whether this host, by a cgroup that its user may freeze or throttle for instance, kept us from
 * working for most of the time under limits: that is no outage, and must not open what an outage
 * opens. */
bool limit_is_held_up(void);
