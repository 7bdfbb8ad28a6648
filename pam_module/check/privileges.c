/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Dropping root for good. */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool privileges_refuse(struct verdict *why_not, const char *what)
{
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s%s", what, strerror(errno),
                          errno == EPERM ? ": check CapabilityBoundingSet=, PrivateUsers=, "
                                           "SecureBits= and SystemCallFilter= of the service's unit"
                                         : "");
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
            "the account \"%s\" of run_as does not exist: create it, or name another", run_as);
    if (account->pw_uid == 0 || account->pw_gid == 0)
        return verdict_refuse(
            why_not, OUTCOME_MISCONFIGURED,
            "the account \"%s\" of run_as has the user or the group of root: name another", run_as);
    if (geteuid() != 0)
        return true;

    if (setgroups(0, NULL) != 0 ||
        setresgid(account->pw_gid, account->pw_gid, account->pw_gid) != 0 ||
        setresuid(account->pw_uid, account->pw_uid, account->pw_uid) != 0 || !drop_capabilities())
        return privileges_refuse(why_not, "cannot drop root privileges");
    if (!is_dropped(account->pw_uid, account->pw_gid))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "could not drop root privileges");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return privileges_refuse(why_not, "prctl");
    return true;
}
