/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The enrollments on this host. */
#include "enrolled.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/bypass.h"
#include "../../core/userfile.h"
#include "../desk/terminal.h"
#include "../enroll/directory.h"
#include "../enroll/ledgers.h"
#include "../enroll/users.h"
#include "counts.h"
#include "programs.h"
#include "seeds.h"

enum { READ_MAX = 20000, FACTORS = 2, ACCOUNTS_MAX = 1000, LEFTOVERS_MAX = 10 };
enum { PATH_SIZE = 1300, REMEDY_SIZE = 3 * TERMINAL_WORD_SIZE };

/* Whose factor. */
struct owner {
    char factor_sid[USERS_SID_SIZE];
    const char *name;
};

static int compare(const void *one, const void *other)
{
    return strcasecmp(((const struct owner *)one)->factor_sid,
                      ((const struct owner *)other)->factor_sid);
}

/* "enroll --replace" would delete the factor at Twilio, which the other one needs. */
static void add_pair(struct report *report, const struct users *users, const char *one,
                     const char *other)
{
    char path[PATH_SIZE], remedy[REMEDY_SIZE];

    snprintf(path, sizeof path, "%s/%s" USERFILE_ENROLLMENT, users->path, other);
    snprintf(remedy, sizeof remedy,
             "give one of them another factor: rm %s; twilio-verify enroll %s",
             terminal_word(path).text, terminal_word(other).text);
    report_add(report, REPORT_WARNING, "enrollments", remedy,
               "%s and %s have the same factor: one app logs in as both", one, other);
}

static void add_shared(struct report *report, const struct users *users, struct owner *owners,
                       size_t count)
{
    qsort(owners, count, sizeof *owners, compare);
    for (size_t i = 1; i < count; i++)
        if (compare(&owners[i - 1], &owners[i]) == 0 && owners[i - 1].name != owners[i].name)
            add_pair(report, users, owners[i - 1].name, owners[i].name);
}

static void add_damaged(struct report *report, const char *name, const struct verdict *why_not)
{
    report_add(
        report, REPORT_WRONG, "enrollments",
        terminal_command("correct it, or delete it and run: twilio-verify enroll", name).text, "%s",
        why_not->reason);
}

static void add_owner(struct owner *owners, size_t *count, const char *sid, const char *name)
{
    if (*sid == '\0')
        return;
    snprintf(owners[*count].factor_sid, USERS_SID_SIZE, "%s", sid);
    owners[(*count)++].name = name;
}

/* Reads the first READ_MAX of the files of NAMES. Returns how many can be used. */
static size_t read_files(struct report *report, const struct users *users, char **names,
                         struct owner *owners, size_t *ret_owners)
{
    struct users_record record;
    struct verdict why_not;
    size_t count = 0;

    *ret_owners = 0;

    for (size_t i = 0; i < READ_MAX && names[i] != NULL; i++) {
        enum users_found found = users_read(users, USERS_ENROLLED, names[i], &record, &why_not);
        if (found == USERS_REFUSED)
            add_damaged(report, names[i], &why_not);
        if (found != USERS_FOUND)
            continue;
        add_owner(owners, ret_owners, record.factor_sid, names[i]);
        add_owner(owners, ret_owners, record.push_factor_sid, names[i]);
        count++;
    }
    return count;
}

/* The other names of an enrolled account are looked up by the name that getpwuid(3) has for its uid
 * (enrollment.h): without a file of that name they are not found. */
static void add_other_names(struct report *report, const struct settings *settings,
                            const struct users *users, const char *name)
{
    bool ignores = settings->unmapped_user == SETTINGS_UNMAPPED_IGNORE;
    const struct passwd *account = getpwnam(name);
    struct users_record record;
    struct verdict why_not;

    if (account != NULL)
        account = getpwuid(account->pw_uid);
    if (account == NULL || strcmp(account->pw_name, name) == 0 ||
        users_read(users, USERS_ENROLLED, account->pw_name, &record, &why_not) != USERS_NONE)
        return;
    report_add(report, ignores ? REPORT_WRONG : REPORT_WARNING, "enrollments",
               terminal_command("twilio-verify enroll", account->pw_name).text,
               "uid %u is enrolled as %s only: a login as %s, the first name of this uid, %s",
               (unsigned)account->pw_uid, name, account->pw_name,
               ignores ? "needs no code (unmapped_user = \"ignore\")" : "is refused");
}

