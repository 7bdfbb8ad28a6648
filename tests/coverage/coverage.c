/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A library that every program of a coverage build is linked with. The check program ends with
 * _exit(2), in a cage and as nobody: here the counters are written in spite of it, into files that
 * tests/coverage/run has made for everybody, below the directory COVERAGE_DIRECTORY. */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DUMPS_MAX = 16, ARGUMENTS = 6, SIZE_LEAST = 1024 * 1024 };

typedef void dump_function(void);

void coverage_register(dump_function *dump);
void coverage_write(dump_function *dump);
void faulty_hold(bool is_held) __attribute__((weak));

static dump_function *dumps[DUMPS_MAX];

void coverage_register(dump_function *dump)
{
    size_t i = 0;

    while (i < DUMPS_MAX && dumps[i] != NULL && dumps[i] != dump)
        i++;
    if (i < DUMPS_MAX)
        dumps[i] = dump;
}

/* Where no file may be written, libgcov would say so on the program's standard error. */
static void dump_or_say_nothing(dump_function *dump)
{
    struct rlimit limit;
    int errors, null;

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= SIZE_LEAST) {
        dump();
        return;
    }
    errors = dup(STDERR_FILENO);
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null, STDERR_FILENO);
    dump();
    dup2(errors, STDERR_FILENO);
    close(errors);
    close(null);
}

/* Whatever fails, and whatever the caller's limits are; the signals stay as they were. */
void coverage_write(dump_function *dump)
{
    const struct timespec now = { 0, 0 };
    sigset_t too_large, before;

    sigemptyset(&too_large);
    sigaddset(&too_large, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &too_large, &before);
    if (faulty_hold != NULL)
        faulty_hold(true);
    dump_or_say_nothing(dump);
    if (faulty_hold != NULL)
        faulty_hold(false);
    sigtimedwait(&too_large, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* A library that was unloaded has written its own. */
static bool is_loaded(dump_function *dump)
{
    Dl_info info;

    return dladdr((void *)dump, &info) != 0;
}

void _exit(int status)
{
    for (size_t i = 0; i < DUMPS_MAX && dumps[i] != NULL; i++)
        if (is_loaded(dumps[i]))
            coverage_write(dumps[i]);
    for (;;)
        ((long (*)(long, ...))dlsym(RTLD_NEXT, "syscall"))(SYS_exit_group, status);
}

/* The cage gets one more directory that may be written. */
long syscall(long number, ...)
{
    long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    long argument[ARGUMENTS];
    va_list values;

    va_start(values, number);
    for (int i = 0; i < ARGUMENTS; i++)
        argument[i] = va_arg(values, long);
    va_end(values);

    if (number == SYS_landlock_restrict_self) {
        struct landlock_path_beneath_attr rule = {
            .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
            .parent_fd = open(COVERAGE_DIRECTORY, O_PATH | O_CLOEXEC),
        };
        real(SYS_landlock_add_rule, argument[0], LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
        close(rule.parent_fd);
    }
    return real(number, argument[0], argument[1], argument[2], argument[3], argument[4],
                argument[5]);
}
