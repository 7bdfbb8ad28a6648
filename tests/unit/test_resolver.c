/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What name servers are asked, what they say, and what follows from it. The files and sockets of
 * this host are this test's own; tests/host asks real name servers. */
#include "unit.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "twilio/resolver.h"

enum { NOW_MS = 1000000, SERVERS = 3, A = 1, AAAA = 28, ID = 0x1234 };

static struct {
    const char *text; /* of /etc/resolv.conf; NULL: FOPEN_ERROR */
    int fopen_error, socket_error, connect_error, send_error, recv_error, thread_error;
    const char *closed;          /* a file that can't be opened */
    uint32_t dropped;            /* answers, for want of memory */
    int servers[SERVERS], count; /* the name servers' ends */
} fake;

/* libc, which meson builds for large files */

FILE *__real_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t size);
ssize_t __real_send(int descriptor, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int descriptor, const void *bytes, size_t size, int flags);
ssize_t __real_recv(int descriptor, void *bytes, size_t size, int flags);
ssize_t __wrap_recv(int descriptor, void *bytes, size_t size, int flags);
int __wrap_getsockopt(int descriptor, int level, int option, void *value, socklen_t *size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);

FILE *__wrap_fopen64(const char *path, const char *mode)
{
    if (strcmp(path, "/etc/resolv.conf") != 0)
        return __real_fopen64(path, mode);
    errno = fake.fopen_error;
    return fake.text == NULL ? NULL : fmemopen((void *)fake.text, strlen(fake.text), "r");
}

int __wrap_open64(const char *path, int flags, ...)
{
    if (fake.closed != NULL && strcmp(path, fake.closed) == 0) {
        errno = EACCES;
        return -1;
    }
    errno = ENOENT;
    return strncmp(path, "/etc/", 5) == 0 ? -1 : __real_open64(path, flags);
}

/* One end of a pair; the other one is the name server's. */
int __wrap_socket(int family, int type, int protocol)
{
    int pair[2];

    if (fake.text == NULL || fake.count == SERVERS)
        return __real_socket(family, type, protocol);
    errno = fake.socket_error;
    if (errno != 0)
        return -1;
    assert_int_equal(type & SOCK_DGRAM, SOCK_DGRAM);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
    fake.servers[fake.count++] = pair[1];
    return pair[0];
}

int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t size)
{
    (void)descriptor;
    (void)size;
    assert_true(address->sa_family == AF_INET || address->sa_family == AF_INET6);
    assert_int_equal(ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port), 53);
    errno = fake.connect_error;
    return errno != 0 ? -1 : 0;
}

ssize_t __wrap_send(int descriptor, const void *bytes, size_t size, int flags)
{
    errno = fake.send_error;
    return errno != 0 ? -1 : __real_send(descriptor, bytes, size, flags);
}

ssize_t __wrap_recv(int descriptor, void *bytes, size_t size, int flags)
{
    errno = fake.recv_error;
    return errno != 0 ? -1 : __real_recv(descriptor, bytes, size, flags);
}

int __wrap_getsockopt(int descriptor, int level, int option, void *value, socklen_t *size)
{
    uint32_t *counts = value;

    (void)descriptor;
    assert_true(level == SOL_SOCKET && option == SO_MEMINFO);
    assert_true(*size > SK_MEMINFO_DROPS * sizeof *counts);
    counts[SK_MEMINFO_DROPS] = fake.dropped;
    return 0;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    return fake.thread_error != 0 ? fake.thread_error
                                  : __real_pthread_create(thread, attributes, start, argument);
}

/* The test's side */

static struct resolver resolver;

static int begin_test(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    memset(&resolver, 0, sizeof resolver);
    fake.text = "nameserver 192.0.2.53\n";
    return 0;
}

static int end_test(void **state)
{
    (void)state;
    resolver_close(&resolver);
    for (int i = 0; i < fake.count; i++)
        close(fake.servers[i]);
    return 0;
}

static void begin(const char *text)
{
    fake.text = text;
    resolver_begin(&resolver, "verify.twilio.com", NOW_MS);
}