/* Directories may be slow: of the first ACCOUNTS_MAX alone. */
static void add_names(struct report *report, const struct settings *settings,
                      const struct users *users, char **names)
{
    size_t count = 0;

    for (; count < ACCOUNTS_MAX && names[count] != NULL; count++)
        add_other_names(report, settings, users, names[count]);
    seeds_add(report, names, ACCOUNTS_MAX);
    if (names[count] != NULL)
        report_add(report, REPORT_NOTE, "enrollments", NULL,
                   "only the first %d users were checked for second names of their accounts",
                   ACCOUNTS_MAX);
}

static void add_files(struct report *report, const struct settings *settings,
                      const struct users *users, char **names)
{
    struct owner *owners = calloc((size_t)FACTORS * READ_MAX, sizeof *owners);
    size_t all = 0, count, owned;

    while (names[all] != NULL)
        all++;
    if (owners == NULL) {
        report_add(report, REPORT_WRONG, "enrollments", "try again", "out of memory");
        return;
    }
    count = read_files(report, users, names, owners, &owned);
    add_shared(report, users, owners, owned);
    add_names(report, settings, users, names);
    free(owners);
    report_add(report, REPORT_OK, "enrollments", NULL, "%s: %zu of %zu files can be used%s",
               settings->users_dir, count, all, all > READ_MAX ? ", as far as they were read" : "");
}

/* What a verb could not finish. */
static void add_leftovers(struct report *report, const struct users *users, enum users_state state)
{
    struct verdict why_not;
    char **names = users_names(users, state, USERFILE_ENROLLMENT, &why_not);

    if (names == NULL)
        report_add(report, REPORT_WRONG, "enrollments", NULL, "%s", why_not.reason);
    for (size_t i = 0; i < LEFTOVERS_MAX && names != NULL && names[i] != NULL; i++)
        report_add(report, REPORT_NOTE, "enrollments",
                   terminal_command(state == USERS_PENDING ? "twilio-verify confirm"
                                                           : "twilio-verify remove --leftovers",
                                    names[i])
                       .text,
                   state == USERS_PENDING ? "a factor of %s waits for its first code"
                                          : "a replaced factor of %s is still at Twilio",
                   names[i]);
    directory_free_names(&names);
}

/* Before bypasses ended with the boot their files lay beside the enrollments. */
static void add_old_bypasses(struct report *report, const struct users *users)
{
    struct verdict why_not;
    char path[PATH_SIZE];
    char **names = users_names(users, USERS_ENROLLED, USERS_OLD_BYPASS, &why_not);

    for (size_t i = 0; i < LEFTOVERS_MAX && names != NULL && names[i] != NULL; i++) {
        snprintf(path, sizeof path, "%s/%s" USERS_OLD_BYPASS, users->path, names[i]);
        report_add(report, REPORT_WARNING, "bypass", terminal_command("rm", path).text,
                   "%s is of an earlier version and no longer counts", path);
    }
    directory_free_names(&names);
}

void enrolled_add(struct report *report, const struct settings *settings)
{
    struct verdict why_not;
    struct users users;
    char **names;

    if (!users_open(settings->users_dir, &users, &why_not)) {
        report_add(report, REPORT_WRONG, "users_dir", NULL, "%s", why_not.reason);
        return;
    }
    names = users_names(&users, USERS_ENROLLED, USERFILE_ENROLLMENT, &why_not);
    if (names != NULL) {
        add_files(report, settings, &users, names);
        counts_add_locked(report, settings, names);
    } else {
        report_add(report, REPORT_WRONG, "users_dir", NULL, "%s", why_not.reason);
    }
    directory_free_names(&names);
    add_leftovers(report, &users, USERS_PENDING);
    add_leftovers(report, &users, USERS_FORMER);
    add_old_bypasses(report, &users);
    programs_add_directories(report, "users_dir", settings->users_dir);
    users_close(&users);
}

void enrolled_add_recovery(struct report *report, const struct settings *settings, const char *name)
{
    auto_recovery *recovery = NULL;
    struct verdict why_not;
    struct terminal_command remedy = terminal_command("twilio-verify recovery-codes", name);
    int left = -1;

    switch (recovery_read(settings->users_dir, name, &recovery, &why_not)) {
    case TRUSTED_ABSENT:
        report_add(report, REPORT_NOTE, "recovery", NULL, "%s has no recovery codes: %s", name,
                   remedy.text);
        return;
    case TRUSTED_READ:
        left = ledgers_left(settings, name, recovery, &why_not);
        break;
    case TRUSTED_REFUSED:
        break;
    }
    if (left > 0)
        report_add(report, REPORT_OK, "recovery", NULL, "%d recovery codes remain", left);
    else if (left == 0)
        report_add(report, REPORT_WARNING, "recovery", remedy.text, "no recovery code remains");
    else
        report_add(report, REPORT_WARNING, "recovery", remedy.text,
                   "recovery codes do not work: %s", why_not.reason);
}

