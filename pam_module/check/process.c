/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program inherits. */
#include "process.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limits.h"

enum { TIMER_SLACK_NANOSECONDS = 50000 };

/* Nor his place in the queue for a processor: starved until a limit is over, a login might tell that
 * Twilio is away. */
static void share_processors(void)
{
    const struct sched_param none = { 0 };
    cpu_set_t all;

    memset(&all, 0xff, sizeof all);
    sched_setaffinity(0, sizeof all, &all);
    sched_setscheduler(0, SCHED_OTHER, &none);
    setpriority(PRIO_PROCESS, 0, 0);
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NANOSECONDS, 0, 0, 0);
}

static bool refuse(struct verdict *why_not, const char *what)
{
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", what, strerror(errno));
}

bool process_clean(struct verdict *why_not)
{
    if (geteuid() != 0 && (getuid() != geteuid() || getgid() != getegid()))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "the check program must not be set-user-ID or set-group-ID");

    /* A real uid of the caller's would let him stop and kill us. */
    if (geteuid() == 0 && (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0))
        return refuse(why_not, "becoming root");
    if (!limits_set(why_not))
        return false;
    share_processors();

    /* By hand it is started with an environment, which libcurl would obey. */
    if (clearenv() != 0)
        return refuse(why_not, "clearenv");
    if (chdir("/") != 0)
        return refuse(why_not, "chdir /");
    umask(S_IRWXG | S_IRWXO);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refuse(why_not, "prctl");
    return true;
}
