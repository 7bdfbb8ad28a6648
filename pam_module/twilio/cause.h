/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Why a request got no answer: the other side, or what this host itself could not or would not
 * do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CAUSE_NO_TIME_TEXT                                                                         \
    "this program got no CPU time (is the user's control group frozen or throttled?)"

/* Zero is the unknown, and the unknown is this host's: only CAUSE_OTHER_SIDE is an outage. */
enum cause_kind {
    CAUSE_UNKNOWN = 0,
    CAUSE_CALL,         /* a system call failed here: CALL and ERROR tell which */
    CAUSE_FILE,         /* a file that the name service needs can't be read: CALL is its path */
    CAUSE_THREAD,       /* cannot start a thread */
    CAUSE_NO_NETWORK,   /* no address family may be used, or there is no interface but lo */
    CAUSE_NO_SERVER,    /* no name server is configured */
    CAUSE_RESOLVER,     /* the name servers answer, and this host's resolver does not */
    CAUSE_DROPPED,      /* the name server answered, and this host had no memory for it */
    CAUSE_CERTIFICATES, /* those to trust can't be read */
    CAUSE_CLOCK,        /* the certificate is of the future */
    CAUSE_MEMORY,
    CAUSE_NO_TIME, /* this host did not let the program run: CAUSE_NO_TIME_TEXT */
    CAUSE_OTHER_SIDE,
};

struct cause {
    enum cause_kind kind;
    int error;        /* errno; 0: none */
    const char *call; /* static storage */
};

/* What the log is to say of KIND, and the remedy. Static storage; async-signal-safe. */
const char *cause_text(enum cause_kind kind);

/* The same with call and error. TEXT is a string afterwards, cut where it does not fit. */
void cause_print(const struct cause *cause, char *text, size_t size);

/* Whether ERROR, of a call that failed at once, is the network's answer and none of this host's
 * shortages: no way to the address. A user who is not root changes no route. */
bool cause_is_network(int error);

/* Whether this process may use IPv4 or IPv6, and there is an interface besides lo; one that is down
 * counts. False in a sandbox as systemd's PrivateNetwork= or RestrictAddressFamilies= make it. */
bool cause_has_network(void);