/* Server NUMBER takes a query and answers it with CODE, and with an address or not. */
static void answer(int number, int code, bool has_address)
{
    uint8_t message[512];
    ssize_t size = __real_recv(fake.servers[number], message, sizeof message, 0);
    uint16_t type;

    assert_true(size > 12);
    type = message[size - 3];
    message[2] |= 0x80;
    message[3] = (uint8_t)code;
    if (has_address) {
        const uint8_t record[] = { 0xc0, 12, 0, (uint8_t)type, 0, 1, 0, 0, 0, 60, 0, 1, 0 };
        message[7] = 1;
        memcpy(message + size, record, sizeof record);
        size += (ssize_t)sizeof record;
    }
    assert_int_equal(__real_send(fake.servers[number], message, (size_t)size, 0), size);
}

static void answer_both(int number, int code, bool has_address)
{
    answer(number, code, has_address);
    answer(number, code, has_address);
}

/* The look-up takes long enough to ask. */
static void ask(void)
{
    resolver_step(&resolver, NOW_MS + 99);
    assert_int_equal(resolver.asked_ms, 0);
    resolver_step(&resolver, NOW_MS + 100);
    assert_int_equal(resolver.asked_ms, NOW_MS + 100);
}

#define assert_failed(after_ms, expected)                                                          \
    assert_int_equal(resolver_judge_failure(&resolver, after_ms).kind, expected)
#define assert_hangs(expected) assert_int_equal(resolver_judge_silence(&resolver).kind, expected)

TEST_WITH(a_query_is_one, begin_test, end_test)
{
    static const uint8_t expected[] = { 0x12, 0x34, 1,   0, 0,   1,   0, 0, 0,  0, 0,
                                        0,    1,    'a', 2, 'b', 'c', 0, 0, 28, 0, 1 };
    uint8_t query[RESOLVER_QUERY_SIZE];
    char name[300];

    assert_int_equal(resolver_print("a.bc", ID, AAAA, query), sizeof expected);
    assert_memory_equal(query, expected, sizeof expected);
    assert_int_equal(resolver_print("a.bc.", ID, AAAA, query), sizeof expected);
    assert_memory_equal(query, expected, sizeof expected);
    assert_int_equal(resolver_print("a..bc", ID, A, query), 0);
    assert_int_equal(resolver_print(".a", ID, A, query), 0);

    memset(name, 'a', sizeof name);
    name[63] = '\0';
    assert_int_equal(resolver_print(name, ID, A, query), 12 + 64 + 1 + 4);
    name[63] = 'a';
    name[64] = '\0';
    assert_int_equal(resolver_print(name, ID, A, query), 0);
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = i % 50 == 49 ? '.' : 'a';
    name[253] = '\0';
    assert_int_equal(resolver_print(name, ID, A, query), 12 + 255 + 4);
    name[253] = 'a';
    name[254] = '\0';
    assert_int_equal(resolver_print(name, ID, A, query), 0);
}

