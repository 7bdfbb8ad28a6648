/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A PAM application with children of its own, which treats SIGCHLD in one way, and logs in COUNT
 * times while a child of its own changes at one moment. Prints what it saw each time, and how
 * often.
 *
 * children-host CONFDIR SERVICE FIFO TREATMENT MOMENT COUNT [thread] [childless]
 *
 * The check program opens FIFO right before its verdict. Of a login it prints its PAM code, each
 * SIGCHLD as the name of the child that it is about, then what is left to wait for, then what else
 * is not as it was. "thread": the login runs in another thread than the first, which has SIGCHLD
 * blocked. "childless": no other child lives meanwhile, so that nothing hangs that waits for
 * one. */
#include <errno.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "moment.h"
#include "treatment.h"

enum { LIFETIME_SECONDS = 120, SIGNAL_MS = 3000, LINE_SIZE = 512, LINES_MAX = 64 };

struct host {
    const char *confdir, *service, *fifo;
    const struct treatment *treatment;
    const struct moment *moment;
    pid_t living;
    sigset_t mask;
    const char *wrong; /* what was not right in the conversation */
    int code;
};

static long clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_us(long microseconds)
{
    const struct timespec pause = { 0, microseconds * 1000 };

    nanosleep(&pause, NULL);
}

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
        host->moment->meanwhile(host->fifo);
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
        moment_give_up("pam_start_confdir");
    pthread_sigmask(SIG_SETMASK, &host->mask, NULL); /* also in a thread */
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
        moment_give_up("pthread_create");
    pthread_join(thread, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static const char *name_of(const struct host *host, pid_t child)
{
    if (child == getpid())
        return "itself";
    return child == moment_child ? "own" : child == host->living ? "living" : "another";
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
    bool raises = host->moment->change == MOMENT_END || (treatment->flags & SA_NOCLDSTOP) == 0;

    return host->moment->change != MOMENT_NOTHING && raises && !treatment->is_unseen;
}

/* Signals of what changed a moment ago are on their way. */
static void await_signals(const struct host *host)
{
    long end_ms = clock_ms() + SIGNAL_MS;

    do {
        pid_t child;
        while (host->treatment->collect != NULL && (child = host->treatment->collect()) != 0)
            treatment_note(child);
        if (!is_seen(host) || treatment_seen_count > 0)
            return;
        sleep_us(200);
    } while (clock_ms() < end_ms);
}

/* A thread that waits for children gets round to it. */
static void await_watcher(const struct host *host)
{
    long end_ms = clock_ms() + SIGNAL_MS;
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
    if (moment_child != 0 &&
        waitid(P_PID, (id_t)moment_child, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
        kill(moment_child, SIGKILL);
        while (waitpid(moment_child, NULL, 0) != moment_child && errno == EINTR)
            ;
    }
    while (treatment_take_pending() != 0)
        ;
    if (!host->treatment->blocks)
        sigprocmask(SIG_UNBLOCK, &only, NULL);
    treatment_seen_count = 0;
}

static void print_login(const struct host *host, char line[LINE_SIZE])
{
    int length = snprintf(line, LINE_SIZE, "%d", host->code);

    for (int i = 0; i < treatment_seen_count && host->treatment->watch == NULL; i++)
        length += snprintf(line + length, LINE_SIZE - (size_t)length, "%s %s",
                           i == 0 ? ", saw" : "", name_of(host, treatment_seen[i]));
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
    moment_begin(moment, host->fifo);
    if (moment->when == MOMENT_BEFORE) {
        await_signals(host);
        treatment_seen_count = 0; /* what comes now is news */
    }

    login(host, in_thread);
    moment_await(moment);
    if (moment->when != MOMENT_BEFORE)
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

int main(int argc, char **argv)
{
    struct host host = { 0 };
    bool in_thread = false, is_childless = false;

    if (argc < 7)
        moment_give_up("usage");
    host = (struct host){ .confdir = argv[1],
                          .service = argv[2],
                          .fifo = argv[3],
                          .treatment = treatment_find(argv[4]),
                          .moment = moment_find(argv[5]) };
    for (int i = 7; i < argc; i++) {
        in_thread = in_thread || strcmp(argv[i], "thread") == 0;
        is_childless = is_childless || strcmp(argv[i], "childless") == 0;
    }
    alarm(LIFETIME_SECONDS);
    srand48(getpid());
    if (host.treatment == NULL || host.moment == NULL)
        moment_give_up("no such treatment or moment");
    if (!treatment_begin(host.treatment))
        moment_give_up("pthread_create");
    if (!is_childless)
        host.living = moment_start_sleeper(host.fifo);
    sigprocmask(SIG_SETMASK, NULL, &host.mask);
    log_in(&host, (unsigned)atoi(argv[6]), in_thread);
    return 0;
}
