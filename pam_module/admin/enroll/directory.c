/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A directory of root's that the tool writes to. */
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/trusted.h"

int directory_make(const char *path, mode_t mode, struct verdict *why_not)
{
    int directory;

    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot make the directory %s: %s", path,
                       strerror(errno));
        return -1;
    }
    directory = trusted_open_directory(path, why_not);
    /* The umask is 077. */
    if (directory < 0 || fchmod(directory, mode) == 0)
        return directory;

    verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot set mode %04o of %s: %s", (unsigned)mode,
                   path, strerror(errno));
    close(directory);
    return -1;
}

/* The group of the file that FILE is to replace. */
static bool copy_group(int directory, const char *name, int file)
{
    struct stat old;

    if (fstatat(directory, name, &old, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT;
    return fchown(file, (uid_t)-1, old.st_gid) == 0;
}

/* To the disk, or an error: a full disk shows here at the latest. */
static bool fill(int file, const char *text, mode_t mode)
{
    ssize_t length = (ssize_t)strlen(text);

    errno = ENOSPC; /* of a short write */
    return write(file, text, (size_t)length) == length && fchmod(file, mode) == 0 &&
           fsync(file) == 0;
}

bool directory_put(int directory, const char *name, int aside, const char *temporary,
                   const char *text, mode_t mode)
{
    int file, error;
    bool is_written;

    unlinkat(aside, temporary, 0);
    file = openat(aside, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return false;
    is_written = copy_group(directory, name, file) && fill(file, text, mode) &&
                 renameat(aside, temporary, directory, name) == 0 && fsync(directory) == 0;
    error = errno;
    close(file);
    if (!is_written)
        unlinkat(aside, temporary, 0);
    errno = error;
    return is_written;
}

static bool has_suffix(const struct dirent *entry, const char *suffix)
{
    size_t length = strlen(entry->d_name);

    return length > strlen(suffix) && strcmp(entry->d_name + length - strlen(suffix), suffix) == 0;
}

static int compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* Appends a name to the array, which ends with NULL. */
static bool append(char ***names, size_t count, const struct dirent *entry, const char *suffix)
{
    char **more = reallocarray(*names, count + 2, sizeof **names);

    if (more == NULL)
        return false;
    *names = more;
    more[count + 1] = NULL;
    more[count] = strndup(entry->d_name, strlen(entry->d_name) - strlen(suffix));
    return more[count] != NULL;
}

/* The whole STREAM; false with errno set. */
static bool read_names(DIR *stream, const char *suffix, char ***names)
{
    const struct dirent *entry;
    size_t count = 0;

    errno = 0; /* which alone tells an error of readdir(3) from the end */
    while ((entry = readdir(stream)) != NULL)
        if (has_suffix(entry, suffix) && !append(names, count++, entry, suffix))
            return false;
    if (errno != 0)
        return false;
    qsort(*names, count, sizeof **names, compare);
    return true;
}

char **directory_names(int directory, const char *suffix)
{
    char **names = calloc(1, sizeof *names);
    int copy = directory >= 0 ? openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    bool is_whole =
        names != NULL && (directory < 0 || (stream != NULL && read_names(stream, suffix, &names)));
    int error = errno;

    if (stream != NULL)
        closedir(stream);
    else if (copy >= 0)
        close(copy);
    if (!is_whole)
        directory_free_names(&names);
    errno = error;
    return names;
}

void directory_free_names(char ***names)
{
    for (size_t i = 0; *names != NULL && (*names)[i] != NULL; i++)
        free((*names)[i]);
    free(*names);
    *names = NULL;
}
