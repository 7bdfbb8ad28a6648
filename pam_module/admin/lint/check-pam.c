/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "check-pam": whether the second factor can be bypassed, and by which line. */
#include "check-pam.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../desk/terminal.h"
#include "check-sshd.h"
#include "check-stack.h"
#include "check-sudo.h"
#include "paths.h"
#include "text-file.h"

#define ETC "/etc/pam.d"
#define USR "/usr/lib/pam.d"

enum { UNKNOWN_SIZE = 512 };

/* All services. */
struct survey {
    struct report *report;
    const struct check_pam *check;
    const char *directories[3];
    struct facts *facts;
    bool is_called; /* some service calls the module */
    bool is_open;   /* a program that calls it may let in by something else than PAM */
    /* Services of whose programs that is not known, with commas between. */
    char unknown[UNKNOWN_SIZE];
    char *names; /* of check_pam_list() */
    size_t names_size;
};

static struct survey survey_of(struct report *report, const struct check_pam *check)
{
    return (struct survey){ .report = report,
                            .check = check,
                            .directories = { check->pam_dir != NULL ? check->pam_dir : ETC,
                                             check->pam_dir != NULL ? NULL : USR } };
}

static struct check_stack stack_of(const struct survey *survey, const char *service)
{
    return (struct check_stack){ .source = { .directories = survey->directories,
                                             .facts = survey->facts,
                                             .overlay = survey->check->overlay },
                                 .service = service,
                                 .settings = survey->check->settings,
                                 .level_of_absence = REPORT_WARNING };
}

static struct check_stack_answer ask(const struct survey *survey, const char *service)
{
    struct check_stack stack = stack_of(survey, service);

    return check_stack_ask(&stack);
}

/* Whether lines of its own call the module. */
static bool calls_itself(const struct survey *survey, const char *service)
{
    struct check_stack_answer answer = ask(survey, service);

    return (answer.is_called || answer.has_split) && !answer.is_other;
}

/* agetty(8) logs in by "login -f", without PAM's lines of auth. */
static void add_getty(const char *path, char *line, void *report)
{
    if (strncmp(line, "ExecStart=", strlen("ExecStart=")) == 0 && strstr(line, "agetty") != NULL &&
        (strstr(line, " --autologin") != NULL || strstr(line, " -a ") != NULL))
        report_add(report, REPORT_WARNING, "login", "check that this is intended",
                   "%s: an exemption, without authentication: %s", path, line);
}

/* A service, and what lies around PAM there. */
static void add_service(struct survey *survey, const char *service, bool is_named)
{
    struct check_stack stack = stack_of(survey, service);
    struct check_stack_answer answer;
    bool is_pair = strcmp(service, "sudo-i") == 0 && ask(survey, "sudo").is_called;

    stack.is_named = is_named;
    if (is_named || is_pair)
        stack.level_of_absence = REPORT_WRONG;
    answer = check_stack_add(survey->report, &stack);
    survey->is_called |= answer.is_called;
    survey->is_open |= answer.trust != CHECK_STACK_ALONE;
    if (answer.trust == CHECK_STACK_UNKNOWN)
        terminal_add_word(survey->unknown, sizeof survey->unknown, ", ", service);
    if (!answer.is_known)
        return;
    if (strcmp(service, "sshd") == 0)
        check_sshd_add(survey->report, survey->check->sshd_config, &stack, &answer);
    if (strcmp(service, "sudo") == 0 && answer.is_called)
        check_sudo_add(survey->report, survey->check->sudoers);
    if (strcmp(service, "doas") == 0 && answer.is_called)
        check_sudo_add_doas(survey->report);
    if (strcmp(service, "login") == 0 && answer.is_called)
        text_file_each("/etc/systemd/system/*getty@*.service{,.d/*.conf}", add_getty,
                       survey->report);
}

/* Names of files that are no service, but what others include, or what an editor left. */
static int is_service(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t length = strlen(name);

    return name[0] != '.' && name[length - 1] != '~' && strncmp(name, "common-", 7) != 0 &&
           strchr(name, '.') == NULL;
}

