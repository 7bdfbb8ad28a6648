/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Who is enrolled. */
#include "enrollment.h"

#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor.h"
#include "keys.h"
#include "secret.h"
#include "trusted.h"
#include "userfile.h"

#define FACTOR_RULE "must be YF and 32 hexadecimal digits"

enum { IDENTITY_LENGTH_MIN = 8, IDENTITY_LENGTH_MAX = 64 };
enum { NAME_LENGTH_MAX = 250, ACCOUNT_SIZE_MAX = 1024 * 1024 };

bool enrollment_is_identity(const char *text)
{
    size_t length = strlen(text);

    return length >= IDENTITY_LENGTH_MIN && length <= IDENTITY_LENGTH_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
               length;
}

static const struct key keys[] = {
    { KEY_MEMBER(enrollment, identity), KEY_SIZED(IDENTITY_LENGTH_MIN, IDENTITY_LENGTH_MAX),
      .mandatory = true, .is_valid = enrollment_is_identity,
      .rule = "must be 8 to 64 letters, digits and dashes" },
    { KEY_MEMBER(enrollment, factor_sid), KEY_SID("YF") },
    { KEY_MEMBER(enrollment, push_factor_sid), KEY_SID("YF") },
};

static const struct keys format = KEYS_OF(enrollment, keys);

bool enrollment_parse_draft(const char *text, const char *shown, struct enrollment **ret_enrollment,
                            struct verdict *why_not)
{
    struct enrollment *enrollment = keys_parse(&format, text, shown, why_not);

    if (enrollment != NULL)
        *ret_enrollment = enrollment;
    return enrollment != NULL;
}

bool enrollment_parse(const char *text, const char *shown, struct enrollment **ret_enrollment,
                      struct verdict *why_not)
{
    auto_enrollment *enrollment = NULL;

    if (!enrollment_parse_draft(text, shown, &enrollment, why_not))
        return false;
    if (enrollment->factor_sid == NULL && enrollment->push_factor_sid == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s: factor_sid or push_factor_sid is missing: each " FACTOR_RULE,
                              shown);

    *ret_enrollment = enrollment;
    enrollment = NULL;
    return true;
}

/* A name that is looked up can't leave the directory, nor confuse a log. */
bool enrollment_is_name(const char *name)
{
    size_t length = strnlen(name, NAME_LENGTH_MAX + 1);

    if (length == 0 || length > NAME_LENGTH_MAX)
        return false;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '/')
            return false;
    return true;
}

static enum trusted_read read_file(int directory, const char *users_dir, const char *name,
                                   struct enrollment **ret_enrollment, struct verdict *why_not)
{
    auto_secret char *text = NULL;
    auto_enrollment *enrollment = NULL;
    char shown[USERFILE_SHOWN_SIZE];
    enum trusted_read read = userfile_read(directory, users_dir, name, USERFILE_ENROLLMENT,
                                           TRUSTED_READERS_ANY, &text, shown, why_not);

    if (read != TRUSTED_READ)
        return read;
    if (!enrollment_parse(text, shown, &enrollment, why_not))
        return TRUSTED_REFUSED;

    enrollment->user = strdup(name);
    if (enrollment->user == NULL) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: out of memory", shown);
        return TRUSTED_REFUSED;
    }
    *ret_enrollment = enrollment;
    enrollment = NULL;
    return TRUSTED_READ;
}

/* An account as the system knows it. */
struct account {
    char *name;
    uid_t uid;
};

static void free_account(struct account *account)
{
    free(account->name);
}

#define auto_account __attribute__((cleanup(free_account))) struct account

/* Looks up the account USER or, where USER is NULL, that of UID. False: there is none, or the name
 * service fails. */
static bool find_account(const char *user, uid_t uid, struct account *ret_account)
{
    int error = ERANGE;

    for (size_t size = 4096; error == ERANGE && size <= ACCOUNT_SIZE_MAX; size *= 4) {
        struct passwd account, *found = NULL;
        char *buffer = malloc(size);

        if (buffer == NULL)
            return false;
        error = user != NULL ? getpwnam_r(user, &account, buffer, size, &found)
                             : getpwuid_r(uid, &account, buffer, size, &found);
        if (error == 0 && found != NULL)
            *ret_account = (struct account){ strdup(account.pw_name), account.pw_uid };
        free(buffer);
    }
    return ret_account->name != NULL;
}

/* The file of the account NAME; one of the same name as USER's, which was looked for, is absent. */
static enum trusted_read read_account(int directory, const char *users_dir, const char *user,
                                      const char *name, struct enrollment **ret_enrollment,
                                      struct verdict *why_not)
{
    return strcmp(name, user) != 0 && enrollment_is_name(name)
               ? read_file(directory, users_dir, name, ret_enrollment, why_not)
               : TRUSTED_ABSENT;
}

/* Directories accept many spellings of a name, and two names of one uid are one person. */
static enum enrollment_found find(int directory, const char *users_dir, const char *user,
                                  struct enrollment **ret_enrollment, struct verdict *why_not)
{
    static const enum enrollment_found found[] = {
        [TRUSTED_REFUSED] = ENROLLMENT_REFUSED,
        [TRUSTED_READ] = ENROLLMENT_FOUND,
    };
    auto_account own = { 0 }, first = { 0 };
    enum trusted_read read = read_file(directory, users_dir, user, ret_enrollment, why_not);

    if (read != TRUSTED_ABSENT)
        return found[read];

    if (!find_account(user, 0, &own))
        return ENROLLMENT_UNKNOWN;
    read = read_account(directory, users_dir, user, own.name, ret_enrollment, why_not);
    if (read != TRUSTED_ABSENT)
        return found[read];

    if (!find_account(NULL, own.uid, &first))
        return ENROLLMENT_UNKNOWN;
    read = read_account(directory, users_dir, user, first.name, ret_enrollment, why_not);
    if (read != TRUSTED_ABSENT)
        return found[read];

    return strcmp(own.name, user) == 0 ? ENROLLMENT_NONE : ENROLLMENT_UNKNOWN;
}

enum enrollment_found enrollment_find(const char *users_dir, const char *user,
                                      struct enrollment **ret_enrollment, struct verdict *why_not)
{
    auto_close directory = trusted_open_directory(users_dir, why_not);

    if (directory < 0)
        return ENROLLMENT_REFUSED;
    return enrollment_is_name(user) ? find(directory, users_dir, user, ret_enrollment, why_not)
                                    : ENROLLMENT_UNKNOWN;
}

void enrollment_free(struct enrollment **enrollment)
{
    if (*enrollment != NULL)
        free((*enrollment)->user);
    keys_free(&format, *enrollment);
    *enrollment = NULL;
}