TEST_WITH(an_answer_is_one_to_the_question_alone, begin_test, end_test)
{
    /* "a" has an alias, "b", with an address. */
    static const uint8_t whole[] = { 0x12, 0x34, 0x81, 0x80, 0, 1, 0,    2,  0,   0,   0, 0, 1,
                                     'a',  0,    0,    1,    0, 1, 0xc0, 12, 0,   5,   0, 1, 0,
                                     0,    0,    9,    0,    3, 1, 'b',  0,  1,   'b', 0, 0, 1,
                                     0,    1,    0,    0,    0, 9, 0,    4,  127, 0,   0, 1 };
    enum { ALIAS_END = 34 };
    uint8_t message[sizeof whole];

    assert_int_equal(resolver_read(whole, sizeof whole, ID, A), RESOLVER_ADDRESS);
    assert_int_equal(resolver_read(whole, sizeof whole, ID, AAAA), RESOLVER_NO);
    assert_int_equal(resolver_read(whole, sizeof whole, ID + 1, A), RESOLVER_NO_ANSWER);
    assert_int_equal(resolver_read(whole, ALIAS_END, ID, A), RESOLVER_NO);
    for (size_t size = 0; size < 12; size++)
        assert_int_equal(resolver_read(whole, size, ID, A), RESOLVER_NO_ANSWER);
    for (size_t size = 12; size < ALIAS_END; size++)
        assert_int_equal(resolver_read(whole, size, ID, A), RESOLVER_NO);

    memcpy(message, whole, sizeof whole);
    message[2] = 0x01; /* a question */
    assert_int_equal(resolver_read(message, sizeof message, ID, A), RESOLVER_NO_ANSWER);
    message[2] = 0x89; /* another operation */
    assert_int_equal(resolver_read(message, sizeof message, ID, A), RESOLVER_NO_ANSWER);
    message[2] = 0x81;
    for (int code = 1; code < 16; code++) {
        message[3] = (uint8_t)(0x80 | code);
        assert_int_equal(resolver_read(message, sizeof message, ID, A), RESOLVER_NO);
    }
    message[2] = 0x83; /* it does not fit: there is more */
    message[3] = 0x80;
    assert_int_equal(resolver_read(message, 12, ID, A), RESOLVER_ADDRESS);
}

TEST_WITH(the_servers_are_those_of_resolv_conf, begin_test, end_test)
{
    begin("# nameserver 192.0.2.1\n;nameserver 192.0.2.2\nnameserver\t 192.0.2.3  # x\n"
          " nameserver 192.0.2.4\nnameservers 192.0.2.5\nnameserver name.invalid\n"
          "nameserver 2001:db8::1\r\nsearch nameserver 192.0.2.6\nnameserver 192.0.2.7\n"
          "nameserver 192.0.2.8\noptions ndots:1 timeout:1\nnameserver");
    assert_int_equal(resolver.count, 3);
    assert_int_equal(fake.count, 3);
    assert_false(resolver.is_tcp_only);
    /* For another look-up they are kept. */
    resolver_begin(&resolver, "verify.twilio.com", NOW_MS);
    assert_int_equal(fake.count, 3);
    assert_int_equal(resolver.count, 3);
}

TEST_WITH(silence_to_udp_proves_nothing_where_tcp_is_asked, begin_test, end_test)
{
    begin("options ndots:1 use-vc\nnameserver 192.0.2.53\n");
    assert_true(resolver.is_tcp_only);
    ask();
    assert_hangs(CAUSE_RESOLVER);
    assert_failed(5000, CAUSE_UNKNOWN);
}

TEST_WITH(without_a_name_server_it_is_this_host_s, begin_test, end_test)
{
    begin("\n");
    assert_failed(5000, CAUSE_NO_SERVER);
    ask();
    assert_hangs(CAUSE_RESOLVER);
    assert_true(resolver_is_settled(&resolver, NOW_MS));
    resolver_close(&resolver);
    fake.fopen_error = ENOENT;
    begin(NULL);
    assert_failed(5000, CAUSE_NO_SERVER);
}

TEST_WITH(a_file_that_can_t_be_read_is_this_host_s, begin_test, end_test)
{
    static const char *const files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
                                         "/etc/gai.conf" };

    begin("nameserver 192.0.2.53\n");
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        fake.closed = files[i];
        assert_failed(5000, CAUSE_FILE);
        assert_string_equal(resolver_judge_failure(&resolver, 5000).call, files[i]);
    }
    fake.closed = NULL;
    assert_failed(5000, CAUSE_OTHER_SIDE);

    resolver_close(&resolver);
    fake.fopen_error = EACCES;
    begin(NULL);
    assert_failed(5000, CAUSE_FILE);
    assert_hangs(CAUSE_FILE);
    assert_true(resolver_is_settled(&resolver, NOW_MS));
}

