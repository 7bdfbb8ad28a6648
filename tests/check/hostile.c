/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Stands in for twilio.so: an attacker's code inside the real check program. The prompt of the
 * settings is its command, and the verdict what came of it:
 *
 *     free NAME [ARGUMENT]    before the sandbox, as an account without rights
 *     caged NAME [ARGUMENT]   inside, where replies from the network are read
 *
 * NAME is of one of the tables below: "denied: worked", or the errno's name; "every": those that
 * need no argument, "denied: COUNT tried, worked: NAME..."; "calls FIRST": numbers of system calls
 * of the 256 from FIRST on that do not answer ENOSYS. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paths.h"
#include "twilio/challenge.h"

#define COUNT(array) (sizeof array / sizeof *array)

enum { PAGE = 4096, CALLS = 256, UNTOLD = 255 };

static const struct settings *settings;
static char state_path[512];

/* 0: it worked; else errno. */
static int result(long value)
{
    return value >= 0 ? 0 : errno;
}

/* Memory */

static int is_mapped(const void *page)
{
    return page != MAP_FAILED ? 0 : errno;
}

static int map_writable_code(void)
{
    return is_mapped(
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int map_writable_code_of_a_file(void)
{
    int file = open("/bin/true", O_RDONLY);

    return is_mapped(mmap(NULL, PAGE, PROT_WRITE | PROT_EXEC, MAP_PRIVATE, file, 0));
}

static void *fresh_page(void)
{
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int make_written_memory_code(void)
{
    return result(mprotect(fresh_page(), PAGE, PROT_READ | PROT_EXEC));
}

static int make_code_writable(void)
{
    char *page = (char *)((uintptr_t)result & ~(uintptr_t)(PAGE - 1));

    return result(mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
}

static int make_memory_code_by_its_key(void)
{
    return result(syscall(SYS_pkey_mprotect, fresh_page(), PAGE, PROT_READ | PROT_EXEC, -1));
}

static int share_code(void)
{
    int segment = shmget(IPC_PRIVATE, PAGE, 0700);
    void *place = segment >= 0 ? shmat(segment, NULL, SHM_EXEC) : (void *)-1;
    int error = errno;

    if (segment >= 0)
        shmctl(segment, IPC_RMID, NULL);
    return place != (void *)-1 ? 0 : error;
}

static int make_a_file_in_memory(void)
{
    return result(memfd_create("hostile", 0));
}

static int make_all_that_is_read_code(void)
{
    return result(personality(READ_IMPLIES_EXEC));
}

static int write_own_memory_by_its_file(void)
{
    return result(open("/proc/self/mem", O_RDWR));
}

static int map_code_from_own_state(void)
{
    static const char code[] = "\xc3";
    int file = open(state_path, O_RDWR);

    if (file < 0 || pwrite(file, code, sizeof code, 8 * PAGE) != sizeof code)
        return errno;
    return is_mapped(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 8 * PAGE));
}

static int map_a_library(void)
{
    int file = open("/bin/true", O_RDONLY);

    return is_mapped(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0));
}

static int load_a_library(void)
{
    return dlopen("libutil.so.1", RTLD_NOW) != NULL ? 0 : ENOENT;
}

/* Processes */

static int execute(void)
{
    char *const arguments[] = { (char *)"true", NULL };

    execve("/bin/true", arguments, arguments + 1);
    return errno;
}

static int execute_a_descriptor(void)
{
    char *const arguments[] = { (char *)"true", NULL };
    int file = open("/bin/true", O_RDONLY);

    syscall(SYS_execveat, file, "", arguments, arguments + 1, AT_EMPTY_PATH);
    return errno;
}

static int spawn(void)
{
    char *const arguments[] = { (char *)"true", NULL };
    pid_t child;

    return posix_spawn(&child, "/bin/true", NULL, NULL, arguments, arguments + 1);
}

/* What fork(2) and the like gave; the child ends. */
static int is_process(long child)
{
    if (child == 0)
        _exit(0);
    return result(child);
}

static int fork_a_process(void)
{
    return is_process(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int clone_with_memory(void)
{
    /* A thread's flags but for one. */
    return is_process(syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int clone_with_hidden_flags(void)
{
    struct clone_args arguments = { .exit_signal = SIGCHLD };

    return is_process(syscall(SYS_clone3, &arguments, sizeof arguments));
}

static void *nothing(void *argument)
{
    return argument;
}

static int start_a_thread(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, nothing, NULL);

    return error != 0 ? error : pthread_join(thread, NULL);
}

static int set_the_clock_of_the_login(void)
{
    const struct itimerval never = { 0 };

    return result(setitimer(ITIMER_REAL, &never, NULL));
}

static int end_in_abort(void)
{
    abort();
}

/* With the numbers of another architecture. */
static int call_as_32_bit(void)
{
#ifdef __x86_64__
    long number = SYS_getpid;

    __asm__ volatile("mov $20, %%eax; int $0x80" : "=a"(number) : : "memory");
    return number > 0 ? 0 : (int)-number;
#else
    return ENOSYS;
#endif
}

static int call_as_x32(void)
{
#ifdef __x86_64__
    return result(syscall(0x40000000 | SYS_getpid));
#else
    return ENOSYS;
#endif
}

/* Sockets */

static int resolve(void)
{
    struct addrinfo *addresses;

    return getaddrinfo("localhost", "443", NULL, &addresses) == 0 ? 0 : ENOENT;
}

static int ask_for_routes(void)
{
    const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
    int route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);

    return result(bind(route, (const struct sockaddr *)&address, sizeof address));
}

static int open_tcp_and_udp(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP) >= 0 &&
                   socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0 &&
                   (socket(AF_INET6, SOCK_STREAM, 0) >= 0 || errno == EAFNOSUPPORT) &&
                   (socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP) >= 0 || errno == EAFNOSUPPORT)
               ? 0
               : errno;
}

static int listen_for_others(void)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    return result(listen(listener, 1));
}

static int ask_the_kernel_by_netlink(void)
{
    return result(socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC));
}