/* Whether no code is asked of NAME now. A directory that can't be used is host_add()'s to
 * report. */
static bool add_bypass(struct report *report, const struct settings *settings, const char *name)
{
    enum { MINUTE = 60, HOUR = 3600 };
    auto_bypass *bypass = NULL;
    struct boot_moment now;
    struct verdict why_not;
    struct terminal_command remedy = terminal_command("twilio-verify bypass --end", name);
    bool is_absent;
    int left, directory = bypass_open_directory(settings->runtime_dir, &is_absent, &why_not);

    if (directory < 0)
        return false;
    close(directory);
    switch (bypass_read(settings->runtime_dir, name, &bypass, &why_not)) {
    case TRUSTED_ABSENT:
        return false;
    case TRUSTED_READ:
        if (!boot_now(&now) || !bypass_counts(bypass, &now, &left, &why_not))
            return false;
        report_add(report, REPORT_WARNING, "bypass", remedy.text,
                   "%s needs no code for %d h %d min more: %s", name, left / HOUR,
                   left % HOUR / MINUTE, bypass->reason);
        return true;
    case TRUSTED_REFUSED:
        break;
    }
    report_add(report, REPORT_WARNING, "bypass", remedy.text, "has no effect: %s", why_not.reason);
    return false;
}

struct terminal_command enrolled_remedy(const struct settings *settings, const char *user)
{
    const struct passwd *account = getpwnam(user);
    const char *name = account != NULL ? account->pw_name : user;
    const char *command = account != NULL ? "twilio-verify enroll" : "getent passwd";
    struct verdict why_not;
    struct users users;

    if (enrollment_is_name(user) && users_open(settings->users_dir, &users, &why_not)) {
        bool is_pending = users_is_pending(&users, user);
        if (is_pending)
            name = user;
        if (is_pending || users_is_pending(&users, name))
            command = "twilio-verify confirm";
        users_close(&users);
    }
    return terminal_command(command, name);
}

/* USER is not enrolled, whether there is an account of exactly this name or not. */
static void add_absent(struct report *report, const struct settings *settings, const char *user,
                       bool is_account)
{
    bool ignores = settings->unmapped_user == SETTINGS_UNMAPPED_IGNORE;
    struct terminal_command remedy = enrolled_remedy(settings, user);

    if (!is_account)
        report_add(report, REPORT_WRONG, "user", remedy.text,
                   "%s is not enrolled, and no account has exactly this name: refused", user);
    else if (ignores)
        report_add(report, REPORT_WARNING, "user", remedy.text,
                   "%s is not enrolled, and needs no code (unmapped_user = \"ignore\")", user);
    else
        report_add(report, REPORT_WRONG, "user", remedy.text, "%s is not enrolled, and is refused",
                   user);
}

void enrolled_print_factors(const struct enrollment *enrollment, char text[ENROLLED_FACTORS_SIZE])
{
    const char *code = enrollment->factor_sid, *push = enrollment->push_factor_sid;

    snprintf(text, ENROLLED_FACTORS_SIZE, "%s%s%s%s%s", code != NULL ? "factor " : "",
             code != NULL ? code : "", code != NULL && push != NULL ? ", " : "",
             push != NULL ? "push factor " : "", push != NULL ? push : "");
}

struct enrollment *enrolled_find(struct report *report, const struct settings *settings,
                                 const char *user)
{
    struct enrollment *enrollment = NULL;
    char factors[ENROLLED_FACTORS_SIZE];
    struct verdict why_not;

    switch (enrollment_find(settings->users_dir, user, &enrollment, &why_not)) {
    case ENROLLMENT_FOUND:
        enrolled_print_factors(enrollment, factors);
        report_add(report, REPORT_OK, "user", NULL, "%s is enrolled in %s.conf: identity %s, %s",
                   user, enrollment->user, enrollment->identity, factors);
        add_bypass(report, settings, enrollment->user);
        enrolled_add_recovery(report, settings, enrollment->user);
        counts_add(report, settings, enrollment->user);
        return enrollment;
    case ENROLLMENT_NONE:
        if (!add_bypass(report, settings, user))
            add_absent(report, settings, user, true);
        break;
    case ENROLLMENT_UNKNOWN:
        add_absent(report, settings, user, false);
        break;
    case ENROLLMENT_REFUSED:
        report_add(report, REPORT_WRONG, "user", NULL, "%s: %s", user, why_not.reason);
        break;
    }
    return NULL;
}
