/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "explain": what a login would be, and why, without a login and without the network. */
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/dialogue.h"
#include "../../core/policy.h"
#include "../../core/secret.h"
#include "../desk/report.h"
#include "../desk/terminal.h"
#include "../enroll/sessions.h"
#include "../lint/check-pam.h"
#include "../lint/judge.h"
#include "counts.h"
#include "enrolled.h"

enum { PLACE_SIZE = 512 };

/* What is explained. */
struct explain {
    struct report *report;
    const char *settings_path, *user, *pam_dir;
    char service[DIALOGUE_SERVICE_SIZE];
    struct settings *settings;
    struct policy_findings found;
};

/* The PAM code that the module makes of OUTCOME. */
static const char *pam_code_of(enum outcome outcome)
{
    static const char *const codes[] = {
        [OUTCOME_BROKEN] = "PAM_SYSTEM_ERR",         [OUTCOME_UNAVAILABLE] = "PAM_AUTHINFO_UNAVAIL",
        [OUTCOME_MISCONFIGURED] = "PAM_SERVICE_ERR", [OUTCOME_DENIED] = "PAM_AUTH_ERR",
        [OUTCOME_EXHAUSTED] = "PAM_MAXTRIES",        [OUTCOME_NOT_REQUIRED] = "PAM_IGNORE",
        [OUTCOME_APPROVED] = "PAM_SUCCESS",
    };

    return codes[outcome];
}

/* Who can meet an outcome. */
enum whom { NOBODY_ASKED = 1, NOT_ENROLLED = 2, ENROLLED = 4, ASKED = NOT_ENROLLED | ENROLLED };

static const struct {
    enum outcome outcome;
    int whom;
    const char *when;
} outcomes[] = {
    { OUTCOME_APPROVED, ENROLLED,
      "Twilio approved the code, or the push whose number was typed; or a recovery code was used "
      "up" },
    { OUTCOME_NOT_REQUIRED, NOBODY_ASKED, "by the rule above" },
    { OUTCOME_DENIED, ENROLLED,
      "wrong codes, a challenge that expired, or a push that was denied or not answered" },
    { OUTCOME_DENIED, NOT_ENROLLED, "whatever is typed" },
    { OUTCOME_EXHAUSTED, ENROLLED,
      "a limit of Twilio's or of this host: attempts, or challenges for a factor" },
    { OUTCOME_UNAVAILABLE, ASKED, "no usable answer from Twilio, or none in time" },
    { OUTCOME_MISCONFIGURED, NOBODY_ASKED | ASKED, "files, owners, modes, syntax, credentials" },
    { OUTCOME_BROKEN, NOBODY_ASKED | ASKED, "the check program cannot run, or is killed" },
};

static void add_outcomes(const struct explain *explain, int whom)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        if (outcomes[i].whom & whom)
            report_add(explain->report, REPORT_NOTE, verdict_word(outcomes[i].outcome), NULL,
                       "%s: %s", pam_code_of(outcomes[i].outcome), outcomes[i].when);
    if (whom & ASKED)
        report_add(explain->report, REPORT_NOTE, "unanswered", NULL,
                   "PAM_CONV_ERR: the module cannot ask the user, or the user leaves");
    report_add(explain->report, REPORT_NOTE, "PAM", NULL,
               "what /etc/pam.d/%s does with these codes: %s", explain->service,
               terminal_command("twilio-verify check-pam", explain->service).text);
}

/* The line of a key, "PATH:12", or that its default counts. */
static void print_place(const struct explain *explain, const char *name, char *place, size_t size)
{
    int line = settings_line(explain->settings_path, "login", name);

    if (line > 0)
        snprintf(place, size, "%s:%d", explain->settings_path, line);
    else
        snprintf(place, size, "the default; %s does not set it", explain->settings_path);
}

/* When a code of before spares the user this one. */
static void explain_sessions(const struct explain *explain)
{
    enum { MINUTE = 60 };
    const struct settings *settings = explain->settings;
    struct sessions sessions = { 0 };
    struct verdict why_not;

    if (!settings_session_covers(settings, explain->service) ||
        settings_session_never_covers(explain->service))
        return;
    if (!sessions_find(settings, explain->found.enrollment->user, &sessions, &why_not))
        report_add(explain->report, REPORT_WARNING, "session", NULL, "none counts: %s",
                   why_not.reason);
    else
        report_add(explain->report, REPORT_NOTE, "session", NULL,
                   "not asked (%s) below a session that proved a code in the last %d min, if %s "
                   "calls %s; there %s %zu such session%s now",
                   pam_code_of(OUTCOME_NOT_REQUIRED), settings->session_minutes, explain->user,
                   explain->service, sessions.count == 1 ? "is" : "are", sessions.count,
                   sessions.count == 1 ? "" : "s");
}

