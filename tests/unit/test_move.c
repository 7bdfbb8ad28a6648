/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whose move it is, on real connections of this host's with itself. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>

#include "twilio/move.h"

enum { NOW_MS = 1000000, WAIT_MS = 10000 };

static struct {
    int socket_error, connect_error; /* of the next calls; 0: they work */
    bool has_lo_alone;
} fake;

int __real_getifaddrs(struct ifaddrs **ret_interfaces);
int __wrap_getifaddrs(struct ifaddrs **ret_interfaces);
void __wrap_freeifaddrs(struct ifaddrs *interfaces);

int __wrap_getifaddrs(struct ifaddrs **ret_interfaces)
{
    static struct ifaddrs lo, card;

    lo = (struct ifaddrs){ .ifa_name = (char *)"lo", .ifa_flags = IFF_LOOPBACK | IFF_UP };
    card = (struct ifaddrs){ .ifa_name = (char *)"card", .ifa_flags = IFF_UP };
    lo.ifa_next = fake.has_lo_alone ? NULL : &card;
    *ret_interfaces = &lo;
    return 0;
}

void __wrap_freeifaddrs(struct ifaddrs *interfaces)
{
    (void)interfaces;
}

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __real_connect(int descriptor, const struct sockaddr *address, socklen_t size);
int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t size);

int __wrap_socket(int family, int type, int protocol)
{
    errno = fake.socket_error;
    return errno != 0 ? -1 : __real_socket(family, type, protocol);
}

int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t size)
{
    errno = fake.connect_error;
    return errno != 0 ? -1 : __real_connect(descriptor, address, size);
}

/* The other side. */
static int listener, peer;
static struct sockaddr_in address;
static struct move move;

static const struct sockaddr *where(void)
{
    return (const struct sockaddr *)&address;
}

static int listen_anywhere(int backlog)
{
    socklen_t size = sizeof address;
    int descriptor = __real_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(bind(descriptor, where(), size), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(descriptor, backlog), 0);
    return descriptor;
}

static int begin_test(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    listener = listen_anywhere(1);
    peer = -1;
    move_open(&move);
    move_begin(&move, true);
    return 0;
}

static int end_test(void **state)
{
    (void)state;
    for (size_t i = 0; i < MOVE_SOCKETS_MAX; i++)
        if (move.sockets[i].descriptor >= 0)
            close(move.sockets[i].descriptor);
    move_close(&move);
    if (peer >= 0)
        close(peer);
    close(listener);
    return 0;
}

static int open_socket(void)
{
    return move_open_socket(&move, SOCK_STREAM, IPPROTO_TCP, where(), sizeof address);
}

/* A connection that stands. */
static int make_connection(void)
{
    int descriptor = open_socket();

    assert_true(descriptor >= 0);
    assert_int_equal(__real_connect(descriptor, where(), sizeof address), 0);
    peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    return descriptor;
}

static void say(int descriptor, const char *text)
{
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
}

static void await_bytes(int descriptor)
{
    struct pollfd poller = { .fd = descriptor, .events = POLLIN | POLLRDHUP };

    assert_int_equal(poll(&poller, 1, WAIT_MS), 1);
}

static void hear(int descriptor, const char *text)
{
    char bytes[64];

    await_bytes(descriptor);
    assert_int_equal(read(descriptor, bytes, sizeof bytes), strlen(text));
}

static void end_peer(int descriptor, bool is_reset)
{
    const struct linger at_once = { 1, 0 };

    if (is_reset)
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peer);
    peer = -1;
    await_bytes(descriptor);
}

#define assert_judged(end, expected) assert_int_equal(move_judge(&move, end, NOW_MS).kind, expected)

TEST_WITH(nothing_known_is_this_host_s, begin_test, end_test)
{
    for (int end = MOVE_FAILED_HERE; end <= MOVE_FLOOD; end++)
        if (end != MOVE_NOT_RESOLVED)
            assert_int_not_equal(move_judge(&move, (enum move_end)end, NOW_MS).kind,
                                 CAUSE_OTHER_SIDE);
}

