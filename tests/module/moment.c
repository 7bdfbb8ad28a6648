/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* When, in a login, a child changes. */
#include "moment.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIFETIME_SECONDS = 120, CHILD_MS = 3000 };

pid_t moment_child;

static int told[2]; /* by a child that goes on */

_Noreturn void moment_give_up(const char *what)
{
    fprintf(stderr, "children-host: %s: %s\n", what, strerror(errno));
    _exit(2);
}

/* Busy, since a sleep has no such fine end. */
static void spin(long nanoseconds)
{
    struct timespec begin, now;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < nanoseconds);
}

static void sleep_us(long microseconds)
{
    struct timespec left = { 0, microseconds * 1000 };

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static pid_t start_child(void)
{
    pid_t child = fork();

    if (child < 0)
        moment_give_up("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(LIFETIME_SECONDS);
    }
    return child;
}

pid_t moment_start_sleeper(const char *fifo)
{
    pid_t child = start_child();

    (void)fifo;
    while (child == 0)
        pause();
    return child;
}

static bool has_ended(pid_t child)
{
    struct pollfd poller = { .fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN };
    int ready;

    if (poller.fd < 0)
        return true; /* reaped */
    do
        ready = poll(&poller, 1, CHILD_MS);
    while (ready < 0 && errno == EINTR);
    close(poller.fd);
    return ready == 1;
}

static void await_end(pid_t child)
{
    if (!has_ended(child))
        moment_give_up("a child does not end");
}

/* Waits for a stop or a continuation, and leaves it to be waited for. */
static void await_change(pid_t child, int change)
{
    siginfo_t info;

    while (waitid(P_PID, (id_t)child, &info, change | WNOWAIT) != 0)
        if (errno != EINTR)
            return;
}

static pid_t end_before(const char *fifo)
{
    pid_t child = start_child();

    (void)fifo;
    if (child == 0)
        _exit(0);
    await_end(child);
    return child;
}

static pid_t end_and_reap_before(const char *fifo)
{
    pid_t child = end_before(fifo);

    while (waitpid(child, NULL, 0) != child && errno == EINTR)
        ;
    return child;
}

static pid_t raise_before(const char *fifo)
{
    (void)fifo;
    raise(SIGCHLD); /* for this thread alone */
    return 0;
}

static pid_t kill_before(const char *fifo)
{
    (void)fifo;
    kill(getpid(), SIGCHLD);
    return 0;
}

static pid_t stop_before(const char *fifo)
{
    pid_t child = moment_start_sleeper(fifo);

    kill(child, SIGSTOP);
    await_change(child, WSTOPPED);
    return child;
}

static void tell(int number)
{
    (void)number;
    if (write(told[1], "", 1) != 1)
        _exit(1);
}

/* The kernel signals it when the child runs again, before any handler of the child's. */
static pid_t continue_before(const char *fifo)
{
    char byte;
    pid_t child;

    if (pipe2(told, O_CLOEXEC) != 0)
        moment_give_up("pipe2");
    signal(SIGCONT, tell);
    child = stop_before(fifo);
    signal(SIGCONT, SIG_DFL);
    kill(child, SIGCONT);
    if (read(told[0], &byte, 1) != 1)
        moment_give_up("a child does not go on");
    close(told[0]);
    close(told[1]);
    return child;
}

static pid_t trace_before(const char *fifo)
{
    pid_t child = moment_start_sleeper(fifo);

    if (ptrace(PTRACE_SEIZE, child, NULL, NULL) != 0 ||
        ptrace(PTRACE_INTERRUPT, child, NULL, NULL) != 0)
        moment_give_up("ptrace");
    await_change(child, WSTOPPED);
    return child;
}

static long random_ns(long most)
{
    return (long)(drand48() * (double)most);
}

/* At any moment of a login, which takes some milliseconds. */
static pid_t end_whenever(const char *fifo)
{
    long nanoseconds = random_ns(6000000);
    pid_t child = start_child();

    (void)fifo;
    if (child != 0)
        return child;
    sleep_us(nanoseconds / 1000);
    _exit(0);
}

/* A moment before, when or after the check program does. */
static pid_t end_with_the_check_program(const char *fifo)
{
    long nanoseconds = random_ns(600000);
    pid_t child = start_child();

    if (child != 0)
        return child;
    if (open(fifo, O_RDONLY | O_CLOEXEC) < 0)
        _exit(1);
    spin(nanoseconds);
    _exit(0);
}

static pid_t stop_with_the_check_program(const char *fifo)
{
    long nanoseconds = random_ns(600000);
    pid_t child = start_child();

    if (child != 0)
        return child;
    if (open(fifo, O_RDONLY | O_CLOEXEC) < 0)
        _exit(1);
    spin(nanoseconds);
    raise(SIGSTOP);
    _exit(0);
}

static void end_own(const char *fifo)
{
    (void)fifo;
    kill(moment_child, SIGKILL);
    await_end(moment_child);
}

static void stop_own(const char *fifo)
{
    (void)fifo;
    kill(moment_child, SIGSTOP);
    await_change(moment_child, WSTOPPED);
}

/* One of its moment_child and the check program, for which there is one signal then: theirs is the
 * first that a handler finds. */
static void end_both(const char *fifo)
{
    siginfo_t info;
    sigset_t only, old;
    int told_to_end;

    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &only, &old);
    told_to_end = open(fifo, O_RDONLY | O_CLOEXEC);
    waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
    close(told_to_end);
    moment_child = end_before(fifo);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static pid_t start_nobody(const char *fifo)
{
    (void)fifo;
    return 0;
}

static const struct moment moments[] = {
    { "none", MOMENT_BEFORE, MOMENT_NOTHING, start_nobody, NULL },
    { "lives", MOMENT_BEFORE, MOMENT_NOTHING, moment_start_sleeper, NULL },
    { "ended before", MOMENT_BEFORE, MOMENT_END, end_before, NULL },
    { "ended before, pending", MOMENT_PENDING, MOMENT_END, end_before, NULL },
    { "reaped before, pending", MOMENT_PENDING, MOMENT_END, end_and_reap_before, NULL },
    { "raised before, pending", MOMENT_PENDING, MOMENT_END, raise_before, NULL },
    { "sent before, pending", MOMENT_PENDING, MOMENT_END, kill_before, NULL },
    { "stopped before", MOMENT_BEFORE, MOMENT_STOP, stop_before, NULL },
    { "continued before", MOMENT_BEFORE, MOMENT_STOP, continue_before, NULL },
    { "traced before", MOMENT_BEFORE, MOMENT_STOP, trace_before, NULL },
    { "ends in the conversation", MOMENT_DURING, MOMENT_END, moment_start_sleeper, end_own },
    { "stops in the conversation", MOMENT_DURING, MOMENT_STOP, moment_start_sleeper, stop_own },
    { "both end in the conversation", MOMENT_DURING, MOMENT_END, start_nobody, end_both },
    { "ends whenever", MOMENT_DURING, MOMENT_END, end_whenever, NULL },
    { "ends with the check program", MOMENT_DURING, MOMENT_END, end_with_the_check_program, NULL },
    { "stops with the check program", MOMENT_DURING, MOMENT_STOP, stop_with_the_check_program,
      NULL },
};

const struct moment *moment_find(const char *name)
{
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
        if (strcmp(moments[i].name, name) == 0)
            return &moments[i];
    return NULL;
}

void moment_begin(const struct moment *moment, const char *fifo)
{
    moment_child = 0;
    moment_child = moment->before(fifo);
}

void moment_await(const struct moment *moment)
{
    if (moment->when == MOMENT_DURING && moment->change == MOMENT_END)
        await_end(moment_child);
    if (moment->when == MOMENT_DURING && moment->change == MOMENT_STOP)
        await_change(moment_child, WSTOPPED);
}
