/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a login needs of root's files. */
#include "inputs.h"

#include <stdlib.h>
#include <string.h>

#include "../core/secret.h"
#include "../core/userfile.h"
#include "privileges.h"

/* Whether this user on this service needs a second factor at all. False: the verdict tells. */
static bool find_enrollment(struct inputs *inputs, const struct dialogue_login *login,
                            struct verdict *verdict)
{
    struct policy_findings *findings = &inputs->findings;

    switch (policy_find(inputs->settings, login->service, login->user, findings, verdict)) {
    case POLICY_ENROLLED:
    case POLICY_DENIED:
        if (findings->no_bypass.outcome == OUTCOME_MISCONFIGURED)
            inputs->note = findings->no_bypass;
        return true;
    case POLICY_EXEMPT:
        verdict_pass(verdict, OUTCOME_NOT_REQUIRED, "the service is in exempt_services");
        return false;
    case POLICY_BYPASSED:
        verdict_pass(verdict, OUTCOME_NOT_REQUIRED, "BYPASS for %lld s more: %s",
                     (long long)findings->bypass_left_s, findings->bypass->reason);
        return false;
    case POLICY_IGNORED:
        verdict_pass(verdict, OUTCOME_NOT_REQUIRED, "not enrolled, and unmapped_user is ignore");
        return false;
    case POLICY_REFUSED:
        break;
    }
    return false;
}

/* Recovery codes that can't be read are none, for which the log has a note: a code of the app
 * still counts. */
static void read_recovery(struct inputs *inputs)
{
    const struct enrollment *enrollment = inputs->findings.enrollment;
    char shown[USERFILE_SHOWN_SIZE];
    struct verdict why_not;

    if (enrollment != NULL &&
        userfile_read_in(inputs->settings->users_dir, enrollment->user, USERFILE_RECOVERY,
                         SECRET_READERS_OWNER, &inputs->recovery_text, shown,
                         &why_not) == SECRET_REFUSED)
        inputs->note = why_not;
}

bool inputs_read(struct inputs *inputs, const char *settings_path,
                 const struct dialogue_login *login, struct verdict *verdict)
{
    if (!settings_read(settings_path, &inputs->settings, verdict) ||
        !find_enrollment(inputs, login, verdict))
        return false;
    read_recovery(inputs);
    return secret_read_line(inputs->settings->api_key_file, &inputs->secret, verdict);
}

bool inputs_offer(const struct inputs *inputs)
{
    static char none[] = "";
    static const struct enrollment nobody = { none, none, none };
    const struct enrollment *enrollment =
        inputs->findings.enrollment != NULL ? inputs->findings.enrollment : &nobody;
    auto_secret char *settings = settings_print(inputs->settings);
    const struct handover handover = {
        .texts = {
            [HANDOVER_SETTINGS] = settings,
            [HANDOVER_USER] = enrollment->user,
            [HANDOVER_IDENTITY] = enrollment->identity,
            [HANDOVER_FACTOR_SID] = enrollment->factor_sid,
            [HANDOVER_RECOVERY] = inputs->recovery_text != NULL ? inputs->recovery_text : "",
            [HANDOVER_NOTE] = inputs->note.reason,
            [HANDOVER_SECRET] = inputs->secret,
        },
    };
    uid_t account;

    return settings != NULL && privileges_find(inputs->settings->run_as, &account) &&
           handover_offer(inputs->settings->socket, account, &handover);
}

/* False: no memory. */
static bool take_enrollment(struct inputs *inputs, const char *const *texts)
{
    struct enrollment *enrollment;

    if (*texts[HANDOVER_IDENTITY] == '\0')
        return true;
    enrollment = inputs->findings.enrollment = calloc(1, sizeof *enrollment);
    if (enrollment == NULL)
        return false;
    enrollment->user = strdup(texts[HANDOVER_USER]);
    enrollment->identity = strdup(texts[HANDOVER_IDENTITY]);
    enrollment->factor_sid = strdup(texts[HANDOVER_FACTOR_SID]);
    if (*texts[HANDOVER_RECOVERY] != '\0')
        inputs->recovery_text = strdup(texts[HANDOVER_RECOVERY]);
    return enrollment->user != NULL && enrollment->identity != NULL &&
           enrollment->factor_sid != NULL &&
           (*texts[HANDOVER_RECOVERY] == '\0' || inputs->recovery_text != NULL);
}

bool inputs_take(struct inputs *inputs, const struct handover *handover, struct verdict *verdict)
{
    const char *const *texts = handover->texts;

    verdict_add(&inputs->note, "%s", texts[HANDOVER_NOTE]);
    inputs->secret = strdup(texts[HANDOVER_SECRET]);
    if (inputs->secret != NULL && take_enrollment(inputs, texts) &&
        settings_scan(texts[HANDOVER_SETTINGS], &inputs->settings))
        return true;
    return verdict_refuse(verdict, OUTCOME_MISCONFIGURED,
                          "the server has no memory, or is of another build: restart "
                          "twilio-verify-check.service");
}

void inputs_free(struct inputs *inputs)
{
    secret_free(&inputs->recovery_text);
    secret_free(&inputs->secret);
    policy_free(&inputs->findings);
    settings_free(&inputs->settings);
}
