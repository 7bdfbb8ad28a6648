/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The cage, from inside: what somebody could try who runs his own code in the check program. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/cage.h"

/* OUT_BY_ACCOUNT: root could do it from inside, the account of a login can't. */
enum { IN = 0, OUT = 1, OUT_BY_ACCOUNT = 2, NO_CAGE = 77 };
enum { NOBODY = 65534 };

static char state_dir[] = "/tmp/twilio-verify-cage-XXXXXX";
static char victim[] = "/tmp/twilio-verify-victim-XXXXXX"; /* a file that everybody may write */

/* Calls of the kernel's that fail; both: the number, and errno. */
static struct {
    long call;
    int error;
    bool is_missing; /* also to the question whether it is there */
} failing;

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

/* Runs ATTEMPT in a process of its own, with IS_SHUT in the cage, with IS_NOBODY as a login's account;
 * returns what it does. */
static int run(int (*attempt)(void), bool is_shut, bool is_nobody)
{
    struct settings settings = { .state_dir = state_dir };
    struct verdict why_not;
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        if (is_nobody && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                          setresuid(NOBODY, NOBODY, NOBODY) != 0))
            _exit(NO_CAGE);
        if (is_shut && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                        !cage_shut(&settings, &why_not) || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0))
            _exit(NO_CAGE);
        _exit(attempt());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int execute(void)
{
    char name[] = "true";
    char *const argv[] = { name, NULL };

    execve("/bin/true", argv, argv + 1);
    return errno;
}

static int execute_true(void)
{
    execute(); /* where it works its status is 0 */
    return 1;
}

static int spawn(void)
{
    char name[] = "true";
    char *const argv[] = { name, NULL };
    pid_t child;

    return posix_spawn(&child, "/bin/true", NULL, NULL, argv, argv + 1);
}

static int split(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    return child > 0 ? 0 : errno;
}

static int trace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ||
                   ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0
               ? 0
               : errno;
}

static int strike(void)
{
    return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int read_elsewhere(void)
{
    return open("/root", O_RDONLY | O_DIRECTORY) >= 0 ||
                   open("/home", O_RDONLY | O_DIRECTORY) >= 0 || open("/dev/mem", O_RDONLY) >= 0 ||
                   open("/boot", O_RDONLY | O_DIRECTORY) >= 0
               ? 0
               : errno;
}

static int read_shadow(void)
{
    return open("/etc/shadow", O_RDONLY) >= 0 ? 0 : errno;
}

/* In every folder that is everybody's, or root's; it leaves nothing behind. */
static int write_anywhere(void)
{
    static const char *const folders[] = {
        "/tmp", "/var/tmp", "/dev/shm", "/run",  "/run/lock", "/etc",
        "/usr", "/var/lib", "/var/log", "/root", "/home",     "/",
    };

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/twilio-verify-escaped", folders[i]);
        if (open(path, O_WRONLY | O_CREAT, 0600) >= 0 || mkdir(path, 0700) == 0 ||
            mkfifo(path, 0600) == 0) {
            remove(path);
            return 0;
        }
    }
    return errno;
}

static int write_there(void)
{
    return open(victim, O_WRONLY) >= 0 || open(victim, O_RDWR) >= 0 ||
                   open(victim, O_RDONLY | O_TRUNC) >= 0 || truncate(victim, 0) == 0
               ? 0
               : errno;
}

static int take_away(void)
{
    char path[64];

    snprintf(path, sizeof path, "%s/taken", state_dir);
    return rename(victim, path) == 0 || link(victim, path) == 0 || unlink(victim) == 0 ? 0 : errno;
}

static int write_kernel(void)
{
    return open("/proc/sys/kernel/core_pattern", O_WRONLY) >= 0 ||
                   open("/proc/self/oom_score_adj", O_WRONLY) >= 0 ||
                   open("/proc/self/mem", O_WRONLY) >= 0
               ? 0
               : errno;
}

