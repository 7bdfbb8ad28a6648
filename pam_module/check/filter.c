/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The system calls of a login. */
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* What libc, libcurl, OpenSSL, json-c and the modules of the name service call. Everything else
 * answers ENOSYS: that is what a newer library meets on an older kernel, and copes with. */
static const int allowed[] = {
    /* memory */
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(mmap),
    SCMP_SYS(mmap2),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    /* descriptors */
    SCMP_SYS(_llseek),
    SCMP_SYS(close),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(fcntl),
    SCMP_SYS(fcntl64),
    SCMP_SYS(ioctl),
    SCMP_SYS(lseek),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(ppoll_time64),
    SCMP_SYS(pread64),
    SCMP_SYS(pselect6),
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(select),
    SCMP_SYS(_newselect),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    /* files, which Landlock and the account keep apart */
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fstat),
    SCMP_SYS(fstat64),
    SCMP_SYS(fstatat64),
    SCMP_SYS(fstatfs),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents64),
    SCMP_SYS(lstat),
    SCMP_SYS(lstat64),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(stat),
    SCMP_SYS(stat64),
    SCMP_SYS(statfs),
    SCMP_SYS(statx),
    /* the state folder */
    SCMP_SYS(fdatasync),
    SCMP_SYS(flock),
    SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(ftruncate64),
    SCMP_SYS(mkdirat),
    SCMP_SYS(pwrite64),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    /* the network */
    SCMP_SYS(bind),
    SCMP_SYS(connect),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),
    SCMP_SYS(recv),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(send),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
    SCMP_SYS(socketcall), /* where an old architecture's libc knows no other */
    SCMP_SYS(socketpair),
    /* time, chance, identity */
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_gettime64),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_nanosleep_time64),
    SCMP_SYS(getegid),
    SCMP_SYS(getegid32),
    SCMP_SYS(geteuid),
    SCMP_SYS(geteuid32),
    SCMP_SYS(getgid),
    SCMP_SYS(getgid32),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getrandom),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getuid),
    SCMP_SYS(getuid32),
    SCMP_SYS(nanosleep),
    SCMP_SYS(setitimer),
    SCMP_SYS(sysinfo),
    SCMP_SYS(time),
    SCMP_SYS(uname),
    /* threads, of the resolver, and the end */
    SCMP_SYS(arch_prctl),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(futex),
    SCMP_SYS(futex_time64),
    SCMP_SYS(getrlimit),
    SCMP_SYS(membarrier),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(set_thread_area),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sigreturn),
    SCMP_SYS(tgkill),
    SCMP_SYS(ugetrlimit),
};

/* A socket of these families alone: netlink tells getaddrinfo(3) which addresses are of use. */
static const int families[] = { AF_INET, AF_INET6, AF_NETLINK, AF_UNIX };

/* What this program is built for, in the kernel's word: the numbers above are of it. Another one has to
 * be named here first, by its AUDIT_ARCH_ of linux/audit.h. */
#if defined __x86_64__ && !defined __ILP32__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __i386__
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined __aarch64__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined __arm__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined __powerpc64__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#elif defined __riscv && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined __s390x__
#define ARCHITECTURE AUDIT_ARCH_S390X
#elif defined __mips64 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_MIPSEL64
#endif

/* What a thread is made with, and a process is not. */
enum { THREAD_FLAGS = CLONE_VM | CLONE_THREAD };

#define COUNT(array) (sizeof array / sizeof *array)

enum { WORD_SHIFT = 5, WORD_BITS = 1 << WORD_SHIFT };

/* The allowed ones of 32 numbers in a row, a bit each. */
struct word {
    uint32_t number, bits;
};

/* The filter as the kernel takes it. Not by libseccomp:
 * where it gets no memory it leaves rules out, and says that all is well. */
static struct sock_filter instructions[5 * COUNT(allowed) + 2 * COUNT(families) + 24];
static struct sock_fprog program = { .filter = instructions };

