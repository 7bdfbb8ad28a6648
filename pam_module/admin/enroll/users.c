/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The directory of the enrollments. */
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/enrollment.h"
#include "../../core/secret.h"
#include "../../core/trusted.h"
#include "../../core/userfile.h"
#include "../desk/lock.h"
#include "directory.h"

enum { FILE_SIZE_MAX = 16 * 1024, FILE_NAME_SIZE = 256, PATH_SIZE = 4096 + 16 };

#define SUFFIX USERFILE_ENROLLMENT
#define LOCK   ".lock"

static const char *const subdirectories[USERS_STATES] = {
    [USERS_ENROLLED] = "",
    [USERS_PENDING] = "/.pending",
    [USERS_FORMER] = "/.former",
};

static bool refuse(struct verdict *why_not, const struct users *users, enum users_state state,
                   const char *name, const char *doing)
{
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s %s%s/%s%s: %s", doing, users->path,
                          subdirectories[state], name, SUFFIX, strerror(errno));
}

/* Opens one directory; without it the directories below users_dir are as good as empty. */
static bool open_directory(struct users *users, enum users_state state, bool make,
                           struct verdict *why_not)
{
    char directory[PATH_SIZE];

    if (users->directories[state] >= 0)
        return true;
    snprintf(directory, sizeof directory, "%s%s", users->path, subdirectories[state]);
    if (make && mkdir(directory, 0700) != 0 && errno != EEXIST)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot make the directory %s: %s",
                              directory, strerror(errno));
    if (!make && state != USERS_ENROLLED && access(directory, F_OK) != 0 && errno == ENOENT)
        return true;
    users->directories[state] = trusted_open_directory(directory, why_not);
    if (users->directories[state] < 0 && access(directory, F_OK) != 0 && errno == ENOENT)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "directory %s does not exist: install -d -m 0700 it", directory);
    return users->directories[state] >= 0;
}

static bool open_directories(struct users *users, bool make, struct verdict *why_not)
{
    for (size_t state = 0; state < USERS_STATES; state++)
        if (!open_directory(users, state, make, why_not))
            return false;
    return true;
}

bool users_open(const char *path, struct users *ret_users, struct verdict *why_not)
{
    struct users users = { path, { -1, -1, -1 }, -1, NULL };

    if (!open_directories(&users, false, why_not)) {
        users_close(&users);
        return false;
    }
    *ret_users = users;
    return true;
}

static bool print_file(const char *name, const char *suffix, char file[FILE_NAME_SIZE])
{
    int length = snprintf(file, FILE_NAME_SIZE, "%s%s", name, suffix);

    return length > 0 && length < FILE_NAME_SIZE;
}

void users_close(struct users *users)
{
    char file[FILE_NAME_SIZE];

    if (users->lock >= 0 && print_file(users->locked, LOCK, file))
        lock_end(users->directories[USERS_PENDING], file, users->lock);
    for (size_t state = 0; state < USERS_STATES; state++)
        if (users->directories[state] >= 0)
            close(users->directories[state]);
    *users = (struct users){ users->path, { -1, -1, -1 }, -1, NULL };
}

bool users_lock(struct users *users, const char *name, struct verdict *why_not)
{
    char file[FILE_NAME_SIZE];

    if (!print_file(name, LOCK, file))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "the name is too long");
    if (!open_directories(users, true, why_not))
        return false;
    users->locked = name;
    users->lock = lock_take(users->directories[USERS_PENDING], file);
    if (users->lock >= 0)
        return true;
    if (errno == EWOULDBLOCK)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "another twilio-verify is changing %s now; try again later", name);
    return refuse(why_not, users, USERS_PENDING, name, "locking");
}

static void copy_sid(const char *sid, char copy[USERS_SID_SIZE])
{
    snprintf(copy, USERS_SID_SIZE, "%s", sid != NULL ? sid : "");
}

/* A pending file may be of before the factor has a SID; every other one is as a login reads it. */
static bool parse(const char *text, const char *shown, enum users_state state,
                  struct users_record *ret_record, struct verdict *why_not)
{
    auto_enrollment *enrollment = NULL;

    if (!(state == USERS_PENDING ? enrollment_parse_draft : enrollment_parse)(text, shown,
                                                                              &enrollment, why_not))
        return false;
    snprintf(ret_record->identity, sizeof ret_record->identity, "%s", enrollment->identity);
    copy_sid(enrollment->factor_sid, ret_record->factor_sid);
    copy_sid(enrollment->push_factor_sid, ret_record->push_factor_sid);
    return true;
}

enum users_found users_read(const struct users *users, enum users_state state, const char *name,
                            struct users_record *ret_record, struct verdict *why_not)
{
    auto_secret char *text = NULL;
    char file[FILE_NAME_SIZE], shown[PATH_SIZE + FILE_NAME_SIZE];

    if (!print_file(name, SUFFIX, file) || users->directories[state] < 0)
        return USERS_NONE;
    snprintf(shown, sizeof shown, "%s%s/%s", users->path, subdirectories[state], file);