/* Others' processes, by descriptors */

static int own_a_descriptor_s_signals(void)
{
    int ends[2];

    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0
               ? errno
               : result(fcntl(ends[0], F_SETOWN, getpid()));
}

static int own_them_as_a_thread(void)
{
    struct f_owner_ex owner = { F_OWNER_TID, getpid() };

    return result(fcntl(STDIN_FILENO, F_SETOWN_EX, &owner));
}

static int choose_a_descriptor_s_signal(void)
{
    return result(fcntl(STDIN_FILENO, F_SETSIG, SIGKILL));
}

static int watch_a_directory(void)
{
    return result(fcntl(open("/usr", O_RDONLY), F_NOTIFY, DN_ACCESS));
}

/* Locks */

static int lease_own_state(void)
{
    return result(fcntl(open(state_path, O_RDONLY), F_SETLEASE, F_RDLCK));
}

static int lock_a_part_of_own_state(void)
{
    struct flock part = { .l_type = F_WRLCK };

    return result(fcntl(open(state_path, O_RDWR), F_SETLK, &part));
}

static int lock_a_part_for_a_descriptor(void)
{
    struct flock part = { .l_type = F_WRLCK };

    return result(fcntl(open(state_path, O_RDWR), F_OFD_SETLK, &part));
}

static int change_own_state(void)
{
    int file = open(state_path, O_RDWR);

    return flock(file, LOCK_EX | LOCK_NB) == 0 && pwrite(file, "", 0, 0) == 0 && fsync(file) == 0
               ? 0
               : errno;
}

/* Every command of a call, with the upper half of the argument set too, which the kernel
 * ignores. */