TEST_WITH(a_call_that_fails_here_is_this_host_s, begin_test, end_test)
{
    int *const errors[] = { &fake.socket_error, &fake.connect_error, &fake.send_error,
                            &fake.recv_error };
    static const int values[] = { EADDRNOTAVAIL, EMFILE, ENOBUFS, ENOMEM, EPERM, EACCES, EINVAL };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
        for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
            begin_test(NULL);
            *errors[i] = values[j];
            begin("nameserver 192.0.2.53\n");
            ask();
            resolver_step(&resolver, NOW_MS + 200);
            *errors[i] = 0;
            assert_failed(5000, CAUSE_CALL);
            assert_hangs(CAUSE_CALL);
            assert_int_equal(resolver_judge_silence(&resolver).error, values[j]);
            assert_true(resolver_is_settled(&resolver, NOW_MS + 200));
            end_test(NULL);
        }
    begin_test(NULL);
}

TEST_WITH(a_thread_that_does_not_start_is_this_host_s, begin_test, end_test)
{
    fake.thread_error = EAGAIN;
    begin("nameserver 192.0.2.53\n");
    assert_failed(5000, CAUSE_THREAD);
    assert_hangs(CAUSE_THREAD);
}

TEST_WITH(an_address_needs_no_name_server_and_no_thread, begin_test, end_test)
{
    fake.thread_error = EAGAIN;
    resolver_begin(&resolver, NULL, NOW_MS);
    assert_int_equal(fake.count, 0);
    assert_failed(5000, CAUSE_UNKNOWN);
    assert_hangs(CAUSE_UNKNOWN);
}

TEST_WITH(a_name_that_is_none_of_dns_is_this_host_s, begin_test, end_test)
{
    resolver_begin(&resolver, "a..b", NOW_MS);
    assert_failed(5000, CAUSE_UNKNOWN);
    assert_hangs(CAUSE_UNKNOWN);
}

TEST_WITH(a_good_answer_says_that_it_is_this_host, begin_test, end_test)
{
    begin("nameserver 192.0.2.53\n");
    assert_false(resolver_is_settled(&resolver, NOW_MS + 5)); /* asks at once */
    answer(0, 0, true);
    assert_true(resolver_is_settled(&resolver, NOW_MS + 10));
    assert_failed(5, CAUSE_RESOLVER);
    answer(0, 3, false);
    resolver_step(&resolver, NOW_MS + 200);
    assert_hangs(CAUSE_RESOLVER);
}

TEST_WITH(a_no_is_the_name_server_s, begin_test, end_test)
{
    for (int code = 0; code < 6; code++) {
        begin_test(NULL);
        begin("nameserver 192.0.2.53\n");
        assert_false(resolver_is_settled(&resolver, NOW_MS + 5));
        answer_both(0, code, false);
        assert_true(resolver_is_settled(&resolver, NOW_MS + 10));
        assert_failed(5, CAUSE_OTHER_SIDE);
        end_test(NULL);
    }
    begin_test(NULL);
}

TEST_WITH(nobody_there_is_the_network_s_answer, begin_test, end_test)
{
    static const int errors[] = { ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN };
    int *const calls[] = { &fake.connect_error, &fake.send_error, &fake.recv_error };
    bool has_network = cause_has_network();

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
        for (size_t j = 0; j < ARRAY_SIZE(calls); j++) {
            begin_test(NULL);
            *calls[j] = errors[i];
            begin("nameserver 192.0.2.53\n");
            assert_true(resolver_is_settled(&resolver, NOW_MS + 5));
            *calls[j] = 0;
            fake.count = SERVERS; /* the judge may have real sockets */
            assert_failed(5, has_network ? CAUSE_OTHER_SIDE : CAUSE_NO_NETWORK);
            fake.count = 1;
            end_test(NULL);
        }
    begin_test(NULL);
}

TEST_WITH(a_name_server_of_a_family_that_this_host_lacks_is_as_one_that_is_away, begin_test,
          end_test)
{
    fake.socket_error = EAFNOSUPPORT;
    begin("nameserver 2001:db8::53\nnameserver 192.0.2.53\n");
    fake.socket_error = 0;
    fake.count = SERVERS;
    assert_failed(5, cause_has_network() ? CAUSE_OTHER_SIDE : CAUSE_NO_NETWORK);
    fake.count = 0;
}

