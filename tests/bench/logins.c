/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Times logins by a PAM service, or runs of a program in place of them:
 *
 * bench-logins SERVICE|/PROGRAM THINK_MS AT_ONCE SECONDS <LIST
 *
 * LIST has a line "USER ANSWER" for each login; for a program ANSWER is its arguments. AT_ONCE of
 * them run side by side, each in a process of its own as under sshd, and are killed after SECONDS.
 * THINK_MS is what the user takes for an answer; it is in no figure. Prints a line of numbers for
 * each login, in the order of LIST:
 *
 * CODE PROMPT VERDICT WHOLE CPU FAULTS KIB
 *
 * CODE is that of pam_authenticate(3), or the program's exit status; -1: it was killed. The next
 * four are microseconds, -1 where there was none: PROMPT from pam_start(3) to the first prompt, or
 * from the program's start to its first output; VERDICT from the last answer to the return of
 * pam_authenticate(3), or the last number that the program printed (seconds); WHOLE all but the
 * thinking, and with pam_open_session(3) where a code counts for the session; CPU and page FAULTS
 * of this process and those that it has reaped. KIB is how much the resident memory of this process
 * has grown. */
#include <errno.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <spawn.h>
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

enum { LINE_SIZE = 1024, USER_SIZE = 64, WORDS_MAX = 64, LOGINS_MAX = 1000 };

