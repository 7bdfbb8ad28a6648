/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The check program as a child of the host. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/clock.h"
#include "../core/descriptor.h"

#define NULL_DEVICE "/dev/null"

enum { FINISH_MS = 5000, END_MS = 200, UNWATCHED_MS = 1000, STEP_MS = 10 };

/* Moves DESCRIPTOR above 2, whatever the host has closed: a conversation that reads its standard
 * input must not find one of ours there. -1 stays -1. */
static int move_up(int descriptor)
{
    int moved;

    if (descriptor < 0 || descriptor > STDERR_FILENO)
        return descriptor;
    moved = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(descriptor);
    return moved;
}

static bool open_socketpair(int *ret_ours, int *ret_theirs)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    *ret_ours = move_up(pair[0]);
    *ret_theirs = move_up(pair[1]);
    return *ret_ours >= 0 && *ret_theirs >= 0;
}

static int set_actions(posix_spawn_file_actions_t *actions, int theirs)
{
    int error = posix_spawn_file_actions_adddup2(actions, theirs, STDIN_FILENO);

    if (error == 0)
        error = posix_spawn_file_actions_adddup2(actions, theirs, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, NULL_DEVICE, O_RDWR, 0);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    return error;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;
    int error;

    sigfillset(&all);
    sigemptyset(&none);
    error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0)
        error = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    return error;
}

/* The caller of su chose the environment, the limits and the signals: give the child none. */
static int spawn(const char *path, const char *settings, int theirs, pid_t *ret_pid)
{
    char *const arguments[] = { (char *)path, (char *)"--settings", (char *)settings, NULL };
    char *const environment[] = { NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error;

    error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }

    error = set_actions(&actions, theirs);
    if (error == 0)
        error = set_attributes(&attributes);
    if (error == 0)
        error = posix_spawn(ret_pid, path, &actions, &attributes, arguments, environment);

    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* The pidfd of PID, which a host that reaps our children may have recycled: it must be one of our
 * own children, or nothing is ever signalled. */
static int open_pidfd(pid_t pid)
{
    siginfo_t info;
    int pidfd = move_up((int)syscall(SYS_pidfd_open, pid, 0));

    if (pidfd >= 0 && waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        close(pidfd);
        return -1;
    }
    return pidfd;
}

static bool refuse(struct verdict *why_not, const char *what, const char *how, int error)
{
    return verdict_refuse(why_not, OUTCOME_BROKEN, "%s %s: %s%s", what, how, strerror(error),
                          error == ENOSYS || error == EPERM
                              ? ": Linux 5.4 or later is needed, and that SystemCallFilter= of the "
                                "unit, or the seccomp profile of the container, allows it"
                              : "");
}

/* What will be done to the check program, tried on this process: later it would be too late. */
static bool can_watch(struct verdict *why_not)
{
    auto_close pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    siginfo_t info;

    if (pidfd < 0)
        return refuse(why_not, "pidfd_open", "failed", errno);
    if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) != 0)
        return refuse(why_not, "pidfd_send_signal", "failed", errno);
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno != ECHILD)
        /* EINVAL: it knows processes by their numbers alone. */
        return refuse(why_not, "waitid of a pidfd", "failed", errno == EINVAL ? ENOSYS : errno);
    return true;
}

/* Started, but without a pidfd: it ends by itself at the end of file. */
static void end_unwatched(struct sigchld *sigchld, pid_t pid, int *ours)
{
    descriptor_close(ours);
    for (int waited_ms = 0; waited_ms < UNWATCHED_MS; waited_ms += STEP_MS) {
        if (waitpid(pid, NULL, WNOHANG) != 0) {
            sigchld_settle(sigchld, pid);
            break;
        }
        poll(NULL, 0, STEP_MS);
    }
}

/* False: what was started is reaped, or ends by itself at the end of file. */
static bool start(const char *path, const char *settings, int *ours, int *theirs,
                  struct helper *helper, struct verdict *why_not)
{
    int error = spawn(path, settings, *theirs, &helper->pid);

    if (error != 0) {
        bool has_null = access(NULL_DEVICE, R_OK | W_OK) == 0;
        sigchld_settle(&helper->sigchld, 0);
        return refuse(why_not, has_null ? path : NULL_DEVICE,
                      has_null ? "cannot be started" : "cannot be opened", error);
    }

    descriptor_close(theirs); /* which makes room for the pidfd, where descriptors are few */
    helper->pidfd = open_pidfd(helper->pid);
    if (helper->pidfd < 0) {
        refuse(why_not, path, "ended at once, or cannot be watched", errno);
        end_unwatched(&helper->sigchld, helper->pid, ours);
        return false;
    }
    helper->reader.descriptor = *ours;
    *ours = -1;
    return true;
}

bool helper_start(const char *path, const char *settings, struct helper *ret_helper,
                  struct verdict *why_not)
{
    struct helper helper = HELPER_NONE;
    auto_close ours = -1;
    auto_close theirs = -1;

