/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A check program that is started once, for a host with many logins: it loads libcurl, waits at a
 * socket, and forks for each login that is handed over to it (handover.h). It is never root. */
#pragma once

#include <stdbool.h>

#include "../core/verdict.h"

/* Serves the listening socket at descriptor 0 (AF_UNIX, SOCK_SEQPACKET; systemd.socket(5) with
 * StandardInput=socket). For every connection by root LOGIN runs in a process of its own, without a signal
 * blocked, and does not return. Only fails, with the reason in *WHY_NOT: descriptor 0 is no such
 * socket, or a login was killed by a signal; the next server has another layout of its memory. */
bool server_run(void (*login)(void *context, int connection), void *context,
                struct verdict *why_not);
