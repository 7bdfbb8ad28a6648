/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program inherits. */
#include "process.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../core/descriptor.h"
#include "limits.h"
#include "privileges.h"

enum {
    TIMER_SLACK_NANOSECONDS = 50000,
    IO_PRIORITY_OF_PROCESS = 1, /* ioprio_set(2): as the priority says */
    IO_PRIORITY_NONE = 0,
    SET_MEMORY_MERGE = 67, /* PR_SET_MEMORY_MERGE, which the headers of Linux before 6.4 lack */
};

/* Nor the caller's priority for processors and disks: a login that is starved until its time is
 * over might report an outage of Twilio. */
static void share_processors(void)
{
    const struct sched_param none = { 0 };
    cpu_set_t all;

    memset(&all, 0xff, sizeof all);
    sched_setaffinity(0, sizeof all, &all);
    sched_setscheduler(0, SCHED_OTHER, &none);
    setpriority(PRIO_PROCESS, 0, 0);
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NANOSECONDS, 0, 0, 0);
    syscall(SYS_ioprio_set, IO_PRIORITY_OF_PROCESS, 0, IO_PRIORITY_NONE);
}

/* What else the caller may have set: to be killed first when memory runs out; memory from a full
 * node alone; merging of equal pages, which shows the caller what is in ours; a personality in
 * which the system answers differently. */
static void share_memory(void)
{
    auto_close score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    ssize_t written = score >= 0 ? write(score, "0", 1) : 0;

    (void)written;
    syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0UL);
    prctl(SET_MEMORY_MERGE, 0, 0, 0, 0);
    personality(PER_LINUX);
}

bool process_clean(struct verdict *why_not)
{
    if (geteuid() != 0 && (getuid() != geteuid() || getgid() != getegid()))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "the check program must not be set-user-ID or set-group-ID");

    /* A real uid of the caller's would let him stop and kill us. */
    if (geteuid() == 0 && (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0))
        return privileges_refuse(why_not, "cannot become root");
    if (!limits_set(why_not))
        return false;
    share_processors();
    share_memory();

    /* By hand it is started with an environment, which libcurl would obey. */
    if (clearenv() != 0)
        return privileges_refuse(why_not, "clearenv");
    if (chdir("/") != 0)
        return privileges_refuse(why_not, "cannot change to /");
    umask(S_IRWXG | S_IRWXO);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return privileges_refuse(why_not, "prctl");
    return true;
}
