/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lock of a call that changes something. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its last holder may just have removed it. */
static bool is_there(int file)
{
    struct stat status;

    errno = EWOULDBLOCK;
    return fstat(file, &status) == 0 && status.st_nlink > 0;
}

int lock_take(int directory, const char *name)
{
    int file =
        openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    int reason;

    if (file < 0 || (flock(file, LOCK_EX | LOCK_NB) == 0 && is_there(file)))
        return file;
    reason = errno;
    close(file);
    errno = reason;
    return -1;
}

void lock_end(int directory, const char *name, int lock)
{
    unlinkat(directory, name, 0);
    close(lock);
}
