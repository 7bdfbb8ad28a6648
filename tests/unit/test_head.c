/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Which heads of replies are sound, and which are none. */
#include "unit.h"

#include <stdlib.h>

#include "twilio/head.h"

#define OK "HTTP/1.1 200 OK\r\n"

/* Takes TEXT line by line. NULL: all of them are sound. */
static const char *take_all(struct head *head, const char *text, size_t size)
{
    const char *why_not = NULL;

    head_begin(head);
    while (size > 0 && why_not == NULL) {
        const char *end = memchr(text, '\n', size);
        size_t length = end != NULL ? (size_t)(end - text) + 1 : size;
        char *line = malloc(length); /* with nothing behind it */
        assert_non_null(line);
        memcpy(line, text, length);
        why_not = head_take(head, line, length);
        free(line);
        text += length;
        size -= length;
    }
    return why_not;
}

#define assert_sound(text)                                                                         \
    do {                                                                                           \
        struct head head;                                                                          \
        const char *why_not = take_all(&head, text, sizeof text - 1);                              \
        if (why_not != NULL)                                                                       \
            fail_msg("%s: %s", text, why_not);                                                     \
    } while (0)

#define assert_none(text, reason)                                                                  \
    do {                                                                                           \
        struct head head;                                                                          \
        const char *why_not = take_all(&head, text, sizeof text - 1);                              \
        if (why_not == NULL)                                                                       \
            fail_msg("%s is taken", text);                                                         \
        assert_string_equal(why_not, reason);                                                      \
    } while (0)

TEST(takes_what_servers_send)
{
    assert_sound(OK "Content-Length: 2\r\n\r\n");
    assert_sound(OK "content-length:2\r\nConnection: keep-alive\r\n\r\n");
    assert_sound(OK "Content-Length:\t 0002 \t\r\n\r\n");
    assert_sound(OK "Content-Length: 999999999\r\n\r\n");
    assert_sound(OK "Transfer-Encoding: Chunked\r\n\r\n");
    assert_sound(OK "Transfer-Encoding: chunked\r\n\r\nX-Trailer: 1\r\n\r\n");
    assert_sound(OK "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n\r\n");
    assert_sound(OK "Connection: close\r\n\r\n");
    assert_sound(OK "\r\n");
    assert_sound("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n");
    assert_sound("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n");
    assert_sound("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n");
    assert_sound("HTTP/1.1 429 Trop de requ\xc3\xaates\r\nContent-Length: 2\r\n\r\n");
    assert_sound("HTTP/1.1 999 ?\r\nContent-Length: 2\r\n\r\n");
    assert_sound("HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
    assert_sound("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
    assert_sound("HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\n\r\n");
    assert_sound("HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" OK "Content-Length: 2\r\n\r\n");
    assert_sound(OK "X-Empty:\r\nX: a\tb \xff: c\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n");
}

TEST(refuses_two_lengths)
{
    assert_none(OK "Content-Length: 5\r\nContent-Length: 6\r\n", "two Content-Length fields");
    assert_none(OK "Content-Length: 5\r\nX: y\r\ncontent-length: 5\r\n",
                "two Content-Length fields");
    assert_none(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                "Content-Length beside Transfer-Encoding");
    assert_none(OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                "Content-Length beside Transfer-Encoding");
    assert_none(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "two Transfer-Encoding fields");
}

TEST(refuses_a_malformed_length)
{
    static const char *const values[] = { "",      "5, 5", "5, 6",       "5,6",
                                          "+5",    "-5",   "0x5",        "5 5",
                                          "5.0",   "5\v",  "1000000000", "5;",
                                          "\"5\"", "five", "5 ,",        "\xef\xbc\x95" };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char line[64];
        struct head head;
        snprintf(line, sizeof line, OK "Content-Length: %s\r\n", values[i]);
        if (take_all(&head, line, strlen(line)) == NULL)
            fail_msg("the length \"%s\" is taken", values[i]);
    }
}

TEST(refuses_a_coding_that_nobody_asked_for)
{
    static const char *const values[] = {
        "",         "gzip",        "gzip, chunked", "chunked, gzip",    "identity",
        "chunked,", "chunked;x=1", "xchunked",      "chunked, chunked", "\"chunked\""
    };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char line[64];
        struct head head;
        snprintf(line, sizeof line, OK "Transfer-Encoding: %s\r\n", values[i]);
        assert_string_equal(take_all(&head, line, strlen(line)), "unknown Transfer-Encoding");
    }
    assert_none("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n",
                "unexpected Transfer-Encoding");
    assert_none("HTTP/1.1 204 None\r\nTransfer-Encoding: chunked\r\n",
                "unexpected Transfer-Encoding");
}

TEST(refuses_a_length_where_none_may_be)
{
    assert_none("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n", "unexpected length");
    assert_none("HTTP/1.1 103 Early\r\nTransfer-Encoding: chunked\r\n", "unexpected length");
    assert_none(OK "Transfer-Encoding: chunked\r\n\r\nContent-Length: 5\r\n", "unexpected length");
    assert_none(OK "Transfer-Encoding: chunked\r\n\r\nTransfer-Encoding: chunked\r\n",
                "unexpected length");
    assert_none(OK "Content-Length: 5\r\n\r\nX: y\r\n", "field after the head");
}

TEST(refuses_a_connection_that_stays_without_a_length)
{
    static const char *const values[] = { "keep-alive", "Keep-Alive", "close, keep-alive",
                                          "x,\tkeep-alive ,y" };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char line[96];
        struct head head;
        snprintf(line, sizeof line, OK "Connection: %s\r\n\r\n", values[i]);
        assert_string_equal(take_all(&head, line, strlen(line)),
                            "no length on a connection that is kept open");
    }
    assert_sound(OK "Connection: keep-alive-not\r\n\r\n");
    assert_sound(OK "X: keep-alive\r\n\r\n");
}