static int try_values(long call, unsigned first, unsigned end, const unsigned *allowed,
                      size_t count)
{
    for (unsigned value = first; value < end; value++) {
        bool is_allowed = false;
        for (size_t i = 0; i < count; i++)
            is_allowed = is_allowed || allowed[i] == value;
        for (unsigned long high = 0; high < 2; high++)
            if (!is_allowed &&
                (syscall(call, STDIN_FILENO, high << 16 << 16 | value, 0) >= 0 || errno != ENOSYS))
                return 0;
    }
    return ENOSYS;
}

static int try_other_commands_of_fcntl(void)
{
    static const unsigned allowed[] = {
        F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
    };

    return try_values(SYS_fcntl, 0, 4096, allowed, COUNT(allowed));
}

static int try_other_requests_of_ioctl(void)
{
    static const unsigned allowed[] = { FIONBIO, FIONREAD, SIOCOUTQ, SIOCGIFINDEX };

    return try_values(SYS_ioctl, 0, 0x10000, allowed, COUNT(allowed));
}

static bool is_needed(int family, int type, int protocol)
{
    switch (family) {
    case AF_UNIX:
        return true;
    case AF_NETLINK:
        return protocol == 0;
    case AF_INET:
    case AF_INET6:
        return (type == SOCK_STREAM || type == SOCK_DGRAM) &&
               (protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_UDP);
    default:
        return false;
    }
}

static int try_other_sockets(void)
{
    for (int family = 0; family < 64; family++)
        for (int type = 0; type < 12; type++)
            for (int protocol = 0; protocol < 300; protocol++)
                if (!is_needed(family, type, protocol) &&
                    (socket(family, type | SOCK_CLOEXEC, protocol) >= 0 || errno != ENOSYS))
                    return 0;
    return ENOSYS;
}

static int try_other_pairs(void)
{
    int ends[2];

    for (int family = 0; family < 64; family++)
        if (family != AF_UNIX && (socketpair(family, SOCK_STREAM, 0, ends) == 0 || errno != ENOSYS))
            return 0;
    return ENOSYS;
}

struct attempt {
    const char *name;
    int (*run)(void);
};

static const struct attempt attempts[] = {
    { "map-wx", map_writable_code },
    { "map-wx-file", map_writable_code_of_a_file },
    { "protect-x", make_written_memory_code },
    { "protect-wx", make_code_writable },
    { "pkey-x", make_memory_code_by_its_key },
    { "shm-x", share_code },
    { "memfd", make_a_file_in_memory },
    { "personality", make_all_that_is_read_code },
    { "self-mem", write_own_memory_by_its_file },
    { "state-code", map_code_from_own_state },
    { "library", map_a_library },
    { "dlopen", load_a_library },
    { "execve", execute },
    { "execveat", execute_a_descriptor },
    { "spawn", spawn },
    { "fork", fork_a_process },
    { "clone-vm", clone_with_memory },
    { "clone3", clone_with_hidden_flags },
    { "thread", start_a_thread },
    { "timer", set_the_clock_of_the_login },
    { "resolve", resolve },
    { "route", ask_for_routes },
    { "inet", open_tcp_and_udp },
    { "listen", listen_for_others },
    { "netlink", ask_the_kernel_by_netlink },
    { "setown", own_a_descriptor_s_signals },
    { "setown-ex", own_them_as_a_thread },
    { "setsig", choose_a_descriptor_s_signal },
    { "notify", watch_a_directory },
    { "lease", lease_own_state },
    { "lock", lock_a_part_of_own_state },
    { "ofd-lock", lock_a_part_for_a_descriptor },
    { "state", change_own_state },
};

/* Where only the filter's answer tells: outside they would change too much. */
static const struct attempt searches[] = {
    { "fcntl", try_other_commands_of_fcntl },
    { "ioctl", try_other_requests_of_ioctl },
    { "socket", try_other_sockets },
    { "socketpair", try_other_pairs },
};

/* These end the process. */
static const struct attempt endings[] = {
    { "abort", end_in_abort },
    { "32-bit", call_as_32_bit },
    { "x32", call_as_x32 },
};

