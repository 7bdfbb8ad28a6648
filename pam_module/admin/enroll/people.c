/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Who may log in to this host. */
#include "people.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/policy.h"
#include "../desk/terminal.h"

static const char *const groups[] = { "sudo", "wheel", "admin" };

enum { GROUPS = sizeof groups / sizeof *groups, SILENT_MAX = 3 };

static bool has_person(const struct people *people, const char *name)
{
    for (size_t i = 0; i < people->count; i++)
        if (strcmp(people->persons[i].name, name) == 0)
            return true;
    return false;
}

/* "!" and "*" begin what no password leads to (shadow(5)). A directory does not show its own. */
static bool has_password(const struct passwd *account)
{
    const struct spwd *shadow = getspnam(account->pw_name);
    const char *hash = shadow != NULL ? shadow->sp_pwdp : account->pw_passwd;

    return *hash != '!' && *hash != '*';
}

static bool has_key(struct people *people, const struct passwd *account)
{
    static const char *const files[] = { "authorized_keys", "authorized_keys2" };

    for (size_t i = 0; people->silent < SILENT_MAX && i < sizeof files / sizeof *files; i++) {
        char path[PATH_MAX];
        struct stat status;
        if (snprintf(path, sizeof path, "%s/.ssh/%s", account->pw_dir, files[i]) >=
            (int)sizeof path)
            return false;
        errno = 0;
        if (bounded_stat(&people->child, path, 0, &status) && S_ISREG(status.st_mode) &&
            status.st_size > 0)
            return true;
        if (errno == ETIMEDOUT) {
            people->silent++;
            terminal_say("%s: the file system does not answer: counted as no key", path);
            return false;
        }
    }
    return false;
}

/* Adds ACCOUNT; WHY of NULL: only if it has a password or a key. */
static bool add(struct people *people, const struct passwd *account, const char *why)
{
    bool is_there = has_person(people, account->pw_name);
    bool by_password = has_password(account), by_key = !is_there && has_key(people, account);
    struct person *persons;

    if (is_there || (why == NULL && !by_password && !by_key))
        return true;
    persons = reallocarray(people->persons, people->count + 1, sizeof *persons);
    if (persons == NULL)
        return false;
    people->persons = persons;
    persons += people->count;
    persons->name = strdup(account->pw_name);
    persons->why = why != NULL ? why : by_password ? "password" : "key";
    persons->is_administrator = why != NULL;
    persons->has_password = by_password;
    persons->has_key = by_key;
    people->count += persons->name != NULL;
    return persons->name != NULL;
}

/* NAME need not have an account. */
static bool add_named(struct people *people, const char *name, const char *why)
{
    const struct passwd *account = getpwnam(name);

    return account == NULL || add(people, account, why);
}

static bool add_members(struct people *people, const char *group_name)
{
    const struct group *group = getgrnam(group_name);

    for (char **name = group != NULL ? group->gr_mem : NULL; name != NULL && *name != NULL; name++)
        if (!add_named(people, *name, group_name))
            return false;
    return true;
}

/* The administrators' group that is ACCOUNT's own; NULL: none. */
static const char *find_group(const struct passwd *account)
{
    for (size_t i = 0; i < GROUPS; i++) {
        const struct group *group = getgrnam(groups[i]);
        if (group != NULL && group->gr_gid == account->pw_gid)
            return groups[i];
    }
    return NULL;
}

static bool has_login_shell(const struct passwd *account)
{
    const char *shell = *account->pw_shell != '\0' ? account->pw_shell : "/bin/sh";
    bool is_found = false;

    setusershell();
    for (const char *known; !is_found && (known = getusershell()) != NULL;)
        is_found = strcmp(known, shell) == 0;
    endusershell();
    return is_found;
}

static bool add_account(struct people *people, const struct passwd *account)
{
    const char *group = find_group(account);

    return (group == NULL && !has_login_shell(account)) || add(people, account, group);
}

bool people_find(struct people *ret_people)
{
    auto_people people = { .child = BOUNDED_NONE };
    const struct passwd *account;
    bool is_whole = add_named(&people, "root", "root");

    for (size_t i = 0; is_whole && i < GROUPS; i++)
        is_whole = add_members(&people, groups[i]);
    setpwent();
    while (is_whole && (account = getpwent()) != NULL)
        is_whole = add_account(&people, account);
    endpwent();
    bounded_end(&people.child);
    if (!is_whole)
        return false;

    *ret_people = people;
    people = (struct people){ .child = BOUNDED_NONE };
    return true;
}

void people_free(struct people *people)
{
    for (size_t i = 0; i < people->count; i++)
        free(people->persons[i].name);
    free(people->persons);
    *people = (struct people){ 0 };
}

enum people_state people_state(const struct settings *settings, const char *service,
                               const char *name)
{
    auto_policy findings = { 0 };
    struct verdict why_not;
    enum policy policy = settings == NULL
                             ? POLICY_REFUSED
                             : policy_find(settings, service, name, &findings, &why_not);

    if (policy == POLICY_REFUSED || policy == POLICY_DENIED)
        return PEOPLE_MISSING;
    return policy == POLICY_IGNORED ? PEOPLE_IGNORED : PEOPLE_READY;
}
