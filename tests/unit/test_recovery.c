/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Recovery codes and bypasses: their form, their files, when they count. */
#include "unit.h"

#include <stdlib.h>

#include "core/bypass.h"
#include "core/recovery.h"

#define SALT "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/"
#define HASH "VRU6v2F6aC9E3zHi6bgUwIUKzfxzDYq8deAntZ79YDA" /* by mkpasswd -m yescrypt */
#define CODE "bcdfghjklmnp"
#define SET  "set = \"0123456789abcdef0123456789abcdef\"; state = \"7:8.9\"; "

/* Form */

TEST(a_recovery_code_may_be_typed_in_many_ways)
{
    static const char *const texts[] = { "bcdfghjkmnpq", "BCDF-GHJK-MNPQ", "bcdf ghjk mnpq",
                                         "  b-c-d-fghjkmnp q-" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char code[RECOVERY_CODE_SIZE] = "";
        assert_true(recovery_read_code(texts[i], code));
        assert_string_equal(code, "bcdfghjkmnpq");
    }
}

TEST(what_is_no_recovery_code_changes_nothing)
{
    static const char *const texts[] = {
        "",
        "bcdfghjkmnp",
        "bcdfghjkmnpqr",
        "bcdfghjkmnpa",
        "bcdfghjkmnp1",
        "------------",
        "bcdf_ghjk_mnpq",
        "bcdfghjkmnpq\t",
        "bcdfghjkmnp\xc3\xa9",
        "123456",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char code[RECOVERY_CODE_SIZE] = "unchanged";
        assert_false(recovery_read_code(texts[i], code));
        assert_string_equal(code, "unchanged");
    }
}

/* The file */

static struct recovery *parse(const char *text)
{
    struct recovery *recovery = NULL;
    struct verdict why_not = { 0 };

    if (!recovery_parse(text, "SHOWN", &recovery, &why_not))
        fail_msg("%s", why_not.reason);
    return recovery;
}

TEST(a_code_is_found_among_the_hashes)
{
    struct recovery *recovery =
        parse(SET "salt = \"" SALT "\"; hashes = ( \"other\", \"" HASH "\", \"third\" );");

    assert_int_equal(recovery_count(recovery), 3);
    assert_int_equal(recovery_match(recovery, CODE), 1);
    assert_int_equal(recovery_match(recovery, "bcdfghjkmnpq"), RECOVERY_NO_MATCH);
    assert_int_equal(recovery_match(NULL, CODE), RECOVERY_NO_MATCH);
    recovery_free(&recovery);
    assert_null(recovery);
}

TEST(a_salt_that_crypt_refuses_matches_nothing)
{
    struct recovery *recovery = parse(SET "salt = \"$y$\"; hashes = ( \"\x2a\", \"" HASH "\" );");

    assert_int_equal(recovery_match(recovery, CODE), RECOVERY_NOT_HASHED);
    recovery_free(&recovery);
}

TEST(a_new_salt_makes_hashes_that_match)
{
    char salt[RECOVERY_SALT_SIZE], other[RECOVERY_SALT_SIZE], hash[RECOVERY_HASH_SIZE], text[600];
    struct recovery *recovery;

    assert_true(recovery_make_salt(salt));
    assert_true(recovery_make_salt(other));
    assert_string_not_equal(salt, other);
    assert_true(recovery_hash(CODE, salt, hash));
    assert_null(strchr(hash, '$'));
    snprintf(text, sizeof text, SET "salt = \"%s\"; hashes = ( \"%s\" );", salt, hash);
    recovery = parse(text);
    assert_int_equal(recovery_match(recovery, CODE), 0);
    recovery_free(&recovery);
}

TEST(a_file_of_recovery_codes_is_strict)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        { "", "set is missing" },
        { SET "salt = \"" SALT "\";", "must hold 1 to 20 hashes" },
        { SET "salt = \"" SALT "\"; hashes = ( );", "must hold 1 to 20 hashes" },
        { SET "salt = \"" SALT "\"; hashes = ( \"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
              "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\" );",
          "must hold 1 to 20 hashes" },
        { SET "salt = \"" SALT "\"; hashes = ( \"\" );", "must be a list of hashes" },
        { SET "salt = \"$6$abc\"; hashes = ( \"a\" );", "must be a salt of yescrypt" },
        { "set = \"0123\"; state = \"7:8.9\";", "must be 32 hexadecimal digits" },
        { "set = \"0123456789ABCDEF0123456789abcdef\";", "must be 32 hexadecimal digits" },
        { SET "codes = 1;", "codes is no known key" },
        { SET "@include \"x\"", "syntax" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct recovery *recovery = NULL;
        struct verdict why_not = { 0 };
        assert_false(recovery_parse(rows[i].text, "SHOWN", &recovery, &why_not));
        assert_refused(&why_not, OUTCOME_MISCONFIGURED, rows[i].problem);
        assert_null(recovery);
    }
}

/* Bypasses */

#define MADE "made = \"1800000000\"; boottime = \"5000\"; boot_id = \"a-1\"; "

