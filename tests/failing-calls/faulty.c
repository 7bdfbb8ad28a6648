/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* LD_PRELOAD: one call of libc fails, and everything else goes on.
 *
 *   FAULTY=CALL:N:K[:OBJECT]   the Nth CALL fails with its Kth errno (from 0)
 *   FAULTY=seed:S:P[:OBJECT]   of all calls P in 1000 fail, as the seed S says
 *   FAULTY=signal:N:S[:OBJECT] the signal S comes just before the Nth call of them all
 *   FAULTY=count:0:0[:OBJECT]  nothing fails
 *
 * With OBJECT only calls count whose code lies in a file with that in its path. FAULTY_REPORT is a
 * file that receives, as 32-bit numbers, how many calls failed, in whose code the program crashed,
 * and how often each call of the table below was made, but for a plan with one call only that. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <grp.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* LIBC_FRAMES_MAX: the handler, the way back from it, and a function like strlen(3). */
enum { ERRORS_MAX = 4, OBJECT_SIZE = 64, FRAMES_MAX = 40, LIBC_FRAMES_MAX = 3 };

/* What can fail, with the errnos of each. */
#define EVERY_CALL(X)                                                                              \
    X(MALLOC, malloc, ENOMEM)                                                                      \
    X(CALLOC, calloc, ENOMEM)                                                                      \
    X(REALLOC, realloc, ENOMEM)                                                                    \
    X(REALLOCARRAY, reallocarray, ENOMEM)                                                          \
    X(STRDUP, strdup, ENOMEM)                                                                      \
    X(STRNDUP, strndup, ENOMEM)                                                                    \
    X(OPEN, open, EMFILE, ENOENT, EACCES, EINTR)                                                   \
    X(OPENAT, openat, ENFILE, ENOENT, EACCES, ENOSPC)                                              \
    X(READ, read, EIO, EINTR, EAGAIN, ECONNRESET)                                                  \
    X(WRITE, write, ENOSPC, EIO, EINTR, EPIPE)                                                     \
    X(PREAD, pread, EIO)                                                                           \
    X(PWRITE, pwrite, ENOSPC, EIO)                                                                 \
    X(SEND, send, EPIPE, EINTR, ENOBUFS, ECONNRESET)                                               \
    X(RECV, recv, ECONNRESET, EINTR, EAGAIN)                                                       \
    X(FSTAT, fstat, EIO, EOVERFLOW)                                                                \
    X(SOCKET, socket, EMFILE, EACCES)                                                              \
    X(CONNECT, connect, ECONNREFUSED, ENETUNREACH, EINTR)                                          \
    X(SOCKETPAIR, socketpair, EMFILE, ENOMEM)                                                      \
    X(PIPE, pipe, EMFILE, ENFILE)                                                                  \
    X(FCNTL, fcntl, EMFILE, EINVAL)                                                                \
    X(IOCTL, ioctl, EIO, ENOTTY)                                                                   \
    X(POLL, poll, EINTR, ENOMEM, EINVAL, EAGAIN)                                                   \
    X(SPAWN, posix_spawn, EAGAIN, ENOMEM, ENOENT)                                                  \
    X(SPAWN_INIT, posix_spawn_init, ENOMEM)                                                        \
    X(SPAWN_ADD, posix_spawn_add, ENOMEM, EBADF)                                                   \
    X(WAITID, waitid, ECHILD, EINTR)                                                               \
    X(SYSCALL, syscall, ENOSYS, EMFILE, EPERM, EINVAL)                                             \
    X(SETRESUID, setresuid, EAGAIN, EPERM)                                                         \
    X(SETRESGID, setresgid, EPERM)                                                                 \
    X(SETGROUPS, setgroups, EPERM, ENOMEM)                                                         \
    X(GETRESUID, getresuid, EFAULT)                                                                \
    X(GETRESGID, getresgid, EFAULT)                                                                \
    X(GETPWNAM, getpwnam, EIO, EMFILE, ENOENT, ERANGE)                                             \
    X(GETPWUID, getpwuid, EIO, EMFILE, ENOENT, ERANGE)                                             \
    X(PRCTL, prctl, EPERM, EINVAL)                                                                 \
    X(SETRLIMIT, setrlimit, EINVAL, EPERM)                                                         \
    X(CHDIR, chdir, EACCES)                                                                        \
    X(CLEARENV, clearenv, ENOMEM)                                                                  \
    X(SETITIMER, setitimer, EINVAL)                                                                \
    X(THREAD, pthread_create, EAGAIN)                                                              \
    X(DLOPEN, dlopen, ENOMEM)                                                                      \
    X(READLINK, readlink, ENOENT, EACCES)                                                          \
    X(GETRANDOM, getrandom, EINTR, ENOSYS)                                                         \
    X(RENAMEAT, renameat, EIO, ENOSPC, EROFS)                                                      \
    X(LINKAT, linkat, EMLINK, EPERM, EIO)                                                          \
    X(UNLINKAT, unlinkat, EIO, EROFS)                                                              \
    X(FSYNC, fsync, EIO, ENOSPC)                                                                   \
    X(FCHMOD, fchmod, EPERM, EIO)                                                                  \
    X(FLOCK, flock, EINTR, ENOLCK)                                                                 \
    X(MKDIR, mkdir, ENOSPC, EACCES)                                                                \
    X(READDIR, readdir, EIO)                                                                       \
    X(FDOPENDIR, fdopendir, ENOMEM)                                                                \
    X(SIGNALFD, signalfd, EMFILE)

