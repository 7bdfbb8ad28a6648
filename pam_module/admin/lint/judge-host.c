/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The program that calls PAM for a service: as whom it does so, and whether PAM alone decides. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../desk/terminal.h"
#include "judge.h"
#include "paths.h"

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
        judge_add(judge, NULL, REPORT_WARNING, "leave the module out of it",
                  "a screen locker that runs as the user, who cannot read the settings: the module "
                  "refuses everybody");
    if (account == NULL || judge->has_own_settings)
        return;
    snprintf(
        remedy, sizeof remedy,
        "leave the module out of it, or give it settings of its own with conf=, in files of %s",
        account);
    judge_add(judge, NULL, REPORT_WARNING, remedy,
              "runs as %s, which cannot read the settings: the module refuses everybody", account);
}

/* Samba does not ask PAM at all, or sends what was typed as PAM's only answer. */
static void judge_samba(struct judge *judge, const char *path)
{
    if (access(path, F_OK) != 0)
        judge_add(judge, NULL, REPORT_NOTE, NULL, "Samba is not configured: no %s", path);
    else
        judge_add(
            judge, NULL, REPORT_WRONG,
            "leave the module out of it, and protect the network in its place",
            "Samba asks for no code: it checks passwords itself or, with \"encrypt passwords = "
            "no\", refuses everybody, as the password is its only answer");
}

/* Says where its own configuration tells by what else it lets in. */
static void note_others(struct judge *judge, const struct facts_service *known)
{
    char paths[512] = "";

    for (const char *const *look = known->look; *look != NULL; look++)
        terminal_add_word(paths, sizeof paths, ", ", *look);
    judge->trust = CHECK_STACK_OTHERS;
    report_add(judge->report, REPORT_NOTE, CHECK_STACK_PROGRAMS, NULL,
               "%s also lets users in without PAM: see %s", judge->check->service,
               *paths != '\0'           ? paths
               : known->proftpd != NULL ? known->proftpd
                                        : "its configuration");
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