static void add(int code, uint32_t value, size_t skipped)
{
    instructions[program.len++] =
        (struct sock_filter){ (uint16_t)code, 0, (uint8_t)skipped, value };
}

static void load(size_t offset)
{
    add(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0);
}

/* The half of an argument that counts: a family, or flags. */
static void load_argument(size_t number)
{
    size_t low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint32_t) : 0;

    load(offsetof(struct seccomp_data, args) + number * sizeof(uint64_t) + low);
}

static void unless_equal_skip(uint32_t value, size_t skipped)
{
    add(BPF_JMP | BPF_JEQ | BPF_K, value, skipped);
}

static void answer(uint32_t action)
{
    add(BPF_RET | BPF_K, action, 0);
}

static void refuse(void)
{
    answer(SECCOMP_RET_ERRNO | ENOSYS);
}

static void allow_if_equal(uint32_t value)
{
    unless_equal_skip(value, 1);
    answer(SECCOMP_RET_ALLOW);
}

/* Fills WORDS; returns how many. */
static size_t gather(struct word words[COUNT(allowed)])
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT(allowed); i++) {
        uint32_t number = (uint32_t)allowed[i];
        size_t at = 0;
        if (allowed[i] < 0) /* libseccomp's numbers for what this architecture lacks */
            continue;
        while (at < count && words[at].number != number >> WORD_SHIFT)
            at++;
        if (at == count)
            words[count++] = (struct word){ .number = number >> WORD_SHIFT };
        words[at].bits |= UINT32_C(1) << number % WORD_BITS;
    }
    return count;
}

/* By words, since a filter that compares call after call takes a kernel three times as long to
 * accept: it tries every number then. */
static void allow_words(void)
{
    struct word words[COUNT(allowed)];
    size_t count = gather(words);

    /* X is the call's bit, A its word. */
    load(offsetof(struct seccomp_data, nr));
    add(BPF_ALU | BPF_AND | BPF_K, WORD_BITS - 1, 0);
    add(BPF_MISC | BPF_TAX, 0, 0);
    add(BPF_LD | BPF_IMM, 1, 0);
    add(BPF_ALU | BPF_LSH | BPF_X, 0, 0);
    add(BPF_MISC | BPF_TAX, 0, 0);
    load(offsetof(struct seccomp_data, nr));
    add(BPF_ALU | BPF_RSH | BPF_K, WORD_SHIFT, 0);
    for (size_t i = 0; i < count; i++) {
        unless_equal_skip(words[i].number, 4);
        add(BPF_LD | BPF_IMM, words[i].bits, 0);
        add(BPF_JMP | BPF_JSET | BPF_X, 0, 1);
        answer(SECCOMP_RET_ALLOW);
        refuse();
    }
}

static void build(void)
{
    program.len = 0;
    load(offsetof(struct seccomp_data, arch));
    unless_equal_skip(ARCHITECTURE, 1);
    add(BPF_JMP | BPF_JA, 1, 0);
    answer(SECCOMP_RET_KILL_PROCESS);

    load(offsetof(struct seccomp_data, nr));
    unless_equal_skip(SCMP_SYS(socket), 2 * COUNT(families) + 2);
    load_argument(0);
    for (size_t i = 0; i < COUNT(families); i++)
        allow_if_equal((uint32_t)families[i]);
    refuse();

    /* clone3(2) hides its flags: it is left out, and libc falls back to clone(2). */
    unless_equal_skip(SCMP_SYS(clone), 5);
    load_argument(ARCHITECTURE == AUDIT_ARCH_S390X ? 1 : 0);
    add(BPF_ALU | BPF_AND | BPF_K, THREAD_FLAGS, 0);
    allow_if_equal(THREAD_FLAGS);
    refuse();

    allow_words();
    refuse();
}

/* Asked for no filter at all, a kernel that has filters answers EFAULT. */
bool filter_install(void)
{
    int error;

    build();
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        return true;

    error = errno;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1 && errno != EFAULT)
        return true; /* not there, or not for this container */
    errno = error;
    return false;
}
