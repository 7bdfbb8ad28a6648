/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whose move it is. */
#include "move.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Of tcpi_state: the kernel's numbers (include/net/tcp_states.h). */
enum { STATE_ESTABLISHED = 1, STATE_SYN_SENT = 2 };

/* No reply that we take is longer. */
enum { FLOOD = 64 * 1024 };

/* What the kernel knows of a connection. */
struct facts {
    int state;
    bool was_made;     /* it stood once */
    bool has_left;     /* a segment */
    bool is_unread;    /* something has come: bytes, an end or an error */
    bool is_unsent;    /* bytes of ours are still here */
    uint64_t written;  /* bytes of ours that the kernel has taken */
    uint64_t received; /* bytes of the other side's */
    uint64_t consumed; /* of them: read by us */
};

/* False: nothing is known. */
static bool read_facts(int descriptor, struct facts *ret_facts)
{
    struct pollfd poller = { .fd = descriptor, .events = POLLIN | POLLRDHUP };
    struct tcp_info info = { 0 };
    socklen_t size = sizeof info;
    int queued = 0, unread = 0;

    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        ioctl(descriptor, SIOCOUTQ, &queued) != 0 || ioctl(descriptor, FIONREAD, &unread) != 0)
        return false;
    *ret_facts = (struct facts){
        .state = info.tcpi_state,
        .was_made = info.tcpi_bytes_acked > 0,
        .has_left = info.tcpi_segs_out > 0,
        .is_unread = poll(&poller, 1, 0) != 0,
        .is_unsent = info.tcpi_notsent_bytes > 0,
        .received = info.tcpi_bytes_received,
        .consumed = info.tcpi_bytes_received - (uint64_t)unread,
    };
    if (ret_facts->was_made) /* The SYN counts for one. */
        ret_facts->written = info.tcpi_bytes_acked - 1 + (uint64_t)queued;
    return true;
}

static struct cause judged(enum cause_kind kind)
{
    return (struct cause){ .kind = kind };
}

static void note(struct move *move, enum cause_kind kind, const char *call, int error)
{
    if (move->noted.kind == CAUSE_OTHER_SIDE)
        move->noted = (struct cause){ kind, error, call };
}

static struct move_socket *find_socket(struct move *move, int descriptor)
{
    for (size_t i = 0; i < MOVE_SOCKETS_MAX; i++)
        if (move->sockets[i].descriptor == descriptor)
            return &move->sockets[i];
    return NULL;
}

/* Whether the request is on ONE: made for it, or kept where none was made. */
static bool is_in_use(const struct move *move, const struct move_socket *one)
{
    if (one->descriptor < 0 || !one->is_current)
        return false;
    for (size_t i = 0; i < MOVE_SOCKETS_MAX && !one->is_fresh; i++)
        if (move->sockets[i].descriptor >= 0 && move->sockets[i].is_fresh)
            return false;
    return true;
}

static void forget_peer(struct move *move)
{
    move->peer_spoke = move->peer_ended = move->peer_answered = false;
    move->consumed = 0;
}

/* From here on counts what happens on ONE. */
static void mark(struct move_socket *one, const struct facts *facts)
{
    one->written_before = facts->written;
    one->consumed_before = facts->consumed;
    one->received_before = facts->received;
}

void move_open(struct move *move)
{
    *move = (struct move){ .noted.kind = CAUSE_OTHER_SIDE };
    for (size_t i = 0; i < MOVE_SOCKETS_MAX; i++)
        move->sockets[i].descriptor = -1;
}

void move_begin(struct move *move, bool is_fresh)
{
    move->is_resolving = false;
    move->noted = judged(CAUSE_OTHER_SIDE);
    move->refused_attempts = 0;
    move->is_unreachable = false;
    forget_peer(move);
    for (size_t i = 0; i < MOVE_SOCKETS_MAX; i++) {
        struct move_socket *one = &move->sockets[i];
        struct facts facts;
        one->is_current = !is_fresh;
        one->is_fresh = false;
        if (one->descriptor >= 0 && read_facts(one->descriptor, &facts))
            mark(one, &facts);
    }
}

int move_open_socket(struct move *move, int type, int protocol, const struct sockaddr *address,
                     socklen_t size)
{
    struct move_socket *one = find_socket(move, -1);
    int descriptor;

    move->is_resolving = false;
    forget_peer(move);
    if (one == NULL || size > sizeof one->address) {
        note(move, CAUSE_UNKNOWN, NULL, 0);
        return -1;
    }
    descriptor = socket(address->sa_family, type | SOCK_CLOEXEC, protocol);
    if (descriptor < 0) {
        /* A family that this host does not have is none of its shortages. */
        if (errno != EAFNOSUPPORT && errno != EPROTONOSUPPORT)
            note(move, CAUSE_CALL, "socket() for the server", errno);
        return -1;
    }

    *one = (struct move_socket){
        .descriptor = descriptor, .is_current = true, .is_fresh = true, .size = size
    };
    memcpy(&one->address, address, size);
    return descriptor;
}

/* A connect that failed: where a segment has left, the network refused it. libcurl has taken the
 * error from the socket, and of one that failed at once it keeps that of the last address alone. So
 * it is tried again: an error that does not come back was a shortage. */
