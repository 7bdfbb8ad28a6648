/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Files of users. */
#include "bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct question {
    int flags;
    char path[PATH_MAX];
};

struct reply {
    int error;
    struct stat status;
};

pid_t bounded_fork(struct bounded *bounded)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    bounded->pid = fork();
    if (bounded->pid == 0) {
        if (dup2(ends[1], STDIN_FILENO) < 0)
            _exit(1);
        closefrom(STDOUT_FILENO);
        bounded->socket = STDIN_FILENO;
        return 0;
    }
    close(ends[1]);
    if (bounded->pid > 0)
        bounded->socket = ends[0];
    else
        close(ends[0]);
    return bounded->pid;
}

bool bounded_receive(const struct bounded *bounded, void *ret_bytes, size_t size)
{
    struct pollfd watched = { .fd = bounded->socket, .events = POLLIN };
    int count = poll(&watched, 1, BOUNDED_SECONDS * 1000);

    if (count > 0 && recv(bounded->socket, ret_bytes, size, 0) == (ssize_t)size)
        return true;
    errno = count == 0 ? ETIMEDOUT : EIO;
    return false;
}

void bounded_end(struct bounded *bounded)
{
    if (bounded->socket < 0)
        return;
    close(bounded->socket);
    kill(bounded->pid, SIGKILL);
    waitpid(bounded->pid, NULL, WNOHANG);
    *bounded = (struct bounded)BOUNDED_NONE;
}

bool bounded_try(bool (*act)(const void *context, struct verdict *why_not), const void *context,
                 struct verdict *why_not)
{
    struct {
        bool is_done;
        int error;
        struct verdict why_not;
    } attempt = { 0 };
    auto_bounded child = BOUNDED_NONE;

    if (bounded_fork(&child) == 0) {
        errno = 0;
        attempt.is_done = act(context, &attempt.why_not);
        attempt.error = errno;
        _exit(send(child.socket, &attempt, sizeof attempt, MSG_NOSIGNAL) < 0 ? 1 : 0);
    }
    if (child.socket < 0 || !bounded_receive(&child, &attempt, sizeof attempt))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "could not be tried: %s",
                              strerror(errno));
    errno = attempt.error;
    if (!attempt.is_done)
        *why_not = attempt.why_not;
    return attempt.is_done;
}

/* What the child does until we go away. */
static void serve(int socket)
{
    struct question question;

    while (recv(socket, &question, sizeof question, 0) == sizeof question) {
        struct reply reply = { 0 };
        if (fstatat(AT_FDCWD, question.path, &reply.status, question.flags) != 0)
            reply.error = errno;
        if (send(socket, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply)
            break;
    }
    _exit(0);
}

bool bounded_stat(struct bounded *bounded, const char *path, int flags, struct stat *ret_status)
{
    struct question question = { .flags = flags };
    struct reply reply;

    if (snprintf(question.path, sizeof question.path, "%s", path) >= (int)sizeof question.path) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (bounded->socket < 0 && bounded_fork(bounded) == 0)
        serve(bounded->socket);
    if (bounded->socket < 0)
        return false;
    if (send(bounded->socket, &question, sizeof question, MSG_NOSIGNAL) != sizeof question ||
        !bounded_receive(bounded, &reply, sizeof reply)) {
        int error = errno;
        bounded_end(bounded);
        errno = error;
        return false;
    }
    errno = reply.error;
    if (reply.error == 0)
        *ret_status = reply.status;
    return reply.error == 0;
}
