/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The resource limits of the check program. */
#include "limits.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { KIBIBYTE = 1024, MEBIBYTE = 1024 * KIBIBYTE, THREAD_STACK_SIZE = 1 * MEBIBYTE };

/* The caller of sudo can choose these limits, so none is inherited. With less than the need, a
 * login might take its own shortage for an outage of Twilio. Measured: a login with a recovery code
 * takes 40 MiB of address space, 20 MiB of data (16 of them to hash the code), 8 descriptors, 32
 * KiB of stack, and two processes of its account, since a thread counts. A user's file in state_dir
 * takes 4 KiB: if it could not be written, wrong codes would not be counted. The rest is for larger
 * libraries, and for name services that libc loads. */
static const struct limit {
    int resource;
    const char *name, *unit;
    rlim_t value, need;
} limits[] = {
    { RLIMIT_AS, "AS", "bytes", RLIM_INFINITY, (rlim_t)64 * MEBIBYTE },
    { RLIMIT_CORE, "CORE", "bytes", 0, 0 },
    { RLIMIT_CPU, "CPU", "seconds", 60, 1 },
    { RLIMIT_DATA, "DATA", "bytes", RLIM_INFINITY, (rlim_t)32 * MEBIBYTE },
    { RLIMIT_FSIZE, "FSIZE", "bytes", MEBIBYTE, (rlim_t)16 * KIBIBYTE },
    { RLIMIT_LOCKS, "LOCKS", "locks", RLIM_INFINITY, 0 },
    { RLIMIT_MEMLOCK, "MEMLOCK", "bytes", MEBIBYTE, 0 },
    { RLIMIT_MSGQUEUE, "MSGQUEUE", "bytes", 0, 0 },
    { RLIMIT_NICE, "NICE", "steps", 0, 0 },
    { RLIMIT_NOFILE, "NOFILE", "descriptors", 256, 16 },
    { RLIMIT_NPROC, "NPROC", "processes", RLIM_INFINITY, 2 },
    { RLIMIT_RSS, "RSS", "bytes", RLIM_INFINITY, 0 },
    { RLIMIT_RTPRIO, "RTPRIO", "steps", 0, 0 },
    { RLIMIT_RTTIME, "RTTIME", "microseconds", RLIM_INFINITY, 0 },
    { RLIMIT_SIGPENDING, "SIGPENDING", "signals", 1024, 0 },
    { RLIMIT_STACK, "STACK", "bytes", (rlim_t)8 * MEBIBYTE, (rlim_t)128 * KIBIBYTE },
};

static bool refuse(const struct limit *wanted, struct verdict *why_not)
{
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot set RLIMIT_%s: %s", wanted->name,
                          strerror(errno));
}

static bool set_limit(const struct limit *wanted, struct verdict *why_not)
{
    __rlimit_resource_t resource = (__rlimit_resource_t)wanted->resource;
    struct rlimit limit = { wanted->value, wanted->value };

    if (setrlimit(resource, &limit) == 0)
        return true;
    if (errno != EPERM || getrlimit(resource, &limit) != 0)
        return refuse(wanted, why_not);
    if (limit.rlim_max < wanted->need && geteuid() == 0)
        return verdict_refuse(
            why_not, OUTCOME_MISCONFIGURED,
            "RLIMIT_%s is %ju %s here and root may not raise it; the check program needs %ju: set "
            "Limit%s=%ju or more in the unit of the service, or give the container "
            "CAP_SYS_RESOURCE",
            wanted->name, (uintmax_t)limit.rlim_max, wanted->unit, (uintmax_t)wanted->need,
            wanted->name, (uintmax_t)wanted->need);

    if (wanted->value < limit.rlim_max)
        limit.rlim_max = wanted->value;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit) == 0 || refuse(wanted, why_not);
}

/* Otherwise a thread's stack would have the size of the limit that the caller set. */
static bool set_thread_stack(void)
{
    pthread_attr_t attributes;
    bool is_set;

    if (pthread_attr_init(&attributes) != 0)
        return false;
    is_set = pthread_attr_setstacksize(&attributes, THREAD_STACK_SIZE) == 0 &&
             pthread_setattr_default_np(&attributes) == 0;
    pthread_attr_destroy(&attributes);
    return is_set;
}

bool limits_set(struct verdict *why_not)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (!set_limit(&limits[i], why_not))
            return false;
    if (!set_thread_stack())
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "cannot set the size of a thread's stack");
    return true;
}
