/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What libc, libcurl, OpenSSL, json-c and the modules of the name service call. */
#include "filter-rules.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* An int is the lower half of an argument. */
#define BITS(number, mask, value) SCMP_CMP(number, SCMP_CMP_MASKED_EQ, mask, value)
#define IS(number, value)         BITS(number, UINT32_MAX, value)

enum { SOCKET_TYPE = 0xf }; /* the rest are flags */

/* What a thread is made with, and a process is not. */
enum { THREAD = CLONE_VM | CLONE_THREAD };

/* No call that signals: abort(3) ends the process without one, and of libcurl only 8.16 would end a
 * resolver's thread early. */
const struct filter_rule filter_rules[] = {
    /* memory */
    { "brk madvise mremap munmap" },
    /* descriptors */
    { "_llseek close dup dup2 dup3 epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd2 "
      "lseek pipe pipe2 poll ppoll ppoll_time64 pread64 pselect6 pselect6_time64 read readv "
      "select _newselect write writev" },
    /* files, which Landlock and the account keep apart */
    { "access faccessat faccessat2 fstat fstat64 fstatat64 fstatfs fstatfs64 getcwd "
      "getdents64 lstat lstat64 newfstatat open openat readlink readlinkat stat stat64 "
      "statfs statfs64 statx" },
    /* the user's file in state_dir */
    { "fallocate fdatasync flock fsync pwrite64" },
    /* the network */
    { "bind connect getpeername getsockname getsockopt recv recvfrom recvmmsg "
      "recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown" },
    /* time, random numbers, identity */
    { "clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
      "clock_nanosleep_time64 getegid getegid32 geteuid geteuid32 getgid getgid32 getpid "
      "getppid getrandom gettid gettimeofday getuid getuid32 nanosleep setitimer sysinfo "
      "time uname" },
    /* threads, of the resolver, and the end */
    { "arch_prctl exit exit_group futex futex_time64 getrlimit membarrier restart_syscall "
      "rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield "
      "set_robust_list set_thread_area set_tid_address sigaltstack sigreturn ugetrlimit" },
    /* clone3(2) hides its flags: it answers ENOSYS, and libc falls back to clone(2). */
    { "clone", 1, { BITS(0, THREAD, THREAD) } },
    /* No memory is both writable and executable, at once or in turn. */
    { "mmap mmap2", 1, { BITS(2, PROT_EXEC, 0) } },
    { "mmap mmap2", 1, { BITS(2, PROT_WRITE, 0) } },
    { "mprotect", 1, { BITS(2, PROT_EXEC, 0) } },
    /* No signal to an owner, no lease, no lock. */
    { "fcntl fcntl64", 1, { IS(1, F_DUPFD) } },
    { "fcntl fcntl64", 1, { IS(1, F_DUPFD_CLOEXEC) } },
    { "fcntl fcntl64", 1, { IS(1, F_GETFD) } },
    { "fcntl fcntl64", 1, { IS(1, F_GETFL) } },
    { "fcntl fcntl64", 1, { IS(1, F_SETFD) } },
    { "fcntl fcntl64", 1, { IS(1, F_SETFL) } },
    { "ioctl", 1, { IS(1, FILTER_NAME + 0) } },
    { "ioctl", 1, { IS(1, FILTER_NAME + 1) } },
    { "ioctl", 1, { IS(1, FILTER_NAME + 2) } },
    { "ioctl", 1, { IS(1, FILTER_NAME + 3) } },
    /* TCP and UDP, the daemons of the name service, and the addresses of this host. Each protocol
     * with each type, since architectures disagree about which type is 1 and which is 2. */
    { "socket", 3, { IS(0, AF_INET), BITS(1, SOCKET_TYPE, SOCK_STREAM), IS(2, 0) } },
    { "socket", 3, { IS(0, AF_INET), BITS(1, SOCKET_TYPE, SOCK_STREAM), IS(2, IPPROTO_TCP) } },
    { "socket", 3, { IS(0, AF_INET), BITS(1, SOCKET_TYPE, SOCK_STREAM), IS(2, IPPROTO_UDP) } },
    { "socket", 3, { IS(0, AF_INET), BITS(1, SOCKET_TYPE, SOCK_DGRAM), IS(2, 0) } },
    { "socket", 3, { IS(0, AF_INET), BITS(1, SOCKET_TYPE, SOCK_DGRAM), IS(2, IPPROTO_TCP) } },
    { "socket", 3, { IS(0, AF_INET), BITS(1, SOCKET_TYPE, SOCK_DGRAM), IS(2, IPPROTO_UDP) } },
    { "socket", 3, { IS(0, AF_INET6), BITS(1, SOCKET_TYPE, SOCK_STREAM), IS(2, 0) } },
    { "socket", 3, { IS(0, AF_INET6), BITS(1, SOCKET_TYPE, SOCK_STREAM), IS(2, IPPROTO_TCP) } },
    { "socket", 3, { IS(0, AF_INET6), BITS(1, SOCKET_TYPE, SOCK_STREAM), IS(2, IPPROTO_UDP) } },
    { "socket", 3, { IS(0, AF_INET6), BITS(1, SOCKET_TYPE, SOCK_DGRAM), IS(2, 0) } },
    { "socket", 3, { IS(0, AF_INET6), BITS(1, SOCKET_TYPE, SOCK_DGRAM), IS(2, IPPROTO_TCP) } },
    { "socket", 3, { IS(0, AF_INET6), BITS(1, SOCKET_TYPE, SOCK_DGRAM), IS(2, IPPROTO_UDP) } },
    { "socket", 1, { BITS(0, INT32_MAX, AF_UNIX) } }, /* all bits: libseccomp 2.5 fails on x86 */
    { "socket", 2, { IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE) } },
    { "socketpair", 1, { IS(0, AF_UNIX) } },
    /* s390x has the arguments of clone(2) in another order. There and on x86 those of mmap(2) lie
     * in memory, where a filter sees nothing; libc of x86 has mmap2(2). */
    { "clone", 1, { BITS(1, THREAD, THREAD) }, .architecture = "s390x" },
    { "mmap", .architecture = "s390x" },
    { "mmap", .architecture = "x86", .is_refused = true },
    { 0 },
};

bool filter_rule_has(const struct filter_rule *rule, const char *call)
{
    size_t length = strlen(call);

    for (const char *name = rule->calls; *name != '\0'; name += strspn(name, " ")) {
        size_t size = strcspn(name, " ");
        if (size == length && memcmp(name, call, size) == 0)
            return true;
        name += size;
    }
    return false;
}

static bool is_special(const char *call, const char *architecture)
{
    for (const struct filter_rule *rule = filter_rules; rule->calls != NULL; rule++)
        if (rule->architecture != NULL && strcmp(rule->architecture, architecture) == 0 &&
            filter_rule_has(rule, call))
            return true;
    return false;
}

bool filter_rule_counts(const struct filter_rule *rule, const char *call, const char *architecture)
{
    if (!filter_rule_has(rule, call))
        return false;
    if (rule->architecture == NULL)
        return !is_special(call, architecture);
    return !rule->is_refused && strcmp(rule->architecture, architecture) == 0;
}
