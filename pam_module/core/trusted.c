/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
#include "trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptor.h"

enum { PATH_SIZE = 1100 };

static bool is_owner_trusted(uid_t owner)
{
    return owner == 0 || owner == geteuid();
}

int trusted_open_directory(const char *path, struct verdict *why_not)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (directory < 0) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "directory %s: %s", path,
                       errno == ENOTDIR || errno == ELOOP ? "not a directory, or a symbolic link"
                                                          : strerror(errno));
        return -1;
    }

    if (fstat(directory, &status) != 0)
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "directory %s: %s", path, strerror(errno));
    else if (!is_owner_trusted(status.st_uid))
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                       "directory %s is not owned by root: chown root it", path);
    else if (status.st_mode & (S_IWGRP | S_IWOTH))
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                       "directory %s is writable by others: chmod go-w it", path);
    else
        return directory;

    close(directory);
    return -1;
}

int trusted_open_below(const char *path, const char *name, bool *ret_absent,
                       struct verdict *why_not)
{
    char below[PATH_SIZE];
    auto_close above = trusted_open_directory(path, why_not);
    int directory = -1;

    snprintf(below, sizeof below, "%s/%s", path, name);
    if (above >= 0)
        directory = trusted_open_directory(below, why_not);
    *ret_absent = directory < 0 && eaccess(below, R_OK) != 0 &&
                  (errno == ENOENT || (errno == EACCES && geteuid() != 0));
    return directory;
}

/* The path may change under us: what was opened is judged, not what the name means now. */
static bool is_trusted(int file, const char *shown, enum trusted_readers readers,
                       struct verdict *why_not)
{
    struct stat status;

    if (fstat(file, &status) != 0)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", shown, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s is not a regular file", shown);
    if (!is_owner_trusted(status.st_uid))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s is not owned by root: chown root it", shown);
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s is writable by others: chmod go-w it", shown);
    if (readers == TRUSTED_READERS_OWNER && status.st_mode & (S_IRWXG | S_IRWXO))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s holds a secret and is readable by others: chmod 0600 it", shown);
    return true;
}

int trusted_open_file(int directory, const char *name, const char *shown, int flags,
                      enum trusted_readers readers, bool *ret_absent, struct verdict *why_not)
{
    int file = openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

    *ret_absent = file < 0 && errno == ENOENT;
    if (file < 0) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", shown,
                       errno == ELOOP ? "must not be a symbolic link: put the file itself here"
                                      : strerror(errno));
        return -1;
    }
    if (!is_trusted(file, shown, readers, why_not)) {
        close(file);
        return -1;
    }
    return file;
}

/* Reads to the end of file; the number of bytes, SIZE + 1 where there are more, -1 on an error. */
static ssize_t read_whole(int file, char *bytes, size_t size)
{
    size_t done = 0;

    while (done <= size) {
        ssize_t step = read(file, bytes + done, size + 1 - done);
        if (step == 0)
            break;
        if (step < 0 && errno != EINTR)
            return -1;
        if (step > 0)
            done += (size_t)step;
    }
    return (ssize_t)done;
}

enum trusted_read trusted_read_file(int directory, const char *name, const char *shown,
                                    enum trusted_readers readers, size_t size_max, char **ret_text,
                                    struct verdict *why_not)
{
    bool absent;
    auto_close file =
        trusted_open_file(directory, name, shown, O_RDONLY, readers, &absent, why_not);
    char *text;
    ssize_t size;

    if (file < 0)
        return absent ? TRUSTED_ABSENT : TRUSTED_REFUSED;
    text = malloc(size_max + 2);
    if (text == NULL) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: out of memory", shown);
        return TRUSTED_REFUSED;
    }

    size = read_whole(file, text, size_max);
    if (size >= 0 && (size_t)size <= size_max && memchr(text, '\0', (size_t)size) == NULL) {
        text[size] = '\0';
        *ret_text = text;
        return TRUSTED_READ;
    }

    if (size < 0)
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", shown, strerror(errno));
    else if ((size_t)size > size_max)
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s is larger than %zu bytes", shown,
                       size_max);
    else
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s holds a NUL byte", shown);
    explicit_bzero(text, size_max + 2);
    free(text);
    return TRUSTED_REFUSED;
}