static void add_no_code(const struct explain *explain)
{
    add_outcomes(explain, NOBODY_ASKED);
    report_add(explain->report, REPORT_OK, "verdict", NULL, "%s needs no code: %s", explain->user,
               pam_code_of(OUTCOME_NOT_REQUIRED));
}

static void explain_exempt(const struct explain *explain)
{
    char place[PLACE_SIZE];

    print_place(explain, "exempt_services", place, sizeof place);
    report_add(explain->report, REPORT_OK, "rule", NULL,
               "exempt_services (%s) names %s: nobody is asked, enrolled or not", place,
               explain->service);
    add_no_code(explain);
}

static void explain_bypassed(const struct explain *explain)
{
    enum { MINUTE = 60, HOUR = 3600 };
    const struct enrollment *enrollment = explain->found.enrollment;
    int left = explain->found.bypass_left_seconds;
    const char *name = enrollment != NULL ? enrollment->user : explain->user;

    report_add(explain->report, REPORT_WARNING, "rule",
               terminal_command("twilio-verify bypass --end", name).text,
               "a bypass, for %d h %d min more: %s", left / HOUR, left % HOUR / MINUTE,
               explain->found.bypass->reason);
    add_no_code(explain);
}

static void explain_no_bypass(const struct explain *explain)
{
    const char *reason = explain->found.no_bypass.reason;

    if (*reason != '\0')
        report_add(explain->report, explain->found.bypass == NULL ? REPORT_WARNING : REPORT_NOTE,
                   "bypass", NULL, "has no effect: %s", reason);
}

static void explain_ignored(const struct explain *explain)
{
    char place[PLACE_SIZE];

    print_place(explain, "unmapped_user", place, sizeof place);
    report_add(explain->report, REPORT_OK, "rule", NULL,
               "unmapped_user = \"ignore\" (%s): the account %s has no file in %s", place,
               explain->user, explain->settings->users_dir);
    add_no_code(explain);
}

/* What is asked, of the enrolled and, so that nobody learns who is enrolled, of everybody else. */
static void explain_question(const struct explain *explain)
{
    const struct settings *settings = explain->settings;
    bool is_with_code = settings->create_challenge == SETTINGS_CREATE_WITH_CODE;

    if (check_pam_has_one_field(explain->pam_dir, explain->service))
        report_add(explain->report, REPORT_OK, "question", NULL,
                   "none: the code is the last %d digits of the password, and tried once",
                   settings->code_length);
    else
        report_add(explain->report, REPORT_OK, "question", NULL,
                   "\"%s\", up to %d times in one call of the module; %d digits are a code",
                   policy_prompt(settings, explain->found.enrollment), settings->attempts,
                   settings->code_length);
    if (explain->found.enrollment != NULL && explain->found.enrollment->factor_sid == NULL)
        report_add(explain->report, REPORT_OK, "challenge", NULL,
                   "one for a push, if it is asked for");
    else if (explain->found.enrollment != NULL)
        report_add(explain->report, REPORT_OK, "challenge", NULL,
                   "one for each call, created %s (create_challenge = \"%s\")",
                   is_with_code ? "with the first code" : "while the user types",
                   is_with_code ? "with_code" : "at_prompt");
    else
        report_add(explain->report, REPORT_OK, "challenge", NULL,
                   "none: it connects to Twilio, and sends nothing");
}

static void explain_denied(const struct explain *explain)
{
    struct terminal_command remedy = enrolled_remedy(explain->settings, explain->user);
    char place[PLACE_SIZE];
    bool ignores = explain->settings->unmapped_user == SETTINGS_UNMAPPED_IGNORE;

    print_place(explain, "unmapped_user", place, sizeof place);
    if (ignores)
        report_add(explain->report, REPORT_WRONG, "rule", remedy.text,
                   "unmapped_user = \"ignore\" (%s) applies only to an account of exactly this "
                   "name; \"%s\" is not one, and has no file in %s",
                   place, explain->user, explain->settings->users_dir);
    else
        report_add(explain->report, REPORT_WRONG, "rule", remedy.text,
                   "unmapped_user = \"deny\" (%s), and %s has %s in %s", place, explain->user,
                   getpwnam(explain->user) != NULL ? "no file" : "no account, and no file",
                   explain->settings->users_dir);
    explain_no_bypass(explain);
    explain_question(explain);
    add_outcomes(explain, NOT_ENROLLED);
    report_add(explain->report, REPORT_WRONG, "verdict", NULL,
               "%s is asked like everybody else, and refused whatever is typed: %s", explain->user,
               pam_code_of(OUTCOME_DENIED));
}

