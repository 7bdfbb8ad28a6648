/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a server takes from whoever connects: the first byte says how many descriptors come along,
 * and whether the sender stays; the rest is one message. */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check/handover.h"
#include "fuzz.h"

enum { DESCRIPTORS = 2, DESCRIPTORS_MAX = 4, LEAVES = 0x80, READY_SIZE = 64 };

static void send_message(int connection, const uint8_t *data, size_t size, int descriptors)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int[DESCRIPTORS_MAX]))];
        struct cmsghdr aligned;
    } control = { .bytes = { 0 } };
    struct iovec bytes = { (void *)data, size };
    struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
    struct cmsghdr *header;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    fuzz_demand(null >= 0, "there are descriptors");
    if (descriptors > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)descriptors);
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)descriptors);
        for (int i = 0; i < descriptors; i++)
            memcpy(CMSG_DATA(header) + sizeof null * (size_t)i, &null, sizeof null);
    }
    fuzz_demand(sendmsg(connection, &message, MSG_NOSIGNAL) == (ssize_t)size, "it is sent");
    close(null);
}

/* The texts are the bytes that were sent, all of them and no others. */
static void demand_texts(const struct handover *handover, const uint8_t *data, size_t size)
{
    size_t used = 0;

    for (int i = 0; i < HANDOVER_TEXTS; i++) {
        size_t length = strlen(handover->texts[i]) + 1;
        fuzz_demand(length <= size - used && memcmp(handover->texts[i], data + used, length) == 0,
                    "a text is what was sent");
        used += length;
    }
    fuzz_demand(used == size, "nothing is left over");
}

static void run(int ours, int theirs, const uint8_t *data, size_t size, int flags)
{
    int descriptors = flags % (DESCRIPTORS_MAX + 1);
    struct handover handover;
    struct verdict why_not = { 0 };
    char ready[READY_SIZE];

    if (size > 0)
        send_message(ours, data, size, descriptors);
    if (size == 0 || (flags & LEAVES) != 0)
        shutdown(ours, SHUT_WR);
    if (handover_take(theirs, &handover, &why_not)) {
        fuzz_demand(descriptors == DESCRIPTORS, "two descriptors make a login");
        demand_texts(&handover, data, size);
        handover_free(&handover);
    } else {
        fuzz_demand((why_not.reason[0] != '\0') == (size > 0),
                    "whatever came and is lost has a reason, and who has left none");
    }
    fuzz_demand(recv(ours, ready, sizeof ready, MSG_DONTWAIT) > 6 &&
                    memcmp(ready, "ready ", 6) == 0,
                "a server says that it is one");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int pair[2], input = dup(STDIN_FILENO), output = dup(STDOUT_FILENO);
    int flags = size > 0 ? *data : 0;

    fuzz_demand(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0,
                "there are sockets");
    run(pair[0], pair[1], data + (size > 0), size - (size > 0), flags);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    /* A server's process ends; and what it was given with it. */
    close_range((unsigned)input, ~0U, 0);
    return 0;
}
