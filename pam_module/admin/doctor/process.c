/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a running check program is. */
#include "process.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINE_SIZE = 512, FILTERED = 2, LANDLOCK_VERSION_FLAG = 1 };

static pid_t pid_of(int pidfd)
{
    char path[64], line[LINE_SIZE];
    pid_t pid = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Pid: %d", &pid) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return pid;
}

static void take_line(const char *line, struct process *process)
{
    unsigned user[4], number;
    unsigned long long capabilities;

    if (sscanf(line, "Uid: %u %u %u %u", &user[0], &user[1], &user[2], &user[3]) == 4) {
        process->user = user[0];
        process->is_one_user = user[0] == user[1] && user[0] == user[2] && user[0] == user[3];
    } else if (strncmp(line, "Groups:", 7) == 0) {
        process->has_groups = strpbrk(line, "0123456789") != NULL;
    } else if (sscanf(line, "CapPrm: %llx", &capabilities) == 1 ||
               sscanf(line, "CapEff: %llx", &capabilities) == 1 ||
               sscanf(line, "CapInh: %llx", &capabilities) == 1 ||
               sscanf(line, "CapAmb: %llx", &capabilities) == 1) {
        process->has_privileges = process->has_privileges || capabilities != 0;
    } else if (sscanf(line, "NoNewPrivs: %u", &number) == 1) {
        process->has_privileges = process->has_privileges || number != 1;
    } else if (sscanf(line, "Seccomp: %u", &number) == 1) {
        process->is_filtered = number == FILTERED;
    }
}

bool process_read(int pidfd, struct process *ret_process)
{
    struct process process = { 0 };
    char path[64], line[LINE_SIZE];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid_of(pidfd));
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL)
        take_line(line, &process);
    fclose(file);
    *ret_process = process;
    return true;
}

static void add_account(struct report *report, const char *run_as, const struct process *process)
{
    const struct passwd *account = getpwnam(run_as);

    if (geteuid() != 0)
        report_add(report, REPORT_NOTE, "privileges", NULL,
                   "not checked: it becomes %s only if root starts it", run_as);
    else if (account == NULL || process->user != account->pw_uid || !process->is_one_user ||
             process->has_groups || process->has_privileges)
        report_add(report, REPORT_WRONG, "privileges", "install the check program again",
                   "at the question it does not run as %s alone, without groups and capabilities",
                   run_as);
    else
        report_add(
            report, REPORT_OK, "privileges", NULL,
            "at the question it runs as %s, without groups, capabilities, and ways to get them",
            run_as);
}

/* landlock_create_ruleset(2) tells the version when it is asked for nothing else. */
static long landlock_version(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);
}

void process_add(struct report *report, const char *run_as, const struct process *process)
{
    long version = landlock_version();

    add_account(report, run_as, process);
    if (process->is_filtered)
        report_add(report, REPORT_OK, "seccomp", NULL, "the filter is active");
    else
        report_add(report, REPORT_WARNING, "seccomp", "allow it, where this is a container",
                   "no filter: neither the kernel nor the container allows it");
    /* No file says whether a process is in it; the check program goes no further where it is
     * not. */
    if (version > 0 && process->is_filtered)
        report_add(report, REPORT_OK, "Landlock", NULL, "the sandbox is active, version %ld",
                   version);
    else if (version > 0)
        report_add(report, REPORT_OK, "Landlock", NULL, "this kernel has it, version %ld", version);
    else
        report_add(report, REPORT_WARNING, "Landlock",
                   "a kernel from 5.13, and landlock in its lsm= (cat /sys/kernel/security/lsm)",
                   "this kernel has no Landlock, or it is not enabled");
}