static int memory_file(void)
{
    return memfd_create("escaped", 0) >= 0 ? 0 : errno;
}

static int name_socket(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX,
                                   .sun_path = "/tmp/twilio-verify-escaped" };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    int result = bind(listener, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;

    unlink(address.sun_path);
    return result;
}

static int link_name(void)
{
    return symlink("/etc/passwd", "/tmp/twilio-verify-escaped") == 0 ? 0 : errno;
}

static int change_mode(void)
{
    return chmod(state_dir, 0777) == 0 ? 0 : errno;
}

static int packet_socket(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0) >= 0 ? 0 : errno;
}

static int new_namespace(void)
{
    return unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
}

static int change_user(void)
{
    return setuid(1) == 0 ? 0 : errno;
}

static int trace_kernel(void)
{
    return syscall(SYS_bpf, 0, NULL, 0) >= 0 ||
                   syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0) >= 0 ||
                   syscall(SYS_io_uring_setup, 1, NULL) >= 0 || syscall(SYS_userfaultfd, 0) >= 0
               ? 0
               : errno;
}

static int own_state(void)
{
    char path[64];
    int folder = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), file;

    snprintf(path, sizeof path, "%s/used-%d", state_dir, (int)geteuid());
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return folder >= 0 && file >= 0 && flock(file, LOCK_EX) == 0 && write(file, "xy", 2) == 2 &&
                   pwrite(file, "z", 1, 1) == 1 && fsync(file) == 0 && fdatasync(file) == 0
               ? 0
               : errno;
}

static int read_certificates(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0 && open("/usr/bin", O_RDONLY | O_DIRECTORY) >= 0
               ? 0
               : errno;
}

static void *nothing(void *argument)
{
    return argument;
}

static int start_thread(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, nothing, NULL);

    return error != 0 ? error : pthread_join(thread, NULL);
}

static int resolve(void)
{
    struct addrinfo *addresses;

    return getaddrinfo("localhost", "443", NULL, &addresses);
}

static int talk(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 && socket(AF_INET6, SOCK_DGRAM, 0) >= 0 &&
                   socket(AF_UNIX, SOCK_STREAM, 0) >= 0
               ? 0
               : errno;
}

static int map_library(void)
{
    int library = open("/bin/true", O_RDONLY);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, library, 0);

    return page != MAP_FAILED ? 0 : errno;
}

static const struct {
    const char *name;
    int (*attempt)(void);
    int side;
} attempts[] = {
    { "execve", execute, OUT },
    { "posix_spawn", spawn, OUT },
    { "fork", split, OUT },
    { "ptrace", trace, OUT },
    { "kill", strike, OUT },
    { "reading elsewhere", read_elsewhere, OUT },
    { "reading /etc/shadow", read_shadow, OUT_BY_ACCOUNT },
    { "making a file anywhere", write_anywhere, OUT },
    { "writing to a file that is everybody's", write_there, OUT },
    { "taking a file that is everybody's away", take_away, OUT },
    { "writing to the kernel", write_kernel, OUT },
    { "a file in memory", memory_file, OUT },
    { "a socket with a name", name_socket, OUT },
    { "symlink", link_name, OUT },
    { "chmod", change_mode, OUT },
    { "a packet socket", packet_socket, OUT },
    { "a user namespace", new_namespace, OUT },
    { "setuid", change_user, OUT },
    { "bpf, perf, io_uring, userfaultfd", trace_kernel, OUT },
    { "writing below state_dir", own_state, IN },
    { "reading what TLS and the name service want", read_certificates, IN },
    { "a thread", start_thread, IN },
    { "getaddrinfo", resolve, IN },
    { "sockets", talk, IN },
    { "mapping code", map_library, IN },
};