/* Whether libpam takes the service NAME from a directory before the NUMBERth. */
static bool is_hidden(const struct survey *survey, const char *name, int number)
{
    for (int i = 0; i < number; i++) {
        char path[PATH_MAX];
        if (snprintf(path, sizeof path, "%s/%s", survey->directories[i], name) < (int)sizeof path &&
            access(path, F_OK) == 0)
            return true;
    }
    return false;
}

/* What leads to a session, or to root: each without the module is a way around the others. */
static bool is_login(const struct facts_service *service)
{
    return service != NULL && (service->words & FACTS_LOGIN);
}

static void add_logins(struct survey *survey)
{
    const struct facts_service *service;

    for (size_t i = 0; (service = facts_service_at(survey->facts, i)) != NULL; i++)
        if (is_login(service))
            add_service(survey, service->name, false);
}

/* libpam looks for a service in lower case. */
static bool is_never_found(const char *name)
{
    for (; *name != '\0'; name++)
        if (isupper((unsigned char)*name))
            return true;
    return false;
}

/* Calls ACT with each service that has a file, but for "other". */
static void for_each(struct survey *survey,
                     void (*act)(struct survey *survey, const char *directory, const char *name))
{
    for (int i = 0; survey->directories[i] != NULL; i++) {
        struct dirent **entries = NULL;
        int count = scandir(survey->directories[i], &entries, is_service, alphasort);
        for (int j = 0; j < count; j++) {
            const char *name = entries[j]->d_name;
            if (strcmp(name, "other") != 0 && !is_hidden(survey, name, i))
                act(survey, survey->directories[i], name);
            free(entries[j]);
        }
        free(entries);
    }
}

/* What else calls the module. */
static void add_caller(struct survey *survey, const char *directory, const char *name)
{
    if (is_login(facts_find_service(survey->facts, name)) || !calls_itself(survey, name))
        return;
    if (is_never_found(name))
        report_add(survey->report, REPORT_WARNING, name, "rename the file",
                   "%s/%s: libpam looks for a service in lower case, and does not find it",
                   directory, name);
    else
        add_service(survey, name, false);
}

static bool is_named(const struct survey *survey, const char *name)
{
    char *const *service = survey->check->services;

    while (service != NULL && *service != NULL && strcmp(*service, name) != 0)
        service++;
    return service != NULL && *service != NULL;
}

/* Another that will call the module since it includes a file of the overlay. */
static void add_includer(struct survey *survey, const char *directory, const char *name)
{
    (void)directory;
    if (!is_named(survey, name) && ask(survey, name).is_new)
        add_service(survey, name, true);
}

/* Those that no finding about a stack names. */
static void add_exempt(struct survey *survey)
{
    const struct settings *settings = survey->check->settings;

    if (settings == NULL || settings->exempt_services == NULL)
        return;
    for (char **service = settings->exempt_services; *service != NULL; service++)
        if (!ask(survey, *service).is_called)
            report_add(survey->report, REPORT_NOTE, *service, NULL,
                       "exempt_services names it, and it does not call the module");
}

static void add_all(struct survey *survey)
{
    add_logins(survey);
    for_each(survey, add_caller);
    add_exempt(survey);
    if (!survey->is_called)
        report_add(survey->report, survey->check->is_unused_fine ? REPORT_NOTE : REPORT_WRONG,
                   "pam", "twilio-verify enable SERVICE", "no service calls the module");
}

