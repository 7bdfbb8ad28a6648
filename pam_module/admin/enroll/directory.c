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

static int compare(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

/* Moves what ends with SUFFIX to the array of COUNT + 1 names, and frees the entries. False: out of
 * memory. */
static bool take_names(struct dirent **entries, int count, const char *suffix, char **names)
{
    bool is_whole = names != NULL;

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t length = strlen(name), rest = strlen(suffix);
        if (is_whole && length > rest && strcmp(name + length - rest, suffix) == 0)
            is_whole = (*names++ = strndup(name, length - rest)) != NULL;
        free(entries[i]);
    }
    free(entries);
    return is_whole;
}

char **directory_names(int directory, const char *suffix)
{
    struct dirent **entries = NULL;
    int count = directory >= 0 ? scandirat(directory, ".", &entries, NULL, compare) : 0;
    char **names;

    if (count < 0)
        return NULL;
    names = calloc((size_t)count + 1, sizeof *names);
    if (!take_names(entries, count, suffix, names))
        directory_free_names(&names);
    return names;
}

void directory_free_names(char ***names)
{
    for (size_t i = 0; *names != NULL && (*names)[i] != NULL; i++)
        free((*names)[i]);
    free(*names);
    *names = NULL;
}
