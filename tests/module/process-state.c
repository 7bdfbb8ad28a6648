/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a PAM application could find changed in its own process after a login. */
#include "process-state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record.h"

static void print_descriptors(FILE *out)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;

    if (directory == NULL) {
        fprintf(out, "unreadable: %s", strerror(errno));
        return;
    }
    while ((entry = readdir(directory)) != NULL) {
        char target[256] = "";
        int descriptor = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || descriptor == dirfd(directory))
            continue;
        if (readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) < 0)
            strcpy(target, "?");
        fprintf(out, "%d=%s/%d/%d ", descriptor, target, fcntl(descriptor, F_GETFD),
                fcntl(descriptor, F_GETFL));
    }
    closedir(directory);
}

static void print_threads(FILE *out)
{
    DIR *directory = opendir("/proc/self/task");
    const struct dirent *entry;
    unsigned threads = 0;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        threads += entry->d_name[0] != '.';
    if (directory != NULL)
        closedir(directory);
    fprintf(out, "%u", threads);
}

void process_state_print_children(FILE *out)
{
    siginfo_t child = { 0 };
    int found = waitid(P_ALL, 0, &child, WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT);

    if (found < 0)
        fputs(errno == ECHILD ? "none" : strerror(errno), out);
    else if (child.si_pid == 0)
        fputs("running", out);
    else
        fprintf(out, "ended %d", (int)child.si_pid);
}

static void print_dispositions(FILE *out)
{
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action = { 0 };
        if (sigaction(number, NULL, &action) != 0)
            continue;
        fprintf(out, "%d=%" PRIxPTR "/%x ", number, (uintptr_t)action.sa_handler,
                (unsigned)action.sa_flags);
    }
}

static void print_mask(FILE *out)
{
    sigset_t mask;

    sigemptyset(&mask);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&mask, number) == 1)
            fprintf(out, "%d ", number);
}

static void print_pending(FILE *out)
{
    sigset_t pending;

    sigemptyset(&pending);
    sigpending(&pending);
    for (int number = 1; number < NSIG; number++)
        if (number != SIGALRM && sigismember(&pending, number) == 1)
            fprintf(out, "%d ", number);
}

/* umask(2) can't be read without being set for a moment; /proc can. */
static void print_umask(FILE *out)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];

    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "Umask:", 6) == 0)
            fputs(line, out);
    if (status != NULL)
        fclose(status);
}

static void print_directory(FILE *out)
{
    char path[4096];

    fputs(getcwd(path, sizeof path) == NULL ? "?" : path, out);
}

static void print_limits(FILE *out)
{
    for (int resource = 0; resource < (int)RLIM_NLIMITS; resource++) {
        struct rlimit limit = { 0 };
        getrlimit((__rlimit_resource_t)resource, &limit);
        fprintf(out, "%d=%ju/%ju ", resource, (uintmax_t)limit.rlim_cur, (uintmax_t)limit.rlim_max);
    }
}

/* FNV-1a, so that a hostile environment does not fill the report. */
static void print_environment(FILE *out)
{
    uint64_t hash = 0xcbf29ce484222325U;
    unsigned variables = 0;

    for (char **variable = environ; variable != NULL && *variable != NULL; variable++, variables++)
        for (const char *byte = *variable; byte == *variable || byte[-1] != '\0'; byte++)
            hash = (hash ^ (unsigned char)*byte) * 0x100000001b3U;
    fprintf(out, "%u/%016" PRIx64, variables, hash);
}

static bool is_set(const struct timeval *time)
{
    return time->tv_sec != 0 || time->tv_usec != 0;
}

/* A timer that repeats is 0 from its end until its signal has arrived and set it again. */
static void read_timer(__itimer_which_t which, struct itimerval *ret_timer)
{
    int tries = 100;

    do
        getitimer(which, ret_timer);
    while (is_set(&ret_timer->it_interval) && !is_set(&ret_timer->it_value) && --tries > 0);
}

static void print_timers(FILE *out)
{
    static const __itimer_which_t timers[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
        struct itimerval timer = { 0 };
        read_timer(timers[i], &timer);
        fprintf(out, "%ld/%d ",
                (long)timer.it_interval.tv_sec * 1000000 + timer.it_interval.tv_usec,
                is_set(&timer.it_value));
    }
}

static void print_identity(FILE *out)
{
    uid_t user[3] = { 0 };
    gid_t group[3] = { 0 };

    getresuid(&user[0], &user[1], &user[2]);
    getresgid(&group[0], &group[1], &group[2]);
    fprintf(out, "%u/%u/%u %u/%u/%u %d groups, session %d, process group %d", user[0], user[1],
            user[2], group[0], group[1], group[2], getgroups(0, NULL), getsid(0), getpgrp());
}

static void print_switches(FILE *out)
{
    int death_signal = 0, reaper = 0;

    prctl(PR_GET_PDEATHSIG, &death_signal);
    prctl(PR_GET_CHILD_SUBREAPER, &reaper);
    fprintf(out, "dumpable %d, no_new_privs %d, pdeathsig %d, subreaper %d, locale %s",
            prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
            death_signal, reaper, setlocale(LC_ALL, NULL));
}

/* The files that are mapped; how much of the rest there is, is process_state_rss_kib()'s. */
static void print_maps(FILE *out)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[4352];

    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        const char *file = strchr(line, '/');
        line[strcspn(line, "\n")] = '\0';
        if (file != NULL)
            fprintf(out, "%.4s %s, ", strchr(line, ' ') + 1, file);
    }
    if (maps != NULL)
        fclose(maps);
}

long process_state_rss_kib(void)
{
    FILE *statm = fopen("/proc/self/statm", "re");
    long size = 0, resident = 0;

    if (statm == NULL || fscanf(statm, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    if (statm != NULL)
        fclose(statm);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static const struct {
    const char *name;
    void (*print)(FILE *out);
} facts[] = {
    { "descriptors", print_descriptors },   { "maps", print_maps },
    { "threads", print_threads },           { "children", process_state_print_children },
    { "dispositions", print_dispositions }, { "mask", print_mask },
    { "pending", print_pending },           { "umask", print_umask },
    { "directory", print_directory },       { "limits", print_limits },
    { "environment", print_environment },   { "timers", print_timers },
    { "identity", print_identity },         { "switches", print_switches },
};

_Static_assert(sizeof facts / sizeof *facts <= PROCESS_FACTS_MAX, "process_state is too small");

void process_state_take(struct process_state *state)
{
    process_state_free(state);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        size_t size = 0;
        FILE *out = open_memstream(&state->facts[i], &size);
        if (out == NULL)
            abort();
        facts[i].print(out);
        fclose(out);
    }
}

void process_state_print_changes(FILE *out, const struct process_state *before,
                                 const struct process_state *after)
{
    const char *separator = "";

    fputc('{', out);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        if (strcmp(before->facts[i], after->facts[i]) == 0)
            continue;
        fprintf(out, "%s\"%s\": [", separator, facts[i].name);
        record_print_string(out, before->facts[i]);
        fputs(", ", out);
        record_print_string(out, after->facts[i]);
        fputc(']', out);
        separator = ", ";
    }
    fputc('}', out);
}

void process_state_free(struct process_state *state)
{
    for (size_t i = 0; i < PROCESS_FACTS_MAX; i++) {
        free(state->facts[i]);
        state->facts[i] = NULL;
    }
}