static void refuse(const struct explain *explain, const char *subject, const char *remedy,
                   const struct verdict *why_not)
{
    report_add(explain->report, REPORT_WRONG, subject, remedy, "%s", why_not->reason);
    report_add(explain->report, REPORT_WRONG, "verdict", NULL,
               "%s is refused before a question until you correct this: %s", explain->user,
               pam_code_of(OUTCOME_MISCONFIGURED));
}

/* What the check program wants of this host before it asks. False: it is told. */
static bool is_able_to_ask(const struct explain *explain)
{
    auto_secret char *secret = NULL;
    struct verdict why_not;

    if (!secret_read_line(explain->settings->api_key_file, &secret, &why_not))
        refuse(explain, "secret", NULL, &why_not);
    else if (!judge_run_as(explain->settings->run_as, &why_not))
        refuse(explain, "run_as", NULL, &why_not);
    else
        return true;
    return false;
}

/* Whether the user has what the service can ask for. */
static bool explain_push(const struct explain *explain)
{
    const struct enrollment *enrollment = explain->found.enrollment;
    bool has_codes = enrollment->factor_sid != NULL;

    if (enrollment->push_factor_sid == NULL)
        return true;
    if (!check_pam_has_one_field(explain->pam_dir, explain->service)) {
        report_add(
            explain->report, REPORT_OK, "push", NULL,
            "the word \"push\" asks the phone, and then \"Number on your phone: \" the user; "
            "a program that cannot ask this second question is refused");
        return true;
    }
    report_add(explain->report, has_codes ? REPORT_NOTE : REPORT_WRONG, "push",
               has_codes
                   ? NULL
                   : terminal_command("twilio-verify enroll --replace", enrollment->user).text,
               "none here: %s takes password and code in one field (split=)%s", explain->service,
               has_codes ? "" : ", and this user has no factor for codes");
    return has_codes;
}

static void explain_enrolled(const struct explain *explain)
{
    bool is_served;
    const struct enrollment *enrollment = explain->found.enrollment;
    char factors[ENROLLED_FACTORS_SIZE];

    report_add(explain->report, REPORT_OK, "rule", NULL, "enrolled: %s/%s.conf",
               explain->settings->users_dir, enrollment->user);
    if (strcmp(enrollment->user, explain->user) != 0)
        report_add(explain->report, REPORT_NOTE, "name", NULL,
                   "\"%s\" is another name of the account %s, and has no file of its own",
                   explain->user, enrollment->user);
    enrolled_print_factors(enrollment, factors);
    report_add(explain->report, REPORT_OK, "enrollment", NULL, "identity %s, %s",
               enrollment->identity, factors);
    explain_no_bypass(explain);
    enrolled_add_recovery(explain->report, explain->settings, enrollment->user);
    counts_add(explain->report, explain->settings, enrollment->user);
    explain_sessions(explain);
    explain_question(explain);
    is_served = explain_push(explain);
    add_outcomes(explain, ENROLLED);
    if (!is_served)
        report_add(explain->report, REPORT_WRONG, "verdict", NULL, "%s is refused: %s",
                   explain->user, pam_code_of(OUTCOME_DENIED));
    else
        report_add(explain->report, REPORT_OK, "verdict", NULL, "%s is asked for a %s",
                   explain->user, enrollment->factor_sid != NULL ? "code" : "push");
}

/* The program of the service can't use the settings. */
static void refuse_account(const struct explain *explain, const char *account,
                           const struct verdict *why_not)
{
    bool is_closed = strstr(why_not->reason, strerror(EACCES)) != NULL;
    struct verdict reason;
    char remedy[PLACE_SIZE];

    snprintf(remedy, sizeof remedy,
             "leave the module out of it, or give it settings of its own with conf=, in files of "
             "%s, and explain them with --settings",
             account);
    verdict_refuse(&reason, OUTCOME_MISCONFIGURED,
                   "the program of %s runs as %s, which cannot use %s: %s", explain->service,
                   account, explain->settings_path, why_not->reason);
    refuse(explain, "host", is_closed ? remedy : NULL, &reason);
}

