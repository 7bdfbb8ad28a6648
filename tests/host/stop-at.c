/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* stop-at REPORT NUMBER MILLISECONDS PROGRAM...: runs PROGRAM, and stops all its threads, without a
 * signal, when one of them enters its system call of that NUMBER after it has set a timer: from 1
 * on. It goes on MILLISECONDS after the timer was set; where that is "kill", PROGRAM is killed
 * there. REPORT gets "stopped CALL HELD", CALL being the kernel's number of the call and HELD the
 * milliseconds that it stood still, or "ended 0 0" where there were not so many. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 16, FAILURE = 125, KILL_MS = -1 };

static struct {
    pid_t threads[THREADS_MAX];
    size_t count;
    pid_t program;
    int64_t began_ms; /* the timer was set; 0: not yet */
    long left;        /* calls to come */
} tracee;

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "stop-at: %s: %s\n", what, strerror(errno));
    if (tracee.program > 0)
        kill(tracee.program, SIGKILL);
    exit(FAILURE);
}

static void report(const char *path, const char *word, unsigned long long call, int64_t held_ms)
{
    FILE *file = fopen(path, "we");

    if (file == NULL || fprintf(file, "%s %llu %lld\n", word, call, (long long)held_ms) < 0 ||
        fclose(file) != 0)
        fail(path);
}

/* The program waits until it is traced. */
static pid_t start(char **command)
{
    int gate[2];
    pid_t program;
    char byte;

    if (pipe2(gate, O_CLOEXEC) != 0 || (program = fork()) < 0)
        fail("fork");
    if (program == 0) {
        close(gate[1]);
        if (read(gate[0], &byte, 1) < 0)
            _exit(FAILURE);
        execv(command[0], command);
        _exit(FAILURE);
    }
    if (ptrace(PTRACE_SEIZE, program, NULL,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) != 0 ||
        ptrace(PTRACE_INTERRUPT, program, NULL, NULL) != 0)
        fail("ptrace");
    close(gate[0]);
    close(gate[1]);
    return program;
}

static void add(pid_t thread)
{
    for (size_t i = 0; i < tracee.count; i++)
        if (tracee.threads[i] == thread)
            return;
    if (tracee.count < THREADS_MAX)
        tracee.threads[tracee.count++] = thread;
}

static void drop(pid_t thread)
{
    for (size_t i = 0; i < tracee.count; i++)
        if (tracee.threads[i] == thread)
            tracee.threads[i] = tracee.threads[--tracee.count];
}

/* Whether the call sets a timer that runs. */
static bool sets_timer(pid_t thread, const struct __ptrace_syscall_info *info)
{
    struct itimerval timer = { 0 };
    struct iovec here = { &timer, sizeof timer };
    struct iovec there = { (void *)(uintptr_t)info->entry.args[1], sizeof timer };

    return info->entry.nr == SYS_setitimer &&
           process_vm_readv(thread, &here, 1, &there, 1, 0) == (ssize_t)sizeof timer &&
           (timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0);
}

/* Stops the other threads, lets time go by, and everybody go. */
static void hold(pid_t stopped, int64_t until_ms)
{
    for (size_t i = 0; i < tracee.count; i++)
        if (tracee.threads[i] != stopped &&
            ptrace(PTRACE_INTERRUPT, tracee.threads[i], NULL, NULL) == 0)
            waitpid(tracee.threads[i], NULL, __WALL);
    while (clock_ms() < until_ms)
        usleep(1000);
    for (size_t i = 0; i < tracee.count; i++)
        ptrace(PTRACE_DETACH, tracee.threads[i], NULL, NULL);
}

/* A thread enters a call. Whether it was the one to stop at. */
static bool enters(pid_t thread, const char *path, int64_t hold_ms)
{
    struct __ptrace_syscall_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return false;
    if (tracee.began_ms == 0 && sets_timer(thread, &info))
        tracee.began_ms = clock_ms();
    else if (tracee.began_ms != 0 && --tracee.left == 0) {
        int64_t held_ms = tracee.began_ms + hold_ms - clock_ms();
        report(path, "stopped", info.entry.nr, hold_ms != KILL_MS && held_ms > 0 ? held_ms : 0);
        if (hold_ms == KILL_MS)
            kill(tracee.program, SIGKILL); /* the call is not made */
        else
            hold(thread, tracee.began_ms + hold_ms);
        return true;
    }
    return false;
}

static int status_of(int status)
{
    if (WIFSIGNALED(status))
        raise(WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : FAILURE;
}

/* A thread that began meanwhile is still ours: until it is let go, or reaped, the program has no
 * end. */
static int await_end(void)
{
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0)
            fail("waitpid");
        if (WIFSTOPPED(status))
            ptrace(PTRACE_DETACH, thread, NULL,
                   (void *)(intptr_t)(status >> 16 == 0 ? WSTOPSIG(status) : 0));
        else if (thread == tracee.program)
            return status_of(status);
    }
}

/* Follows the program to the stop, or to its end. */
static int follow(const char *path, int64_t hold_ms)
{
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL);
        int signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
        if (thread < 0)
            fail("waitpid");
        if (!WIFSTOPPED(status)) {
            drop(thread);
            if (thread != tracee.program)
                continue;
            report(path, "ended", 0, 0);
            return status_of(status);
        }
        add(thread);
        if (signal == (SIGTRAP | 0x80) && enters(thread, path, hold_ms))
            break;
        /* What is no signal of somebody's is an event of ptrace's. */
        if ((status >> 16) != 0 || signal == (SIGTRAP | 0x80))
            signal = 0;
        ptrace(PTRACE_SYSCALL, thread, NULL, (void *)(intptr_t)signal);
    }

    return await_end();
}

int main(int argc, char **argv)
{
    if (argc < 5 || (tracee.left = atol(argv[2])) <= 0) {
        fputs("usage: stop-at REPORT NUMBER MILLISECONDS|kill PROGRAM...\n", stderr);
        return FAILURE;
    }
    tracee.program = start(argv + 4);
    return follow(argv[1], strcmp(argv[3], "kill") == 0 ? KILL_MS : atol(argv[3]));
}
