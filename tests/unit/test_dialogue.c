/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The dialogue between the module and the check program: its lines, its reader, its writer. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/dialogue.h"

enum { TICK_MS = 5, PATIENCE_MS = 60, SLACK_MS = 2000 };

/* The first line */

static void assert_first_line(const char *service, const char *user, const char *expected)
{
    char line[DIALOGUE_LINE_SIZE];

    assert_true(dialogue_print_login(service, user, 0, line));
    assert_string_equal(line, expected);
}

TEST(prints_plain_names_as_they_are)
{
    assert_first_line("sshd", "alice", "login 2 sshd alice");
    assert_first_line("a+b:c", "~!\"#$&'()*", "login 2 a+b:c ~!\"#$&'()*");
}

TEST(escapes_blanks_percent_signs_and_all_but_printable_ascii)
{
    assert_first_line("my pam", "a%b", "login 2 my%20pam a%25b");
    assert_first_line("sshd", "t\xc3\xab\n\x7f\x01", "login 2 sshd t%C3%AB%0A%7F%01");
}

TEST(names_of_all_bytes_come_back_unchanged)
{
    for (unsigned first = 1; first <= 255; first++) {
        char service[DIALOGUE_SERVICE_SIZE], user[DIALOGUE_NAME_SIZE] = "";
        char line[DIALOGUE_LINE_SIZE];
        struct dialogue_login login;

        for (unsigned i = 0; i < DIALOGUE_NAME_MAX; i++)
            user[i] = (char)(1 + (first + i) % 255);
        user[DIALOGUE_NAME_MAX] = '\0';
        memcpy(service, user, DIALOGUE_SERVICE_SIZE - 1);
        service[DIALOGUE_SERVICE_SIZE - 1] = '\0';

        assert_true(dialogue_print_login(service, user, 0, line));
        assert_true(dialogue_parse_login(line, &login));
        assert_string_equal(login.service, service);
        assert_string_equal(login.user, user);
    }
}

TEST(a_name_too_long_is_cut_and_still_too_long)
{
    char user[3001], line[DIALOGUE_LINE_SIZE];
    struct dialogue_login login;

    memset(user, '\xff', 3000);
    user[3000] = '\0';
    assert_true(dialogue_print_login("sshd", user, 0, line));
    assert_true(dialogue_parse_login(line, &login));
    assert_int_equal(strlen(login.user), DIALOGUE_NAME_MAX + 1);

    user[DIALOGUE_NAME_MAX] = '\0';
    assert_true(dialogue_print_login("sshd", user, 0, line));
    assert_true(dialogue_parse_login(line, &login));
    assert_int_equal(strlen(login.user), DIALOGUE_NAME_MAX);
}

TEST(the_longest_names_fit_into_a_line)
{
    char service[DIALOGUE_SERVICE_SIZE], user[DIALOGUE_NAME_SIZE], line[DIALOGUE_LINE_SIZE];

    memset(service, ' ', sizeof service - 1);
    service[sizeof service - 1] = '\0';
    memset(user, ' ', sizeof user - 1);
    user[sizeof user - 1] = '\0';
    assert_true(dialogue_print_login(service, user, DIALOGUE_OWN | DIALOGUE_SILENT, line));
    assert_true(strlen(line) <= DIALOGUE_LINE_MAX);
}

TEST(prints_no_service_that_is_empty_or_too_long)
{
    char service[DIALOGUE_SERVICE_SIZE + 1], line[DIALOGUE_LINE_SIZE];

    memset(service, 's', DIALOGUE_SERVICE_SIZE);
    service[DIALOGUE_SERVICE_SIZE] = '\0';
    assert_false(dialogue_print_login(service, "alice", 0, line));
    assert_false(dialogue_print_login("", "alice", 0, line));
}

