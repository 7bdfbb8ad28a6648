/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Files of users. Their file system may be a program of theirs (FUSE), or a server that is gone: it
 * may never answer. Neither O_NONBLOCK nor SIGKILL helps whoever waits for it, so a child waits. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "../../core/verdict.h"

enum { BOUNDED_SECONDS = 3 };

/* A child process, and our end of a socket of type SOCK_SEQPACKET. */
struct bounded {
    pid_t pid;
    int socket; /* -1: there is no child */
};

#define BOUNDED_NONE                                                                               \
    {                                                                                              \
        -1, -1                                                                                     \
    }

/* Makes the child, which shares no descriptor with us but the socket: no lock, no pipe. Returns 0
 * in the child, whose end of the socket is then BOUNDED->socket; its number in the parent, who ends
 * it with bounded_end(); -1 with errno. */
pid_t bounded_fork(struct bounded *bounded);

/* Waits at most BOUNDED_SECONDS for SIZE bytes that the child sends at once. False with errno:
 * ETIMEDOUT, or EIO where the child has ended. */
bool bounded_receive(const struct bounded *bounded, void *ret_bytes, size_t size);

/* Calls ACT with CONTEXT in a child, which may become another account. Whether it does what it has
 * to, with errno as ACT leaves it; false with *WHY_NOT, its own or that it takes too long. */
bool bounded_try(bool (*act)(const void *context, struct verdict *why_not), const void *context,
                 struct verdict *why_not);

/* Kills the child, which may take as long as it likes to end, and makes *BOUNDED BOUNDED_NONE. */
void bounded_end(struct bounded *bounded);

/* As stat(2), or lstat(2) with FLAGS of AT_SYMLINK_NOFOLLOW, by the child, which is made where
 * there is none. False with errno, which may be ETIMEDOUT; the child is ended then. */
bool bounded_stat(struct bounded *bounded, const char *path, int flags, struct stat *ret_status);

#define auto_bounded __attribute__((cleanup(bounded_end))) struct bounded
