/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether an account can use settings: a child that becomes this account tries it. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "../../core/secret.h"
#include "../../core/trusted.h"
#include "../desk/bounded.h"
#include "judge.h"

struct use {
    const struct passwd *account;
    const char *path; /* of the settings */
};

static bool become(const struct passwd *account, struct verdict *why_not)
{
    if (geteuid() == account->pw_uid)
        return true;
    if (geteuid() != 0)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "only root can try that");
    return (initgroups(account->pw_name, account->pw_gid) == 0 &&
            setresgid(account->pw_gid, account->pw_gid, account->pw_gid) == 0 &&
            setresuid(account->pw_uid, account->pw_uid, account->pw_uid) == 0) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", account->pw_name,
                          strerror(errno));
}

bool judge_run_as(const char *name, struct verdict *why_not)
{
    const struct passwd *account = getpwnam(name);

    if (account != NULL && account->pw_uid != 0 && account->pw_gid != 0)
        return true;
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "the account \"%s\" of run_as %s: create it, or name another", name,
                          account == NULL ? "does not exist" : "has the user or the group of root");
}

/* As twilio-verify-check(8) does it, but for the account of run_as, which has to be there only. */
static bool try_use(const void *context, struct verdict *why_not)
{
    const struct use *use = context;
    auto_settings *settings = NULL;
    auto_secret char *secret = NULL;
    int directory;

    if (!become(use->account, why_not) || !settings_read(use->path, &settings, why_not) ||
        !secret_read_line(settings->api_key_file, &secret, why_not) ||
        !judge_run_as(settings->run_as, why_not))
        return false;
    directory = trusted_open_directory(settings->users_dir, why_not);
    if (directory < 0)
        return false;
    close(directory);
    return true;
}

bool judge_can_use(const char *name, const char *path, struct verdict *why_not)
{
    const struct use use = { getpwnam(name), path };

    if (use.account == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "there is no account %s", name);
    return bounded_try(try_use, &use, why_not);
}