/* From here on files are read as by the program of the service. */
static bool become(const char *account, struct verdict *why_not)
{
    const struct passwd *entry = getpwnam(account);

    return (entry != NULL && (geteuid() == entry->pw_uid ||
                              (setegid(entry->pw_gid) == 0 && seteuid(entry->pw_uid) == 0))) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot become %s: %s", account,
                          strerror(errno));
}

static void become_again(void)
{
    if (seteuid(getuid()) != 0 || setegid(getgid()) != 0)
        abort();
}

/* Whether the program of the service can use the settings. False: it is told. */
static bool is_host_able(const struct explain *explain)
{
    auto_facts *facts = NULL;
    struct verdict why_not;
    const char *account;

    if (!facts_read(&facts, &why_not)) {
        report_add(explain->report, REPORT_WARNING, "host", NULL, "%s", why_not.reason);
        return true;
    }
    account = judge_account(facts_find_service(facts, explain->service), explain->user);
    if (account == NULL ||
        (judge_can_use(account, explain->settings_path, &why_not) && become(account, &why_not)))
        return true;
    refuse_account(explain, account, &why_not);
    return false;
}

static void explain_policy(struct explain *explain)
{
    struct verdict why_not;

    switch (policy_find(explain->settings, explain->service, explain->user, &explain->found,
                        &why_not)) {
    case POLICY_EXEMPT:
        explain_exempt(explain);
        return;
    case POLICY_BYPASSED:
        explain_bypassed(explain);
        return;
    case POLICY_IGNORED:
        explain_ignored(explain);
        return;
    case POLICY_DENIED:
        if (is_able_to_ask(explain))
            explain_denied(explain);
        return;
    case POLICY_ENROLLED:
        if (is_able_to_ask(explain))
            explain_enrolled(explain);
        return;
    case POLICY_REFUSED:
        break;
    }
    refuse(explain, "enrollment", NULL, &why_not);
}

static void explain_all(struct explain *explain, const char *rhost)
{
    struct verdict why_not;

    if (!settings_read(explain->settings_path, &explain->settings, &why_not)) {
        refuse(explain, "settings", NULL, &why_not);
    } else {
        report_add(explain->report, REPORT_OK, "settings", NULL, "%s; service %s at %s",
                   explain->settings_path, explain->settings->service_sid,
                   explain->settings->base_url);
        if (rhost != NULL)
            report_add(explain->report, REPORT_NOTE, "rhost", NULL,
                       "%s has no effect in the module, which only logs it; other modules may use "
                       "it, such as pam_access",
                       rhost);
        explain_policy(explain);
    }
    policy_free(&explain->found);
    settings_free(&explain->settings);
}

/* libpam knows every service by its name in lower case. */
static bool take_service(const char *given, char service[DIALOGUE_SERVICE_SIZE])
{
    char line[DIALOGUE_LINE_SIZE];

    if (given == NULL || !dialogue_print_login(given, "", 0, line))
        return false;
    snprintf(service, DIALOGUE_SERVICE_SIZE, "%s", given);
    for (char *letter = service; *letter != '\0'; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    return true;
}

static enum command_status run(const struct command_call *call)
{
    struct explain explain = { .settings_path = call->settings_path,
                               .user = call->operands[0],
                               .pam_dir = command_value(call, "pam-dir") };

    if (!take_service(command_value(call, "service"), explain.service)) {
        terminal_say("explain needs --service, the name of a PAM service, 1 to %d bytes: sshd",
                     DIALOGUE_SERVICE_SIZE - 1);
        return COMMAND_USAGE;
    }
    explain.report = report_start(call);
    if (explain.report == NULL)
        return COMMAND_WRONG;
    if (is_host_able(&explain))
        explain_all(&explain, command_value(call, "rhost"));
    become_again();
    return report_end(explain.report);
}

const struct command explain_command = {
    .name = "explain",
    .operands = "USER",
    .summary = "Says what a login would do, and why, without a login",
    .options = {
        { "service", "SERVICE", "the PAM service: sshd, sudo, login; mandatory" },
        { "rhost", "HOST", "the host that the user comes from" },
        { "json", NULL, "print JSON, for a program" },
        { "pam-dir", "DIR", "as in check-pam" },
    },
    .run = run,
};
