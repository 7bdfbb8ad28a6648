/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The file of a seed. */
#include "seed-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../core/secret.h"

enum { SIZE_MAX_READ = 64 * 1024 };

static bool refuse(struct verdict *why_not, const char *path, int error)
{
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path,
                          error == ELOOP ? "symbolic links are not followed: name the file by its "
                                           "own path, or use --import - and standard input"
                                         : strerror(error));
}

/* The directory of PATH, to which no link leads: a user could change where it points. */
static int open_directory(const char *path, const char *name)
{
    const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                                  .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    char directory[PATH_MAX];

    snprintf(directory, sizeof directory, "%s%.*s", name == path ? "." : "", (int)(name - path),
             path);
    return (int)syscall(SYS_openat2, AT_FDCWD, directory, &how, sizeof how);
}

/* What was opened is judged, not what the path means now. */
static bool judge(const struct seed_file *file, const char *user, struct verdict *why_not)
{
    const struct passwd *account = getpwnam(user);
    struct stat status;

    if (fstat(file->file, &status) != 0)
        return refuse(why_not, file->path, errno);
    if (!S_ISREG(status.st_mode))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s is not a regular file",
                              file->path);
    if (status.st_uid != 0 && status.st_uid != geteuid() &&
        (account == NULL || status.st_uid != account->pw_uid))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s belongs neither to root nor to %s: whose seed is it?", file->path,
                              user);
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s is accessible to others, who may know the seed: make a new "
                              "factor, or chmod go= it",
                              file->path);
    return true;
}

bool seed_file_open(const char *path, const char *user, struct seed_file *ret_file,
                    struct verdict *why_not)
{
    const char *slash = strrchr(path, '/');
    struct seed_file file = { path, slash != NULL ? slash + 1 : path, -1, -1 };

    if (strcmp(path, "-") != 0) {
        file.directory = open_directory(path, file.name);
        if (file.directory >= 0)
            file.file = openat(file.directory, file.name,
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (file.file < 0)
            refuse(why_not, path, errno);
        if (file.file < 0 || !judge(&file, user, why_not)) {
            seed_file_close(&file);
            return false;
        }
    }
    *ret_file = file;
    return true;
}

bool seed_file_read(const struct seed_file *file, char **ret_text, struct verdict *why_not)
{
    int descriptor = file->file >= 0 ? file->file : STDIN_FILENO;
    auto_secret char *text = calloc(1, SIZE_MAX_READ + 2);
    size_t length = 0;
    ssize_t count = 1;

    while (text != NULL && count != 0 && length <= SIZE_MAX_READ) {
        count = read(descriptor, text + length, SIZE_MAX_READ + 1 - length);
        if (count < 0 && errno != EINTR)
            return refuse(why_not, file->path, errno);
        length += count > 0 ? (size_t)count : 0;
    }
    if (text == NULL)
        return refuse(why_not, file->path, ENOMEM);
    if (length > SIZE_MAX_READ || strlen(text) != length) {
        explicit_bzero(text, SIZE_MAX_READ + 2);
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s has more than %d bytes, or NUL",
                              file->path, SIZE_MAX_READ);
    }
    *ret_text = text;
    text = NULL;
    return true;
}

bool seed_file_remove(const struct seed_file *file, struct verdict *why_not)
{
    struct stat here, there;

    if (fstat(file->file, &here) != 0 ||
        fstatat(file->directory, file->name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return refuse(why_not, file->path, errno);
    if (here.st_dev != there.st_dev || here.st_ino != there.st_ino)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s is another file now", file->path);
    return unlinkat(file->directory, file->name, 0) == 0 || refuse(why_not, file->path, errno);
}

void seed_file_close(struct seed_file *file)
{
    if (file->file >= 0)
        close(file->file);
    if (file->directory >= 0)
        close(file->directory);
}
