/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A PAM application with children of its own, which treats SIGCHLD in one way, and logs in COUNT
 * times while a child of its own changes at one moment. Prints what it saw each time, and how often.
 *
 *   children-host CONFDIR SERVICE FIFO TREATMENT MOMENT COUNT [thread] [childless]
 *
 * The check program opens FIFO right before its verdict. Of a login it prints its PAM code, each
 * SIGCHLD as the name of the child that it is about, then what is left to wait for, then what else
 * is not as it was. "thread": the login runs in another thread than the first, which has SIGCHLD
 * blocked. "childless": no other child lives meanwhile, so that nothing hangs that waits for one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIFETIME_SECONDS = 120, CHILD_MS = 3000, SEEN_MAX = 64, LINE_SIZE = 512, LINES_MAX = 64 };

typedef void handler(int number, siginfo_t *info, void *context);

struct treatment {
    const char *name;
    handler *handle;          /* NULL: DISPOSITION */
    void (*disposition)(int); /* SIG_DFL, SIG_IGN */
    int flags;
    bool blocks;                /* SIGCHLD, in every thread */
    int (*collect)(void);       /* after a login: takes one signal; 0: there is none */
    void *(*watch)(void *none); /* a thread that takes the signals and waits for children */
    bool is_unseen;             /* nobody but the kernel sees the signals */
};

struct host {
    const char *confdir, *service, *fifo;
    const struct treatment *treatment;
    const struct moment *moment;
    pid_t living;
    sigset_t mask;
    const char *wrong; /* what was not right in the conversation */
    int code;
};

struct moment {
    const char *name;
    enum { BEFORE, DURING } when; /* a child changes */
    enum { NOTHING, END, STOP } change;
    pid_t (*before)(const struct host *host);
    void (*meanwhile)(const struct host *host); /* in the conversation */
};

/* What a handler, or a thread, saw. */
static volatile pid_t seen[SEEN_MAX];
static volatile sig_atomic_t seen_count;
static pid_t own; /* the child that this login is about */
static int signal_descriptor = -1;
static int told[2]; /* by a child that goes on */

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "children-host: %s: %s\n", what, strerror(errno));
    _exit(2);
}

static void note(pid_t child)
{
    if (seen_count < SEEN_MAX)
        seen[seen_count++] = child;
}

static long clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
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

/* Treatments */

static void only_count(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    note(info->si_pid);
}

