/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What logins will be after a change. */
#include "outlook.h"

#include <stdio.h>
#include <string.h>

#include "../desk/terminal.h"
#include "../enroll/people.h"
#include "../lint/check-pam.h"

enum { REMEDY_SIZE = 1200 };

/* root calls sudo without a question. */
static bool is_concerned(const struct outlook *outlook, const struct person *person)
{
    bool is_sudo = strncmp(outlook->services[0], "sudo", strlen("sudo")) == 0;

    if (outlook->need == OUTLOOK_ANYTHING)
        return !is_sudo || strcmp(person->name, "root") != 0;
    return outlook->need == OUTLOOK_ANY_KEY || person->has_password || person->has_key;
}

/* Why PERSON will be refused, and the words before the name in what helps; NULL: that is not so. */
static const char *find_reason(const struct outlook *outlook, const struct person *person,
                               const char **ret_remedy)
{
    *ret_remedy = "";
    if (outlook->is_root_out && strcmp(person->name, "root") == 0)
        return "may not log in with a code (PermitRootLogin)";
    *ret_remedy = "twilio-verify enroll ";
    if (people_state(outlook->settings, outlook->services[0], person->name) == PEOPLE_MISSING)
        return "is not enrolled";
    *ret_remedy = "passwd ";
    if (outlook->need == OUTLOOK_PASSWORD && !person->has_password)
        return "has no password";
    *ret_remedy = "put a key into ~/.ssh/authorized_keys of ";
    if (outlook->need == OUTLOOK_KEY && !person->has_key)
        return "has no authorized_keys";
    return NULL;
}

static void add_person(struct report *report, const struct outlook *outlook,
                       const struct person *person, const char *reason, const char *remedy)
{
    char line[REMEDY_SIZE];

    snprintf(line, sizeof line, "%s%s", remedy, terminal_word(person->name).text);
    report_add(report, REPORT_WARNING, outlook->services[0], *remedy != '\0' ? line : NULL,
               "%s (%s) %s, and will be refused", person->name, person->why, reason);
}

static bool add_people(struct report *report, const struct outlook *outlook)
{
    auto_people people = { 0 };
    size_t administrators = 0, left = 0;

    if (!people_find(&people)) {
        report_add(report, REPORT_WRONG, outlook->services[0], NULL, "out of memory");
        return false;
    }
    if (outlook->need == OUTLOOK_ANY_KEY)
        report_add(report, REPORT_NOTE, outlook->services[0], NULL,
                   "sshd takes keys from elsewhere than the homes (AuthorizedKeysCommand, "
                   "AuthorizedKeysFile or TrustedUserCAKeys): who has a key is not checked");
    for (size_t i = 0; i < people.count; i++) {
        const struct person *person = &people.persons[i];
        const char *remedy, *reason = find_reason(outlook, person, &remedy);
        if (!is_concerned(outlook, person))
            continue;
        administrators += person->is_administrator;
        left += person->is_administrator && reason == NULL;
        if (reason != NULL)
            add_person(report, outlook, person, reason, remedy);
    }
    if (administrators == 0 || left > 0)
        return true;
    report_add(report, REPORT_WRONG, outlook->services[0],
               "enroll one of them, or give one a password or a key",
               "every administrator would be locked out");
    return false;
}

bool outlook_add(struct report *report, const struct outlook *outlook)
{
    const struct check_pam check = { .settings = outlook->settings,
                                     .services = outlook->services,
                                     .overlay = outlook->overlay };

    check_pam_add(report, &check);
    return add_people(report, outlook) && report_worst(report) != REPORT_WRONG;
}
