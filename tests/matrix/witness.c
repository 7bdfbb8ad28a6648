/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A PAM module that stands before ours: it tells what libpam returned to the host, and how long
 * after the last answer, and takes from the host what ours would need.
 *
 * libpam calls PAM_FAIL_DELAY's function, if there is one, at the end of each pam_authenticate(3)
 * with the code that it returns, and does not wait itself.
 *
 *     auth  optional  witness.so report=PATH [starve=WHAT] */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { STACK_SIZE = 256 * 1024, PAGE_SIZE = 4096 };

/* Of the one login that a host has at a time. */
static struct witness {
    int report;
    int64_t since_ms; /* the last answer, or the start where nobody was asked */
    unsigned answers;
    struct pam_conv hosts, ours;
    __rlimit_resource_t starved; /* RLIM_NLIMITS: none */
    struct rlimit limit;         /* as it was */
} witness;

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
                    void *data)
{
    int code = witness.hosts.conv(count, messages, responses, witness.hosts.appdata_ptr);

    (void)data;
    witness.since_ms = clock_ms();
    witness.answers++;
    return code;
}

static void tell(int code, unsigned delay, void *data)
{
    int64_t spent_ms = clock_ms() - witness.since_ms;

    (void)delay;
    (void)data;
    if (witness.starved != RLIM_NLIMITS)
        setrlimit(witness.starved, &witness.limit);
    dprintf(witness.report, "%d %lld %u\n", code, (long long)spent_ms, witness.answers);
}

/* The stack that the host needs from here on: it can't grow where there is no memory. */
static void __attribute__((noinline)) grow_stack(void)
{
    volatile char stack[STACK_SIZE];

    for (size_t i = 0; i < sizeof stack; i += PAGE_SIZE)
        stack[i] = 0;
}

static bool limit(__rlimit_resource_t resource)
{
    struct rlimit nothing;

    if (getrlimit(resource, &witness.limit) != 0)
        return false;
    grow_stack();
    nothing = (struct rlimit){ 0, witness.limit.rlim_max };
    witness.starved = resource;
    return setrlimit(resource, &nothing) == 0;
}

static bool limit_descriptors(void)
{
    return limit(RLIMIT_NOFILE);
}

static bool limit_memory(void)
{
    return limit(RLIMIT_AS);
}

/* System calls of the host, and of what it starts, fail: as where a control group, or the kernel,
 * has no more, also to root. */
static bool refuse(int call, int error, unsigned count, const struct scmp_arg_cmp *arguments)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool is_loaded = filter != NULL && seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) == 0 &&
                     seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint32_t)error), call, count,
                                            arguments) == 0 &&
                     seccomp_load(filter) == 0;

    seccomp_release(filter);
    return is_loaded;
}

/* The flags of clone3(2) can't be seen: libc takes clone(2) where it is not there. */
static bool refuse_to_clone(unsigned count, const struct scmp_arg_cmp *flags)
{
    return refuse(SCMP_SYS(clone), EAGAIN, count, flags) &&
           refuse(SCMP_SYS(clone3), ENOSYS, 0, NULL);
}

static bool refuse_processes(void)
{
    return refuse_to_clone(0, NULL);
}

static bool refuse_threads(void)
{
    const struct scmp_arg_cmp is_thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);

    return refuse_to_clone(1, &is_thread);
}

static bool refuse_cage(void)
{
    const struct scmp_arg_cmp is_filter[] = { SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP),
                                              SCMP_A2(SCMP_CMP_NE, 0) };

    return refuse(SCMP_SYS(prctl), ENOMEM, 2, is_filter);
}

static bool refuse_sockets(void)
{
    const struct scmp_arg_cmp four = SCMP_A0(SCMP_CMP_EQ, AF_INET);
    const struct scmp_arg_cmp six = SCMP_A0(SCMP_CMP_EQ, AF_INET6);

    return refuse(SCMP_SYS(socket), ENOMEM, 1, &four) && refuse(SCMP_SYS(socket), ENOMEM, 1, &six);
}

static bool starve(const char *what)
{
    static const struct {
        const char *what;
        bool (*starve)(void);
    } ways[] = {
        { "descriptors", limit_descriptors },
        { "memory", limit_memory },
        { "processes", refuse_processes },
        { "threads", refuse_threads },
        { "cage", refuse_cage },
        { "sockets", refuse_sockets },
    };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(what, ways[i].what) == 0)
            return ways[i].starve();
    return false;
}

static const char *argument(int argc, const char **argv, const char *name)
{
    size_t length = strlen(name);

    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=')
            return argv[i] + length + 1;
    return NULL;
}

static bool watch(pam_handle_t *pamh)
{
    union {
        void (*function)(int, unsigned, void *);
        const void *item;
    } told = { tell };
    const void *conversation = NULL;

    if (pam_get_item(pamh, PAM_CONV, &conversation) != PAM_SUCCESS || conversation == NULL)
        return false;
    memcpy(&witness.hosts, conversation, sizeof witness.hosts);
    witness.ours = (struct pam_conv){ converse, NULL };
    return pam_set_item(pamh, PAM_CONV, &witness.ours) == PAM_SUCCESS &&
           pam_set_item(pamh, PAM_FAIL_DELAY, told.item) == PAM_SUCCESS;
}

/* PAM_ABORT: it can't do what it should, and no test may take that for an outcome. */
EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    const char *report = argument(argc, argv, "report");
    const char *starved = argument(argc, argv, "starve");

    (void)flags;
    if (report == NULL)
        return PAM_ABORT;
    witness =
        (struct witness){ .report = open(report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
                          .since_ms = clock_ms(),
                          .starved = RLIM_NLIMITS };
    if (witness.report < 0 || !watch(pamh))
        return PAM_ABORT;
    if (starved != NULL && !starve(starved)) {
        syslog(LOG_ERR, "witness: can't take away %s", starved);
        return PAM_ABORT;
    }
    return PAM_IGNORE;
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_IGNORE;
}