TEST_WITH(a_connection_that_is_refused_is_the_other_side_s, begin_test, end_test)
{
    int descriptor = open_socket();

    close(listener);
    assert_int_equal(__real_connect(descriptor, where(), sizeof address), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(move_close_socket(&move, descriptor), 0);
    listener = listen_anywhere(1);
    assert_judged(MOVE_NOT_CONNECTED, CAUSE_OTHER_SIDE);
}

TEST_WITH(what_was_before_a_request_is_nothing_of_its_own, begin_test, end_test)
{
    int descriptor;

    fake.connect_error = ENETUNREACH;
    move_close_socket(&move, open_socket());
    fake.connect_error = 0;
    fake.has_lo_alone = true;
    assert_judged(MOVE_NOT_CONNECTED, CAUSE_NO_NETWORK);
    fake.has_lo_alone = false;
    descriptor = make_connection();
    say(descriptor, "hello");
    say(peer, "rubbish");
    hear(descriptor, "rubbish");
    end_peer(descriptor, false);
    move_close_socket(&move, descriptor);
    assert_judged(MOVE_BAD_ANSWER, CAUSE_OTHER_SIDE);
    assert_int_equal(move.consumed, strlen("rubbish"));
    move_look_up(&move, NULL, NOW_MS);

    move_begin(&move, true);
    assert_judged(MOVE_BAD_ANSWER, CAUSE_UNKNOWN);
    assert_judged(MOVE_CONNECTION_LOST, CAUSE_UNKNOWN);
    assert_judged(MOVE_NOT_CONNECTED, CAUSE_UNKNOWN);
    assert_int_equal(move.consumed, 0);
    assert_false(move.is_resolving);
    assert_false(move.is_unreachable);
}

TEST_WITH(a_connect_that_fails_here_is_this_host_s_in_any_attempt, begin_test, end_test)
{
    static const int errors[] = { EADDRNOTAVAIL, EADDRINUSE,   EAGAIN,      ENOBUFS,
                                  ENOMEM,        EPERM,        EACCES,      EINVAL,
                                  EMFILE,        EAFNOSUPPORT, EINPROGRESS, ENOSYS };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct cause cause;
        int descriptor;
        move_begin(&move, true);
        fake.connect_error = errors[i];
        move_close_socket(&move, open_socket());
        fake.connect_error = 0;
        cause = move_judge(&move, MOVE_NOT_CONNECTED, NOW_MS);
        assert_int_equal(cause.kind, CAUSE_CALL);
        assert_int_equal(cause.error, errors[i]);

        /* And the next address refuses. */
        descriptor = open_socket();
        close(listener);
        assert_int_equal(__real_connect(descriptor, where(), sizeof address), -1);
        move_close_socket(&move, descriptor);
        listener = listen_anywhere(1);
        assert_judged(MOVE_NOT_CONNECTED, CAUSE_CALL);
    }
}

TEST_WITH(a_connect_that_failed_and_works_now_is_this_host_s, begin_test, end_test)
{
    move_close_socket(&move, open_socket());
    assert_judged(MOVE_NOT_CONNECTED, CAUSE_CALL);
}

TEST_WITH(no_way_to_an_address_is_the_network_s, begin_test, end_test)
{
    static const int errors[] = { ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        move_begin(&move, true);
        fake.connect_error = errors[i];
        move_close_socket(&move, open_socket());
        fake.connect_error = 0;
        assert_judged(MOVE_NOT_CONNECTED, CAUSE_OTHER_SIDE);
        fake.has_lo_alone = true;
        assert_judged(MOVE_NOT_CONNECTED, CAUSE_NO_NETWORK);
        fake.has_lo_alone = false;
    }
}

TEST_WITH(a_connection_that_is_refused_on_lo_needs_no_card, begin_test, end_test)
{
    int descriptor = open_socket();

    close(listener);
    assert_int_equal(__real_connect(descriptor, where(), sizeof address), -1);
    move_close_socket(&move, descriptor);
    listener = listen_anywhere(1);
    fake.has_lo_alone = true;
    assert_judged(MOVE_NOT_CONNECTED, CAUSE_OTHER_SIDE);
}