TEST_WITH(silence_is_the_name_server_s_where_it_was_waited_for, begin_test, end_test)
{
    begin("nameserver 192.0.2.53\n");
    assert_hangs(CAUSE_NO_TIME); /* it was not asked */
    ask();
    assert_hangs(CAUSE_OTHER_SIDE);
    assert_false(resolver_is_settled(&resolver, NOW_MS + 1999));
    assert_true(resolver_is_settled(&resolver, NOW_MS + 2000));
    assert_failed(900, CAUSE_OTHER_SIDE);
    assert_failed(899, CAUSE_UNKNOWN); /* the C library waits for longer */
}

TEST_WITH(an_answer_that_is_not_read_is_this_host_s, begin_test, end_test)
{
    begin("nameserver 192.0.2.53\n");
    ask();
    answer(0, 2, false);
    assert_hangs(CAUSE_NO_TIME);
    resolver_step(&resolver, NOW_MS + 200);
    assert_hangs(CAUSE_OTHER_SIDE); /* nothing about IPv6 */
    answer(0, 2, false);
    resolver_step(&resolver, NOW_MS + 250);
    assert_hangs(CAUSE_RESOLVER); /* it said no, and the look-up goes on */
}

TEST_WITH(an_answer_for_which_this_host_has_no_memory_is_no_silence, begin_test, end_test)
{
    begin("nameserver 192.0.2.53\n");
    ask();
    fake.dropped = 1;
    assert_hangs(CAUSE_DROPPED);
    assert_failed(5000, CAUSE_DROPPED);
    answer_both(0, 0, true); /* to a second query */
    resolver_step(&resolver, NOW_MS + 200);
    assert_hangs(CAUSE_RESOLVER);
    assert_failed(5000, CAUSE_RESOLVER);
}

TEST_WITH(it_is_asked_again_after_a_second, begin_test, end_test)
{
    uint8_t query[512];

    begin("nameserver 192.0.2.53\n");
    ask();
    resolver_step(&resolver, NOW_MS + 1099);
    assert_int_equal(resolver.asked_ms, NOW_MS + 100);
    resolver_step(&resolver, NOW_MS + 1100);
    assert_int_equal(resolver.asked_ms, NOW_MS + 1100);
    for (int i = 0; i < 4; i++)
        assert_true(__real_recv(fake.servers[0], query, sizeof query, 0) > 0);
    assert_int_equal(__real_recv(fake.servers[0], query, sizeof query, 0), -1);
}

TEST_WITH(of_two_name_servers_the_first_may_hold_up_a_look_up, begin_test, end_test)
{
    static const char two[] = "nameserver 192.0.2.53\nnameserver 192.0.2.54\n";

    begin(two);
    ask();
    answer_both(1, 0, true);
    resolver_step(&resolver, NOW_MS + 200);
    assert_hangs(CAUSE_OTHER_SIDE);
    assert_failed(5000, CAUSE_RESOLVER);
    end_test(NULL);

    begin_test(NULL);
    begin(two);
    ask();
    answer_both(0, 0, true);
    resolver_step(&resolver, NOW_MS + 200);
    assert_hangs(CAUSE_RESOLVER);
}

TEST_WITH(another_look_up_is_another_question, begin_test, end_test)
{
    begin("nameserver 192.0.2.53\n");
    ask();
    answer_both(0, 0, true);
    resolver_step(&resolver, NOW_MS + 200);
    assert_hangs(CAUSE_RESOLVER);
    resolver_begin(&resolver, "verify.twilio.com", NOW_MS);
    assert_int_equal(fake.count, 1); /* by the same socket */
    assert_hangs(CAUSE_NO_TIME);
    ask();
    assert_hangs(CAUSE_OTHER_SIDE);
    assert_failed(5000, CAUSE_OTHER_SIDE);
}
