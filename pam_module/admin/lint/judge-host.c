/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The program that calls PAM for a service: as whom it does so, and whether PAM alone decides. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge.h"
#include "paths.h"
#include "smb-config.h"

static bool is_set_user_id(const char *program)
{
    struct stat status;

    return stat(program, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == 0 &&
           (status.st_mode & S_ISUID);
}

/* Whether it calls PAM as the user who types. */
static bool is_users(const struct facts_service *known)
{
    if (!(known->words & FACTS_USER))
        return false;
    for (const char *const *program = known->programs; *program != NULL; program++)
        if (is_set_user_id(*program))
            return false;
    return true;
}

const char *judge_account(const struct facts_service *known, const char *user)
{
    return known == NULL ? NULL : is_users(known) ? user : known->account;
}

/* The secret of the API key is readable by its owner alone. */
static void add_account(struct judge *judge)
{
    const char *account = judge->known->account;
    char remedy[256];

    if (is_users(judge->known))
        judge_add(judge, REPORT_WARNING, "leave the module out of it",
                  "a screen locker that runs as the user, who cannot read the settings: the module "
                  "refuses everybody");
    if (account == NULL || judge->has_own_settings)
        return;
    snprintf(
        remedy, sizeof remedy,
        "leave the module out of it, or give it settings of its own with conf=, in files of %s",
        account);
    judge_add(judge, REPORT_WARNING, remedy,
              "runs as %s, which cannot read the settings: the module refuses everybody", account);
}

/* Samba sends what was typed as PAM's only answer, or does not ask PAM at all. */
static void judge_samba(struct judge *judge, const char *path)
{
    char why_not[SMB_CONFIG_WHY_NOT_SIZE];
    bool encrypts;

    if (smb_config_read(path, &encrypts, why_not))
        judge_add(
            judge, REPORT_WRONG, "leave the module out of it, and protect the network in its place",
            encrypts ? "%s: Samba checks passwords itself (\"encrypt passwords\"): the module "
                       "is not called, and no code is needed"
                     : "%s: Samba gives PAM the password as the only answer: the module "
                       "refuses everybody",
            path);
    else if (errno == ENOENT)
        judge_add(judge, REPORT_NOTE, NULL, "Samba is not configured: no %s", path);
    else
        judge_add(judge, REPORT_WARNING, NULL, "it is not known what Samba asks: %s", why_not);
}

/* Says where its own configuration tells by what else it lets in. */
static void note_others(struct judge *judge, const struct facts_service *known)
{
    char paths[512];
    size_t used = 0;

    snprintf(paths, sizeof paths, "%s",
             known->proftpd != NULL ? known->proftpd : "its configuration");
    for (const char *const *look = known->look; *look != NULL && used < sizeof paths; look++)
        used += (size_t)snprintf(paths + used, sizeof paths - used, "%s%s", used > 0 ? ", " : "",
                                 *look);
    judge->trust = CHECK_STACK_OTHERS;
    report_add(judge->report, REPORT_NOTE, CHECK_STACK_PROGRAMS, NULL,
               "%s also lets users in without PAM: see %s", judge->check->service, paths);
}

void judge_host(struct judge *judge)
{
    const struct facts_service *known = judge->known;

    if (known == NULL) {
        judge->trust = CHECK_STACK_UNKNOWN;
        return;
    }
    add_account(judge);
    if (known->samba != NULL)
        judge_samba(judge, known->samba);
    else if (known->proftpd != NULL && judge_proftpd(judge, known->proftpd))
        return;
    else if (known->proftpd != NULL || (known->words & FACTS_OTHERS))
        note_others(judge, known);
    else if (!(known->words & FACTS_ALONE))
        judge->trust = CHECK_STACK_UNKNOWN;
}
