/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program may do. */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MEBIBYTE = 1024 * 1024, THREAD_STACK_SIZE = 1 * MEBIBYTE, TIMER_SLACK_NANOSECONDS = 50000 };

/* The caller of sudo chooses these for us, and under his NPROC no name is resolved: none is
 * inherited. */
static const struct limit {
    int resource;
    rlim_t value;
    rlim_t least; /* with less we would tell that Twilio is away */
} limits[] = {
    { RLIMIT_AS, RLIM_INFINITY, (rlim_t)256 * MEBIBYTE },
    { RLIMIT_CORE, 0 },
    { RLIMIT_CPU, 60 },
    { RLIMIT_DATA, RLIM_INFINITY, (rlim_t)64 * MEBIBYTE },
    { RLIMIT_FSIZE, MEBIBYTE },
    { RLIMIT_LOCKS, RLIM_INFINITY },
    { RLIMIT_MEMLOCK, MEBIBYTE },
    { RLIMIT_MSGQUEUE, 0 },
    { RLIMIT_NICE, 0 },
    { RLIMIT_NOFILE, 256, 64 },
    { RLIMIT_NPROC, RLIM_INFINITY, 256 },
    { RLIMIT_RSS, RLIM_INFINITY },
    { RLIMIT_RTPRIO, 0 },
    { RLIMIT_RTTIME, RLIM_INFINITY },
    { RLIMIT_SIGPENDING, 1024 },
    { RLIMIT_STACK, (rlim_t)8 * MEBIBYTE },
};

/* Root lacks CAP_SYS_RESOURCE in many containers: then the hard limit is as far as it goes, if that
 * is enough. Who is not root chose for himself. */
static bool set_limit(const struct limit *wanted)
{
    __rlimit_resource_t resource = (__rlimit_resource_t)wanted->resource;
    struct rlimit limit = { wanted->value, wanted->value };

    if (setrlimit(resource, &limit) == 0)
        return true;
    if (errno != EPERM || getrlimit(resource, &limit) != 0)
        return false;
    if (limit.rlim_max < wanted->least && geteuid() == 0) {
        errno = EPERM;
        return false;
    }
    if (wanted->value < limit.rlim_max)
        limit.rlim_max = wanted->value;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit) == 0;
}

/* The resolver's thread would get a stack of the size that the caller's limit had at the start. */
static bool set_limits(void)
{
    pthread_attr_t attributes;
    bool set;

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (!set_limit(&limits[i]))
            return false;

    if (pthread_attr_init(&attributes) != 0)
        return false;
    set = pthread_attr_setstacksize(&attributes, THREAD_STACK_SIZE) == 0 &&
          pthread_setattr_default_np(&attributes) == 0;
    pthread_attr_destroy(&attributes);
    return set;
}

/* Nor his place in the queue for a processor: starved until a limit is over, we would tell that
 * Twilio is away. Where root lacks CAP_SYS_NICE it stays as it is. */
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

static bool clean(struct verdict *why_not)
{
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

bool privileges_take(struct verdict *why_not)
{
    if (geteuid() != 0 && (getuid() != geteuid() || getgid() != getegid()))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "this host, or the check program, is set-user-ID or set-group-ID to "
                              "an account that is not root: leave the module out of this service");

    /* A real uid of the caller's would let him stop and kill us. */
    if (geteuid() == 0 && (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0))
        return refuse(why_not, "becoming root");
    if (!set_limits())
        return refuse(why_not, "resource limits that are too low can't be raised");
    share_processors();
    return clean(why_not);
}

/* The secure bits of the caller may keep capabilities through setresuid(2). */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, data) == 0;
}

static bool has_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    if (syscall(SYS_capget, &header, data) != 0)
        return true;
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        if (data[i].effective != 0 || data[i].permitted != 0 || data[i].inheritable != 0)
            return true;
    return false;
}

static bool is_dropped(uid_t user, gid_t group)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;

    return getresuid(&real, &effective, &saved) == 0 && real == user && effective == user &&
           saved == user && getresgid(&real_group, &effective_group, &saved_group) == 0 &&
           real_group == group && effective_group == group && saved_group == group &&
           getgroups(0, NULL) == 0 && !has_capabilities() && setuid(0) != 0 && setgid(0) != 0;
}

bool privileges_drop(const char *run_as, struct verdict *why_not)
{
    const struct passwd *account = getpwnam(run_as);

    if (account == NULL)
        return verdict_refuse(
            why_not, OUTCOME_MISCONFIGURED,
            "the account \"%s\" of run_as does not exist: make it, or name another", run_as);
    if (account->pw_uid == 0 || account->pw_gid == 0)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "the account \"%s\" of run_as is root's, by user or group", run_as);
    if (geteuid() != 0)
        return true;

    if (setgroups(0, NULL) != 0 ||
        setresgid(account->pw_gid, account->pw_gid, account->pw_gid) != 0 ||
        setresuid(account->pw_uid, account->pw_uid, account->pw_uid) != 0 || !drop_capabilities())
        return refuse(why_not, "dropping the privileges");
    if (!is_dropped(account->pw_uid, account->pw_gid))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "the privileges did not go away");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return refuse(why_not, "prctl");
    return true;
}
