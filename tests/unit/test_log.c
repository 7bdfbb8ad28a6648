/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines of a login: whatever the names are, each stays one line that a program can read. */
#include "unit.h"

#include <stdlib.h>
#include <syslog.h>

#include "core/dialogue.h"
#include "module/log.h"

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

TEST(who_calls_stands_where_the_host_says_it)
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

TEST(all_but_printable_ascii_is_escaped)
{
    for (unsigned byte = 1; byte <= 255; byte++) {
        const char text[] = { 'a', (char)byte, 'z', '\0' };
        char out[20], expected[20];
        bool is_plain = byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';

        if (is_plain)
            snprintf(expected, sizeof expected, "a%cz", byte);
        else
            snprintf(expected, sizeof expected, "a\\x%02xz", byte);
        log_escape(text, out, sizeof out);
        assert_string_equal(out, expected);
    }
}

TEST(what_sshd_answers_for_an_unknown_user_is_escaped)
{
    char out[100];

    log_escape("\b\n\r\x7f"
               "INCORRECT",
               out, sizeof out);
    assert_string_equal(out, "\\x08\\x0a\\x0d\\x7fINCORRECT");
}

TEST(a_long_value_is_cut_and_ends_in_three_dots)
{
    static const char *const fillers[] = { "x", "\n", "x\n", "\n\nx" };

    for (size_t i = 0; i < ARRAY_SIZE(fillers); i++)
        for (unsigned size = 8; size <= 64; size++) {
            char text[400] = "";
            char *out = malloc(size); /* a sanitizer watches its end */
            while (strlen(text) < 300)
                strcat(text, fillers[i]);
            log_escape(text, out, size);
            assert_in_range(strlen(out), size - 8 > 3 ? size - 8 : 3, size - 1);
            assert_string_equal(out + strlen(out) - 3, "...");
            free(out);
        }
}

TEST(an_escape_is_never_cut_in_two)
{
    for (unsigned size = 8; size <= 40; size++) {
        char out[40];
        log_escape("\n\n\n\n\n\n\n\n\n\n\n\n", out, size);
        assert_int_equal((strlen(out) - 3) % 4, 0);
    }
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
    assert_non_null(strstr(line, "...\" ms=-9223372036854775808"));
}

TEST(the_level_is_by_who_has_to_read_it)
{
    assert_int_equal(log_level(OUTCOME_APPROVED), LOG_INFO);
    assert_int_equal(log_level(OUTCOME_NOT_REQUIRED), LOG_INFO);
    assert_int_equal(log_level(OUTCOME_DENIED), LOG_NOTICE);
    assert_int_equal(log_level(OUTCOME_EXHAUSTED), LOG_NOTICE);
    assert_int_equal(log_level(OUTCOME_BROKEN), LOG_ERR);
    assert_int_equal(log_level(OUTCOME_UNAVAILABLE), LOG_ERR);
    assert_int_equal(log_level(OUTCOME_MISCONFIGURED), LOG_ERR);
    assert_int_equal(log_level((enum outcome)99), LOG_ERR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_is_one_line),
        cmocka_unit_test(who_calls_stands_where_the_host_says_it),
        cmocka_unit_test(what_happens_before_the_end_has_the_same_keys_and_no_outcome),
        cmocka_unit_test(what_is_empty_is_a_dash_and_what_is_unknown_is_left_out),
        cmocka_unit_test(no_name_can_forge_a_field),
        cmocka_unit_test(a_name_is_never_a_format),
        cmocka_unit_test(all_but_printable_ascii_is_escaped),
        cmocka_unit_test(what_sshd_answers_for_an_unknown_user_is_escaped),
        cmocka_unit_test(a_long_value_is_cut_and_ends_in_three_dots),
        cmocka_unit_test(an_escape_is_never_cut_in_two),
        cmocka_unit_test(the_longest_name_that_is_looked_up_is_logged_whole),
        cmocka_unit_test(the_longest_reason_is_logged_whole),
        cmocka_unit_test(the_longest_values_leave_room_for_the_outcome_and_the_time),
        cmocka_unit_test(the_level_is_by_who_has_to_read_it),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