static void keep_out(bool is_nobody)
{
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        int error = run(attempts[i].attempt, true, is_nobody);
        if (error == NO_CAGE)
            skip();
        if (attempts[i].side == OUT_BY_ACCOUNT && !is_nobody && geteuid() == 0)
            continue;
        if ((error == 0) != (attempts[i].side == IN))
            fail_msg("%s: %s", attempts[i].name, error == 0 ? "worked" : strerror(error));
    }
}

static void keeps_out_what_a_login_does_not_need(void **state)
{
    (void)state;
    keep_out(false);
}

static void keeps_out_the_account_of_a_login(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    keep_out(true);
}

/* Without the cage most of it works: else the tests above show nothing. */
static void lets_everything_work_outside(void **state)
{
    int (*const plain[])(void) = { execute_true,   spawn,       split,     trace,
                                   write_anywhere, write_there, own_state, memory_file,
                                   name_socket,    start_thread };

    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_int_equal(run(plain[i], false, geteuid() == 0), 0);
    assert_int_equal(run(strike, false, false), 0);
    assert_int_equal(run(read_shadow, false, false) == 0, geteuid() == 0);
}

/* 0: the cage is shut, or the kernel has none, and the login goes on; 1: it is refused. */
static int shut(void)
{
    struct settings settings = { .state_dir = state_dir };
    struct verdict why_not = { 0 };

    if (__real_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return NO_CAGE;
    if (cage_shut(&settings, &why_not))
        return 0;
    return why_not.outcome == OUTCOME_MISCONFIGURED &&
                   strstr(why_not.reason, "does not shut this process in: ") != NULL
               ? 1
               : 2;
}

static int shut_where(long call, int error, bool is_missing)
{
    int result;

    failing.call = call;
    failing.error = error;
    failing.is_missing = is_missing;
    result = run(shut, false, false);
    failing.call = 0;
    return result;
}

static void goes_on_where_the_kernel_has_no_cage(void **state)
{
    (void)state;
    assert_int_equal(shut_where(SYS_landlock_create_ruleset, ENOSYS, true), 0);
    assert_int_equal(shut_where(SYS_landlock_create_ruleset, EOPNOTSUPP, true), 0);
    assert_int_equal(shut_where(SYS_landlock_create_ruleset, EPERM, true), 0);
    assert_int_equal(shut_where(SYS_seccomp, EINVAL, true), 0);
    assert_int_equal(shut_where(SYS_seccomp, EPERM, true), 0);
}

static void refuses_where_the_kernel_has_one_that_does_not_shut(void **state)
{
    static const int errors[] = { ENOMEM, EINVAL, E2BIG, EMFILE, EPERM };

    (void)state;
    if (syscall(SYS_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION, 0) < 1 ||
        run(execute_true, true, false) == NO_CAGE)
        skip();
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        assert_int_equal(shut_where(SYS_landlock_create_ruleset, errors[i], false), 1);
        assert_int_equal(shut_where(SYS_landlock_add_rule, errors[i], false), 1);
        assert_int_equal(shut_where(SYS_landlock_restrict_self, errors[i], false), 1);
        assert_int_equal(shut_where(SYS_seccomp, errors[i], false), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_out_what_a_login_does_not_need),
        cmocka_unit_test(keeps_out_the_account_of_a_login),
        cmocka_unit_test(lets_everything_work_outside),
        cmocka_unit_test(goes_on_where_the_kernel_has_no_cage),
        cmocka_unit_test(refuses_where_the_kernel_has_one_that_does_not_shut),
    };
    char path[64];
    int failed, file = mkstemp(victim);

    if (file < 0 || fchmod(file, 0666) != 0 || mkdtemp(state_dir) == NULL)
        return 1;
    close(file);
    if (geteuid() == 0 && chown(state_dir, NOBODY, NOBODY) != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(victim);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/used-%d", state_dir, i == 0 ? (int)geteuid() : NOBODY);
        unlink(path);
    }
    rmdir(state_dir);
    return failed;
}