TEST_WITH(a_socket_that_is_not_given_is_this_host_s, begin_test, end_test)
{
    static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EPERM, EINVAL, ENOSYS };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        move_begin(&move, true);
        fake.socket_error = errors[i];
        assert_int_equal(open_socket(), -1);
        fake.socket_error = 0;
        assert_judged(MOVE_NOT_CONNECTED, CAUSE_CALL);
    }
}

TEST_WITH(a_family_that_this_host_lacks_is_not_a_shortage, begin_test, end_test)
{
    int descriptor;

    fake.socket_error = EAFNOSUPPORT;
    assert_int_equal(open_socket(), -1);
    assert_int_equal(move_judge(&move, MOVE_NOT_CONNECTED, NOW_MS).kind, CAUSE_NO_NETWORK);
    fake.socket_error = 0;

    descriptor = open_socket();
    close(listener);
    assert_int_equal(__real_connect(descriptor, where(), sizeof address), -1);
    move_close_socket(&move, descriptor);
    listener = listen_anywhere(1);
    assert_judged(MOVE_NOT_CONNECTED, CAUSE_OTHER_SIDE);
}

TEST_WITH(more_sockets_than_it_can_count_are_not_opened, begin_test, end_test)
{
    for (int i = 0; i < MOVE_SOCKETS_MAX; i++)
        assert_true(open_socket() >= 0);
    assert_int_equal(open_socket(), -1);
    assert_judged(MOVE_TIMED_OUT, CAUSE_UNKNOWN);
}

TEST_WITH(a_connection_that_does_not_come_is_the_other_side_s_turn, begin_test, end_test)
{
    int queued[2], descriptor;

    close(listener);
    listener = listen_anywhere(0);
    for (size_t i = 0; i < ARRAY_SIZE(queued); i++) {
        queued[i] = __real_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        __real_connect(queued[i], where(), sizeof address);
    }
    descriptor =
        move_open_socket(&move, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP, where(), sizeof address);
    assert_judged(MOVE_TIMED_OUT, CAUSE_NO_TIME); /* not even begun */
    assert_int_equal(__real_connect(descriptor, where(), sizeof address), -1);
    assert_judged(MOVE_TIMED_OUT, CAUSE_OTHER_SIDE);
    move_close_socket(&move, descriptor); /* libcurl gave it up */
    assert_judged(MOVE_NOT_CONNECTED, CAUSE_UNKNOWN);
    for (size_t i = 0; i < ARRAY_SIZE(queued); i++)
        close(queued[i]);
}

TEST_WITH(of_two_connections_one_that_is_ours_to_use_is_enough, begin_test, end_test)
{
    for (int talks = 0; talks < 2; talks++) {
        int pair[2], peers[2];
        move_begin(&move, true);
        for (int i = 0; i < 2; i++) {
            pair[i] = make_connection();
            peers[i] = peer;
            say(pair[i], "hello");
        }
        assert_judged(MOVE_TIMED_OUT, CAUSE_OTHER_SIDE);
        say(peers[talks], "hello");
        await_bytes(pair[talks]);
        assert_judged(MOVE_TIMED_OUT, CAUSE_NO_TIME);
        for (int i = 0; i < 2; i++) {
            move_close_socket(&move, pair[i]);
            close(peers[i]);
        }
    }
    peer = -1;
}

TEST_WITH(a_handshake_is_whose_bytes_are_due, begin_test, end_test)
{
    int descriptor = make_connection();

    assert_judged(MOVE_TIMED_OUT, CAUSE_NO_TIME); /* it stands, and nothing was said */
    say(descriptor, "hello");
    assert_judged(MOVE_TIMED_OUT, CAUSE_OTHER_SIDE);
    say(peer, "half of");
    await_bytes(descriptor);
    assert_judged(MOVE_TIMED_OUT, CAUSE_NO_TIME); /* not read */
    hear(descriptor, "half of");
    assert_judged(MOVE_TIMED_OUT, CAUSE_OTHER_SIDE);
    end_peer(descriptor, false);
    assert_judged(MOVE_TIMED_OUT, CAUSE_NO_TIME); /* nor the end */
}

