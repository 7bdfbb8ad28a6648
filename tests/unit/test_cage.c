/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The cage where a call of the kernel's fails. What it keeps out is for
 * tests/check/test_hostile.py. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check/cage.h"

enum { SHUT, REFUSED, WRONG };

static char state_dir[] = "/tmp/twilio-verify-cage-XXXXXX";

/* Calls of the kernel's that fail; both: the number, and errno. */
static struct {
    long call;
    int error;
    bool is_missing; /* also to the question whether it is there */
    int open_error;  /* of each openat(2); 0: none */
} failing;

int __real_openat64(int directory, const char *path, int flags, mode_t mode);
int __wrap_openat64(int directory, const char *path, int flags, mode_t mode);
int __wrap_openat64(int directory, const char *path, int flags, mode_t mode)
{
    if (failing.open_error != 0) {
        errno = failing.open_error;
        return -1;
    }
    return __real_openat64(directory, path, flags, mode);
}

int __real_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int __wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int __wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
    if (option == PR_SET_SECCOMP && failing.call == SYS_seccomp && (b != 0 || failing.is_missing)) {
        errno = failing.error;
        return -1;
    }
    return __real_prctl(option, a, b, c, d);
}

long __real_syscall(long number, unsigned long a, unsigned long b, unsigned long c,
                    unsigned long d);
long __wrap_syscall(long number, unsigned long a, unsigned long b, unsigned long c,
                    unsigned long d);
long __wrap_syscall(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
    bool is_question = number == SYS_landlock_create_ruleset && a == 0;

    if (number == failing.call && (!is_question || failing.is_missing)) {
        errno = failing.error;
        return -1;
    }
    return __real_syscall(number, a, b, c, d);
}

/* Runs ATTEMPT in a process of its own; returns what it does. */
static int run(int (*attempt)(void))
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0)
        _exit(attempt());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* SHUT: as far as this kernel can; REFUSED: so is the login. */
static int shut(void)
{
    struct settings settings = { .state_dir = state_dir };
    struct verdict why_not = { 0 };

    if (__real_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return WRONG;
    if (cage_shut(&settings, "alice", &why_not))
        return SHUT;
    return why_not.outcome == OUTCOME_MISCONFIGURED &&
                   strncmp(why_not.reason, "cannot apply the ", 17) == 0
               ? REFUSED
               : WRONG;
}

static int shut_where(long call, int error, bool is_missing)
{
    int result;

    failing.call = call;
    failing.error = error;
    failing.is_missing = is_missing;
    result = run(shut);
    failing.call = 0;
    return result;
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION, 0) >= 1;
}

/* 0 if no process can be made in the cage, or this kernel has no filters. */
static int split(void)
{
    pid_t child;

    if (shut() != SHUT)
        return WRONG;
    if (__real_prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0)
        return 0;
    child = fork();
    if (child == 0)
        _exit(0);
    return child > 0;
}

TEST(shuts_in)
{
    assert_int_equal(run(split), 0);
}

TEST(goes_on_where_the_kernel_has_no_cage)
{
    assert_int_equal(shut_where(SYS_landlock_create_ruleset, ENOSYS, true), SHUT);
    assert_int_equal(shut_where(SYS_landlock_create_ruleset, EOPNOTSUPP, true), SHUT);
    assert_int_equal(shut_where(SYS_landlock_create_ruleset, EPERM, true), SHUT);
    assert_int_equal(shut_where(SYS_seccomp, EINVAL, true), SHUT);
    assert_int_equal(shut_where(SYS_seccomp, EPERM, true), SHUT);
}

TEST(refuses_where_the_kernel_has_one_that_does_not_shut)
{
    static const int errors[] = { ENOMEM, EINVAL, E2BIG, EMFILE, EPERM };

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        assert_int_equal(shut_where(SYS_seccomp, errors[i], false), REFUSED);
        if (!has_landlock())
            continue;
        assert_int_equal(shut_where(SYS_landlock_create_ruleset, errors[i], false), REFUSED);
        assert_int_equal(shut_where(SYS_landlock_add_rule, errors[i], false), REFUSED);
        assert_int_equal(shut_where(SYS_landlock_restrict_self, errors[i], false), REFUSED);
    }
}

TEST(goes_on_where_a_file_is_not_there_or_closed)
{
    static const int errors[] = { ENOENT, ENOTDIR, EACCES, ELOOP, EIO, ESTALE, ENODEV };

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        failing.open_error = errors[i];
        assert_int_equal(run(shut), SHUT);
    }
    failing.open_error = 0;
}

/* Without the files a caller could make an outage of it. */
TEST(refuses_where_no_file_can_be_opened)
{
    static const int errors[] = { EMFILE, ENFILE, ENOMEM };

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        failing.open_error = errors[i];
        assert_int_equal(run(shut), has_landlock() ? REFUSED : SHUT);
    }
    failing.open_error = 0;
}

int unit_begin(void **state)
{
    (void)state;
    return mkdtemp(state_dir) == NULL;
}

int unit_end(void **state)
{
    char kept[64];

    (void)state;
    snprintf(kept, sizeof kept, "%s/certificates.links", state_dir);
    unlink(kept);
    return rmdir(state_dir);
}