/* Against another process of the same account */

static int signal_it(pid_t process)
{
    return result(kill(process, SIGKILL));
}

static int signal_its_thread(pid_t process)
{
    return result(syscall(SYS_tkill, process, SIGKILL));
}

static int signal_its_thread_group(pid_t process)
{
    return result(syscall(SYS_tgkill, process, process, SIGKILL));
}

static int queue_a_signal(pid_t process)
{
    siginfo_t info = { .si_signo = SIGKILL, .si_code = SI_QUEUE };

    return result(syscall(SYS_rt_sigqueueinfo, process, SIGKILL, &info));
}

static int signal_by_descriptor(pid_t process)
{
    int descriptor = (int)syscall(SYS_pidfd_open, process, 0);

    return result(syscall(SYS_pidfd_send_signal, descriptor, SIGKILL, NULL, 0));
}

/* Has the kernel send it a signal when something can be read from ENDS[0]. */
static int provoke(const int ends[2])
{
    if (fcntl(ends[0], F_SETSIG, SIGKILL) != 0 || fcntl(ends[0], F_SETFL, O_ASYNC) != 0)
        return errno;
    return write(ends[1], "x", 1) == 1 ? 0 : errno;
}

static int signal_as_owner(pid_t process)
{
    int ends[2];

    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || fcntl(ends[0], F_SETOWN, process) != 0
               ? errno
               : provoke(ends);
}

static int signal_as_extended_owner(pid_t process)
{
    struct f_owner_ex owner = { F_OWNER_PID, process };
    int ends[2];

    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
                   fcntl(ends[0], F_SETOWN_EX, &owner) != 0
               ? errno
               : provoke(ends);
}

static int signal_by_request(pid_t process, unsigned long request)
{
    int ends[2], owner = process;

    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || ioctl(ends[0], request, &owner) != 0
               ? errno
               : provoke(ends);
}

static int signal_by_fiosetown(pid_t process)
{
    return signal_by_request(process, FIOSETOWN);
}

static int signal_by_siocspgrp(pid_t process)
{
    return signal_by_request(process, SIOCSPGRP);
}

static int limit_it(pid_t process)
{
    const struct rlimit none = { 0, 0 };

    return result(prlimit(process, RLIMIT_NOFILE, &none, NULL));
}

static int slow_it_down(pid_t process)
{
    return result(setpriority(PRIO_PROCESS, (id_t)process, 19));
}

static int let_it_idle(pid_t process)
{
    const struct sched_param none = { 0 };

    return result(sched_setscheduler(process, SCHED_IDLE, &none));
}

static int take_its_processors(pid_t process)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(0, &one);
    return result(sched_setaffinity(process, sizeof one, &one));
}

static int slow_its_disk(pid_t process)
{
    return result(syscall(SYS_ioprio_set, 1, process, 3 << 13));
}

static int trace_it(pid_t process)
{
    return result(ptrace(PTRACE_SEIZE, process, NULL, NULL));
}

static int write_its_memory(pid_t process)
{
    char byte = 0;
    struct iovec from = { &byte, 1 }, to = { &settings, 1 };

    return result(process_vm_writev(process, &from, 1, &to, 1, 0));
}

static int open_its(pid_t process, const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
    return result(open(path, flags));
}

static int open_its_memory(pid_t process)
{
    return open_its(process, "mem", O_RDWR);
}

static int read_its_maps(pid_t process)
{
    return open_its(process, "maps", O_RDONLY);
}

static int read_its_arguments(pid_t process)
{
    return open_its(process, "cmdline", O_RDONLY);
}

