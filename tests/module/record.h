/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What happened during the logins, in order: calls, messages, log lines, delays.
 *
 * The program that links this also captures syslog(3) and pam_fail_delay(3): its own definitions
 * of them come before libc's and libpam's, in every library of the process. Nothing is logged and
 * nothing sleeps. */
#pragma once

#include <stdio.h>

/* Begins; once, before the first call of anything else. Safe from several threads afterwards. */
void record_open(void);

/* From now on counts the codes of the calls, and keeps nothing else: what a host remembers
 * grows. */
void record_only_codes(void);

/* "authenticate" or "setcred" for USER, the PAM code that it returned, and how long it took. */
void record_call(const char *call, const char *user, int code, long elapsed_ms);

/* One message that the conversation was handed, by PAM's number of its style. */
void record_message(int style, const char *text);

/* The delay that libpam made of the modules' wishes: what PAM_FAIL_DELAY was called with. */
void record_delay(unsigned microseconds);

/* Prints "calls", "messages", "log", "fail_delays", "delays" and "codes" as members of a JSON
 * object, and ends the recording. */
void record_print(FILE *out);

/* Prints TEXT as a JSON string in which \u00XX stands for the byte XX, whatever it means. */
void record_print_string(FILE *out, const char *text);
