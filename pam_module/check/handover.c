/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One login, handed over to a server. */
#include "handover.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../core/dialogue.h"
#include "paths.h"

/* The first message, the server's. Another version gets no login. */
#define READY "ready " PATHS_VERSION

enum {
    READY_MS = 500, /* an own start takes less than waiting for a server that is busy */
    TAKE_MS = 5000,
    BYTES_MAX = 64 * 1024, /* of all texts: 22 KiB of settings and 16 of recovery codes at most */
    DIALOGUE_DESCRIPTORS = 2
};

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

#define auto_close __attribute__((cleanup(close_descriptor))) int

static bool wait_readable(int socket, int64_t timeout_ms)
{
    int64_t deadline_ms = dialogue_clock_ms() + timeout_ms;
    struct pollfd poller = { .fd = socket, .events = POLLIN };

    for (;;) {
        int64_t left_ms = deadline_ms - dialogue_clock_ms();
        int ready = poll(&poller, 1, left_ms > 0 ? (int)left_ms : 0);
        if (ready >= 0 || errno != EINTR)
            return ready > 0;
    }
}

/* Connects to PATH; -1: nobody is there. Does not wait: where the queue is full, an own start is
 * quicker. */
static int open_connection(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int connection, passes = 1;

    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);

    connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection >= 0 &&
        setsockopt(connection, SOL_SOCKET, SO_PASSCRED, &passes, sizeof passes) == 0 &&
        connect(connection, (const struct sockaddr *)&address, sizeof address) == 0)
        return connection;
    close_descriptor(&connection);
    return -1;
}

/* Whether this user, which is root, made somebody listen there. */
static bool is_trusted(int connection)
{
    struct ucred listener;
    socklen_t size = sizeof listener;

    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &listener, &size) == 0 &&
           listener.uid == geteuid();
}

/* Whether the process at the other end has said, as ACCOUNT, that it takes a login. */
static bool is_ready(int connection, uid_t account)
{
    char text[sizeof READY + 1];
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr aligned;
    } control;
    struct iovec bytes = { text, sizeof text };
    struct msghdr message = { .msg_iov = &bytes,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof control };
    const struct cmsghdr *header;
    struct ucred sender;

    if (!wait_readable(connection, READY_MS) ||
        recvmsg(connection, &message, MSG_CMSG_CLOEXEC) != sizeof READY - 1 ||
        memcmp(text, READY, sizeof READY - 1) != 0)
        return false;
    header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_level != SOL_SOCKET ||
        header->cmsg_type != SCM_CREDENTIALS || header->cmsg_len != CMSG_LEN(sizeof sender))
        return false;
    memcpy(&sender, CMSG_DATA(header), sizeof sender);
    return sender.uid == account;
}

bool handover_offer(const char *path, uid_t account, const struct handover *handover)
{
    auto_close connection = open_connection(path);
    const int descriptors[DIALOGUE_DESCRIPTORS] = { STDIN_FILENO, STDOUT_FILENO };
    union {
        char bytes[CMSG_SPACE(sizeof descriptors)];
        struct cmsghdr aligned;
    } control = { .bytes = { 0 } };
    struct iovec texts[HANDOVER_TEXTS];
    struct msghdr message = { .msg_iov = texts,
                              .msg_iovlen = HANDOVER_TEXTS,
                              .msg_control = &control,
                              .msg_controllen = sizeof control };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    if (connection < 0 || !is_trusted(connection) || !is_ready(connection, account))
        return false;

    for (int i = 0; i < HANDOVER_TEXTS; i++)
        texts[i] = (struct iovec){ (char *)handover->texts[i], strlen(handover->texts[i]) + 1 };
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptors);
    memcpy(CMSG_DATA(header), descriptors, sizeof descriptors);
    return sendmsg(connection, &message, MSG_NOSIGNAL) >= 0;
}

/* Receives one message with the two descriptors; its size, -1 where it is none, 0 where the other end
 * has left. */
static ssize_t receive(int connection, char *bytes, int descriptors[DIALOGUE_DESCRIPTORS])
{
    union {
        char bytes[CMSG_SPACE(sizeof(int[DIALOGUE_DESCRIPTORS]))];
        struct cmsghdr aligned;
    } control;
    struct iovec all = { bytes, BYTES_MAX };
    struct msghdr message = {
        .msg_iov = &all, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t size = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header;

    /* Whoever sends something else is no friend, and this process ends: what descriptors came with
     * it are closed then. */
    if (size <= 0)
        return size == 0 || errno == ECONNRESET ? 0 : -1;
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        return -1;
    header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof(int[DIALOGUE_DESCRIPTORS])))
        return -1;
    memcpy(descriptors, CMSG_DATA(header), sizeof(int[DIALOGUE_DESCRIPTORS]));
    return size;
}

/* Finds the strings, each of which ends in its NUL, and no more of them. */
static bool split(struct handover *handover)
{
    size_t used = 0;

    for (int i = 0; i < HANDOVER_TEXTS; i++) {
        const char *end = memchr(handover->bytes + used, '\0', handover->size - used);
        if (end == NULL)
            return false;
        handover->texts[i] = handover->bytes + used;
        used = (size_t)(end - handover->bytes) + 1;
    }
    return used == handover->size;
}

/* Root has ended, or is about to: only this log has a word of it. */
static bool lose(struct verdict *why_not, const char *why)
{
    return verdict_refuse(why_not, OUTCOME_BROKEN, "a login was lost on the way: %s", why);
}

/* Says that it takes a login. False: the other end has left. Its credentials would take the place of
 * the descriptors, where the socket asks for them (systemd.socket(5), PassCredentials=). */
static bool say_ready(int connection)
{
    const int passes = 0;

    return setsockopt(connection, SOL_SOCKET, SO_PASSCRED, &passes, sizeof passes) == 0 &&
           send(connection, READY, sizeof READY - 1, MSG_NOSIGNAL) == sizeof READY - 1;
}

static bool take(int connection, struct handover *handover, struct verdict *why_not)
{
    int descriptors[DIALOGUE_DESCRIPTORS];
    ssize_t size;

    if (!say_ready(connection))
        return false;
    if (!wait_readable(connection, TAKE_MS))
        return lose(why_not, "it did not come in time");
    size = receive(connection, handover->bytes, descriptors);
    if (size == 0)
        return false;
    if (size < 0)
        return lose(why_not, "it did not come whole, with its two descriptors");

    handover->size = (size_t)size;
    if (!split(handover))
        return lose(why_not, "it was not of this version");
    if (dup2(descriptors[0], STDIN_FILENO) != STDIN_FILENO ||
        dup2(descriptors[1], STDOUT_FILENO) != STDOUT_FILENO)
        return lose(why_not, strerror(errno));
    close(descriptors[0]);
    close(descriptors[1]);
    return true;
}

bool handover_take(int connection, struct handover *ret_handover, struct verdict *why_not)
{
    struct handover handover = { .bytes = malloc(BYTES_MAX) };
    bool is_taken;

    if (handover.bytes == NULL) /* and nobody was told to hand over */
        return verdict_refuse(why_not, OUTCOME_BROKEN, "a login was not taken: no memory");
    is_taken = take(connection, &handover, why_not);
    if (is_taken) {
        *ret_handover = handover;
    } else {
        handover.size = BYTES_MAX; /* whatever has come */
        handover_free(&handover);
    }
    return is_taken;
}

void handover_free(struct handover *handover)
{
    if (handover->bytes != NULL)
        explicit_bzero(handover->bytes, handover->size);
    free(handover->bytes);
    *handover = (struct handover){ .bytes = NULL };
}