static void note_attempt(struct move *move, const struct move_socket *one,
                         const struct facts *facts)
{
    int error = 0;

    if (!facts->has_left &&
        connect(one->descriptor, (const struct sockaddr *)&one->address, one->size) != 0)
        error = errno;
    if (!facts->has_left && !cause_is_network(error)) {
        note(move, CAUSE_CALL, "connect() to the server", error);
        return;
    }
    move->refused_attempts++;
    move->is_unreachable |= !facts->has_left && error != ECONNREFUSED;
}

int move_close_socket(struct move *move, int descriptor)
{
    struct move_socket *one = find_socket(move, descriptor);
    struct facts facts;

    if (one != NULL && one->is_current && read_facts(descriptor, &facts)) {
        if (!facts.was_made && facts.state != STATE_SYN_SENT)
            note_attempt(move, one, &facts);
        move->peer_ended |= facts.was_made && facts.state != STATE_ESTABLISHED;
        move->peer_spoke |= facts.consumed > one->consumed_before;
        move->peer_answered |= facts.received > one->received_before;
        move->consumed += facts.consumed - one->consumed_before;
    }
    if (one != NULL)
        one->descriptor = -1;
    return close(descriptor);
}

void move_look_up(struct move *move, const char *name, int64_t now_ms)
{
    move->is_resolving = true;
    move->looked_up_ms = now_ms;
    resolver_begin(&move->resolver, name, now_ms);
}

void move_step(struct move *move, int64_t now_ms)
{
    if (move->is_resolving)
        resolver_step(&move->resolver, now_ms);
}

bool move_send(struct move *move)
{
    for (size_t i = 0; i < MOVE_SOCKETS_MAX; i++) {
        struct move_socket *one = &move->sockets[i];
        struct facts facts;
        if (!is_in_use(move, one) || !read_facts(one->descriptor, &facts))
            continue;
        if (facts.state != STATE_ESTABLISHED)
            return false;
        mark(one, &facts);
    }
    return true;
}

bool move_is_answered(const struct move *move)
{
    struct facts facts;

    for (size_t i = 0; i < MOVE_SOCKETS_MAX; i++)
        if (is_in_use(move, &move->sockets[i]) && read_facts(move->sockets[i].descriptor, &facts) &&
            facts.received > move->sockets[i].received_before)
            return true;
    return move->peer_answered;
}

bool move_is_settled(struct move *move, int64_t now_ms)
{
    return !move->is_resolving || resolver_is_settled(&move->resolver, now_ms);
}

/* Whether it is the other side's turn on ONE. */
static enum cause_kind judge_turn(const struct move_socket *one)
{
    struct facts facts;

    if (!read_facts(one->descriptor, &facts))
        return CAUSE_UNKNOWN;
    if (facts.state == STATE_SYN_SENT)
        return facts.has_left ? CAUSE_OTHER_SIDE : CAUSE_UNKNOWN;
    if (facts.state != STATE_ESTABLISHED || facts.is_unread || facts.is_unsent)
        return CAUSE_NO_TIME;
    /* Of a handshake, or of the request: on a connection that was kept nothing else is due. */
    return facts.written > one->written_before ? CAUSE_OTHER_SIDE : CAUSE_NO_TIME;
}

static struct cause judge_silence(const struct move *move)
{
    enum cause_kind kind = CAUSE_UNKNOWN;

    if (move->is_resolving)
        return resolver_judge_silence(&move->resolver);
    for (size_t i = 0; i < MOVE_SOCKETS_MAX; i++) {
        if (!is_in_use(move, &move->sockets[i]))
            continue;
        kind = judge_turn(&move->sockets[i]);
        if (kind != CAUSE_OTHER_SIDE)
            break;
    }
    return judged(kind);
}

static struct cause judge_connect(const struct move *move)
{
    bool is_refused = move->refused_attempts > 0;

    if (move->peer_ended || move->peer_spoke)
        return judged(CAUSE_OTHER_SIDE);
    if ((move->is_unreachable || !is_refused) && !cause_has_network())
        return judged(CAUSE_NO_NETWORK);
    return judged(is_refused ? CAUSE_OTHER_SIDE : CAUSE_UNKNOWN);
}

struct cause move_judge(const struct move *move, enum move_end end, int64_t now_ms)
{
    if (move->noted.kind != CAUSE_OTHER_SIDE)
        return move->noted;

    switch (end) {
    case MOVE_FAILED_HERE:
        break;
    case MOVE_TIMED_OUT:
        return judge_silence(move);
    case MOVE_NOT_RESOLVED:
        return resolver_judge_failure(&move->resolver, now_ms - move->looked_up_ms);
    case MOVE_NOT_CONNECTED:
        return judge_connect(move);
    case MOVE_CONNECTION_LOST:
        return judged(move->peer_ended ? CAUSE_OTHER_SIDE : CAUSE_UNKNOWN);
    case MOVE_BAD_ANSWER:
        return judged(move->peer_ended || move->peer_spoke ? CAUSE_OTHER_SIDE : CAUSE_UNKNOWN);
    case MOVE_FLOOD:
        return judged(move->consumed > FLOOD ? CAUSE_OTHER_SIDE : CAUSE_MEMORY);
    }
    return judged(CAUSE_UNKNOWN);
}

void move_close(struct move *move)
{
    resolver_close(&move->resolver);
}
