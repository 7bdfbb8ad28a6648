/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The host's SIGCHLD, which the end of our child must not change: a handler that waits for a child
 * that we have reaped would wait for ever.
 *
 * The kernel keeps one pending SIGCHLD for a process, and what it says of the child that raised it
 * first; signal(7). Not covered: another thread of the host that waits for SIGCHLD, or has it
 * unblocked, gets that of our child; and so does a host with children under SA_NOCLDWAIT, since
 * nothing says whether one of them has ended. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

enum { SIGCHLD_KINDS = 3 }; /* a child has ended, has stopped, goes on */

/* Initialise with { 0 }. */
struct sigchld {
    bool is_held, was_blocked; /* in this thread */
    bool is_noted, was_pending, had_children;
    bool has_ended;                 /* our child, while the host had its own mask */
    siginfo_t noted[SIGCHLD_KINDS]; /* changes of children that the host has not waited for */
};

/* Blocks SIGCHLD in this thread. */
void sigchld_hold(struct sigchld *sigchld);

/* Notes what the host knows of its children: what changes after that must raise SIGCHLD. To be
 * called before our child is started, and when the host had its own mask. HAS_ENDED: our child has,
 * whose signal the host may have had, and a signal of its own in it. */
void sigchld_note(struct sigchld *sigchld, bool has_ended);

/* After CHILD, ours, was reaped: takes its signal off. A signal of the host's own children is given
 * back as it was, also one that was lost in that of CHILD. CHILD 0: it ended before anybody knew
 * its number. */
void sigchld_settle(const struct sigchld *sigchld, pid_t child);

/* Gives this thread the mask of the host back. */
void sigchld_release(struct sigchld *sigchld);
