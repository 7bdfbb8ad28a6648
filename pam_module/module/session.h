/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Lets the check program keep that this process has proved a code, or opens the session in which
 * that counts. */
#pragma once

#include "../core/dialogue.h"

/* Whose session it is, and what the check program is started with. */
struct session {
    const char *helper_path, *settings, *service, *user;
    /* Takes a line of the check program for the log; LEVEL is of syslog(3). */
    void (*log)(const void *context, int level, const char *text);
    const void *context;
};

/* Carries out TASK, which is no login, within five seconds. False: nothing counts, and *WHY_NOT
 * tells why. */
bool session_run(const struct session *session, enum dialogue_task task, struct verdict *why_not);