struct login {
    char user[USER_SIZE], answer[LINE_SIZE];
    int code;
    int64_t prompt, verdict, whole, cpu;
    long faults, kib;
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

/* Adds SIGN times what this process and its children have used. */
static void add_usage(struct login *login, int sign)
{
    static const int whose[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
    struct rusage usage;

    for (int i = 0; i < 2; i++) {
        getrusage(whose[i], &usage);
        login->cpu += sign * ((int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                              usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
        login->faults += sign * usage.ru_minflt;
    }
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

/* A login by PAM */

struct talk {
    unsigned think_ms;
    const char *answer;
    int64_t prompted, answered, thought; /* microseconds; PROMPTED 0: not yet */
};

static void think(struct talk *talk)
{
    struct timespec left = { talk->think_ms / 1000, (long)(talk->think_ms % 1000) * 1000000 };
    int64_t now = clock_us();

    if (talk->prompted == 0)
        talk->prompted = now;
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
    talk->answered = clock_us();
    talk->thought += talk->answered - now;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
                    void *data)
{
    struct talk *talk = data;

    *responses = calloc((size_t)count, sizeof **responses);
    if (*responses == NULL)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        int style = messages[i]->msg_style;
        if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON)
            continue;
        think(talk);
        (*responses)[i].resp = strdup(talk->answer);
    }
    return PAM_SUCCESS;
}

/* In place of the delay that libpam adds to a refusal. */
static void hurry(int code, unsigned microseconds, void *data)
{
    (void)code, (void)microseconds, (void)data;
}

static void authenticate(const struct plan *plan, struct login *login)
{
    union {
        void (*function)(int, unsigned, void *);
        const void *item;
    } delay = { hurry };
    struct talk talk = { .think_ms = plan->think_ms, .answer = login->answer };
    struct pam_conv conversation = { converse, &talk };
    pam_handle_t *pamh = NULL;
    int64_t began = clock_us(), decided;
    int code = pam_start(plan->service, login->user, &conversation, &pamh);

    if (code != PAM_SUCCESS)
        give_up("pam_start");
    pam_set_item(pamh, PAM_FAIL_DELAY, delay.item);
    code = pam_authenticate(pamh, 0);
    decided = clock_us();
    if (code == PAM_SUCCESS && pam_getenv(pamh, "TWILIO_VERIFY_SESSION") != NULL)
        pam_open_session(pamh, 0);
    pam_end(pamh, code);
    login->whole = clock_us() - began - talk.thought;
    if (talk.prompted != 0) {
        login->prompt = talk.prompted - began;
        login->verdict = decided - talk.answered;
    }
    login->code = code;
}

/* A program in place of it */

/* In a session of its own, as the module starts its check program: on a busy machine the kernel
 * lets a new session wait. */
static int start(const char *program, char *words, int output, pid_t *ret_pid)
{
    char *arguments[WORDS_MAX] = { (char *)program };
    char *environment[] = { NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    size_t count = 1;
    int error;

    for (char *word = strtok(words, " "); word != NULL && count < WORDS_MAX - 1;
         word = strtok(NULL, " "))
        arguments[count++] = word;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    error = posix_spawn(ret_pid, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Reads what the program prints, and notes when it began to. */
static void read_output(int output, int64_t began, struct login *login)
{
    char text[LINE_SIZE] = "", *at = text;
    size_t size = 0;
    ssize_t step;

    while ((step = read(output, text + size, sizeof text - 1 - size)) > 0) {
        if (size == 0)
            login->prompt = clock_us() - began;
        size += (size_t)step;
    }
    for (char *next; *at != '\0'; at = next) {
        double seconds = strtod(at, &next);
        if (next == at)
            break;
        login->verdict = (int64_t)(seconds * 1000000);
    }
}

static void run_program(const struct plan *plan, struct login *login)
{
    int output[2], status;
    int64_t began = clock_us();
    pid_t pid;

    if (pipe2(output, O_CLOEXEC) != 0)
        give_up("pipe");
    errno = start(plan->service, login->answer, output[1], &pid);
    if (errno != 0)
        give_up(plan->service);
    close(output[1]);
    read_output(output[0], began, login);
    if (waitpid(pid, &status, 0) != pid)
        give_up("waitpid");
    login->whole = clock_us() - began;
    login->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Side by side */

static void start_login(const struct plan *plan, struct login *login)
{
    pid_t pid = fork();

    if (pid < 0)
        give_up("fork");
    if (pid > 0)
        return;
    alarm(plan->seconds);
    login->kib = -resident_kib();
    add_usage(login, -1);
    (plan->service[0] == '/' ? run_program : authenticate)(plan, login);
    add_usage(login, 1);
    login->kib += resident_kib();
    _exit(0);
}

static void run(const struct plan *plan)
{
    size_t started = 0, running = 0;
    int status;

    while (started < plan->count || running > 0) {
        if (started < plan->count && running < plan->at_once) {
            start_login(plan, &plan->logins[started++]);
            running++;
            continue;
        }
        if (wait(&status) < 0)
            give_up("wait");
        if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
            exit(2);
        running--;
    }
}

static bool read_login(struct login *login)
{
    *login = (struct login){ .code = -1, .prompt = -1, .verdict = -1 };
    return scanf("%63s %1023[^\n]", login->user, login->answer) == 2;
}

static void print(const struct login *login)
{
    printf("%d %lld %lld %lld %lld %ld %ld\n", login->code, (long long)login->prompt,
           (long long)login->verdict, (long long)login->whole, (long long)login->cpu, login->faults,
           login->kib);
}

int main(int argc, char **argv)
{
    struct plan plan = { 0 };

    if (argc != 5) {
        fputs("usage: bench-logins SERVICE|/PROGRAM THINK_MS AT_ONCE SECONDS <LIST\n", stderr);
        return 2;
    }
    plan.service = argv[1];
    plan.think_ms = (unsigned)strtoul(argv[2], NULL, 10);
    plan.at_once = (unsigned)strtoul(argv[3], NULL, 10);
    plan.seconds = (unsigned)strtoul(argv[4], NULL, 10);
    plan.logins = mmap(NULL, LOGINS_MAX * sizeof *plan.logins, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (plan.logins == MAP_FAILED)
        give_up("mmap");
    while (plan.count < LOGINS_MAX && read_login(&plan.logins[plan.count]))
        plan.count++;
    run(&plan);
    for (size_t i = 0; i < plan.count; i++)
        print(&plan.logins[i]);
    return 0;
}