/* libpam takes a service's name in lower case, and only what is behind its last slash. */
static void add_named(struct survey *survey, const char *operand)
{
    const char *slash = strrchr(operand, '/');
    char *service = strdup(slash != NULL ? slash + 1 : operand);

    for (char *letter = service; letter != NULL && *letter != '\0'; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    if (service == NULL || *service == '\0')
        report_add(survey->report, REPORT_WRONG, "pam", NULL, "\"%s\" is not a service name",
                   operand);
    else
        add_service(survey, service, true);
    free(service);
}

bool check_pam_add(struct report *report, const struct check_pam *check)
{
    struct survey survey = survey_of(report, check);
    struct verdict why_not;

    if (!facts_read(&survey.facts, &why_not)) {
        report_add(report, REPORT_WRONG, "pam-facts", NULL, "%s", why_not.reason);
        return false;
    }
    if (check->pam_dir != NULL && access(check->pam_dir, R_OK | X_OK) != 0)
        report_add(report, REPORT_WRONG, "pam", NULL, "%s: %s", check->pam_dir, strerror(errno));
    if (check->services == NULL || *check->services == NULL)
        add_all(&survey);
    for (char *const *service = check->services; service != NULL && *service != NULL; service++)
        add_named(&survey, *service);
    if (check->overlay != NULL)
        for_each(&survey, add_includer);
    if (check->pam_dir == NULL && access("/etc/pam.conf", F_OK) == 0 && access(ETC, F_OK) != 0 &&
        access(USR, F_OK) != 0)
        report_add(report, REPORT_WARNING, "pam", NULL,
                   "/etc/pam.conf is in effect, but is not checked");
    if (*survey.unknown != '\0')
        report_add(report, REPORT_NOTE, CHECK_STACK_PROGRAMS,
                   "add what you know to " PATHS_OWN_FACTS,
                   "it is not known whether these let users in by PAM alone: %s", survey.unknown);
    facts_free(&survey.facts);
    return !survey.is_open;
}

static void list_caller(struct survey *survey, const char *directory, const char *name)
{
    (void)directory;
    if (calls_itself(survey, name) && !is_never_found(name))
        terminal_add_word(survey->names, survey->names_size, " ", name);
}

void check_pam_list(const char *pam_dir, char *names, size_t size)
{
    const struct check_pam check = { .pam_dir = pam_dir };
    struct survey survey = survey_of(NULL, &check);
    struct verdict why_not;

    *names = '\0';
    survey.names = names;
    survey.names_size = size;
    if (facts_read(&survey.facts, &why_not))
        for_each(&survey, list_caller);
    facts_free(&survey.facts);
}

bool check_pam_has_one_field(const char *pam_dir, const char *service)
{
    const struct check_pam check = { .pam_dir = pam_dir };
    struct survey survey = survey_of(NULL, &check);
    struct verdict why_not;
    bool has_split = facts_read(&survey.facts, &why_not) && ask(&survey, service).has_split;

    facts_free(&survey.facts);
    return has_split;
}

static void add_verdict(struct report *report, bool is_whole)
{
    switch (report_worst(report)) {
    case REPORT_AWAY: /* nobody adds it here */
    case REPORT_WRONG:
        report_add(report, REPORT_WRONG, "verdict", NULL,
                   "the second factor can be bypassed, or a login would fail");
        break;
    case REPORT_WARNING:
        report_add(report, REPORT_OK, "verdict", NULL,
                   "nothing is wrong; the warnings say who needs no code and what to correct");
        break;
    case REPORT_OK:
    case REPORT_NOTE:
        report_add(report, REPORT_OK, "verdict", NULL,
                   is_whole ? "nothing bypasses the second factor"
                            : "nothing is wrong; the notes name programs that may let "
                              "users in without PAM");
        break;
    }
}

static enum command_status run(const struct command_call *call)
{
    auto_settings *settings = NULL;
    struct verdict why_not;
    struct report *report = report_start(call);
    bool is_whole;
    struct check_pam check = { .services = call->operands,
                               .pam_dir = command_value(call, "pam-dir"),
                               .sshd_config = command_value(call, "sshd-config"),
                               .sudoers = command_value(call, "sudoers") };

    if (report == NULL)
        return COMMAND_WRONG;
    if (!settings_read(call->settings_path, &settings, &why_not))
        report_add(report, REPORT_WARNING, "settings", "correct the settings, and check again",
                   "cannot read the exemptions: %s", why_not.reason);
    check.settings = settings;
    is_whole = check_pam_add(report, &check);
    add_verdict(report, is_whole);
    return report_end(report);
}

const struct command check_pam_command = {
    .name = "check-pam",
    .operands = "[SERVICE...]",
    .summary = "Reports whether the second factor can be bypassed",
    .options = {
        { "json", NULL, "print JSON, for a program" },
        { "pam-dir", "DIR", "PAM's files, /etc/pam.d by default" },
        { "sshd-config", "PATH", "another sshd_config" },
        { "sudoers", "PATH", "another sudoers" },
    },
    .run = run,
};