static void wait_for_all(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    only_count(number, info, context);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

static void wait_for_any(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    only_count(number, info, context);
    wait(NULL);
    errno = saved;
}

static void wait_for_the_named(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    only_count(number, info, context);
    waitpid(info->si_pid, NULL, 0);
    errno = saved;
}

static int take_pending(void)
{
    const struct timespec at_once = { 0 };
    siginfo_t info;
    sigset_t only;

    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    return sigtimedwait(&only, &info, &at_once) > 0 ? info.si_pid : 0;
}

static int read_signal(void)
{
    struct signalfd_siginfo info;

    return read(signal_descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_pid : 0;
}

static void reap_all(pid_t named)
{
    note(named);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void *watch_signalfd(void *none)
{
    struct pollfd poller = { .fd = signal_descriptor, .events = POLLIN };

    for (;;) {
        int child = poll(&poller, 1, -1) > 0 ? read_signal() : 0;
        if (child != 0)
            reap_all(child);
    }
    return none;
}

static void *watch_sigwait(void *none)
{
    siginfo_t info;
    sigset_t only;

    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    for (;;)
        if (sigwaitinfo(&only, &info) > 0)
            reap_all(info.si_pid);
    return none;
}

static const struct treatment treatments[] = {
    { .name = "default", .disposition = SIG_DFL, .is_unseen = true },
    { .name = "ignored", .disposition = SIG_IGN, .is_unseen = true },
    { .name = "no-wait", .disposition = SIG_DFL, .flags = SA_NOCLDWAIT, .is_unseen = true },
    { .name = "no-wait-counted", .handle = only_count, .flags = SA_NOCLDWAIT },
    { .name = "no-stop-counted", .handle = only_count, .flags = SA_NOCLDSTOP },
    { .name = "counted", .handle = only_count },
    { .name = "waits-for-all", .handle = wait_for_all },
    { .name = "waits-for-any", .handle = wait_for_any, .flags = SA_NOCLDSTOP },
    { .name = "waits-for-the-named", .handle = wait_for_the_named, .flags = SA_NOCLDSTOP },
    { .name = "blocked", .disposition = SIG_DFL, .blocks = true, .collect = take_pending },
    { .name = "blocked-ignored",
      .disposition = SIG_IGN,
      .blocks = true,
      .collect = take_pending,
      .is_unseen = true },
    { .name = "signalfd", .disposition = SIG_DFL, .blocks = true, .collect = read_signal },
    { .name = "signalfd-thread", .disposition = SIG_DFL, .blocks = true, .watch = watch_signalfd },
    { .name = "sigwait-thread", .disposition = SIG_DFL, .blocks = true, .watch = watch_sigwait },
};

static void treat(const struct treatment *treatment)
{
    struct sigaction action = { .sa_flags = treatment->flags | SA_RESTART };
    sigset_t only;
    pthread_t thread;

    if (treatment->handle != NULL) {
        action.sa_sigaction = treatment->handle;
        action.sa_flags |= SA_SIGINFO;
    } else {
        action.sa_handler = treatment->disposition;
    }
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    if (treatment->blocks)
        sigprocmask(SIG_BLOCK, &only, NULL);
    signal_descriptor = signalfd(-1, &only, SFD_NONBLOCK | SFD_CLOEXEC);
    if (treatment->watch != NULL && pthread_create(&thread, NULL, treatment->watch, NULL) != 0)
        give_up("pthread_create");
}

/* Moments */

static pid_t start_child(void)
{
    pid_t child = fork();

    if (child < 0)
        give_up("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(LIFETIME_SECONDS);
    }
    return child;
}

static pid_t start_sleeper(const struct host *host)
{
    pid_t child = start_child();

    (void)host;
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
        give_up("a child does not end");
}

/* Waits for a stop or a continuation, and leaves it to be waited for. */
static void await_change(pid_t child, int change)
{
    siginfo_t info;

    while (waitid(P_PID, (id_t)child, &info, change | WNOWAIT) != 0)
        if (errno != EINTR)
            return;
}

static pid_t end_before(const struct host *host)
{
    pid_t child = start_child();

    (void)host;
    if (child == 0)
        _exit(0);
    await_end(child);
    return child;
}

static pid_t stop_before(const struct host *host)
{
    pid_t child = start_sleeper(host);

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
static pid_t continue_before(const struct host *host)
{
    char byte;
    pid_t child;

    signal(SIGCONT, tell);
    child = stop_before(host);
    signal(SIGCONT, SIG_DFL);
    kill(child, SIGCONT);
    if (read(told[0], &byte, 1) != 1)
        give_up("a child does not go on");
    return child;
}

static pid_t trace_before(const struct host *host)
{
    pid_t child = start_sleeper(host);

    if (ptrace(PTRACE_SEIZE, child, NULL, NULL) != 0 ||
        ptrace(PTRACE_INTERRUPT, child, NULL, NULL) != 0)
        give_up("ptrace");
    await_change(child, WSTOPPED);
    return child;
}

static long random_ns(long most)
{
    return (long)(drand48() * (double)most);
}

/* At any moment of a login, which takes some milliseconds. */
static pid_t end_whenever(const struct host *host)
{
    long nanoseconds = random_ns(6000000);
    pid_t child = start_child();

    (void)host;
    if (child != 0)
        return child;
    sleep_us(nanoseconds / 1000);
    _exit(0);
}

/* A moment before, when or after the check program does. */
static pid_t end_with_the_check_program(const struct host *host)
{
    long nanoseconds = random_ns(600000);
    pid_t child = start_child();

    if (child != 0)
        return child;
    if (open(host->fifo, O_RDONLY | O_CLOEXEC) < 0)
        _exit(1);
    spin(nanoseconds);
    _exit(0);
}

static pid_t stop_with_the_check_program(const struct host *host)
{
    long nanoseconds = random_ns(600000);
    pid_t child = start_child();

    if (child != 0)
        return child;
    if (open(host->fifo, O_RDONLY | O_CLOEXEC) < 0)
        _exit(1);
    spin(nanoseconds);
    raise(SIGSTOP);
    _exit(0);
}

static void end_own(const struct host *host)
{
    (void)host;
    kill(own, SIGKILL);
    await_end(own);
}

static void stop_own(const struct host *host)
{
    (void)host;
    kill(own, SIGSTOP);
    await_change(own, WSTOPPED);
}

/* One of its own and the check program, for which there is one signal then: theirs is the first
 * that a handler finds. */
static void end_both(const struct host *host)
{
    siginfo_t info;
    sigset_t only, old;
    int told_to_end;

    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &only, &old);
    told_to_end = open(host->fifo, O_RDONLY | O_CLOEXEC);
    waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
    close(told_to_end);
    own = end_before(host);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static pid_t start_nobody(const struct host *host)
{
    (void)host;
    return 0;
}

static const struct moment moments[] = {
    { "none", BEFORE, NOTHING, start_nobody, NULL },
    { "lives", BEFORE, NOTHING, start_sleeper, NULL },
    { "ended before", BEFORE, END, end_before, NULL },
    { "stopped before", BEFORE, STOP, stop_before, NULL },
    { "continued before", BEFORE, STOP, continue_before, NULL },
    { "traced before", BEFORE, STOP, trace_before, NULL },
    { "ends in the conversation", DURING, END, start_sleeper, end_own },
    { "stops in the conversation", DURING, STOP, start_sleeper, stop_own },
    { "both end in the conversation", DURING, END, start_nobody, end_both },
    { "ends whenever", DURING, END, end_whenever, NULL },
    { "ends with the check program", DURING, END, end_with_the_check_program, NULL },
    { "stops with the check program", DURING, STOP, stop_with_the_check_program, NULL },
};

/* A login */

static bool is_mask(const sigset_t *wanted)
{
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&mask, number) != sigismember(wanted, number))
            return false;
    return true;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
                    void *data)
{
    struct host *host = data;

    (void)messages;
    if (!is_mask(&host->mask))
        host->wrong = "another mask in the conversation";
    if (host->moment->meanwhile != NULL)
        host->moment->meanwhile(host);
    *responses = calloc((size_t)count, sizeof **responses);
    (*responses)->resp = strdup("123456");
    return PAM_SUCCESS;
}

static void *authenticate(void *data)
{
    struct host *host = data;
    struct pam_conv conversation = { converse, host };
    pam_handle_t *pamh = NULL;

    if (pam_start_confdir(host->service, "alice", &conversation, host->confdir, &pamh) !=
        PAM_SUCCESS)
        give_up("pam_start_confdir");
    pthread_sigmask(SIG_SETMASK, NULL, &host->mask);
    host->code = pam_authenticate(pamh, 0);
    if (!is_mask(&host->mask))
        host->wrong = "another mask afterwards";
    pam_end(pamh, host->code);
    return NULL;
}

static void login(struct host *host, bool in_thread)
{
    sigset_t only, old;
    pthread_t thread;

    if (!in_thread) {
        authenticate(host);
        return;
    }
    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &only, &old);
    if (pthread_create(&thread, NULL, authenticate, host) != 0)
        give_up("pthread_create");
    pthread_join(thread, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static const char *name_of(const struct host *host, pid_t child)
{
    return child == own ? "own" : child == host->living ? "living" : "another";
}

/* What there is to wait for, without waiting for it. */
static int print_waitable(const struct host *host, char *text, size_t size)
{
    static const struct {
        int kind;
        const char *name;
    } kinds[] = { { WEXITED, "ended" }, { WSTOPPED, "stopped" }, { WCONTINUED, "continued" } };
    int length = 0;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        siginfo_t info = { 0 };
        if (waitid(P_ALL, 0, &info, kinds[i].kind | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0)
            length += snprintf(text + length, size - (size_t)length, " %s %s",
                               name_of(host, info.si_pid), kinds[i].name);
    }
    return length;
}

/* Whether a change of that kind raises SIGCHLD, and somebody sees it. */
static bool is_seen(const struct host *host)
{
    const struct treatment *treatment = host->treatment;
    bool raises = host->moment->change == END || (treatment->flags & SA_NOCLDSTOP) == 0;

    return host->moment->change != NOTHING && raises && !treatment->is_unseen;
}

/* Signals of what changed a moment ago are on their way. */
static void await_signals(const struct host *host)
{
    long end_ms = clock_ms() + CHILD_MS;

    do {
        int child;
        while (host->treatment->collect != NULL && (child = host->treatment->collect()) != 0)
            note(child);
        if (!is_seen(host) || seen_count > 0)
            return;
        sleep_us(200);
    } while (clock_ms() < end_ms);
}

/* A thread that waits for children gets round to it. */
static void await_watcher(const struct host *host)
{
    long end_ms = clock_ms() + CHILD_MS;
    siginfo_t info = { 0 };

    while (host->treatment->watch != NULL && clock_ms() < end_ms &&
           waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0)
        sleep_us(200);
}

static void clean_up(const struct host *host)
{
    siginfo_t info;
    sigset_t only;

    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    sigprocmask(SIG_BLOCK, &only, NULL);
    /* One that was waited for has a number that may be somebody else's by now. */
    if (own != 0 && waitid(P_PID, (id_t)own, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
        kill(own, SIGKILL);
        while (waitpid(own, NULL, 0) != own && errno == EINTR)
            ;
    }
    while (take_pending() != 0)
        ;
    if (!host->treatment->blocks)
        sigprocmask(SIG_UNBLOCK, &only, NULL);
    seen_count = 0;
}

static void print_login(const struct host *host, char line[LINE_SIZE])
{
    int length = snprintf(line, LINE_SIZE, "%d", host->code);

    for (int i = 0; i < seen_count && host->treatment->watch == NULL; i++)
        length += snprintf(line + length, LINE_SIZE - (size_t)length, "%s %s",
                           i == 0 ? ", saw" : "", name_of(host, seen[i]));
    length += snprintf(line + length, LINE_SIZE - (size_t)length, ", left");
    length += print_waitable(host, line + length, LINE_SIZE - (size_t)length);
    if (host->wrong != NULL)
        snprintf(line + length, LINE_SIZE - (size_t)length, ", %s", host->wrong);
}

static void login_once(struct host *host, bool in_thread, char line[LINE_SIZE])
{
    const struct moment *moment = host->moment;
    struct sigaction before, after;

    host->wrong = NULL;
    sigaction(SIGCHLD, NULL, &before);
    own = 0;
    own = moment->before(host);
    if (moment->when == BEFORE) {
        await_signals(host);
        seen_count = 0; /* what comes now is news */
    }

    login(host, in_thread);
    if (moment->when == DURING && moment->change == END)
        await_end(own);
    if (moment->when == DURING && moment->change == STOP)
        await_change(own, WSTOPPED);
    if (moment->when == DURING)
        await_signals(host);
    await_watcher(host);
    sigaction(SIGCHLD, NULL, &after);
    if (before.sa_sigaction != after.sa_sigaction || before.sa_flags != after.sa_flags)
        host->wrong = "another disposition";
    print_login(host, line);
    clean_up(host);
}

static void log_in(struct host *host, unsigned count, bool in_thread)
{
    static char lines[LINES_MAX][LINE_SIZE];
    unsigned counts[LINES_MAX] = { 0 };

    for (unsigned i = 0; i < count; i++) {
        char line[LINE_SIZE];
        size_t at = 0;
        login_once(host, in_thread, line);
        while (at + 1 < LINES_MAX && lines[at][0] != '\0' && strcmp(lines[at], line) != 0)
            at++;
        strcpy(lines[at], line);
        counts[at]++;
    }
    for (size_t at = 0; at < LINES_MAX && counts[at] > 0; at++)
        printf("%u times %s\n", counts[at], lines[at]);
}

static const struct treatment *find_treatment(const char *name)
{
    for (size_t i = 0; i < sizeof treatments / sizeof *treatments; i++)
        if (strcmp(treatments[i].name, name) == 0)
            return &treatments[i];
    give_up(name);
}

static const struct moment *find_moment(const char *name)
{
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
        if (strcmp(moments[i].name, name) == 0)
            return &moments[i];
    give_up(name);
}

int main(int argc, char **argv)
{
    struct host host = { 0 };
    bool in_thread = false, is_childless = false;

    if (argc < 7)
        give_up("usage");
    host = (struct host){ .confdir = argv[1],
                          .service = argv[2],
                          .fifo = argv[3],
                          .treatment = find_treatment(argv[4]),
                          .moment = find_moment(argv[5]) };
    for (int i = 7; i < argc; i++) {
        in_thread = in_thread || strcmp(argv[i], "thread") == 0;
        is_childless = is_childless || strcmp(argv[i], "childless") == 0;
    }
    alarm(LIFETIME_SECONDS);
    srand48(getpid());
    if (pipe(told) != 0)
        give_up("pipe");
    treat(host.treatment);
    if (!is_childless)
        host.living = start_sleeper(&host);
    sigprocmask(SIG_SETMASK, NULL, &host.mask);
    log_in(&host, (unsigned)atoi(argv[6]), in_thread);
    return 0;
}