TEST(parses_no_first_line_but_the_one_spelling)
{
    static const char *const lines[] = {
        "",
        "login",
        "login 2",
        "login 2 ",
        "login 2 sshd",
        "login 2  alice",
        "login 2 sshd alice bob",
        "login 2 sshd alice ",
        "login 2  sshd alice",
        "login 2 sshd  alice",
        " login 2 sshd alice",
        "Login 2 sshd alice",
        "login 1 sshd alice",
        "login 3 sshd alice",
        "login 22 sshd alice",
        "login 02 sshd alice",
        "login\t2 sshd alice",
        "login 2 sshd\talice",
        "login 2 sshd alice\n",
        "login 2 sshd t\xc3\xab",
        "login 2 sshd a\x7f",
        "login 2 sshd %",
        "login 2 sshd %4",
        "login 2 sshd a%",
        "login 2 sshd %2",
        "login 2 sshd %G0",
        "login 2 sshd %0G",
        "login 2 sshd % 0",
        "login 2 sshd %c3%ab",
        "login 2 sshd %00",
        "login 2 sshd a%00b",
        "login 2 sshd %61lice",
        "login 2 sshd %7E",
        "login 2 %61 alice",
        "login 2 %00 alice",
        "login 2 sshd alice own ",
        "login 2 sshd alice  own",
        "login 2 sshd alice Own",
        "login 2 sshd alice owned",
        "login 2 sshd alice own own",
        "login 2 sshd alice silent own",
        "login 2 sshd alice silent silent",
        "login 2 sshd alice own silent ",
        "login 2 sshd alice own silent x",
        "login 2 sshd alice ownsilent",
        "login 2 sshd alice%20own silent own",
    };

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct dialogue_login login = { "before", "before", false, false };
        if (dialogue_parse_login(lines[i], &login))
            fail_msg("took \"%s\" for a first line", lines[i]);
        assert_string_equal(login.service, "before");
        assert_string_equal(login.user, "before");
    }
}