enum { AT = 1800000000, UP = 5000, SPAN = 7200 };

static int64_t left(int64_t time_s, int64_t boottime_s, const char *boot_id)
{
    struct bypass bypass = { .made = { AT, UP, "a-1" }, .until_s = AT + SPAN };
    struct bypass_moment now = { time_s, boottime_s, "" };

    strcpy(now.boot_id, boot_id);
    return bypass_left(&bypass, &now);
}

TEST(a_bypass_counts_until_its_time)
{
    assert_int_equal(left(AT, UP, "a-1"), SPAN);
    assert_int_equal(left(AT + 100, UP + 100, "a-1"), SPAN - 100);
    assert_int_equal(left(AT + SPAN - 1, UP + SPAN - 1, "a-1"), 1);
    assert_int_equal(left(AT + SPAN, UP + SPAN, "a-1"), 0);
}

TEST(a_clock_that_is_set_does_not_extend_it)
{
    assert_int_equal(left(AT, UP + SPAN, "a-1"), 0);
    assert_int_equal(left(AT + 1, UP + SPAN - 10, "a-1"), 10);
    assert_int_equal(left(AT - 1, UP + 100, "a-1"), 0);
    assert_int_equal(left(AT + SPAN, UP + 1, "a-1"), 0);
    assert_int_equal(left(AT + 100, UP - 1, "a-1"), 0);
}

TEST(after_another_boot_the_machine_must_not_be_up_for_longer)
{
    assert_int_equal(left(AT + 100, 10, "b-2"), SPAN - 100);
    assert_int_equal(left(AT + 100, SPAN - 1, "b-2"), 1);
    assert_int_equal(left(AT + 100, SPAN, "b-2"), 0);
    assert_int_equal(left(AT - 1, 10, "b-2"), 0);
    assert_int_equal(left(AT + SPAN, 10, "b-2"), 0);
}

TEST(now_is_told_by_every_clock)
{
    struct bypass_moment now;

    assert_true(bypass_now(&now));
    assert_true(now.time_s > AT - 100000000);
    assert_true(now.boottime_s > 0);
    assert_int_equal(strlen(now.boot_id), BYPASS_BOOT_ID_SIZE - 1);
}

TEST(a_file_of_a_bypass_is_read_whole)
{
    struct bypass *bypass = NULL;
    struct verdict why_not;

    assert_true(bypass_parse(MADE "until = \"1800086400\"; reason = \"lost\";", "SHOWN", &bypass,
                             &why_not));
    assert_int_equal(bypass->made.time_s, AT);
    assert_int_equal(bypass->made.boottime_s, UP);
    assert_string_equal(bypass->made.boot_id, "a-1");
    assert_int_equal(bypass->until_s, AT + BYPASS_SECONDS_MAX);
    assert_string_equal(bypass->reason, "lost");
    bypass_free(&bypass);
    assert_null(bypass);
}

TEST(a_file_of_a_bypass_is_strict)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        { "", "made is missing" },
        { MADE "until = \"1800000001\";", "reason is missing" },
        { MADE "until = \"1800000001\"; reason = \"\";", "must be a text of 1 to 200 bytes" },
        { MADE "until = \"1800086401\"; reason = \"x\";", "by 24 hours at most" },
        { MADE "until = \"1800000000\"; reason = \"x\";", "until must be after made" },
        { MADE "until = \"1\"; reason = \"x\";", "until must be after made" },
        { MADE "until = 1800000001; reason = \"x\";", "no number may have more" },
        { MADE "until = \"-1\"; reason = \"x\";", "must be a number of seconds" },
        { MADE "until = \"1e9\"; reason = \"x\";", "must be a number of seconds" },
        { MADE "until = \"9999999999999\"; reason = \"x\";", "must be a number of seconds" },
        { "made = \"1\"; boottime = \"1\"; boot_id = \"X\";", "must be as in /proc" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bypass *bypass = NULL;
        struct verdict why_not = { 0 };
        assert_false(bypass_parse(rows[i].text, "SHOWN", &bypass, &why_not));
        assert_refused(&why_not, OUTCOME_MISCONFIGURED, rows[i].problem);
        assert_null(bypass);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recovery_code_may_be_typed_in_many_ways),
        cmocka_unit_test(what_is_no_recovery_code_changes_nothing),
        cmocka_unit_test(a_code_is_found_among_the_hashes),
        cmocka_unit_test(a_salt_that_crypt_refuses_matches_nothing),
        cmocka_unit_test(a_new_salt_makes_hashes_that_match),
        cmocka_unit_test(a_file_of_recovery_codes_is_strict),
        cmocka_unit_test(a_bypass_counts_until_its_time),
        cmocka_unit_test(a_clock_that_is_set_does_not_extend_it),
        cmocka_unit_test(after_another_boot_the_machine_must_not_be_up_for_longer),
        cmocka_unit_test(now_is_told_by_every_clock),
        cmocka_unit_test(a_file_of_a_bypass_is_read_whole),
        cmocka_unit_test(a_file_of_a_bypass_is_strict),
    };

    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
