/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A long way: what enters one of two TUN devices leaves the other one after a delay, so that
 * handshakes pay the round trip as well.
 *
 *   bench-bridge NEAR FAR        makes the two devices and prints "ready"
 *
 * A line on standard input is the delay of one direction, in microseconds, for packets from then
 * on.
 * Ends at the end of file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { PACKETS = 8192, PACKET_SIZE = 1600, SECOND = 1000000000 };

struct way {
    int in, out;
    unsigned first, end; /* of the packets under way: numbers that only grow */
    struct packet {
        int64_t due; /* nanoseconds */
        ssize_t size;
        char bytes[PACKET_SIZE];
    } packets[PACKETS];
};

static int64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static int open_device(const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
    int device = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (device < 0 || ioctl(device, TUNSETIFF, &request) != 0) {
        fprintf(stderr, "bench-bridge: %s: %s\n", name, strerror(errno));
        exit(1);
    }
    return device;
}

static void take_in(struct way *way, int64_t due)
{
    while (way->end - way->first < PACKETS) {
        struct packet *packet = &way->packets[way->end % PACKETS];
        packet->size = read(way->in, packet->bytes, sizeof packet->bytes);
        if (packet->size <= 0)
            return;
        packet->due = due;
        way->end++;
    }
}

/* Lets out what is due; returns when the next packet is. */
static int64_t let_out(struct way *way, int64_t now)
{
    while (way->first != way->end) {
        struct packet *packet = &way->packets[way->first % PACKETS];
        if (packet->due > now)
            return packet->due;
        if (write(way->out, packet->bytes, (size_t)packet->size) < 0 && errno == EAGAIN)
            return now;
        way->first++;
    }
    return INT64_MAX;
}

static void carry(struct way ways[2])
{
    struct pollfd pollers[] = { { .fd = ways[0].in, .events = POLLIN },
                                { .fd = ways[1].in, .events = POLLIN },
                                { .fd = STDIN_FILENO, .events = POLLIN } };
    int64_t delay = 0;
    char line[32];

    for (;;) {
        int64_t there = let_out(&ways[0], clock_ns()), back = let_out(&ways[1], clock_ns());
        int64_t next = there < back ? there : back, left = next - clock_ns();
        struct timespec timeout = { left > 0 ? left / SECOND : 0, left > 0 ? left % SECOND : 0 };

        if (ppoll(pollers, 3, next == INT64_MAX ? NULL : &timeout, NULL) <= 0)
            continue;
        for (int i = 0; i < 2; i++)
            if (pollers[i].revents != 0)
                take_in(&ways[i], clock_ns() + delay);
        if (pollers[2].revents == 0)
            continue;
        if (fgets(line, sizeof line, stdin) == NULL)
            return;
        delay = strtol(line, NULL, 10) * 1000;
    }
}

int main(int argc, char **argv)
{
    struct way *ways = calloc(2, sizeof *ways);

    if (argc != 3 || ways == NULL) {
        fputs("usage: bench-bridge NEAR FAR\n", stderr);
        return 2;
    }
    ways[0].in = ways[1].out = open_device(argv[1]);
    ways[1].in = ways[0].out = open_device(argv[2]);
    prctl(PR_SET_TIMERSLACK, 1UL);
    setvbuf(stdin, NULL, _IONBF, 0);
    puts("ready");
    fflush(stdout);
    carry(ways);
    return 0;
}
