/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The cage, from inside: what somebody could try who runs his own code in the check program. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/cage.h"

enum { IN = 0, OUT = 1, NO_CAGE = 77 };

static char state_dir[] = "/tmp/twilio-verify-cage-XXXXXX";

/* Runs ATTEMPT in the cage, in a process of its own; 0 where it succeeded. */
static int run(int (*attempt)(void))
{
    struct settings settings = { .state_dir = state_dir };
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
            _exit(NO_CAGE);
        cage_shut(&settings);
        if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0)
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
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 ? 0 : errno;
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

static int write_tmp(void)
{
    return open("/tmp/twilio-verify-escaped", O_WRONLY | O_CREAT, 0600) >= 0 ? 0 : errno;
}

static int write_etc(void)
{
    return open("/etc/twilio-verify-escaped", O_WRONLY | O_CREAT, 0600) >= 0 ? 0 : errno;
}

static int make_folder(void)
{
    return mkdir("/tmp/twilio-verify-escaped", 0700) == 0 ? 0 : errno;
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
    int file;

    snprintf(path, sizeof path, "%s/used", state_dir);
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return file >= 0 && write(file, "x", 1) == 1 && fsync(file) == 0 && unlink(path) == 0 ? 0
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
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

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
    { "writing below /tmp", write_tmp, OUT },
    { "writing below /etc", write_etc, OUT },
    { "mkdir", make_folder, OUT },
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

static void keeps_out_what_a_login_does_not_need(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        int error = run(attempts[i].attempt);
        if (error == NO_CAGE)
            skip();
        if ((error == 0) != (attempts[i].side == IN))
            fail_msg("%s: %s", attempts[i].name, error == 0 ? "worked" : strerror(error));
    }
}

/* Without the cage most of it works: else the test above shows nothing. */
static void lets_everything_work_outside(void **state)
{
    int (*const plain[])(void) = { spawn, split, strike, write_tmp, own_state, start_thread };

    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_int_equal(plain[i](), 0);
    unlink("/tmp/twilio-verify-escaped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_out_what_a_login_does_not_need),
        cmocka_unit_test(lets_everything_work_outside),
    };
    int failed;

    if (mkdtemp(state_dir) == NULL)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(state_dir);
    return failed;
}