    if (!can_watch(why_not))
        return false;
    if (!open_socketpair(&ours, &theirs))
        return refuse(why_not, "socketpair", "failed", errno);

    sigchld_hold(&helper.sigchld);
    sigchld_note(&helper.sigchld, false);
    if (!start(path, settings, &ours, &theirs, &helper, why_not)) {
        sigchld_release(&helper.sigchld);
        return false;
    }
    *ret_helper = helper;
    return true;
}

static bool wait_for_end(int pidfd, int64_t timeout_ms)
{
    return descriptor_wait(pidfd, clock_ms() + timeout_ms) > 0;
}

/* Why there is no verdict. A unit's SystemCallFilter= kills what needs another call. */
static const char *describe_end(const struct helper *helper)
{
    siginfo_t end = { 0 };

    if (wait_for_end(helper->pidfd, END_MS) &&
        waitid(P_PIDFD, (id_t)helper->pidfd, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        (end.si_code == CLD_KILLED || end.si_code == CLD_DUMPED) && end.si_status == SIGSYS)
        return "the check program was killed by a filter of system calls: check SystemCallFilter= "
               "of the service's unit (for polkit: twilio-verify enable polkit-1)";
    return "the check program ended without a verdict";
}

void helper_hang_up(struct helper *helper)
{
    shutdown(helper->reader.descriptor, SHUT_WR);
}

void helper_send(struct helper *helper, const char *line)
{
    /* What was not sent must not be waited for: it sees the end of file. */
    if (!dialogue_write(helper->reader.descriptor, line))
        helper_hang_up(helper);
}

bool helper_receive(struct helper *helper, int64_t timeout_ms, char line[DIALOGUE_LINE_SIZE],
                    struct dialogue_message *ret_message, struct verdict *why_not)
{
    int64_t deadline_ms = clock_ms() + timeout_ms;

    switch (dialogue_read(&helper->reader, deadline_ms, line)) {
    case DIALOGUE_LINE:
        if (!dialogue_parse_message(line, ret_message))
            return verdict_refuse(why_not, OUTCOME_BROKEN,
                                  "the check program sent an invalid line: %s", line);
        return true;
    case DIALOGUE_NOTHING:
        return verdict_refuse(why_not, OUTCOME_BROKEN, "the check program was silent for %d ms",
                              (int)timeout_ms);
    case DIALOGUE_END:
        return verdict_refuse(why_not, OUTCOME_BROKEN, "%s", describe_end(helper));
    case DIALOGUE_BROKEN:
        break;
    }
    return verdict_refuse(why_not, OUTCOME_BROKEN, "the check program sent an incomplete line");
}

/* Reaps the check program, which has ended. Whether its status is 0, or not to be had. */
static bool reap(struct helper *helper)
{
    siginfo_t info = { 0 };
    int error;

    do
        error = waitid(P_PIDFD, (id_t)helper->pidfd, &info, WEXITED) == 0 ? 0 : errno;
    while (error == EINTR);

    sigchld_settle(&helper->sigchld, helper->pid);
    descriptor_close(&helper->pidfd);
    return error == ECHILD || (info.si_code == CLD_EXITED && info.si_status == 0);
}

void helper_release_signals(struct helper *helper)
{
    sigchld_release(&helper->sigchld);
}

void helper_hold_signals(struct helper *helper)
{
    siginfo_t end = { 0 };
    bool is_ours;

    sigchld_hold(&helper->sigchld);
    is_ours = waitid(P_PIDFD, (id_t)helper->pidfd, &end, WEXITED | WNOHANG | WNOWAIT) == 0;
    sigchld_note(&helper->sigchld, !is_ours || end.si_pid != 0);
}

bool helper_finish(struct helper *helper, struct verdict *why_not)
{
    char line[DIALOGUE_LINE_SIZE];
    int64_t deadline_ms = clock_ms() + FINISH_MS;

    if (dialogue_read(&helper->reader, deadline_ms, line) != DIALOGUE_END)
        return verdict_refuse(why_not, OUTCOME_BROKEN,
                              "the check program did not end after its verdict");
    if (!wait_for_end(helper->pidfd, FINISH_MS))
        return verdict_refuse(why_not, OUTCOME_BROKEN,
                              "the check program still runs after its verdict");
    if (!reap(helper))
        return verdict_refuse(why_not, OUTCOME_BROKEN,
                              "the check program failed after its verdict");
    return true;
}

void helper_stop(struct helper *helper, int64_t patience_ms)
{
    if (helper->pidfd >= 0) {
        helper_hang_up(helper);
        if (!wait_for_end(helper->pidfd, patience_ms))
            syscall(SYS_pidfd_send_signal, helper->pidfd, SIGKILL, NULL, 0);
        if (wait_for_end(helper->pidfd, FINISH_MS))
            reap(helper);
    }
    descriptor_close(&helper->pidfd);
    descriptor_close(&helper->reader.descriptor);
    sigchld_release(&helper->sigchld);
}
