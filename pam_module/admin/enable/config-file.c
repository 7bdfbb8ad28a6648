/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A file of the system's configuration that is about to change. */
#include "config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../core/descriptor.h"
#include "../lint/text-file.h"

enum { NAMES_SIZE = 65536, VALUE_SIZE = 65536, NEW_FILE_MODE = 0644 };

static bool refuse(struct verdict *why_not, const char *path, const char *what)
{
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path, what);
}

/* What errno means for a file of the configuration. */
static const char *explain(void)
{
    return errno == EILSEQ   ? "it has a NUL byte"
           : errno == EINVAL ? "it is not a regular file"
           : errno == EPERM  ? "it cannot be replaced: is it immutable? see lsattr(1)"
                             : strerror(errno);
}

/* Others may write into a directory with the sticky bit, and can't replace root's files there. */
static bool is_roots(const struct stat *status)
{
    bool is_sticky = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX);

    return (status->st_uid == 0 || status->st_uid == geteuid()) &&
           (!(status->st_mode & (S_IWGRP | S_IWOTH)) || is_sticky);
}

/* Whether only root can change what PATH leads to. */
static bool is_path_roots(const char *path, struct verdict *why_not)
{
    char directory[PATH_MAX];
    struct stat status;

    snprintf(directory, sizeof directory, "%s", path);
    for (char *slash; (slash = strrchr(directory, '/')) != NULL;) {
        slash[slash == directory] = '\0';
        bool is_there = stat(directory, &status) == 0;
        if (!is_there && errno != ENOENT)
            return refuse(why_not, directory, explain());
        if (is_there && !is_roots(&status))
            return refuse(why_not, directory,
                          "the directory is not owned by root, or others can write to it");
        if (slash == directory)
            break;
    }
    return true;
}

/* The path that PATH leads to; that of the directory where the file is missing. */
static bool resolve(const char *path, char resolved[PATH_MAX], struct verdict *why_not)
{
    const char *name = strrchr(path, '/') + 1;
    char directory[PATH_MAX];
    struct stat status;

    if (realpath(path, resolved) != NULL)
        return true;
    if (errno == ENOENT && lstat(path, &status) == 0)
        return refuse(why_not, path, "the link leads to nothing");
    if (errno != ENOENT)
        return refuse(why_not, path, explain());
    snprintf(directory, sizeof directory, "%.*s", (int)(name - path), path);
    if (realpath(directory, resolved) != NULL)
        snprintf(resolved + strlen(resolved), PATH_MAX - strlen(resolved), "/%s", name);
    else if (errno == ENOENT)
        snprintf(resolved, PATH_MAX, "%s", path);
    else
        return refuse(why_not, directory, explain());
    return true;
}

static bool read_old(const char *path, char **ret_old, struct verdict *why_not)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return errno == ENOENT || refuse(why_not, path, explain());
    if (!is_roots(&status))
        return refuse(why_not, path, "the file is not owned by root, or others can write to it");
    if (S_ISREG(status.st_mode) && status.st_nlink > 1)
        return refuse(why_not, path, "the file has several hard links: make it one file");
    if (!text_file_read(path, ret_old))
        return refuse(why_not, path, explain());
    return strstr(*ret_old, "\r\n") == NULL ||
           refuse(why_not, path, "lines end in CR LF: remove the carriage returns");
}

bool config_file_open(const char *path, struct config_file *ret_file, struct verdict *why_not)
{
    auto_text char *old = NULL;
    char resolved[PATH_MAX];
    char *copy;

    /* The directory that a link lies in decides as well. */
    if (!is_path_roots(path, why_not) || !resolve(path, resolved, why_not) ||
        !is_path_roots(resolved, why_not) || !read_old(resolved, &old, why_not))
        return false;
    copy = strdup(resolved);
    if (copy == NULL)
        return refuse(why_not, path, "out of memory");

    ret_file->path = copy;
    ret_file->old = old;
    ret_file->new = NULL;
    old = NULL;
    return true;
}

