/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* How a PAM application treats SIGCHLD. */
#include "treatment.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

volatile pid_t treatment_seen[TREATMENT_SEEN_MAX];
volatile sig_atomic_t treatment_seen_count;

static int signal_descriptor = -1;

void treatment_note(pid_t child)
{
    if (treatment_seen_count < TREATMENT_SEEN_MAX)
        treatment_seen[treatment_seen_count++] = child;
}

static void only_count(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    treatment_note(info->si_pid);
}

static void wait_for_all(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    only_count(number, info, context);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

static void wait_for_any(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    only_count(number, info, context);
    wait(NULL);
    errno = saved;
}

static void wait_for_the_named(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    only_count(number, info, context);
    waitpid(info->si_pid, NULL, 0);
    errno = saved;
}

pid_t treatment_take_pending(void)
{
    const struct timespec at_once = { 0 };
    siginfo_t info;
    sigset_t only;

    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    return sigtimedwait(&only, &info, &at_once) > 0 ? info.si_pid : 0;
}

static pid_t read_signal(void)
{
    struct signalfd_siginfo info;

    return read(signal_descriptor, &info, sizeof info) == sizeof info ? (pid_t)info.ssi_pid : 0;
}

static void reap_all(pid_t named)
{
    treatment_note(named);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void *watch_signalfd(void *none)
{
    struct pollfd poller = { .fd = signal_descriptor, .events = POLLIN };

    for (;;) {
        int child = poll(&poller, 1, -1) > 0 ? read_signal() : 0;
        if (child != 0)
            reap_all(child);
    }
    return none;
}

static void *watch_sigwait(void *none)
{
    siginfo_t info;
    sigset_t only;

    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    for (;;)
        if (sigwaitinfo(&only, &info) > 0)
            reap_all(info.si_pid);
    return none;
}

/* Whatever child it is: nobody else gets one to wait for. */
static void *watch_children(void *none)
{
    const struct timespec pause = { 0, 1000000 };

    for (;;)
        if (wait(NULL) < 0)
            nanosleep(&pause, NULL);
    return none;
}

static const struct treatment treatments[] = {
    { .name = "default", .disposition = SIG_DFL, .is_unseen = true },
    { .name = "ignored", .disposition = SIG_IGN, .is_unseen = true },
    { .name = "no-wait", .disposition = SIG_DFL, .flags = SA_NOCLDWAIT, .is_unseen = true },
    { .name = "no-wait-counted", .handle = only_count, .flags = SA_NOCLDWAIT },
    { .name = "no-stop-counted", .handle = only_count, .flags = SA_NOCLDSTOP },
    { .name = "counted", .handle = only_count },
    { .name = "waits-for-all", .handle = wait_for_all },
    { .name = "waits-for-any", .handle = wait_for_any, .flags = SA_NOCLDSTOP },
    { .name = "waits-for-the-named", .handle = wait_for_the_named, .flags = SA_NOCLDSTOP },
    { .name = "blocked",
      .disposition = SIG_DFL,
      .blocks = true,
      .collect = treatment_take_pending },
    { .name = "blocked-ignored",
      .disposition = SIG_IGN,
      .blocks = true,
      .collect = treatment_take_pending,
      .is_unseen = true },
    { .name = "signalfd", .disposition = SIG_DFL, .blocks = true, .collect = read_signal },
    { .name = "signalfd-thread", .disposition = SIG_DFL, .blocks = true, .watch = watch_signalfd },
    { .name = "sigwait-thread", .disposition = SIG_DFL, .blocks = true, .watch = watch_sigwait },
    { .name = "wait-thread", .disposition = SIG_DFL, .watch = watch_children, .is_unseen = true },
};

const struct treatment *treatment_find(const char *name)
{
    for (size_t i = 0; i < sizeof treatments / sizeof *treatments; i++)
        if (strcmp(treatments[i].name, name) == 0)
            return &treatments[i];
    return NULL;
}

bool treatment_begin(const struct treatment *treatment)
{
    struct sigaction action = { .sa_flags = treatment->flags | SA_RESTART };
    sigset_t only;
    pthread_t thread;

    if (treatment->handle != NULL) {
        action.sa_sigaction = treatment->handle;
        action.sa_flags |= SA_SIGINFO;
    } else {
        action.sa_handler = treatment->disposition;
    }
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    if (treatment->blocks)
        sigprocmask(SIG_BLOCK, &only, NULL);
    signal_descriptor = signalfd(-1, &only, SFD_NONBLOCK | SFD_CLOEXEC);
    return treatment->watch == NULL || pthread_create(&thread, NULL, treatment->watch, NULL) == 0;
}