#define NUMBER(call, name, ...) CALL_##call,
#define ERRORS(call, name, ...) { #name, { __VA_ARGS__ } },

enum call { EVERY_CALL(NUMBER) CALLS };

static const struct {
    const char *name;
    int errors[ERRORS_MAX];
} calls[CALLS] = { EVERY_CALL(ERRORS) };

/* Libraries fall over failing calls, which is their own affair. */
enum crash { CRASH_NONE, CRASH_LIBRARY, CRASH_OURS };

/* What is shared with the test; without one a page of our own. */
struct report {
    _Atomic uint32_t failed;
    _Atomic uint32_t crash; /* whose: enum crash */
    _Atomic uint32_t made[CALLS];
};

static struct report own, *report = &own;
static _Atomic uint32_t all_made;
static struct {
    enum call call; /* CALLS: by the seed */
    uint32_t ordinal, errors, per_thousand;
    int signal; /* 0: none */
    uint64_t seed;
    const void *base; /* of this library */
    char object[OBJECT_SIZE];
    bool is_on, is_held;
    bool libc_failed; /* a call that the libc made for itself */
} plan;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

#define EXPORT           __attribute__((visibility("default")))
#define CALLER           __builtin_return_address(0)
#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

/* dladdr(3) would look through all names of a library, at each of OpenSSL's thousands of calls. */
static bool is_in_object(const void *caller)
{
    struct dl_find_object found;
    const char *path;

    if (plan.object[0] == '\0')
        return true;
    if (_dl_find_object((void *)caller, &found) != 0)
        return false;
    path = found.dlfo_link_map->l_name;
    return strstr(path[0] != '\0' ? path : program_invocation_name, plan.object) != NULL;
}

/* splitmix64: a number that SEED and the call decide. */
static uint64_t mix(uint64_t number)
{
    number += 0x9e3779b97f4a7c15U;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9U;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebU;
    return number ^ (number >> 31);
}

static int count_errors(enum call call)
{
    int count = 0;

    while (count < ERRORS_MAX && calls[call].errors[count] != 0)
        count++;
    return count;
}

/* Whose code PLACE lies in; CRASH_NONE: the libc's, or this library's. */
static enum crash whose(const void *place)
{
    Dl_info info;

