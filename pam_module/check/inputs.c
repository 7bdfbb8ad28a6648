/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a login needs of root's files. */
#include "inputs.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/secret.h"
#include "../core/trusted.h"
#include "../core/userfile.h"
#include "closing.h"
#include "session.h"

/* Whether a session spares the user the code. If one could and does not, every verdict says why. */
static bool is_covered(const struct inputs *inputs, const struct dialogue_login *login,
                       struct verdict *verdict)
{
    const struct enrollment *enrollment = inputs->findings.enrollment;
    struct verdict why_not = { 0 };

    if (enrollment == NULL)
        return false;
    if (session_covers(inputs->settings, login, enrollment, verdict, &why_not))
        return true;
    if (why_not.reason[0] != '\0') {
        char text[VERDICT_REASON_SIZE + 32];
        snprintf(text, sizeof text, "; asked because %s", why_not.reason);
        closing_add(text);
    }
    return false;
}

/* Whether this user needs a second factor on this service. False: the reason is in the verdict. */
static bool find_enrollment(struct inputs *inputs, const struct dialogue_login *login,
                            struct verdict *verdict)
{
    struct policy_findings *findings = &inputs->findings;

    switch (policy_find(inputs->settings, login->service, login->user, findings, verdict)) {
    case POLICY_ENROLLED:
    case POLICY_DENIED:
        if (findings->no_bypass.outcome == OUTCOME_MISCONFIGURED)
            inputs->note = findings->no_bypass;
        return !is_covered(inputs, login, verdict);
    case POLICY_EXEMPT:
        verdict_pass(verdict, OUTCOME_NOT_REQUIRED, "the service is in exempt_services");
        return false;
    case POLICY_BYPASSED:
        verdict_pass(verdict, OUTCOME_NOT_REQUIRED, "BYPASS, ends in %d s: %s",
                     findings->bypass_left_seconds, findings->bypass->reason);
        return false;
    case POLICY_IGNORED:
        verdict_pass(verdict, OUTCOME_NOT_REQUIRED, "not enrolled, and unmapped_user is ignore");
        return false;
    case POLICY_REFUSED:
        break;
    }
    return false;
}

/* Recovery codes that can't be read do not count, and the log says so. A code of the app still
 * counts. */
static void read_recovery(struct inputs *inputs)
{
    const struct enrollment *enrollment = inputs->findings.enrollment;
    char shown[USERFILE_SHOWN_SIZE];
    struct verdict why_not;

    if (enrollment != NULL &&
        userfile_read_in(inputs->settings->users_dir, enrollment->user, USERFILE_RECOVERY,
                         TRUSTED_READERS_OWNER, &inputs->recovery_text, shown,
                         &why_not) == TRUSTED_REFUSED)
        inputs->note = why_not;
}

static bool read_all(struct inputs *inputs, const char *settings_path,
                     const struct dialogue_login *login, struct verdict *verdict)
{
    if (!settings_read(settings_path, &inputs->settings, verdict) ||
        !find_enrollment(inputs, login, verdict))
        return false;
    read_recovery(inputs);
    return secret_read_line(inputs->settings->api_key_file, &inputs->secret, verdict);
}

/* Screen lockers, nginx and PostgreSQL call PAM as an account that can't read root's files. */
static void add_account(struct verdict *verdict)
{
    const struct passwd *account = getpwuid(geteuid());
    char name[64];

    if (account != NULL)
        snprintf(name, sizeof name, "%s", account->pw_name);
    else
        snprintf(name, sizeof name, "uid %u", (unsigned)geteuid());
    verdict_add(verdict,
                " for %s, the account that runs this host: leave the module out of this service, "
                "or give it settings of its own with conf=, in files of %s",
                name, name);
}

bool inputs_read(struct inputs *inputs, const char *settings_path,
                 const struct dialogue_login *login, struct verdict *verdict)
{
    if (read_all(inputs, settings_path, login, verdict))
        return true;
    if (verdict->outcome == OUTCOME_MISCONFIGURED && geteuid() != 0 &&
        strstr(verdict->reason, strerror(EACCES)) != NULL)
        add_account(verdict);
    return false;
}

void inputs_free(struct inputs *inputs)
{
    secret_free(&inputs->recovery_text);
    secret_free(&inputs->secret);
    policy_free(&inputs->findings);
    settings_free(&inputs->settings);
}