TEST(says_whether_the_caller_is_the_user_and_whether_the_host_is_silent)
{
    static const struct {
        unsigned flags;
        const char *line;
    } rows[] = {
        { 0, "login 2 sudo own" },
        { DIALOGUE_OWN, "login 2 sudo own own" },
        { DIALOGUE_SILENT, "login 2 sudo own silent" },
        { DIALOGUE_OWN | DIALOGUE_SILENT, "login 2 sudo own own silent" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct dialogue_login login = { "", "", true, true };
        char line[DIALOGUE_LINE_SIZE];

        assert_true(dialogue_print_login("sudo", "own", rows[i].flags, line));
        assert_string_equal(line, rows[i].line);
        assert_true(dialogue_parse_login(line, &login));
        assert_string_equal(login.user, "own");
        assert_int_equal(login.is_own, (rows[i].flags & DIALOGUE_OWN) != 0);
        assert_int_equal(login.is_silent, (rows[i].flags & DIALOGUE_SILENT) != 0);
    }
}

TEST(a_user_without_a_name_has_flags_all_the_same)
{
    struct dialogue_login login;

    assert_true(dialogue_parse_login("login 2 sshd  own silent", &login));
    assert_string_equal(login.user, "");
    assert_true(login.is_own);
    assert_true(login.is_silent);
}

TEST(parses_no_name_that_does_not_fit)
{
    char line[DIALOGUE_LINE_SIZE];
    struct dialogue_login login;

    snprintf(line, sizeof line, "login 2 %065d alice", 0);
    assert_false(dialogue_parse_login(line, &login));
    snprintf(line, sizeof line, "login 2 %064d alice", 0);
    assert_true(dialogue_parse_login(line, &login));
    snprintf(line, sizeof line, "login 2 sshd %0252d", 0);
    assert_false(dialogue_parse_login(line, &login));
    snprintf(line, sizeof line, "login 2 sshd %0251d", 0);
    assert_true(dialogue_parse_login(line, &login));
}

TEST(names_the_process_of_a_task)
{
    static const char *const lines[] = { "proved 2 sshd alice 300 7000",
                                         "proved-in-child 2 sshd alice 300 7000",
                                         "session 2 su a%20b 2 9223372036854775807" };
    struct dialogue_login login;
    char line[DIALOGUE_LINE_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        assert_true(dialogue_parse_login(lines[i], &login));
        assert_int_equal(login.task, DIALOGUE_PROVED + i);
        assert_true(dialogue_print_task(login.task, login.service, login.user, login.pid,
                                        login.start, line));
        assert_string_equal(line, lines[i]);
    }
    assert_true(dialogue_parse_login("login 2 sshd alice", &login));
    assert_int_equal(login.task, DIALOGUE_LOGIN);
}

TEST(takes_one_spelling_of_a_process_alone)
{
    static const char *const lines[] = {
        "proved 2 sshd alice",
        "proved 2 sshd alice 300",
        "proved 2 sshd alice own",
        "proved 2 sshd alice 300 7000 ",
        "proved 2 sshd alice 300 7000 own",
        "proved 2 sshd alice  300 7000",
        "proved 2 sshd alice 0300 7000",
        "proved 2 sshd alice +300 7000",
        "proved 2 sshd alice -300 7000",
        "proved 2 sshd alice 1 7000",
        "proved 2 sshd alice 0 7000",
        "proved 2 sshd alice 4194305 7000",
        "proved 2 sshd alice 300 0",
        "proved 2 sshd alice 300 9223372036854775808",
        "proved 2 sshd alice 300 99999999999999999999999",
        "proved 1 sshd alice 300 7000",
        "proved-in-child sshd alice 300 7000",
        "proved-in 2 sshd alice 300 7000",
        "session 2 sshd alice 0x300 7000",
        "sessions 2 sshd alice 300 7000",
    };
    struct dialogue_login login;

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if (dialogue_parse_login(lines[i], &login))
            fail_msg("took \"%s\" for a first line", lines[i]);
}

/* The lines of the check program */

/* The reader. Every test of it runs over a socket and over a pipe. */

struct channel {
    int near, far; /* what is written into FAR is read from NEAR */
};

static int set_up_socket(void **state)
{
    static struct channel channel;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    channel = (struct channel){ pair[0], pair[1] };
    *state = &channel;
    return 0;
}

static int set_up_pipe(void **state)
{
    static struct channel channel;
    int pair[2];

    if (pipe2(pair, O_CLOEXEC) != 0)
        return -1;
    channel = (struct channel){ pair[0], pair[1] };
    *state = &channel;
    return 0;
}

static int tear_down(void **state)
{
    const struct channel *channel = *state;

    close(channel->near);
    if (channel->far >= 0)
        close(channel->far);
    return 0;
}

#define ADD_OVER_SOCKET(name)                                                                      \
    UNIT_ADD(name##_socket, #name "_over_a_socket", name, set_up_socket, tear_down, false)
#define ADD_OVER_PIPE(name)                                                                        \
    UNIT_ADD(name##_pipe, #name "_over_a_pipe", name, set_up_pipe, tear_down, false)

#define TEST_OVER_SOCKET(name)                                                                     \
    ADD_OVER_SOCKET(name);                                                                         \
    UNIT_GIVEN(struct channel *channel, name)
#define TEST_OVER_PIPE(name)                                                                       \
    ADD_OVER_PIPE(name);                                                                           \
    UNIT_GIVEN(struct channel *channel, name)
#define TEST_OVER_BOTH(name)                                                                       \
    ADD_OVER_SOCKET(name);                                                                         \
    TEST_OVER_PIPE(name)

static void put(const struct channel *channel, const char *bytes, size_t size)
{
    assert_int_equal(write(channel->far, bytes, size), (ssize_t)size);
}

static void put_text(const struct channel *channel, const char *text)
{
    put(channel, text, strlen(text));
}

static void put_end(struct channel *channel)
{
    close(channel->far);
    channel->far = -1;
}

static void assert_reads(struct dialogue_reader *reader, const char *expected)
{
    char line[DIALOGUE_LINE_SIZE] = "before";

    assert_int_equal(dialogue_read(reader, 0, line), DIALOGUE_LINE);
    assert_string_equal(line, expected);
}

static void assert_reads_none(struct dialogue_reader *reader, int64_t deadline_ms,
                              enum dialogue_read expected)
{
    char line[DIALOGUE_LINE_SIZE] = "before";

    assert_int_equal(dialogue_read(reader, deadline_ms, line), expected);
    assert_string_equal(line, "before");
}

TEST_OVER_BOTH(reads_line_after_line)
{
    struct dialogue_reader reader = { .descriptor = channel->near };

    put_text(channel, "one\ntwo\n\nfour\n");
    assert_reads(&reader, "one");
    assert_reads(&reader, "two");
    assert_reads(&reader, "");
    assert_reads(&reader, "four");
    assert_reads_none(&reader, 0, DIALOGUE_NOTHING);
}

TEST_OVER_BOTH(keeps_half_a_line_until_the_rest_comes)
{
    struct dialogue_reader reader = { .descriptor = channel->near };

    put_text(channel, "ha");
    assert_reads_none(&reader, 0, DIALOGUE_NOTHING);
    put_text(channel, "lf");
    assert_reads_none(&reader, 0, DIALOGUE_NOTHING);
    put_text(channel, "\nnext");
    assert_reads(&reader, "half");
    put_text(channel, "\n");
    assert_reads(&reader, "next");
}

TEST_OVER_BOTH(reads_a_line_of_1024_bytes)
{
    struct dialogue_reader reader = { .descriptor = channel->near };
    char line[DIALOGUE_LINE_MAX + 1];

    memset(line, 'x', DIALOGUE_LINE_MAX);
    line[DIALOGUE_LINE_MAX] = '\n';
    put(channel, line, sizeof line);
    put(channel, line, sizeof line);
    put_text(channel, "short\n");

    line[DIALOGUE_LINE_MAX] = '\0';
    assert_reads(&reader, line);
    assert_reads(&reader, line);
    assert_reads(&reader, "short");
}

TEST_OVER_BOTH(a_line_of_1025_bytes_breaks_the_dialogue)
{
    struct dialogue_reader reader = { .descriptor = channel->near };
    char line[DIALOGUE_LINE_MAX + 2];

    memset(line, 'x', DIALOGUE_LINE_MAX + 1);
    line[DIALOGUE_LINE_MAX + 1] = '\n';
    put_text(channel, "fine\n");
    put(channel, line, sizeof line);
    put_text(channel, "fine\n");

    assert_reads(&reader, "fine");
    assert_reads_none(&reader, 0, DIALOGUE_BROKEN);
    assert_reads_none(&reader, 0, DIALOGUE_BROKEN);
}

TEST_OVER_BOTH(too_much_without_a_newline_breaks_the_dialogue_at_once)
{
    struct dialogue_reader reader = { .descriptor = channel->near };
    char line[DIALOGUE_LINE_MAX + 1];

    memset(line, 'x', sizeof line);
    put(channel, line, sizeof line - 1);
    assert_reads_none(&reader, 0, DIALOGUE_NOTHING);
    put(channel, line, 1);
    assert_reads_none(&reader, DIALOGUE_FOREVER, DIALOGUE_BROKEN);
}

TEST_OVER_BOTH(a_nul_breaks_the_dialogue)
{
    struct dialogue_reader reader = { .descriptor = channel->near };

    put(channel, "first\napproved\0: x\nlast\n", 24);
    assert_reads(&reader, "first");
    assert_reads_none(&reader, 0, DIALOGUE_BROKEN);
    assert_reads_none(&reader, 0, DIALOGUE_BROKEN);
}

TEST_OVER_BOTH(reports_the_end_after_the_last_line)
{
    struct dialogue_reader reader = { .descriptor = channel->near };

    put_text(channel, "last\n");
    put_end(channel);
    assert_reads(&reader, "last");
    assert_reads_none(&reader, 0, DIALOGUE_END);
    assert_reads_none(&reader, DIALOGUE_FOREVER, DIALOGUE_END);
}

TEST_OVER_BOTH(an_end_inside_of_a_line_breaks_the_dialogue)
{
    struct dialogue_reader reader = { .descriptor = channel->near };

    put_text(channel, "approved");
    put_end(channel);
    assert_reads_none(&reader, 0, DIALOGUE_BROKEN);
    assert_reads_none(&reader, 0, DIALOGUE_BROKEN);
}

/* The kernel tells it as a reset, not as an end. */
TEST_OVER_SOCKET(somebody_who_goes_without_reading_has_ended_as_well)
{
    struct dialogue_reader reader = { .descriptor = channel->near };

    assert_true(dialogue_write(channel->near, "never read"));
    put_text(channel, "denied\n");
    put_end(channel);
    assert_reads(&reader, "denied");
    assert_reads_none(&reader, DIALOGUE_FOREVER, DIALOGUE_END);
}

TEST_OVER_SOCKET(somebody_who_goes_inside_of_a_line_without_reading_has_broken_it)
{
    struct dialogue_reader reader = { .descriptor = channel->near };

    assert_true(dialogue_write(channel->near, "never read"));
    put_text(channel, "approved");
    put_end(channel);
    assert_reads_none(&reader, DIALOGUE_FOREVER, DIALOGUE_BROKEN);
}

TEST_OVER_BOTH(takes_what_is_there_though_the_deadline_is_over)
{
    struct dialogue_reader reader = { .descriptor = channel->near };
    char line[DIALOGUE_LINE_SIZE];

    put_text(channel, "late\n");
    assert_int_equal(dialogue_read(&reader, clock_ms() - 1000, line), DIALOGUE_LINE);
    assert_string_equal(line, "late");
}

TEST_OVER_BOTH(waits_until_the_deadline_and_no_longer)
{
    struct dialogue_reader reader = { .descriptor = channel->near };
    int64_t began_ms = clock_ms();

    put_text(channel, "no newline");
    assert_reads_none(&reader, began_ms + PATIENCE_MS, DIALOGUE_NOTHING);
    assert_in_range(clock_ms() - began_ms, PATIENCE_MS, PATIENCE_MS + SLACK_MS);
}

TEST_OVER_BOTH(reads_a_descriptor_that_does_not_block)
{
    struct dialogue_reader reader = { .descriptor = channel->near };

    assert_int_equal(fcntl(channel->near, F_SETFL, O_NONBLOCK), 0);
    assert_reads_none(&reader, clock_ms() + TICK_MS, DIALOGUE_NOTHING);
    put_text(channel, "line\n");
    assert_reads(&reader, "line");
}

TEST_OVER_BOTH(a_line_leaves_no_copy_in_the_reader)
{
    struct dialogue_reader reader = { .descriptor = channel->near };

    put_text(channel, "first\n424242\nx");
    assert_reads(&reader, "first");
    assert_reads(&reader, "424242");
    assert_null(memmem(reader.bytes, sizeof reader.bytes, "42", 2));
    assert_int_equal(reader.bytes[0], 'x');

    dialogue_reader_wipe(&reader);
    for (size_t i = 0; i < sizeof reader.bytes; i++)
        assert_int_equal(reader.bytes[i], 0);
    put_text(channel, "next\n");
    assert_reads(&reader, "next");
}

TEST(a_descriptor_that_is_none_breaks_the_dialogue)
{
    struct dialogue_reader reader = { .descriptor = dup(0) };

    close(reader.descriptor);
    assert_reads_none(&reader, 0, DIALOGUE_BROKEN);
    assert_reads_none(&reader, DIALOGUE_FOREVER, DIALOGUE_BROKEN);
}

/* A host has timers and handlers of its own: here one that ticks, and acts at its tenth tick. */

static const struct timeval every_tick = { 0, TICK_MS * 1000 };
static volatile sig_atomic_t ticks;
static int tick_descriptor;
static void (*tick_action)(void);

static void on_tick(int signal)
{
    (void)signal;
    if (++ticks == 10 && tick_action != NULL)
        tick_action();
}

static void start_ticks(int descriptor, void (*action)(void), struct timeval interval)
{
    const struct itimerval timer = { interval, { 0, TICK_MS * 1000 } };
    const struct sigaction handler = { .sa_handler = on_tick }; /* no SA_RESTART */

    ticks = 0;
    tick_descriptor = descriptor;
    tick_action = action;
    assert_int_equal(sigaction(SIGALRM, &handler, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void stop_ticks(void)
{
    const struct itimerval timer = { 0 };

    setitimer(ITIMER_REAL, &timer, NULL);
    signal(SIGALRM, SIG_DFL);
}

static void write_line(void)
{
    ssize_t written = write(tick_descriptor, "late\n", 5);

    (void)written;
}

TEST_OVER_BOTH(signals_do_not_disturb_the_wait_for_a_line)
{
    struct dialogue_reader reader = { .descriptor = channel->near };
    char line[DIALOGUE_LINE_SIZE];
    enum dialogue_read read;

    start_ticks(channel->far, write_line, every_tick);
    read = dialogue_read(&reader, DIALOGUE_FOREVER, line);
    stop_ticks();
    assert_int_equal(read, DIALOGUE_LINE);
    assert_string_equal(line, "late");
    assert_in_range(ticks, 10, 1000);
}

TEST_OVER_BOTH(signals_do_not_move_the_deadline)
{
    struct dialogue_reader reader = { .descriptor = channel->near };
    char line[DIALOGUE_LINE_SIZE];
    int64_t began_ms = clock_ms(), took_ms;
    enum dialogue_read read;

    start_ticks(-1, NULL, every_tick);
    read = dialogue_read(&reader, began_ms + PATIENCE_MS, line);
    took_ms = clock_ms() - began_ms;
    stop_ticks();
    assert_int_equal(read, DIALOGUE_NOTHING);
    assert_in_range(took_ms, PATIENCE_MS, PATIENCE_MS + SLACK_MS);
}

/* Who would go from poll() to a read() that blocks, would stay there until the second signal. */
TEST_OVER_BOTH(a_single_signal_does_not_move_the_deadline)
{
    static const struct timeval rarely = { 2 * SLACK_MS / 1000, 0 };
    struct dialogue_reader reader = { .descriptor = channel->near };
    char line[DIALOGUE_LINE_SIZE];
    int64_t began_ms = clock_ms(), took_ms;
    enum dialogue_read read;

    start_ticks(-1, NULL, rarely);
    read = dialogue_read(&reader, began_ms + PATIENCE_MS, line);
    took_ms = clock_ms() - began_ms;
    stop_ticks();
    assert_int_equal(read, DIALOGUE_NOTHING);
    assert_in_range(took_ms, PATIENCE_MS, PATIENCE_MS + SLACK_MS);
    assert_int_equal(ticks, 1);
}

/* What the linker puts in place of read(), with and without a check of the size: it fails. */

ssize_t __real_read(int descriptor, void *bytes, size_t size);
ssize_t __wrap_read(int descriptor, void *bytes, size_t size);
ssize_t __wrap___read_chk(int descriptor, void *bytes, size_t size, size_t room);

static int failures, failure;

ssize_t __wrap_read(int descriptor, void *bytes, size_t size)
{
    if (failures == 0)
        return __real_read(descriptor, bytes, size);
    failures--;
    errno = failure;
    return -1;
}

ssize_t __wrap___read_chk(int descriptor, void *bytes, size_t size, size_t room)
{
    assert_true(size <= room);
    return __wrap_read(descriptor, bytes, size);
}

TEST_OVER_BOTH(a_read_that_is_interrupted_is_repeated)
{
    static const int errors[] = { EINTR, EAGAIN };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct dialogue_reader reader = { .descriptor = channel->near };
        put_text(channel, "line\n");
        failure = errors[i];
        failures = 3;
        assert_reads(&reader, "line");
        assert_int_equal(failures, 0);
    }
}

TEST_OVER_BOTH(a_read_that_fails_breaks_the_dialogue)
{
    struct dialogue_reader reader = { .descriptor = channel->near };

    put_text(channel, "line\n");
    failure = EIO;
    failures = 1;
    assert_reads_none(&reader, 0, DIALOGUE_BROKEN);
}

/* The writer */

static void assert_arrives(int descriptor, const char *expected, size_t size)
{
    char bytes[2 * DIALOGUE_LINE_SIZE];

    assert_int_equal(read(descriptor, bytes, sizeof bytes), (ssize_t)size);
    assert_memory_equal(bytes, expected, size);
}

TEST_OVER_BOTH(writes_a_line_and_its_newline)
{
    assert_true(dialogue_write(channel->far, "ask-secret Code: "));
    assert_arrives(channel->near, "ask-secret Code: \n", 18);
    assert_true(dialogue_write(channel->far, ""));
    assert_arrives(channel->near, "\n", 1);
}

TEST_OVER_BOTH(writes_no_line_longer_than_the_reader_takes)
{
    char line[DIALOGUE_LINE_MAX + 100];

    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    assert_true(dialogue_write(channel->far, line));
    line[DIALOGUE_LINE_MAX] = '\n';
    assert_arrives(channel->near, line, DIALOGUE_LINE_MAX + 1);
}

TEST_OVER_SOCKET(writing_to_somebody_who_is_gone_fails_without_a_signal)
{
    signal(SIGPIPE, SIG_DFL);
    close(channel->near);
    assert_false(dialogue_write(channel->far, "approved"));
    channel->near = dup(channel->far);
}

TEST_OVER_PIPE(writing_to_a_closed_pipe_fails)
{
    signal(SIGPIPE, SIG_IGN); /* as the check program does */
    close(channel->near);
    assert_false(dialogue_write(channel->far, "approved"));
    channel->near = dup(channel->far);
    signal(SIGPIPE, SIG_DFL);
}

static void drain(void)
{
    char bytes[4096];

    while (recv(tick_descriptor, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

TEST_OVER_SOCKET(signals_do_not_tear_a_line_that_has_to_wait)
{
    char line[DIALOGUE_LINE_SIZE];
    bool written;

    memset(line, 'x', DIALOGUE_LINE_MAX);
    line[DIALOGUE_LINE_MAX] = '\0';
    while (send(channel->far, line, sizeof line, MSG_DONTWAIT) > 0)
        ;

    start_ticks(channel->near, drain, every_tick);
    written = dialogue_write(channel->far, line);
    stop_ticks();
    assert_true(written);
    assert_in_range(ticks, 10, 1000);
    line[DIALOGUE_LINE_MAX] = '\n';
    assert_arrives(channel->near, line, DIALOGUE_LINE_MAX + 1);
}

TEST(the_clock_goes_on)
{
    int64_t before_ms = clock_ms();

    usleep(20 * 1000);
    assert_in_range(clock_ms() - before_ms, 19, SLACK_MS);
}