    if (dladdr(place, &info) == 0 || info.dli_fname == NULL || info.dli_fbase == plan.base ||
        strstr(info.dli_fname, "/libc.so") != NULL)
        return CRASH_NONE;
    return strstr(info.dli_fname, "twilio") != NULL || strncmp(info.dli_fname, "/proc", 5) == 0
               ? CRASH_OURS
               : CRASH_LIBRARY;
}

/* The errno with which this call fails; 0: it goes on. */
static int fail(enum call call, const void *caller)
{
    uint32_t ordinal;
    uint64_t number = 0;
    bool fails;

    if (!plan.is_on || plan.is_held || (plan.call != CALLS && plan.call != call) ||
        !is_in_object(caller))
        return 0;
    ordinal = atomic_fetch_add(&report->made[call], 1) + 1;
    if (plan.signal != 0) {
        if (atomic_fetch_add(&all_made, 1) + 1 != plan.ordinal)
            return 0;
        atomic_fetch_add(&report->failed, 1);
        /* In the check program's filter nothing signals; it ends as suddenly. */
        if (raise(plan.signal) != 0)
            __builtin_trap();
        return 0;
    }
    if (plan.call == CALLS) {
        number = mix(plan.seed ^ mix((uint64_t)call << 32 | ordinal));
        fails = number % 1000 < plan.per_thousand;
        number >>= 32;
    } else {
        fails = plan.call == call && plan.ordinal == ordinal;
        number = plan.errors;
    }
    if (!fails)
        return 0;
    atomic_fetch_add(&report->failed, 1);
    if (whose(caller) == CRASH_NONE)
        plan.libc_failed = true;
    errno = calls[call].errors[number % (unsigned)count_errors(call)];
    return errno;
}

/* Whose crash it is at the PLACES: of whoever called the libc, unless the libc fell over a call of
 * its own: deep in it, and not at a pointer of the caller's. */
static enum crash whose_crash(void *const places[], int count)
{
    int libc = 0;

    for (int i = 0; i < count; i++) {
        enum crash crash = whose(places[i]);
        if (crash == CRASH_OURS && plan.libc_failed && libc > LIBC_FRAMES_MAX)
            return CRASH_LIBRARY;
        if (crash != CRASH_NONE)
            return crash;
        libc++;
    }
    return CRASH_NONE;
}

static void on_crash(int number)
{
    void *places[FRAMES_MAX];
    int count;
    enum crash crash;

    plan.is_on = false;
    report->crash = CRASH_LIBRARY; /* where this crashes as well */
    count = backtrace(places, FRAMES_MAX);
    crash = whose_crash(places, count);
    if (crash != CRASH_NONE)
        report->crash = crash;
    signal(number, SIG_DFL);
    raise(number);
}

/* The first backtrace loads a library. */
static void watch_crashes(void)
{
    struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_NODEFER | SA_ONSTACK };
    static char memory[64 * 1024];
    const stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory };
    void *place;
    Dl_info info;

    backtrace(&place, 1);
    if (dladdr((void *)watch_crashes, &info) != 0)
        plan.base = info.dli_fbase;
    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
}

static void read_plan(const char *text)
{
    char name[OBJECT_SIZE] = "";
    unsigned long first = 0, second = 0;

    if (sscanf(text, "%63[^:]:%lu:%lu:%63s", name, &first, &second, plan.object) < 3)
        abort();
    plan.ordinal = (uint32_t)first;
    plan.errors = plan.per_thousand = (uint32_t)second;
    plan.seed = first;
    plan.call = CALLS;
    for (int call = 0; call < CALLS; call++)
        if (strcmp(calls[call].name, name) == 0)
            plan.call = (enum call)call;
    if (strcmp(name, "signal") == 0)
        plan.signal = (int)second;
    if (strcmp(name, "count") == 0)
        plan.per_thousand = 0;
}

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("FAULTY"), *path = getenv("FAULTY_REPORT");
    int descriptor = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *shared;

    if (text == NULL)
        return;
    if (descriptor >= 0) {
        shared = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        close(descriptor);
        if (shared == MAP_FAILED)
            abort();
        report = shared;
    }
    watch_crashes();
    read_plan(text);
    plan.is_on = true;
}