    switch (trusted_read_file(users->directories[state], file, shown, TRUSTED_READERS_ANY,
                              FILE_SIZE_MAX, &text, why_not)) {
    case TRUSTED_ABSENT:
        return USERS_NONE;
    case TRUSTED_READ:
        return parse(text, shown, state, ret_record, why_not) ? USERS_FOUND : USERS_REFUSED;
    case TRUSTED_REFUSED:
        break;
    }
    return USERS_REFUSED;
}

bool users_is_pending(const struct users *users, const char *name)
{
    struct users_record record;
    struct verdict why_not;

    return users_read(users, USERS_PENDING, name, &record, &why_not) == USERS_FOUND &&
           record.factor_sid[0] != '\0';
}

bool users_write(const struct users *users, enum users_state state, const char *name,
                 const struct users_record *record, struct verdict *why_not)
{
    char file[FILE_NAME_SIZE], temporary[FILE_NAME_SIZE], text[FILE_NAME_SIZE];
    int length;

    if (!print_file(name, SUFFIX, file) || !print_file(name, ".new", temporary))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "the name is too long");
    length = snprintf(text, sizeof text, "identity   = \"%s\";\n", record->identity);
    if (record->factor_sid[0] != '\0')
        length += snprintf(text + length, sizeof text - (size_t)length, "factor_sid = \"%s\";\n",
                           record->factor_sid);
    if (record->push_factor_sid[0] != '\0')
        snprintf(text + length, sizeof text - (size_t)length, "push_factor_sid = \"%s\";\n",
                 record->push_factor_sid);
    return directory_put(users->directories[state], file, users->directories[USERS_PENDING],
                         temporary, text, 0640) ||
           refuse(why_not, users, state, name, "writing");
}

bool users_put(const struct users *users, const char *name, const char *suffix, const char *text,
               struct verdict *why_not)
{
    int directory = users->directories[USERS_ENROLLED];
    char file[FILE_NAME_SIZE], temporary[FILE_NAME_SIZE];

    if (!print_file(name, suffix, file) || !print_file(file, ".new", temporary))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "the name %s is too long for a file NAME%s", name, suffix);
    return directory_put(directory, file, directory, temporary, text, 0600) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot write %s/%s: %s", users->path,
                          file, strerror(errno));
}

bool users_drop(const struct users *users, enum users_state state, const char *name,
                const char *suffix, struct verdict *why_not)
{
    int directory = users->directories[state];
    char file[FILE_NAME_SIZE];

    if (!print_file(name, suffix, file))
        return true;
    return ((unlinkat(directory, file, 0) == 0 || errno == ENOENT) && fsync(directory) == 0) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot remove %s%s/%s: %s", users->path,
                          subdirectories[state], file, strerror(errno));
}

bool users_drop_others_codes(const struct users *users, const char *name, struct verdict *why_not)
{
    struct users_record record;

    return users_read(users, USERS_ENROLLED, name, &record, why_not) != USERS_NONE ||
           users_drop(users, USERS_ENROLLED, name, USERFILE_RECOVERY, why_not);
}

static bool move(const struct users *users, enum users_state from, enum users_state to,
                 const char *file)
{
    return renameat(users->directories[from], file, users->directories[to], file) == 0 &&
           fsync(users->directories[to]) == 0 && fsync(users->directories[from]) == 0;
}

/* Whether FILE is the same in both directories: whoever linked it was killed then. */
static bool is_kept(int enrolled, int former, const char *file)
{
    struct stat one, other;
    int reason = errno;
    bool is_same = fstatat(enrolled, file, &one, AT_SYMLINK_NOFOLLOW) == 0 &&
                   fstatat(former, file, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
                   one.st_dev == other.st_dev && one.st_ino == other.st_ino;

    errno = reason;
    return is_same;
}

bool users_install(const struct users *users, const char *name, struct verdict *why_not)
{
    int enrolled = users->directories[USERS_ENROLLED], former = users->directories[USERS_FORMER];
    char file[FILE_NAME_SIZE];

    if (!print_file(name, SUFFIX, file))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "the name is too long");
    if (linkat(enrolled, file, former, file, 0) != 0 && errno != ENOENT &&
        !is_kept(enrolled, former, file))
        return refuse(why_not, users, USERS_FORMER, name, "cannot keep the replaced file as");
    if (fsync(former) == 0 && move(users, USERS_PENDING, USERS_ENROLLED, file))
        return true;
    refuse(why_not, users, USERS_ENROLLED, name, "writing");
    return false;
}

bool users_retire(const struct users *users, const char *name, struct verdict *why_not)
{
    char file[FILE_NAME_SIZE];

    if (!print_file(name, SUFFIX, file) || !move(users, USERS_ENROLLED, USERS_FORMER, file))
        return refuse(why_not, users, USERS_ENROLLED, name, "moving");
    return true;
}

char **users_names(const struct users *users, enum users_state state, const char *suffix,
                   struct verdict *why_not)
{
    char **names = directory_names(users->directories[state], suffix);

    if (names == NULL)
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot read the directory %s%s: %s",
                       users->path, subdirectories[state], strerror(errno));
    return names;
}
