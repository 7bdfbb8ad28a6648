/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The name servers, asked beside a look-up of the C library: it tells nobody why a look-up failed
 * or hangs, and anyone who uses up this host's ports or threads must not pass for a name server
 * that is silent. Messages as in RFC 1035, section 4. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cause.h"

enum { RESOLVER_SERVERS_MAX = 3, RESOLVER_QUERIES = 2, RESOLVER_QUERY_SIZE = 272 };

/* A name server, and what it said. */
struct resolver_server {
    int descriptor; /* connected to it; -1: it can't be reached */
    bool answered[RESOLVER_QUERIES];
    bool is_good;    /* with an address */
    bool is_refused; /* it said no to all of it: nobody is there, or there is no way */
};

struct resolver {
    bool is_open;
    struct cause cause; /* why it can't be asked; CAUSE_OTHER_SIDE: nothing prevents it */
    struct resolver_server servers[RESOLVER_SERVERS_MAX];
    size_t count;
    bool is_tcp_only; /* "options use-vc": silence to UDP proves nothing */
    uint8_t queries[RESOLVER_QUERIES][RESOLVER_QUERY_SIZE]; /* for A, and for AAAA */
    size_t query_size;
    int64_t began_ms, asked_ms; /* on clock_ms(); ASKED_MS 0: not yet */
};

/* Before a look-up of NAME: takes a socket to each name server of /etc/resolv.conf, once, so that
 * nobody can take them all meanwhile; asks nothing yet. A NAME of NULL needs none of them. Starts a
 * thread as libcurl will. */
void resolver_begin(struct resolver *resolver, const char *name, int64_t now_ms);

/* While the look-up goes on: asks once it takes long, and takes the answers. */
void resolver_step(struct resolver *resolver, int64_t now_ms);

/* Whether resolver_step() has nothing more to wait for: a look-up has failed. */
bool resolver_is_settled(struct resolver *resolver, int64_t now_ms);

/* Why the look-up failed, LOOKED_UP_MS after resolver_begin(). */
struct cause resolver_judge_failure(const struct resolver *resolver, int64_t looked_up_ms);

/* Why it has not ended. Async-signal-safe. */
struct cause resolver_judge_silence(const struct resolver *resolver);

void resolver_close(struct resolver *resolver);

/* What a message says to the query ID about TYPE. */
enum resolver_answer { RESOLVER_NO_ANSWER, RESOLVER_NO, RESOLVER_ADDRESS };
enum resolver_answer resolver_read(const uint8_t *message, size_t size, uint16_t id, uint16_t type);

/* Prints the query ID for TYPE of NAME; its size. 0: NAME is none of DNS. */
size_t resolver_print(const char *name, uint16_t id, uint16_t type,
                      uint8_t query[RESOLVER_QUERY_SIZE]);