/* Attributes that are about the content. */
static bool is_of_content(const char *name)
{
    return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* ACLs are such attributes, too. */
static bool copy_attributes(int from, int to)
{
    static char names[NAMES_SIZE], value[VALUE_SIZE];
    ssize_t length = flistxattr(from, names, sizeof names);

    if (length < 0)
        return errno == ENOTSUP;
    for (const char *name = names; name < names + length; name += strlen(name) + 1) {
        ssize_t size = is_of_content(name) ? 0 : fgetxattr(from, name, value, sizeof value);
        if (size < 0 || (!is_of_content(name) && fsetxattr(to, name, value, (size_t)size, 0) != 0))
            return false;
    }
    return true;
}

/* Gives the new file TO what the old one FROM, -1 for none, had. */
static bool copy_properties(int from, int to)
{
    struct stat status;

    if (from < 0)
        return fchmod(to, NEW_FILE_MODE) == 0;
    fremovexattr(to, "system.posix_acl_access"); /* what the directory gives to new files */
    return fstat(from, &status) == 0 && fchown(to, status.st_uid, status.st_gid) == 0 &&
           fchmod(to, status.st_mode & ALLPERMS) == 0 && copy_attributes(from, to);
}

/* A full disk shows at fsync(2) at the latest. */
static bool write_whole(int file, const char *text)
{
    ssize_t length = (ssize_t)strlen(text);

    errno = ENOSPC; /* of a short write */
    return write(file, text, (size_t)length) == length && fsync(file) == 0;
}

/* Whether the file is as it was read. False, with errno set. */
static bool is_still(const struct config_file *file)
{
    auto_text char *now = NULL;

    if (!text_file_read(file->path, &now))
        return errno == ENOENT && file->old == NULL;
    errno = ESTALE;
    return file->old != NULL && strcmp(now, file->old) == 0;
}

/* Writes NEW beside the file, and renames it. */
static bool replace(const struct config_file *file, int directory, const char *name,
                    const char *temporary)
{
    int from = file->old != NULL ? openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    int to =
        openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_written = to >= 0 && (from >= 0 || file->old == NULL) && copy_properties(from, to) &&
                      write_whole(to, file->new) && is_still(file) &&
                      renameat(directory, temporary, directory, name) == 0;
    int reason = errno;

    if (to >= 0)
        close(to);
    if (from >= 0)
        close(from);
    if (to >= 0 && !is_written)
        unlinkat(directory, temporary, 0);
    errno = reason;
    return is_written;
}

static bool change(const struct config_file *file, int directory, const char *name,
                   struct verdict *why_not)
{
    char temporary[NAME_MAX + 1];

    /* libpam, sshd and systemd look at no such name. One of a call that was killed is replaced. */
    if (snprintf(temporary, sizeof temporary, ".%s.twilio-verify", name) >= (int)sizeof temporary)
        return refuse(why_not, file->path, "the name is too long");
    unlinkat(directory, temporary, 0);
    if (!is_still(file))
        return refuse(why_not, file->path, "somebody else has changed it just now: try again");
    if (file->new != NULL ? !replace(file, directory, name, temporary)
                          : unlinkat(directory, name, 0) != 0)
        return refuse(why_not, file->path, explain());
    fsync(directory);
    return true;
}

bool config_file_write(const struct config_file *file, struct verdict *why_not)
{
    const char *name = strrchr(file->path, '/') + 1;
    char path[PATH_MAX];
    auto_close directory = -1;

    snprintf(path, sizeof path, "%.*s", (int)(name - file->path), file->path);
    /* A directory of drop-ins may be missing. The umask is 077. */
    if (mkdir(path, 0755) == 0)
        chmod(path, 0755);
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return refuse(why_not, path, explain());
    return change(file, directory, name, why_not);
}

void config_file_free(struct config_file *file)
{
    free(file->path);
    free(file->old);
    free(file->new);
    *file = (struct config_file){ 0 };
}