TEST_WITH(a_reset_that_was_not_seen_is_not_silence, begin_test, end_test)
{
    int descriptor = make_connection();

    say(descriptor, "hello");
    end_peer(descriptor, true);
    assert_judged(MOVE_TIMED_OUT, CAUSE_NO_TIME);
}

TEST_WITH(on_a_connection_that_was_kept_the_request_is_due, begin_test, end_test)
{
    int descriptor = make_connection();

    say(descriptor, "hello");
    assert_true(move_send(&move));
    say(descriptor, "request");
    assert_judged(MOVE_TIMED_OUT, CAUSE_OTHER_SIDE);
    say(peer, "reply");
    hear(descriptor, "reply");

    move_begin(&move, false);
    assert_judged(MOVE_TIMED_OUT, CAUSE_NO_TIME);
    assert_true(move_send(&move));
    assert_judged(MOVE_TIMED_OUT, CAUSE_NO_TIME);
    say(descriptor, "request");
    assert_judged(MOVE_TIMED_OUT, CAUSE_OTHER_SIDE);
    assert_false(move_is_answered(&move));
    say(peer, "half a ");
    await_bytes(descriptor);
    assert_judged(MOVE_TIMED_OUT, CAUSE_NO_TIME);
    hear(descriptor, "half a ");
    assert_judged(MOVE_TIMED_OUT, CAUSE_OTHER_SIDE);
    assert_true(move_is_answered(&move));
    move_close_socket(&move, descriptor);
    assert_true(move_is_answered(&move));
}

TEST_WITH(bytes_that_came_before_the_request_are_not_an_answer, begin_test, end_test)
{
    int descriptor = make_connection();

    say(descriptor, "hello");
    say(peer, "reply");
    await_bytes(descriptor);
    assert_true(move_send(&move));
    say(descriptor, "request");
    hear(descriptor, "reply");
    assert_false(move_is_answered(&move));
    move_close_socket(&move, descriptor);
    assert_false(move_is_answered(&move));
}

TEST_WITH(nothing_is_sent_on_a_connection_that_has_ended, begin_test, end_test)
{
    for (int is_reset = 0; is_reset < 2; is_reset++) {
        int descriptor = make_connection();
        say(descriptor, "hello");
        end_peer(descriptor, is_reset);
        assert_false(move_send(&move));
        move_close_socket(&move, descriptor);
        assert_judged(MOVE_CONNECTION_LOST, CAUSE_OTHER_SIDE);
    }
}

TEST_WITH(a_connection_for_the_request_counts_and_not_one_that_was_kept, begin_test, end_test)
{
    int kept = make_connection(), first = peer, descriptor;

    say(kept, "hello");
    move_begin(&move, true);
    assert_judged(MOVE_TIMED_OUT, CAUSE_UNKNOWN);
    move_begin(&move, false);
    descriptor = make_connection();
    say(descriptor, "hello");
    say(first, "late");
    await_bytes(kept);
    assert_judged(MOVE_TIMED_OUT, CAUSE_OTHER_SIDE);
    close(first);
}

TEST_WITH(a_connection_that_ends_is_the_other_side_s_only_if_that_ended_it, begin_test, end_test)
{
    int descriptor = make_connection();

    say(descriptor, "hello");
    move_close_socket(&move, descriptor);
    assert_judged(MOVE_CONNECTION_LOST, CAUSE_UNKNOWN);
    assert_judged(MOVE_BAD_ANSWER, CAUSE_UNKNOWN);
    close(peer);

    for (int is_reset = 0; is_reset < 2; is_reset++) {
        move_begin(&move, true);
        descriptor = make_connection();
        say(descriptor, "hello");
        end_peer(descriptor, is_reset);
        move_close_socket(&move, descriptor);
        assert_judged(MOVE_CONNECTION_LOST, CAUSE_OTHER_SIDE);
        assert_judged(MOVE_BAD_ANSWER, CAUSE_OTHER_SIDE);
        assert_judged(MOVE_NOT_CONNECTED, CAUSE_OTHER_SIDE);
        assert_judged(MOVE_FAILED_HERE, CAUSE_UNKNOWN);
    }
}

