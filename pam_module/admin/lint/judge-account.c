/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether an account can use settings: a child that becomes this account tries it. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/secret.h"
#include "../../core/trusted.h"
#include "judge.h"

static bool refuse_errno(struct verdict *why_not, const char *what)
{
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", what, strerror(errno));
}

static bool become(const struct passwd *account, struct verdict *why_not)
{
    if (geteuid() == account->pw_uid)
        return true;
    if (geteuid() != 0)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "only root can try that");
    return (initgroups(account->pw_name, account->pw_gid) == 0 &&
            setresgid(account->pw_gid, account->pw_gid, account->pw_gid) == 0 &&
            setresuid(account->pw_uid, account->pw_uid, account->pw_uid) == 0) ||
           refuse_errno(why_not, account->pw_name);
}

/* As twilio-verify-check(8) does it, but for the account of run_as, which has to be there only. */
static bool use(const struct passwd *account, const char *path, struct verdict *why_not)
{
    auto_settings *settings = NULL;
    auto_secret char *secret = NULL;
    const struct passwd *run_as;
    int directory;

    if (!become(account, why_not) || !settings_read(path, &settings, why_not) ||
        !secret_read_line(settings->api_key_file, &secret, why_not))
        return false;
    run_as = getpwnam(settings->run_as);
    if (run_as == NULL || run_as->pw_uid == 0 || run_as->pw_gid == 0)
        return verdict_refuse(
            why_not, OUTCOME_MISCONFIGURED, "the account \"%s\" of run_as %s", settings->run_as,
            run_as == NULL ? "does not exist" : "has the user or the group of root");
    directory = trusted_open_directory(settings->users_dir, why_not);
    if (directory < 0)
        return false;
    close(directory);
    return true;
}

static _Noreturn void tell(int output, const struct passwd *account, const char *path)
{
    struct verdict why_not = { 0 };
    bool is_usable = use(account, path, &why_not);
    ssize_t written = is_usable ? 0 : write(output, why_not.reason, strlen(why_not.reason));

    _exit(is_usable && written == 0 ? 0 : 1);
}

/* What the child CHILD says on INPUT. */
static bool hear(pid_t child, int input, struct verdict *why_not)
{
    char reason[sizeof why_not->reason] = "";
    size_t length = 0;
    ssize_t count;
    int status = -1;

    while (length < sizeof reason - 1 &&
           (count = read(input, reason + length, sizeof reason - 1 - length)) != 0) {
        if (count < 0 && errno != EINTR)
            break;
        length += count > 0 ? (size_t)count : 0;
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return refuse_errno(why_not, "waitpid");
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s", reason);
}

bool judge_can_use(const char *name, const char *path, struct verdict *why_not)
{
    const struct passwd *account = getpwnam(name);
    bool is_usable;
    int ends[2];
    pid_t child;

    if (account == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "there is no account %s", name);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return refuse_errno(why_not, "pipe");
    child = fork();
    if (child == 0)
        tell(ends[1], account, path);
    close(ends[1]);
    is_usable = child < 0 ? refuse_errno(why_not, "fork") : hear(child, ends[0], why_not);
    close(ends[0]);
    return is_usable;
}
