/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A PAM application that times logins:
 *
 *   bench-logins SERVICE THINK_MS AT_ONCE SECONDS <LIST
 *
 * LIST has a line "USER ANSWER" for each login. AT_ONCE of them run side by side, each in a process
 * of its own as under sshd, and are killed after SECONDS; with AT_ONCE of 0 each runs in this process
 * as soon as its line is there. THINK_MS is what the user takes for an answer; it is in no figure.
 * Prints a line of numbers for each login, in the order of LIST:
 *
 *   CODE PROMPT VERDICT WHOLE CPU BEFORE AFTER
 *
 * CODE is pam_authenticate's, -1 where the login was killed. Microseconds: PROMPT from pam_start to
 * the first prompt, VERDICT from the last answer to the return of pam_authenticate (both -1 without a
 * prompt), WHOLE from pam_start to pam_end but for the thinking, CPU of this process and those that it
 * has reaped. BEFORE and AFTER: the resident memory around it, in KiB. */
#include <errno.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NAME_SIZE = 64, LOGINS_MAX = 100000 };

struct login {
    char user[NAME_SIZE], answer[NAME_SIZE];
    pid_t pid;
    int code;
    int64_t began, prompted, answered, decided, ended; /* microseconds; 0: not yet */
    int64_t thought, cpu;
    long before_kib, after_kib;
};

struct plan {
    const char *service;
    unsigned think_ms, at_once, seconds;
    struct login *logins; /* shared with the processes */
    size_t count;
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench-logins: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t cpu_us(const struct rusage *usage)
{
    return (int64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
           usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
}

static int64_t own_cpu_us(void)
{
    struct rusage own, children;

    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    return cpu_us(&own) + cpu_us(&children);
}

/* Not statm, whose counters lag behind. */
static long resident_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/smaps_rollup", "re");

    if (file == NULL)
        give_up("smaps_rollup");
    while (kib < 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Rss: %ld", &kib) != 1)
            kib = -1;
    fclose(file);
    return kib;
}

struct talk {
    const struct plan *plan;
    struct login *login;
};

static void think(const struct talk *talk)
{
    struct timespec left = { talk->plan->think_ms / 1000,
                             (long)(talk->plan->think_ms % 1000) * 1000000 };
    int64_t now = clock_us();

    if (talk->login->prompted == 0)
        talk->login->prompted = now;
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
    talk->login->answered = clock_us();
    talk->login->thought += talk->login->answered - now;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
                    void *data)
{
    const struct talk *talk = data;

    *responses = calloc((size_t)count, sizeof **responses);
    if (*responses == NULL)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        int style = messages[i]->msg_style;
        if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON)
            continue;
        think(talk);
        (*responses)[i].resp = strdup(talk->login->answer);
    }
    return PAM_SUCCESS;
}

/* In place of the delay that libpam adds to a refusal. */
static void hurry(int code, unsigned microseconds, void *data)
{
    (void)code, (void)microseconds, (void)data;
}

static void log_in(const struct plan *plan, struct login *login)
{
    union {
        void (*function)(int, unsigned, void *);
        const void *item;
    } delay = { hurry };
    struct talk talk = { plan, login };
    struct pam_conv conversation = { converse, &talk };
    pam_handle_t *pamh = NULL;
    int64_t cpu = own_cpu_us();
    int code;

    login->before_kib = resident_kib();
    login->began = clock_us();
    code = pam_start(plan->service, login->user, &conversation, &pamh);
    if (code != PAM_SUCCESS)
        give_up("pam_start");
    pam_set_item(pamh, PAM_FAIL_DELAY, delay.item);
    code = pam_authenticate(pamh, 0);
    login->decided = clock_us();
    pam_end(pamh, code);
    login->ended = clock_us();
    login->cpu = own_cpu_us() - cpu;
    login->after_kib = resident_kib();
    login->code = code;
}

static void start(const struct plan *plan, struct login *login)
{
    login->pid = fork();
    if (login->pid < 0)
        give_up("fork");
    if (login->pid == 0) {
        alarm(plan->seconds);
        log_in(plan, login);
        _exit(0);
    }
}

static void run_side_by_side(const struct plan *plan)
{
    size_t started = 0, running = 0;

    while (started < plan->count || running > 0) {
        int status;
        pid_t ended;
        if (started < plan->count && running < plan->at_once) {
            start(plan, &plan->logins[started++]);
            running++;
            continue;
        }
        ended = wait(&status);
        if (ended < 0)
            give_up("wait");
        if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
            exit(2);
        running--;
    }
}

static bool read_login(struct login *login)
{
    *login = (struct login){ .code = -1 };
    return scanf("%63s %63s", login->user, login->answer) == 2;
}

static void print(const struct login *login)
{
    bool has_prompt = login->prompted != 0;

    printf("%d %lld %lld %lld %lld %ld %ld\n", login->code,
           has_prompt ? (long long)(login->prompted - login->began) : -1,
           has_prompt && login->decided != 0 ? (long long)(login->decided - login->answered) : -1,
           (long long)(login->ended - login->began - login->thought), (long long)login->cpu,
           login->before_kib, login->after_kib);
    fflush(stdout);
}

static void run_in_turn(const struct plan *plan)
{
    struct login login;

    while (read_login(&login)) {
        log_in(plan, &login);
        print(&login);
    }
}

static void run_list(struct plan *plan)
{
    plan->logins = mmap(NULL, LOGINS_MAX * sizeof *plan->logins, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (plan->logins == MAP_FAILED)
        give_up("mmap");
    while (plan->count < LOGINS_MAX && read_login(&plan->logins[plan->count]))
        plan->count++;
    run_side_by_side(plan);
    for (size_t i = 0; i < plan->count; i++)
        print(&plan->logins[i]);
}

int main(int argc, char **argv)
{
    struct plan plan = { 0 };

    if (argc != 5) {
        fputs("usage: bench-logins SERVICE THINK_MS AT_ONCE SECONDS <LIST\n", stderr);
        return 2;
    }
    plan.service = argv[1];
    plan.think_ms = (unsigned)strtoul(argv[2], NULL, 10);
    plan.at_once = (unsigned)strtoul(argv[3], NULL, 10);
    plan.seconds = (unsigned)strtoul(argv[4], NULL, 10);
    if (plan.at_once > 0)
        run_list(&plan);
    else
        run_in_turn(&plan);
    return 0;
}
