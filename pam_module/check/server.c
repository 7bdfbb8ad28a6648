/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Waits at a socket and forks for each login. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Beyond that a login waits in the queue for a moment, and is then run without the server. */
enum { LOGINS_MAX = 512 };

enum { HEAP_ROOM = 100 * 1024 };

static bool is_listening(int descriptor)
{
    int domain, type, listens;
    socklen_t size = sizeof domain;

    return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
           getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
           domain == AF_UNIX && type == SOCK_SEQPACKET && listens;
}

static bool is_friend(int connection)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

/* What libraries have freed is put in order by the next large allocation: here, and not in every
 * login, which would copy the pages of the whole heap for it. */
static void tidy_heap(void)
{
    void *room;

    malloc_trim(0);
    room = malloc(HEAP_ROOM);
    if (room != NULL)
        explicit_bzero(room, HEAP_ROOM); /* or the compiler leaves both calls out */
    free(room);
}

/* Only to wake poll(2). */
static void on_child(int signal)
{
    (void)signal;
}

static void start_login(void (*login)(void *context, int connection), void *context, int connection,
                        const sigset_t *none, int *logins)
{
    pid_t child = is_friend(connection) ? fork() : -1;

    if (child == 0) {
        signal(SIGCHLD, SIG_DFL);
        sigprocmask(SIG_SETMASK, none, NULL);
        login(context, connection);
        _exit(0);
    }
    if (child > 0)
        ++*logins;
    close(connection);
}

/* Reaps every login that has ended. False: one was killed, and somebody may be trying to find out
 * where things lie in a memory that each of them has copied. */
static bool reap(int *logins, struct verdict *why_not)
{
    int status;
    pid_t child;

    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        --*logins;
        if (WIFSIGNALED(status))
            return verdict_refuse(why_not, OUTCOME_BROKEN,
                                  "login %d was killed by signal %d: a new server has to start",
                                  (int)child, WTERMSIG(status));
    }
    return true;
}

bool server_run(void (*login)(void *context, int connection), void *context,
                struct verdict *why_not)
{
    struct pollfd poller = { .fd = STDIN_FILENO, .events = POLLIN };
    struct sigaction action = { .sa_handler = on_child };
    sigset_t child, none;
    int logins = 0;

    if (!is_listening(STDIN_FILENO))
        return verdict_refuse(
            why_not, OUTCOME_MISCONFIGURED,
            "descriptor 0 must be a listening socket, AF_UNIX and SOCK_SEQPACKET: "
            "start twilio-verify-check.socket");

    tidy_heap();
    /* SIGCHLD comes in ppoll(2) alone, so that none is missed before it. Whatever else the starter has
     * blocked comes: a login's clock is SIGALRM. */
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &child, NULL);
    sigemptyset(&none);
    sigaction(SIGCHLD, &action, NULL);
    /* Who connects and is gone again must not hold up the others. */
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);

    while (reap(&logins, why_not)) {
        int connection;
        if (ppoll(&poller, logins < LOGINS_MAX ? 1 : 0, NULL, &none) <= 0)
            continue;
        connection = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);
        if (connection >= 0)
            start_login(login, context, connection, &none, &logins);
        else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            return verdict_refuse(why_not, OUTCOME_BROKEN, "accept: %s", strerror(errno));
    }
    return false;
}
