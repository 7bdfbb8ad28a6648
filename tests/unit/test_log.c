/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines of a login: whatever the names are, each stays one line that a program can read. */
#include "unit.h"

#include "core/dialogue.h"
#include "core/log.h"

static const struct log_entry plain = {
    .user = "alice",
    .service = "sshd",
    .rhost = "192.0.2.7",
    .tty = "ssh",
    .outcome = "denied",
    .reason = "no valid code in 3 attempts",
    .spent_ms = 217,
};

static void assert_line(const struct log_entry *entry, const char *expected)
{
    char line[LOG_LINE_SIZE];

    log_print(entry, line);
    assert_string_equal(line, expected);
}

TEST(a_login_is_one_line)
{
    assert_line(&plain, "user=alice service=sshd rhost=192.0.2.7 tty=ssh outcome=denied "
                        "reason=\"no valid code in 3 attempts\" ms=217");
}

TEST(the_caller_is_logged_if_the_host_names_him)
{
    struct log_entry entry = plain;

    entry.service = "su";
    entry.rhost = "";
    entry.tty = "pts/0";
    entry.ruser = "bob";
    assert_line(&entry, "user=alice service=su rhost=- tty=pts/0 ruser=bob outcome=denied "
                        "reason=\"no valid code in 3 attempts\" ms=217");
}

TEST(what_happens_before_the_end_has_the_same_keys_and_no_outcome)
{
    struct log_entry entry = plain;

    entry.outcome = NULL;
    entry.reason = "wrong code 2 of 3; challenge=YC1";
    assert_line(&entry, "user=alice service=sshd rhost=192.0.2.7 tty=ssh "
                        "reason=\"wrong code 2 of 3; challenge=YC1\"");
}

TEST(what_is_empty_is_a_dash_and_what_is_unknown_is_left_out)
{
    struct log_entry entry = plain;

    entry.rhost = entry.tty = entry.reason = "";
    entry.spent_ms = INT64_MAX;
    assert_line(&entry, "user=alice service=sshd rhost=- tty=- outcome=denied reason=\"\" "
                        "ms=9223372036854775807");
    entry.rhost = entry.tty = NULL;
    assert_line(&entry, "user=alice service=sshd outcome=denied reason=\"\" "
                        "ms=9223372036854775807");
}

TEST(no_name_can_forge_a_field)
{
    struct log_entry entry = plain;

    entry.user = "x outcome=approved";
    entry.service = "a\"b";
    entry.rhost = "evil\\x20\nuser=root";
    entry.tty = "pts/0 outcome=approved";
    entry.ruser = "=\"";
    entry.reason = "a\" outcome=approved reason=\"\\";
    assert_line(&entry, "user=x\\x20outcome=approved service=a\\x22b "
                        "rhost=evil\\x5cx20\\x0auser=root tty=pts/0\\x20outcome=approved "
                        "ruser==\\x22 outcome=denied "
                        "reason=\"a\\x22 outcome=approved reason=\\x22\\x5c\" ms=217");
}

TEST(a_name_is_never_a_format)
{
    struct log_entry entry = plain;

    entry.user = entry.reason = "%s%n%1000000d";
    assert_line(&entry, "user=%s%n%1000000d service=sshd rhost=192.0.2.7 tty=ssh "
                        "outcome=denied reason=\"%s%n%1000000d\" ms=217");
}

TEST(the_longest_name_that_is_looked_up_is_logged_whole)
{
    struct log_entry entry = plain;
    char user[DIALOGUE_NAME_MAX + 1], line[LOG_LINE_SIZE];

    memset(user, 'a', DIALOGUE_NAME_MAX);
    user[DIALOGUE_NAME_MAX] = '\0';
    entry.user = user;
    log_print(&entry, line);
    assert_non_null(strstr(line, user));
    assert_null(strstr(line, "..."));
}

TEST(the_longest_reason_is_logged_whole)
{
    struct log_entry entry = plain;
    char reason[VERDICT_REASON_SIZE], line[LOG_LINE_SIZE];

    memset(reason, 'a', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    entry.reason = reason;
    log_print(&entry, line);
    assert_non_null(strstr(line, reason));
}

TEST(the_longest_values_leave_room_for_the_outcome_and_the_time)
{
    static char longest[100000];
    const struct log_entry entry = {
        .user = longest,
        .service = longest,
        .rhost = longest,
        .tty = longest,
        .ruser = longest,
        .outcome = "not-required",
        .reason = longest,
        .spent_ms = INT64_MIN,
    };
    char line[LOG_LINE_SIZE];

    memset(longest, '\xff', sizeof longest - 1);
    log_print(&entry, line);
    assert_non_null(strstr(line, " outcome=not-required reason=\""));
    assert_non_null(strstr(line, "...\" ms=0"));
}
