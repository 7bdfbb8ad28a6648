/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The check program as a child of the host: start it, speak the dialogue with it, be rid of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../core/dialogue.h"
#include "sigchld.h"

/* A running check program. Only helper_start() makes one, only helper_finish() and helper_stop()
 * end it. A host may reap our children or ignore SIGCHLD: it is known by its pidfd alone. */
struct helper {
    int pidfd;
    pid_t pid; /* as SIGCHLD names it; nothing is done to this number */
    struct sigchld sigchld;
    struct dialogue_reader reader; /* on the module's end of the socketpair */
};

/* What an ended or never started helper looks like. */
#define HELPER_NONE                                                                                \
    {                                                                                              \
        .pidfd = -1, .reader = {.descriptor = -1 }                                                 \
    }

/* Starts PATH with the arguments "--settings SETTINGS", an empty environment, default signals, a
 * session of its own and no descriptor but 0 to 2. SIGCHLD is blocked in this thread from now on,
 * until helper_stop(). False, with OUTCOME_BROKEN in *WHY_NOT: it can't be started; or it can't be
 * watched, which this process tries on itself first (pidfd_open(2): Linux 5.4, and the seccomp
 * profile of a container). */
bool helper_start(const char *path, const char *settings, struct helper *ret_helper,
                  struct verdict *why_not);

/* Sends one line. That the other side is gone shows at the next helper_receive(); where LINE could
 * not be sent, the other side sees the end of file. */
void helper_send(struct helper *helper, const char *line);

/* Nobody will answer any more: the other side sees the end of file. */
void helper_hang_up(struct helper *helper);

/* Waits TIMEOUT_MS at most for a line and parses it; RET_MESSAGE points into LINE. False, with
 * OUTCOME_BROKEN in *WHY_NOT: silence, the end of file, or a line that is none. */
bool helper_receive(struct helper *helper, int64_t timeout_ms, char line[DIALOGUE_LINE_SIZE],
                    struct dialogue_message *ret_message, struct verdict *why_not);

/* Around whatever the host does in this thread meanwhile, that is the conversation: what it starts
 * then inherits its mask. */
void helper_release_signals(struct helper *helper);
void helper_hold_signals(struct helper *helper);

/* After the verdict: reads to the end of file and reaps. False, with OUTCOME_BROKEN in *WHY_NOT:
 * it said more, does not end, or ended with another status than 0. A status that the host took
 * away is no veto: the verdict was whole. */
bool helper_finish(struct helper *helper, struct verdict *why_not);

/* Ends HELPER: closes our side, waits PATIENCE_MS, kills, reaps, and gives the host its signals
 * back. Takes an ended one too. */
void helper_stop(struct helper *helper, int64_t patience_ms);
