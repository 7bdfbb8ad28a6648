/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The sandbox of polkit's program. */
#include "polkit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../desk/child.h"

#define UNIT      "polkit-agent-helper@.service"
#define DIRECTORY "/etc/systemd/system/" UNIT ".d"
#define DROP_IN   DIRECTORY "/twilio-verify.conf"

/* As the sample of such a drop-in has it, where the reasons are. */
static const char text[] =
    "# twilio-verify enable polkit-1: the check program asks Twilio, and restricts itself.\n"
    "[Service]\n"
    "PrivateNetwork=no\n"
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n"
    "SystemCallFilter=landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp\n"
    "ReadWritePaths=-/var/lib/twilio-verify\n";

static bool has_unit(void)
{
    return access("/usr/lib/systemd/system/" UNIT, F_OK) == 0 ||
           access("/lib/systemd/system/" UNIT, F_OK) == 0 ||
           access("/etc/systemd/system/" UNIT, F_OK) == 0;
}

bool polkit_enable(struct plan *plan, struct verdict *why_not)
{
    auto_config_file file = { 0 };

    if (!has_unit())
        return true;
    if (!config_file_open(DROP_IN, &file, why_not))
        return false;
    if (file.old != NULL)
        return true;
    file.new = strdup(text);
    if (file.new == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "out of memory");
    plan_add(plan, &file);
    return true;
}

bool polkit_disable(struct plan *plan, struct verdict *why_not)
{
    auto_config_file file = { 0 };

    if (!config_file_open(DROP_IN, &file, why_not))
        return false;
    if (file.old != NULL && strcmp(file.old, text) == 0)
        plan_add(plan, &file);
    return true;
}

bool polkit_reload(void)
{
    static const char *const arguments[] = { "/usr/bin/systemctl", "daemon-reload", NULL };

    rmdir(DIRECTORY); /* where it is empty */
    return access("/run/systemd/system", F_OK) != 0 || child_run(arguments, -1, NULL) == 0;
}
