/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A temporary directory for the files of one test. */
#include "directory.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

int directory_setup(void **state)
{
    const char *parent = getenv("TMPDIR");
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/unit-XXXXXX",
             parent != NULL && parent[0] == '/' ? parent : "/tmp");
    if (mkdtemp(path) == NULL)
        return -1;
    *state = strdup(path);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

int directory_teardown(void **state)
{
    int removed = nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);

    free(*state);
    return removed;
}

const char *directory_path(const char *directory, const char *name)
{
    static char paths[8][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % ARRAY_SIZE(paths)];

    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

void directory_write_bytes(const char *directory, const char *name, const char *bytes, size_t size,
                           mode_t mode)
{
    const char *path = directory_path(directory, name);
    int file;

    unlink(path);
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), (ssize_t)size);
    assert_int_equal(fchmod(file, mode), 0);
    assert_int_equal(close(file), 0);
}

void directory_write(const char *directory, const char *name, const char *text, mode_t mode)
{
    directory_write_bytes(directory, name, text, strlen(text), mode);
}