static const struct {
    const char *name;
    int (*run)(pid_t process);
} attacks[] = {
    { "kill", signal_it },
    { "tkill", signal_its_thread },
    { "tgkill", signal_its_thread_group },
    { "sigqueue", queue_a_signal },
    { "pidfd", signal_by_descriptor },
    { "owner", signal_as_owner },
    { "owner-ex", signal_as_extended_owner },
    { "fiosetown", signal_by_fiosetown },
    { "siocspgrp", signal_by_siocspgrp },
    { "prlimit", limit_it },
    { "priority", slow_it_down },
    { "scheduler", let_it_idle },
    { "affinity", take_its_processors },
    { "ioprio", slow_its_disk },
    { "ptrace", trace_it },
    { "vm-write", write_its_memory },
    { "proc-mem", open_its_memory },
    { "proc-maps", read_its_maps },
    { "proc-cmdline", read_its_arguments },
};

/* On a path; where it worked nothing of it stays */

static int read_file(const char *path)
{
    char byte;
    int file = open(path, O_RDONLY | O_NONBLOCK);

    return file < 0 ? errno : result(read(file, &byte, 1));
}

static int list_directory(const char *path)
{
    return result(open(path, O_RDONLY | O_DIRECTORY));
}

static int lock_file(const char *path)
{
    return result(flock(open(path, O_RDONLY), LOCK_SH | LOCK_NB));
}

static int write_file(const char *path)
{
    return result(open(path, O_WRONLY));
}

static int empty_file(const char *path)
{
    return open(path, O_RDONLY | O_TRUNC) >= 0 || truncate(path, 0) == 0 ? 0 : errno;
}

static int make_file(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    int error = errno;

    unlink(path);
    return file >= 0 ? 0 : error;
}

static int make_anything(const char *path)
{
    return mkdir(path, 0700) == 0 || mkfifo(path, 0600) == 0 || symlink("/", path) == 0 ||
                   link(state_path, path) == 0
               ? remove(path)
               : errno;
}

static int name_a_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int named = socket(AF_UNIX, SOCK_DGRAM, 0), bound;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    bound = result(bind(named, (const struct sockaddr *)&address, sizeof address));
    unlink(path);
    return bound;
}

static int remove_file(const char *path)
{
    return result(unlink(path));
}

static int rename_file(const char *path)
{
    char new_path[512];

    snprintf(new_path, sizeof new_path, "%s-taken", path);
    return rename(path, new_path) == 0 ? rename(new_path, path) : errno;
}

static int change_mode(const char *path)
{
    return result(chmod(path, 0600));
}

/* "@" in front of the name of an abstract one. */
static int connect_to_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    return result(connect(client, (const struct sockaddr *)&address, size));
}

static int connect_to_port(const char *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)atoi(port)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    return result(connect(socket(AF_INET, SOCK_STREAM, 0), (const struct sockaddr *)&address,
                          sizeof address));
}

static const struct {
    const char *name;
    int (*run)(const char *path);
} trespasses[] = {
    { "read", read_file },         { "list", list_directory }, { "flock", lock_file },
    { "write", write_file },       { "empty", empty_file },    { "make", make_file },
    { "make-any", make_anything }, { "bind", name_a_socket },  { "unlink", remove_file },
    { "rename", rename_file },     { "chmod", change_mode },   { "connect", connect_to_socket },
    { "tcp", connect_to_port },
};

/* Commands */

static bool refuse_all(struct verdict *verdict, const char *text)
{
    return verdict_refuse(verdict, OUTCOME_DENIED, "%s", text);
}

static bool tell(int error, struct verdict *verdict)
{
    const char *name = strerrorname_np(error);

    return refuse_all(verdict, error == 0 ? "worked" : name != NULL ? name : "failed");
}

/* In a process of its own where there may be one, for what it changes. */
static int run_alone(int (*attempt)(void), bool is_free)
{
    pid_t child = is_free ? fork() : -1;
    int status;

    if (child < 0)
        return attempt();
    if (child == 0)
        _exit(attempt());
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : UNTOLD;
}

