/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whose move it is: what this host and the other side have done for the request under way, and the
 * one judge of why it got no answer. PAM_AUTHINFO_UNAVAIL lets in by the recipe for an outage, and
 * anyone who calls sudo can freeze, starve and use up what the check program needs. So the other
 * side is to blame only if it said no, or was silent while it was its turn: the bytes that are due
 * have left, and nothing has come that is not read. Whatever is not known is this host's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "cause.h"
#include "resolver.h"

enum { MOVE_SOCKETS_MAX = 8 };

/* A socket of libcurl's. */
struct move_socket {
    int descriptor;  /* -1: none */
    bool is_current; /* made for the request under way, or kept for it */
    bool is_fresh;   /* made for it */
    uint64_t written_before, consumed_before, received_before; /* when the request was to leave */
    struct sockaddr_storage address;
    socklen_t size;
};

/* How a request failed, by libcurl's word. */
enum move_end {
    MOVE_FAILED_HERE = 0, /* whatever is no word of the other side's */
    MOVE_TIMED_OUT,       /* it has not ended: asked right after libcurl did all that it could */
    MOVE_NOT_RESOLVED,    /* the look-up failed */
    MOVE_NOT_CONNECTED,   /* no connection came about */
    MOVE_CONNECTION_LOST, /* nothing more can be sent */
    MOVE_BAD_ANSWER,      /* the other side said what it may not, or ended the connection */
    MOVE_FLOOD,           /* out of memory for so much */
};

/* The bookkeeping of one connection after the other. */
struct move {
    struct move_socket sockets[MOVE_SOCKETS_MAX];
    struct resolver resolver;
    bool is_resolving; /* since LOOKED_UP_MS of clock_ms() */
    int64_t looked_up_ms;
    struct cause noted;   /* a call that failed; CAUSE_OTHER_SIDE: none did */
    int refused_attempts; /* connects to which the network said no */
    bool is_unreachable;  /* one of them for want of a way */
    /* Of connections that are closed by now: */
    bool peer_spoke, peer_answered, peer_ended;
    uint64_t consumed; /* bytes of the other side's that were read */
};

/* Before the first request. */
void move_open(struct move *move);

/* A request begins. IS_FRESH: on no connection that was kept. */
void move_begin(struct move *move, bool is_fresh);

/* What libcurl does: socket(2) before a connect(2) to ADDRESS of SIZE bytes, and close(2). */
int move_open_socket(struct move *move, int type, int protocol, const struct sockaddr *address,
                     socklen_t size);
int move_close_socket(struct move *move, int descriptor);

/* A look-up of NAME begins, as for resolver_begin(). */
void move_look_up(struct move *move, const char *name, int64_t now_ms);

/* To be called while a request is under way: a look-up may take long. */
void move_step(struct move *move, int64_t now_ms);

/* The first byte of the request leaves next. False: the other side has ended the connection. */
bool move_send(struct move *move);

/* Whether bytes of the other side's came after that. */
bool move_is_answered(const struct move *move);

/* Whether move_judge() can tell at NOW_MS why a look-up failed: a name server may yet answer. */
bool move_is_settled(struct move *move, int64_t now_ms);

/* Why the request has got no answer, which libcurl told at NOW_MS: CAUSE_OTHER_SIDE, or what
 * happened on this host. */
struct cause move_judge(const struct move *move, enum move_end end, int64_t now_ms);

/* Closes what is its own. */
void move_close(struct move *move);
