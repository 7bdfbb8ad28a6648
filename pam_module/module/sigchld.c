/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The host's SIGCHLD. */
#include "sigchld.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIGNALS_MAX = 2 }; /* one that is pending for this thread, one for the process */

/* Each by itself: waitid(2) shows the first change alone, and a child that has long been stopped
 * must not hide one that has ended. */
static const int kinds[SIGCHLD_KINDS] = { WEXITED, WSTOPPED, WCONTINUED };

static sigset_t only_sigchld(void)
{
    sigset_t only;

    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    return only;
}

static bool is_pending(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGCHLD) == 1;
}

/* *RET_CHANGE is 0 where there is none. */
static bool find_change(int kind, siginfo_t *ret_change)
{
    *ret_change = (siginfo_t){ 0 };
    return waitid(P_ALL, 0, ret_change, kind | WNOHANG | WNOWAIT) == 0 && ret_change->si_pid != 0;
}

static bool has_child(idtype_t which, pid_t child)
{
    siginfo_t change;

    return waitid(which, (id_t)child, &change, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void sigchld_hold(struct sigchld *sigchld)
{
    sigset_t only = only_sigchld(), old;

    if (sigchld->is_held || pthread_sigmask(SIG_BLOCK, &only, &old) != 0)
        return;
    sigchld->is_held = true;
    sigchld->was_blocked = sigismember(&old, SIGCHLD) == 1;
}

void sigchld_note(struct sigchld *sigchld, bool has_ended)
{
    sigchld->has_ended = sigchld->has_ended || has_ended;
    sigchld->was_pending = is_pending();
    if (sigchld->has_ended || (sigchld->is_noted && sigchld->was_pending))
        return;
    if (!sigchld->is_noted)
        sigchld->had_children = has_child(P_ALL, 0);
    for (size_t i = 0; i < SIGCHLD_KINDS; i++)
        find_change(kinds[i], &sigchld->noted[i]);
    sigchld->is_noted = true;
}

/* Whether a child of the host's has changed since, which the host has not waited for. */
static bool has_news(const struct sigchld *sigchld, int changes, siginfo_t *ret_change)
{
    for (size_t i = 0; i < SIGCHLD_KINDS; i++) {
        const siginfo_t *noted = &sigchld->noted[i];
        if ((kinds[i] & changes) != 0 && find_change(kinds[i], ret_change) &&
            (ret_change->si_pid != noted->si_pid || ret_change->si_code != noted->si_code ||
             ret_change->si_status != noted->si_status))
            return true;
    }
    return false;
}

/* To the process, with all that it says: a handler may wait for the child that it names, and a
 * signalfd(2) may be read by another thread. The kernel lets nobody say all that to others than
 * himself, for whom it takes the number of the thread. */
static void give_back(siginfo_t *signal)
{
    pid_t thread = gettid();
    long given = signal->si_code == SI_TKILL
                     ? syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, SIGCHLD, signal)
                     : syscall(SYS_rt_sigqueueinfo, thread, SIGCHLD, signal);

    if (given != 0)
        kill(getpid(), SIGCHLD);
}

/* Of a child that could not be started, the number is unknown; but it is nobody's child any
 * more. */
static bool is_of(const siginfo_t *signal, pid_t child)
{
    return signal->si_code > 0 &&
           (child != 0 ? signal->si_pid == child : !has_child(P_PID, signal->si_pid));
}

/* Takes what is pending. Whether the signal of CHILD was among it, which is left out. */
static bool take(pid_t child, siginfo_t others[SIGNALS_MAX], size_t *ret_count)
{
    const struct timespec at_once = { 0 };
    sigset_t only = only_sigchld();
    bool is_found = false;

    *ret_count = 0;
    while (*ret_count < SIGNALS_MAX && sigtimedwait(&only, &others[*ret_count], &at_once) > 0) {
        if (is_of(&others[*ret_count], child))
            is_found = true;
        else
            (*ret_count)++;
    }
    return is_found;
}

void sigchld_settle(const struct sigchld *sigchld, pid_t child)
{
    int changes = sigchld->has_ended ? WEXITED : 0; /* that may have been lost */
    siginfo_t others[SIGNALS_MAX], change;
    struct sigaction action;
    size_t count;

    if (!sigchld->is_held || sigaction(SIGCHLD, NULL, &action) != 0 ||
        (child == 0 && sigchld->was_pending) ||
        ((action.sa_flags & SA_NOCLDWAIT) != 0 && (sigchld->had_children || has_child(P_ALL, 0))))
        return;

    if (take(child, others, &count))
        changes |= WEXITED | ((action.sa_flags & SA_NOCLDSTOP) == 0 ? WSTOPPED | WCONTINUED : 0);
    for (size_t i = 0; i < count; i++)
        give_back(&others[i]);
    if (has_news(sigchld, changes, &change))
        give_back(&change);
}

void sigchld_release(struct sigchld *sigchld)
{
    sigset_t only = only_sigchld();

    if (sigchld->is_held && !sigchld->was_blocked)
        pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    sigchld->is_held = false;
}