static void try_every(bool is_free, struct verdict *verdict)
{
    char worked[VERDICT_REASON_SIZE] = "";
    size_t length = 0;
    size_t count = COUNT(attempts) + (is_free ? 0 : COUNT(searches));

    for (size_t i = 0; i < count; i++) {
        const struct attempt *attempt =
            i < COUNT(attempts) ? &attempts[i] : &searches[i - COUNT(attempts)];
        if (run_alone(attempt->run, is_free) == 0)
            length +=
                (size_t)snprintf(worked + length, sizeof worked - length, " %s", attempt->name);
    }
    verdict_refuse(verdict, OUTCOME_DENIED, "%zu tried, worked:%s", count, worked);
}

/* Whether the call NUMBER ends the process, or goes back to where a signal interrupted it. The
 * kernel lets uretprobe(2) and uprobe(2) of x86-64 pass every filter, and kills who calls them. */
static bool is_end(long number)
{
#ifdef __x86_64__
    if (number == 335 || number == 336)
        return true;
#endif
    return number == SYS_exit || number == SYS_exit_group || number == SYS_rt_sigreturn;
}

static void try_calls(long first, struct verdict *verdict)
{
    char answered[VERDICT_REASON_SIZE] = "";
    size_t length = 0;

    for (long number = first; number < first + CALLS; number++)
        if (!is_end(number) && (syscall(number, -1, -1, -1, -1, -1, -1) >= 0 || errno != ENOSYS))
            length += (size_t)snprintf(answered + length, sizeof answered - length, "%lx ", number);
    refuse_all(verdict, answered);
}

static const struct attempt *find(const char *name)
{
    for (size_t i = 0; i < COUNT(attempts); i++)
        if (strcmp(attempts[i].name, name) == 0)
            return &attempts[i];
    for (size_t i = 0; i < COUNT(endings); i++)
        if (strcmp(endings[i].name, name) == 0)
            return &endings[i];
    return NULL;
}

static bool obey(bool is_free, const char *name, const char *argument, struct verdict *verdict)
{
    const struct attempt *attempt = find(name);

    if (strcmp(name, "every") == 0)
        return try_every(is_free, verdict), false;
    if (strcmp(name, "calls") == 0)
        return try_calls(atol(argument), verdict), false;
    if (attempt != NULL)
        return tell(run_alone(attempt->run, is_free), verdict);
    for (size_t i = 0; i < COUNT(attacks); i++)
        if (strcmp(attacks[i].name, name) == 0)
            return tell(attacks[i].run(atoi(argument)), verdict);
    for (size_t i = 0; i < COUNT(trespasses); i++)
        if (strcmp(trespasses[i].name, name) == 0)
            return tell(trespasses[i].run(argument), verdict);
    return refuse_all(verdict, "no such attempt");
}

/* False, with the verdict: the command is for here. */
static bool is_for_later(bool is_free, struct verdict *verdict)
{
    char where[8], name[32], argument[256] = "";

    if (sscanf(settings->prompt, "%7s %31s %255s", where, name, argument) < 2)
        return refuse_all(verdict, "no command");
    if (strcmp(where, is_free ? "free" : "caged") != 0)
        return true;
    return obey(is_free, name, argument, verdict);
}

/* The table */

static bool open_service(const struct settings *its_settings, const struct enrollment *enrollment,
                         const char *secret, struct challenge_service **ret_service,
                         struct verdict *why_not)
{
    (void)secret;
    settings = its_settings;
    snprintf(state_path, sizeof state_path, "%s/%s.sent", settings->state_dir, enrollment->user);
    close(open(state_path, O_RDWR | O_CREAT, 0600));
    *ret_service = NULL;
    return is_for_later(true, why_not);
}

static enum challenge_state create(struct challenge_service *service, struct http_watch *watch,
                                   const char *code, struct challenge *challenge,
                                   struct verdict *why_not)
{
    (void)service;
    (void)watch;
    (void)code;
    (void)challenge;
    is_for_later(false, why_not);
    return CHALLENGE_REFUSED;
}

const struct challenge_api challenge_api = {
    .version = PATHS_VERSION,
    .open = open_service,
    .create = create,
};
