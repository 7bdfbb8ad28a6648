/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Why a request got no answer. */
#include "cause.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../core/descriptor.h"

static const char *const texts[] = {
    [CAUSE_UNKNOWN] = "the request failed on this host",
    [CAUSE_CALL] = "a system call failed on this host",
    [CAUSE_FILE] = "cannot read a file of the name service",
    [CAUSE_THREAD] = "cannot start a thread: check pids.max of the user's control group, and "
                     "the number of processes of run_as",
    [CAUSE_NO_NETWORK] = "this process has no network: check PrivateNetwork= and "
                         "RestrictAddressFamilies= of the service's unit (for polkit: "
                         "twilio-verify enable polkit-1)",
    [CAUSE_NO_SERVER] = "/etc/resolv.conf names no name server",
    [CAUSE_RESOLVER] = "the name server answers, but this host's name service does not: check "
                       "/etc/nsswitch.conf, and which ports and sockets are in use",
    [CAUSE_DROPPED] =
        "the name server's answer was dropped, out of memory: check memory.max of the "
        "user's control group, and net.ipv4.udp_mem",
    [CAUSE_CERTIFICATES] = "cannot read the trusted certificates",
    [CAUSE_CLOCK] = "the server's certificate is not valid yet: check the clock of this host",
    [CAUSE_MEMORY] = "out of memory",
    [CAUSE_NO_TIME] = CAUSE_NO_TIME_TEXT,
    [CAUSE_OTHER_SIDE] = "no answer in time",
};

const char *cause_text(enum cause_kind kind)
{
    return texts[kind];
}

void cause_print(const struct cause *cause, char *text, size_t size)
{
    if (cause->call != NULL)
        snprintf(text, size, "%s: %s: %s", texts[cause->kind], cause->call, strerror(cause->error));
    else
        snprintf(text, size, "%s", texts[cause->kind]);
}

bool cause_is_network(int error)
{
    return error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN ||
           error == EHOSTDOWN || error == ECONNREFUSED;
}

static bool has_family(int family)
{
    auto_close descriptor = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    return descriptor >= 0 || errno != EAFNOSUPPORT;
}

/* Whether INTERFACE leads out, or is a card that is down. The kernel puts tunnels that nobody made
 * into every network namespace: they are down, and have no address of their own. */
static bool is_way_out(const struct ifaddrs *interface)
{
    static const unsigned char zeros[8];
    const struct sockaddr_ll *link = (const struct sockaddr_ll *)(const void *)interface->ifa_addr;

    if ((interface->ifa_flags & IFF_LOOPBACK) != 0)
        return false;
    if ((interface->ifa_flags & IFF_UP) != 0)
        return true;
    return link != NULL && link->sll_family == AF_PACKET && link->sll_halen <= sizeof zeros &&
           memcmp(link->sll_addr, zeros, link->sll_halen) != 0;
}

static bool has_interface(void)
{
    struct ifaddrs *interfaces;
    bool is_found = false;

    if (getifaddrs(&interfaces) != 0)
        return false;
    for (const struct ifaddrs *one = interfaces; one != NULL; one = one->ifa_next)
        is_found |= is_way_out(one);
    freeifaddrs(interfaces);
    return is_found;
}

bool cause_has_network(void)
{
    return (has_family(AF_INET) || has_family(AF_INET6)) && has_interface();
}
