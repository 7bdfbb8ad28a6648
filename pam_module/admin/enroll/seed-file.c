/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The file of a seed. */
#include "seed-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../../core/secret.h"
#include "../desk/bounded.h"

enum { SIZE_MAX_READ = 64 * 1024 };

/* What a child says of a path. */
struct found {
    bool is_good;
    int directory, place; /* its descriptors */
    struct verdict why_not;
};

static bool refuse(struct verdict *why_not, const char *path, int error)
{
    const char *reason = strerror(error);

    if (error == ELOOP)
        reason = "symbolic links are not followed: name the file by its own path, or use "
                 "--import - and standard input";
    if (error == ENOSYS)
        reason = "openat2(2) is refused (it needs Linux 5.6, and in a container a seccomp profile "
                 "that allows it): use --import - and standard input";
    if (error == ETIMEDOUT)
        reason = "the file system does not answer: use --import - and standard input";
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path, reason);
}

/* The directory of PATH, to which no link leads: a user could change where it points. */
static int open_directory(const char *path, const char *name)
{
    const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                                  .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    char directory[PATH_MAX];
    int opened;

    snprintf(directory, sizeof directory, "%s%.*s", name == path ? "." : "", (int)(name - path),
             path);
    opened = (int)syscall(SYS_openat2, AT_FDCWD, directory, &how, sizeof how);
    if (opened < 0 && errno == EPERM) /* of seccomp, by older container engines */
        errno = ENOSYS;
    return opened;
}

/* PLACE is what the path meant when it was opened without opening the file: so no program of the
 * user's can make us wait, not even at close(2). */
static bool judge(int place, const char *path, const char *user, struct verdict *why_not)
{
    const struct passwd *account = getpwnam(user);
    struct stat status;
    struct statfs system;

    if (fstat(place, &status) != 0 || fstatfs(place, &system) != 0)
        return refuse(why_not, path, errno);
    if (S_ISLNK(status.st_mode))
        return refuse(why_not, path, ELOOP);
    if (!S_ISREG(status.st_mode))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s is not a regular file", path);
    if (system.f_type == FUSE_SUPER_MAGIC)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s is in a file system that is served by a program (FUSE): use "
                              "--import - and standard input",
                              path);
    if (status.st_uid != 0 && status.st_uid != geteuid() &&
        (account == NULL || status.st_uid != account->pw_uid))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s belongs neither to root nor to %s: its owner knows the seed; "
                              "make a new factor",
                              path, user);
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s is accessible to others, who may know the seed: make a new "
                              "factor, or chmod go= it",
                              path);
    return true;
}

/* The child. It keeps open what it has found until it is ended. */
static void find(int socket, const char *path, const char *name, const char *user)
{
    struct found found = { .directory = open_directory(path, name), .place = -1 };

    if (found.directory >= 0)
        found.place = openat(found.directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    found.is_good = found.place >= 0 ? judge(found.place, path, user, &found.why_not)
                                     : refuse(&found.why_not, path, errno);
    if (send(socket, &found, sizeof found, MSG_NOSIGNAL) == sizeof found)
        pause();
    _exit(0);
}

/* Opens what CHILD has open as DESCRIPTOR, whatever its path means now. */
static int open_of(const struct bounded *child, int descriptor, int flags)
{
    char path[48];

    snprintf(path, sizeof path, "/proc/%d/fd/%d", child->pid, descriptor);
    return open(path, flags | O_CLOEXEC);
}

/* USER may change the path all the time: a child walks along it. */
static bool open_file(struct seed_file *file, const char *user, struct verdict *why_not)
{
    auto_bounded child = BOUNDED_NONE;
    struct found found;

    if (bounded_fork(&child) == 0)
        find(child.socket, file->path, file->name, user);
    if (child.socket < 0 || !bounded_receive(&child, &found, sizeof found))
        return refuse(why_not, file->path, errno);
    if (!found.is_good) {
        *why_not = found.why_not;
        return false;
    }
    file->directory = open_of(&child, found.directory, O_PATH | O_DIRECTORY);
    file->file = open_of(&child, found.place, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    return (file->directory >= 0 && file->file >= 0) || refuse(why_not, file->path, errno);
}

static bool read_text(int descriptor, const char *path, char **ret_text, struct verdict *why_not)
{
    auto_secret char *text = calloc(1, SIZE_MAX_READ + 2);
    size_t length = 0;
    ssize_t count = 1;

    while (text != NULL && count != 0 && length <= SIZE_MAX_READ) {
        count = read(descriptor, text + length, SIZE_MAX_READ + 1 - length);
        if (count < 0 && errno != EINTR)
            return refuse(why_not, path, errno);
        length += count > 0 ? (size_t)count : 0;
    }
    if (text == NULL)
        return refuse(why_not, path, ENOMEM);
    if (length > SIZE_MAX_READ || strlen(text) != length) {
        explicit_bzero(text, SIZE_MAX_READ + 2);
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s has more than %d bytes, or NUL",
                              path, SIZE_MAX_READ);
    }
    *ret_text = text;
    text = NULL;
    return true;
}

bool seed_file_read(const char *path, const char *user, struct seed_file *ret_file, char **ret_text,
                    struct verdict *why_not)
{
    const char *slash = strrchr(path, '/');
    struct seed_file file = { path, slash != NULL ? slash + 1 : path, -1, -1 };
    bool is_input = strcmp(path, "-") == 0;

    if ((is_input || open_file(&file, user, why_not)) &&
        read_text(is_input ? STDIN_FILENO : file.file, path, ret_text, why_not)) {
        *ret_file = file;
        return true;
    }
    seed_file_close(&file);
    return false;
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