TEST(refuses_a_field_that_two_readers_could_read_differently)
{
    assert_none(OK "Content-Length : 5\r\n", "malformed field name");
    assert_none(OK "Content Length: 5\r\n", "malformed field name");
    assert_none(OK ": 5\r\n", "malformed field name");
    assert_none(OK "Content-Length\r\n", "malformed field name");
    assert_none(OK "Content-Length\0: 5\r\n", "malformed field name");
    assert_none(OK "Content-L\xc3\xa4nge: 5\r\n", "malformed field name");
    assert_none(OK "\x01: 5\r\n", "malformed field name");
    assert_none(OK " Content-Length: 5\r\n", "folded field");
    assert_none(OK "X: a\r\n\tb\r\n", "folded field");
    assert_none(OK "X: a\r\n \r\n", "folded field");
    assert_none(OK "X: a\rContent-Length: 5\r\n", "control byte in a field");
    assert_none(OK "X: a\0b\r\n", "control byte in a field");
    assert_none(OK "X: a\x1b[2J\r\n", "control byte in a field");
    assert_none(OK "X: a\x7f\r\n", "control byte in a field");
    assert_none(OK "X: a\n", "line does not end with CR LF");
    assert_none(OK "X: a", "line does not end with CR LF");
    assert_none(OK "\n", "line does not end with CR LF");
    assert_none("HTTP/1.1 200 OK\n", "line does not end with CR LF");
}

TEST(refuses_a_malformed_status_line)
{
    static const char *const lines[] = { "",
                                         "HTTP/1.1",
                                         "HTTP/1.1 20",
                                         "HTTP/1.1 2000",
                                         "HTTP/1.1  200 OK",
                                         "HTTP/2 200",
                                         "HTTP/1.2 200",
                                         "HTTP/0.9 200 OK",
                                         "http/1.1 200 OK",
                                         "HTTP/1.1\t200 OK",
                                         "HTTP/11 200",
                                         "HTTP/1.1 x00 OK",
                                         "HTTP/1.1 2x0 OK",
                                         "HTTP/1.1 099 OK",
                                         "HTTP/1.1 20x OK",
                                         "HTTP/1.1 200\tOK",
                                         "ICY 200 OK",
                                         " HTTP/1.1 200 OK",
                                         "HTTP/1.1 200 O\rK",
                                         "{\"status\": \"approved\"}" };

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        char line[64];
        struct head head;
        snprintf(line, sizeof line, "%s\r\n", lines[i]);
        assert_string_equal(take_all(&head, line, strlen(line)), "malformed status line");
    }
    assert_none("HTTP/1.1 101 Switching\r\n", "unexpected change of protocol");
}

TEST(interim_replies_and_heads_come_to_an_end)
{
    struct head head;
    static const char interim[] = "HTTP/1.1 100 Continue\r\n";
    char long_one[1000] = "X-Long: ";
    size_t taken = 0;

    head_begin(&head);
    for (int i = 0; i < HEAD_INTERIM_MAX; i++) {
        assert_null(head_take(&head, interim, sizeof interim - 1));
        assert_null(head_take(&head, "\r\n", 2));
    }
    assert_string_equal(head_take(&head, interim, sizeof interim - 1), "too many interim replies");

    memset(long_one + 8, 'a', sizeof long_one - 10);
    memcpy(long_one + sizeof long_one - 2, "\r\n", 2);
    head_begin(&head);
    assert_null(head_take(&head, OK, sizeof OK - 1));
    while (head_take(&head, long_one, sizeof long_one) == NULL)
        taken += sizeof long_one;
    assert_in_range(taken, HEAD_SIZE_MAX - 2 * sizeof long_one, HEAD_SIZE_MAX);
}

TEST(keeps_what_the_log_and_the_doctor_need)
{
    struct head head;
    static const char longest[] =
        OK "Twilio-Request-Id: RQ0123456789abcdef0123456789abcdef\r\n"
           "Date: 012345678901234567890123456789012345678901234567890123456789012\r\n"
           "X: 1\r\n";
    static const char too_long[] =
        OK "Twilio-Request-Id: RQ0123456789abcdef0123456789abcdef0\r\n"
           "Date: 0123456789012345678901234567890123456789012345678901234567890123\r\n"
           "Twilio-Request-Id: [RQ\r\n";
    static const char fields[] = OK "Twilio-Request-Id:\t RQ0 \r\nTwilio-Request-Id: RQ[2J\r\n"
                                    "Twilio-Request-Id: \r\nTwilio-Request-Id-X: RQ1\r\n"
                                    "twilio-request-id: 0123456789012345678901234567890123456\r\n"
                                    "Date: Wed, 25 Nov 2026 12:00:00 GMT\r\n"
                                    "Date: 0123456789012345678901234567890123456789"
                                    "0123456789012345678901234567890123456789\r\n";

    memset(&head, 'x', sizeof head);
    head_begin(&head);
    assert_string_equal(head.request_id, "-");
    assert_string_equal(head.date, "");
    assert_null(take_all(&head, longest, sizeof longest - 1));
    assert_int_equal(strlen(head.request_id), HEAD_REQUEST_ID_SIZE - 1);
    assert_int_equal(strlen(head.date), HEAD_DATE_SIZE - 1);
    assert_null(take_all(&head, too_long, sizeof too_long - 1));
    assert_string_equal(head.request_id, "-");
    assert_string_equal(head.date, "");
    assert_null(take_all(&head, fields, sizeof fields - 1));
    assert_string_equal(head.request_id, "RQ0");
    assert_string_equal(head.date, "Wed, 25 Nov 2026 12:00:00 GMT");
}