TEST_WITH(a_bad_answer_is_one_that_was_read, begin_test, end_test)
{
    int descriptor = make_connection();

    say(descriptor, "hello");
    say(peer, "rubbish");
    await_bytes(descriptor);
    move_close_socket(&move, descriptor);
    assert_judged(MOVE_BAD_ANSWER, CAUSE_UNKNOWN);
    close(peer);

    move_begin(&move, true);
    descriptor = make_connection();
    say(descriptor, "hello");
    say(peer, "rubbish");
    hear(descriptor, "rubbish");
    move_close_socket(&move, descriptor);
    assert_judged(MOVE_BAD_ANSWER, CAUSE_OTHER_SIDE);
    assert_judged(MOVE_CONNECTION_LOST, CAUSE_UNKNOWN);
}

TEST_WITH(what_a_connection_before_said_is_nothing_of_the_next_one_s, begin_test, end_test)
{
    int kept = make_connection(), descriptor;

    say(kept, "hello");
    say(peer, "reply");
    hear(kept, "reply");
    move_begin(&move, false);
    end_peer(kept, false);
    move_close_socket(&move, kept); /* libcurl found it dead, and makes another */
    descriptor = make_connection();
    say(descriptor, "hello");
    move_close_socket(&move, descriptor);
    assert_judged(MOVE_BAD_ANSWER, CAUSE_UNKNOWN);
    assert_judged(MOVE_CONNECTION_LOST, CAUSE_UNKNOWN);
}

TEST_WITH(no_memory_is_the_other_side_s_fault_only_after_a_flood, begin_test, end_test)
{
    enum { FLOOD = 64 * 1024 };
    static char bytes[FLOOD + 1];
    int descriptor;

    for (size_t size = FLOOD; size <= FLOOD + 1; size++) {
        move_begin(&move, true);
        descriptor = make_connection();
        say(descriptor, "hello");
        for (size_t sent = 0, got = 0; got < size;) {
            ssize_t now = sent < size ? send(peer, bytes, size - sent, MSG_DONTWAIT) : 0;
            sent += now > 0 ? (size_t)now : 0;
            now = recv(descriptor, bytes, sizeof bytes, 0);
            assert_true(now > 0);
            got += (size_t)now;
        }
        move_close_socket(&move, descriptor);
        assert_judged(MOVE_FLOOD, size > FLOOD ? CAUSE_OTHER_SIDE : CAUSE_MEMORY);
        close(peer);
    }
    peer = -1;
}

TEST_WITH(a_look_up_is_the_resolver_s_to_judge, begin_test, end_test)
{
    move_step(&move, NOW_MS);
    assert_false(move.resolver.is_open);
    move_look_up(&move, NULL, NOW_MS);
    assert_true(move.is_resolving);
    assert_true(move.resolver.is_open);
    assert_int_equal(move.looked_up_ms, NOW_MS);
    assert_true(move_is_settled(&move, NOW_MS));
    move_step(&move, NOW_MS + 100);
    assert_int_equal(move.resolver.asked_ms, NOW_MS + 100);
    assert_judged(MOVE_NOT_RESOLVED, CAUSE_UNKNOWN);
    assert_judged(MOVE_TIMED_OUT, CAUSE_UNKNOWN);
    move.resolver.cause.kind = CAUSE_THREAD;
    assert_judged(MOVE_NOT_RESOLVED, CAUSE_THREAD);
    assert_judged(MOVE_TIMED_OUT, CAUSE_THREAD);
    assert_true(open_socket() >= 0);
    assert_false(move.is_resolving);
    move_step(&move, NOW_MS + 5000);
    assert_int_equal(move.resolver.asked_ms, NOW_MS + 100);
    assert_true(move_is_settled(&move, NOW_MS));
    move_begin(&move, true);
    assert_false(move.is_resolving);
}

TEST_WITH(a_socket_of_somebody_else_s_is_closed_and_changes_nothing, begin_test, end_test)
{
    int descriptor = dup(listener);

    assert_int_equal(move_close_socket(&move, descriptor), 0);
    assert_int_equal(fcntl(descriptor, F_GETFD), -1);
    assert_judged(MOVE_NOT_CONNECTED, CAUSE_UNKNOWN);
}