/* For a coverage build, which writes its counters: nothing fails meanwhile. */
EXPORT void faulty_hold(bool is_held);

EXPORT void faulty_hold(bool is_held)
{
    plan.is_held = is_held;
}

/* The call, or FAILED in its place. */
#define WRAP(type, failed, call, name, parameters, arguments)                                      \
    EXPORT type name parameters                                                                    \
    {                                                                                              \
        return fail(CALL_##call, CALLER) ? failed : REAL(type(*) parameters, #name) arguments;     \
    }                                                                                              \
    struct report
/* The same for a call that returns its errno. */
#define WRAP_ERROR(call, name, parameters, arguments)                                              \
    EXPORT int name parameters                                                                     \
    {                                                                                              \
        int error = fail(CALL_##call, CALLER);                                                     \
                                                                                                   \
        return error != 0 ? error : REAL(int(*) parameters, #name) arguments;                      \
    }                                                                                              \
    struct report

/* Memory */

EXPORT void *malloc(size_t size)
{
    return fail(CALL_MALLOC, CALLER) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    return fail(CALL_CALLOC, CALLER) ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *memory, size_t size)
{
    return fail(CALL_REALLOC, CALLER) ? NULL : __libc_realloc(memory, size);
}

EXPORT void *reallocarray(void *memory, size_t count, size_t size)
{
    return fail(CALL_REALLOCARRAY, CALLER) ? NULL : __libc_realloc(memory, count * size);
}

EXPORT char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = fail(CALL_STRDUP, CALLER) ? NULL : __libc_malloc(size);

    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

EXPORT char *strndup(const char *text, size_t most)
{
    size_t size = strnlen(text, most);
    char *copy = fail(CALL_STRNDUP, CALLER) ? NULL : __libc_calloc(1, size + 1);

    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

/* Descriptors */

EXPORT int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list values;

    va_start(values, flags);
    if ((flags & (O_CREAT | O_TMPFILE)) != 0)
        mode = va_arg(values, mode_t);
    va_end(values);
    return fail(CALL_OPEN, CALLER)
               ? -1
               : REAL(int (*)(const char *, int, ...), "open")(path, flags, mode);
}

EXPORT int openat(int directory, const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list values;

    va_start(values, flags);
    if ((flags & (O_CREAT | O_TMPFILE)) != 0)
        mode = va_arg(values, mode_t);
    va_end(values);
    return fail(CALL_OPENAT, CALLER)
               ? -1
               : REAL(int (*)(int, const char *, int, ...), "openat")(directory, path, flags, mode);
}

WRAP(ssize_t, -1, READ, read, (int descriptor, void *bytes, size_t size),
     (descriptor, bytes, size));

WRAP(ssize_t, -1, WRITE, write, (int descriptor, const void *bytes, size_t size),
     (descriptor, bytes, size));

/* As programs with a 64-bit off_t call them. */
WRAP(ssize_t, -1, PREAD, pread64, (int descriptor, void *bytes, size_t size, off64_t at),
     (descriptor, bytes, size, at));

WRAP(ssize_t, -1, PWRITE, pwrite64, (int descriptor, const void *bytes, size_t size, off64_t at),
     (descriptor, bytes, size, at));

WRAP(ssize_t, -1, SEND, send, (int descriptor, const void *bytes, size_t size, int flags),
     (descriptor, bytes, size, flags));

WRAP(ssize_t, -1, RECV, recv, (int descriptor, void *bytes, size_t size, int flags),
     (descriptor, bytes, size, flags));

WRAP(int, -1, FSTAT, fstat, (int descriptor, struct stat *status), (descriptor, status));

WRAP(int, -1, SOCKET, socket, (int domain, int type, int protocol), (domain, type, protocol));

WRAP(int, -1, CONNECT, connect, (int descriptor, const struct sockaddr *address, socklen_t size),
     (descriptor, address, size));

WRAP(int, -1, SOCKETPAIR, socketpair, (int domain, int type, int protocol, int pair[2]),
     (domain, type, protocol, pair));

WRAP(int, -1, PIPE, pipe2, (int pair[2], int flags), (pair, flags));

WRAP(int, -1, PIPE, pipe, (int pair[2]), (pair));

EXPORT int fcntl(int descriptor, int command, ...)
{
    va_list values;
    void *value;

    va_start(values, command);
    value = va_arg(values, void *);
    va_end(values);
    return fail(CALL_FCNTL, CALLER)
               ? -1
               : REAL(int (*)(int, int, ...), "fcntl")(descriptor, command, value);
}

EXPORT int ioctl(int descriptor, unsigned long command, ...)
{
    va_list values;
    void *value;

    va_start(values, command);
    value = va_arg(values, void *);
    va_end(values);
    return fail(CALL_IOCTL, CALLER)
               ? -1
               : REAL(int (*)(int, unsigned long, ...), "ioctl")(descriptor, command, value);
}

WRAP(int, -1, POLL, poll, (struct pollfd * pollers, nfds_t count, int timeout),
     (pollers, count, timeout));

WRAP(int, -1, SIGNALFD, signalfd, (int descriptor, const sigset_t *mask, int flags),
     (descriptor, mask, flags));

/* Processes and threads */

WRAP_ERROR(SPAWN, posix_spawn,
           (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
            const posix_spawnattr_t *attributes, char *const arguments[],
            char *const environment[]),
           (pid, path, actions, attributes, arguments, environment));

WRAP_ERROR(SPAWN_INIT, posix_spawn_file_actions_init, (posix_spawn_file_actions_t * actions),
           (actions));

WRAP_ERROR(SPAWN_INIT, posix_spawnattr_init, (posix_spawnattr_t * attributes), (attributes));

WRAP_ERROR(SPAWN_ADD, posix_spawn_file_actions_adddup2,
           (posix_spawn_file_actions_t * actions, int from, int to), (actions, from, to));

WRAP_ERROR(SPAWN_ADD, posix_spawn_file_actions_addopen,
           (posix_spawn_file_actions_t * actions, int descriptor, const char *path, int flags,
            mode_t mode),
           (actions, descriptor, path, flags, mode));

WRAP_ERROR(SPAWN_ADD, posix_spawn_file_actions_addclosefrom_np,
           (posix_spawn_file_actions_t * actions, int from), (actions, from));

WRAP(int, -1, WAITID, waitid, (idtype_t kind, id_t id, siginfo_t *info, int options),
     (kind, id, info, options));

EXPORT long syscall(long number, ...)
{
    long a[6];
    va_list values;

    va_start(values, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(values, long);
    va_end(values);
    return fail(CALL_SYSCALL, CALLER)
               ? -1
               : REAL(long (*)(long, ...), "syscall")(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

WRAP_ERROR(THREAD, pthread_create,
           (pthread_t * thread, const pthread_attr_t *attributes, void *(*routine)(void *),
            void *argument),
           (thread, attributes, routine, argument));

/* Privileges */

WRAP(int, -1, SETRESUID, setresuid, (uid_t real, uid_t effective, uid_t saved),
     (real, effective, saved));

WRAP(int, -1, SETRESGID, setresgid, (gid_t real, gid_t effective, gid_t saved),
     (real, effective, saved));

WRAP(int, -1, SETGROUPS, setgroups, (size_t count, const gid_t *groups), (count, groups));

WRAP(int, -1, GETRESUID, getresuid, (uid_t * real, uid_t *effective, uid_t *saved),
     (real, effective, saved));

WRAP(int, -1, GETRESGID, getresgid, (gid_t * real, gid_t *effective, gid_t *saved),
     (real, effective, saved));

WRAP(struct passwd *, NULL, GETPWNAM, getpwnam, (const char *name), (name));

EXPORT int getpwnam_r(const char *name, struct passwd *account, char *bytes, size_t size,
                      struct passwd **ret_account)
{
    int error = fail(CALL_GETPWNAM, CALLER);

    *ret_account = NULL;
    return error != 0
               ? error
               : REAL(int (*)(const char *, struct passwd *, char *, size_t, struct passwd **),
                      "getpwnam_r")(name, account, bytes, size, ret_account);
}

EXPORT int getpwuid_r(uid_t uid, struct passwd *account, char *bytes, size_t size,
                      struct passwd **ret_account)
{
    int error = fail(CALL_GETPWUID, CALLER);

    *ret_account = NULL;
    return error != 0 ? error
                      : REAL(int (*)(uid_t, struct passwd *, char *, size_t, struct passwd **),
                             "getpwuid_r")(uid, account, bytes, size, ret_account);
}

EXPORT int prctl(int option, ...)
{
    unsigned long a[4];
    va_list values;

    va_start(values, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(values, unsigned long);
    va_end(values);
    return fail(CALL_PRCTL, CALLER)
               ? -1
               : REAL(int (*)(int, ...), "prctl")(option, a[0], a[1], a[2], a[3]);
}

WRAP(int, -1, SETRLIMIT, setrlimit, (__rlimit_resource_t resource, const struct rlimit *limit),
     (resource, limit));

WRAP(int, -1, CHDIR, chdir, (const char *path), (path));

WRAP(int, -1, CLEARENV, clearenv, (void), ());

WRAP(int, -1, SETITIMER, setitimer,
     (__itimer_which_t which, const struct itimerval *timer, struct itimerval *old),
     (which, timer, old));

/* Libraries */

WRAP(void *, NULL, DLOPEN, dlopen, (const char *path, int flags), (path, flags));

/* Directories and files */

WRAP(ssize_t, -1, READLINK, readlink, (const char *path, char *bytes, size_t size),
     (path, bytes, size));

WRAP(ssize_t, -1, GETRANDOM, getrandom, (void *bytes, size_t size, unsigned flags),
     (bytes, size, flags));

WRAP(int, -1, RENAMEAT, renameat, (int from, const char *old, int to, const char *new),
     (from, old, to, new));

WRAP(int, -1, LINKAT, linkat, (int from, const char *old, int to, const char *new, int flags),
     (from, old, to, new, flags));

WRAP(int, -1, UNLINKAT, unlinkat, (int directory, const char *path, int flags),
     (directory, path, flags));

WRAP(int, -1, FSYNC, fsync, (int descriptor), (descriptor));

WRAP(int, -1, FCHMOD, fchmod, (int descriptor, mode_t mode), (descriptor, mode));

WRAP(int, -1, FLOCK, flock, (int descriptor, int operation), (descriptor, operation));

WRAP(int, -1, MKDIR, mkdir, (const char *path, mode_t mode), (path, mode));

WRAP(struct dirent *, NULL, READDIR, readdir, (DIR * stream), (stream));

WRAP(DIR *, NULL, FDOPENDIR, fdopendir, (int descriptor), (descriptor));

/* The names by which programs with large files know them. */
EXPORT int open64(const char *path, int flags, ...) __attribute__((alias("open")));
EXPORT int openat64(int directory, const char *path, int flags, ...)
    __attribute__((alias("openat")));
EXPORT int fcntl64(int descriptor, int command, ...) __attribute__((alias("fcntl")));
EXPORT int fstat64(int descriptor, struct stat64 *status) __attribute__((alias("fstat")));
EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
    __attribute__((alias("setrlimit")));
EXPORT struct dirent64 *readdir64(DIR *stream) __attribute__((alias("readdir")));
