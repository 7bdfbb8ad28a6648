/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Bypasses: their file, whom it can be trusted from, and when they count. */
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/bypass.h"
#include "directory.h"

#define ID    "e2e8a73e-39a5-468b-95c2-2c22088de88d"
#define OTHER "e2e8a73e-39a5-468b-95c2-2c22088de88e"
#define ALICE "boot_id = \"" ID "\"; until = 5000; reason = \"lost\";\n"

enum { UNTIL = 5000, DAY = 24 * 60 * 60 };

/* This boot */

TEST(the_kernel_says_which_boot_this_is_and_how_old)
{
    struct timespec clock;
    struct boot_moment now;

    assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &clock), 0);
    assert_true(boot_now(&now));
    assert_in_range(now.seconds, clock.tv_sec, clock.tv_sec + 1);
    assert_true(boot_is_id(now.id));
}

TEST(an_id_is_36_hexadecimal_digits_and_dashes)
{
    static const char *const others[] = { "",
                                          "a",
                                          ID "0",
                                          "E" ID,
                                          ID " ",
                                          "e2e8a73e-39a5-468b-95c2-2c22088de88",
                                          "E2e8a73e-39a5-468b-95c2-2c22088de88d" };

    assert_true(boot_is_id(ID));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(boot_is_id(others[i]));
}

/* When it counts */

/* How many seconds are left; 0: it does not count, and PART tells why. */
static int left(const char *id, int64_t seconds, const char *part)
{
    const struct bypass bypass = { (char *)ID, UNTIL, (char *)"lost" };
    struct boot_moment now = { .seconds = seconds };
    struct verdict why_not = { 0 };
    int seconds_left = -1;

    strcpy(now.id, id);
    if (bypass_counts(&bypass, &now, &seconds_left, &why_not))
        return seconds_left;
    assert_int_equal(seconds_left, -1);
    assert_refused(&why_not, OUTCOME_DENIED, part);
    return 0;
}

TEST(it_counts_until_its_time)
{
    assert_int_equal(left(ID, UNTIL - 100, ""), 100);
    assert_int_equal(left(ID, UNTIL - 1, ""), 1);
    assert_int_equal(left(ID, UNTIL, "the bypass has ended"), 0);
    assert_int_equal(left(ID, UNTIL + 1000000, "the bypass has ended"), 0);
}

TEST(it_ends_with_the_boot_whatever_the_clock_says)
{
    assert_int_equal(left(OTHER, UNTIL - 100, "this host was restarted since"), 0);
    assert_int_equal(left(OTHER, 1, "this host was restarted since"), 0);
    assert_int_equal(left(OTHER, UNTIL + 1, "this host was restarted since"), 0);
}

TEST(it_is_for_a_day_at_most)
{
    assert_int_equal(left(ID, UNTIL - DAY, ""), DAY);
    assert_int_equal(left(ID, UNTIL - DAY - 1, "for more than 24 hours"), 0);
    assert_int_equal(left(ID, -1000000000, "for more than 24 hours"), 0);
}

/* The file */

TEST(a_file_is_read_whole)
{
    struct bypass *bypass = NULL;
    struct verdict why_not;

    assert_true(bypass_parse(ALICE, "SHOWN", &bypass, &why_not));
    assert_string_equal(bypass->boot_id, ID);
    assert_int_equal(bypass->until, UNTIL);
    assert_string_equal(bypass->reason, "lost");
    bypass_free(&bypass);
    assert_null(bypass);
    bypass_free(&bypass);
}

TEST(a_file_is_strict)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        { "", "boot_id is missing" },
        { "boot_id = \"" ID "\"; reason = \"x\";", "until is missing" },
        { "boot_id = \"" ID "\"; until = 1;", "reason is missing" },
        { "until = 1; reason = \"x\";", "boot_id is missing" },
        { "boot_id = \"x\"; until = 1; reason = \"x\";", "must be a boot id, as in /proc" },
        { "boot_id = \"" ID "\"; until = 1; reason = \"\";", "must be a text of 1 to 200 bytes" },
        { "until = 0;", "must be a number of seconds" },
        { "until = -1;", "must be a number of seconds" },
        { "until = \"1\";", "must be a number of seconds" },
        { "until = 1.5;", "must be a number of seconds" },
        { "until = 0x10;", "must be a number of seconds" },
        { "until = 1000000000;", "a number has more than 9 digits" },
        { ALICE "made = 1;", "unknown key made" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bypass *bypass = NULL;
        struct verdict why_not = { 0 };
        assert_false(bypass_parse(rows[i].text, "SHOWN", &bypass, &why_not));
        assert_refused(&why_not, OUTCOME_MISCONFIGURED, rows[i].problem);
        assert_null(bypass);
    }
}

/* Where it lies */

static int setup(void **state)
{
    if (directory_setup(state) != 0 || mkdir(directory_path(*state, "bypass"), 0700) != 0)
        return -1;
    directory_write(directory_path(*state, "bypass"), "alice", ALICE, 0600);
    return 0;
}

static void assert_finds(const char *runtime_dir, const char *name)
{
    auto_bypass *bypass = NULL;
    struct verdict why_not = { 0 };

    if (bypass_read(runtime_dir, name, &bypass, &why_not) != TRUSTED_READ)
        fail_msg("%s: %s", name, why_not.reason);
    assert_string_equal(bypass->reason, "lost");
}

static void assert_finds_none(const char *runtime_dir, const char *name)
{
    struct bypass *bypass = NULL;
    struct verdict why_not;

    assert_int_equal(bypass_read(runtime_dir, name, &bypass, &why_not), TRUSTED_ABSENT);
    assert_null(bypass);
}

static void assert_refuses(const char *runtime_dir, const char *name, const char *part)
{
    struct bypass *bypass = NULL;
    struct verdict why_not = { 0 };

    assert_int_equal(bypass_read(runtime_dir, name, &bypass, &why_not), TRUSTED_REFUSED);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, part);
    assert_null(bypass);
}

#define TEST_FINDING(name) TEST_GIVEN(const char *directory, name, setup, directory_teardown)

TEST_FINDING(it_is_found_by_exactly_its_name)
{
    assert_finds(directory, "alice");
    assert_finds_none(directory, "bob");
    assert_finds_none(directory, "Alice");
    assert_finds_none(directory, "alic");
}

TEST_FINDING(without_a_directory_there_is_no_bypass)
{
    assert_finds_none(directory_path(directory, "nowhere"), "alice");
    assert_finds_none(directory_path(directory, "bypass"), "alice");
}

TEST_FINDING(a_directory_that_others_can_write_is_refused)
{
    const char *inner = directory_path(directory, "bypass");
    static const mode_t modes[] = { 0720, 0702, 01777 };

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        assert_int_equal(chmod(inner, modes[i]), 0);
        assert_refuses(directory, "alice", "/bypass is writable by others: chmod go-w");
        assert_refuses(directory, "bob", "/bypass is writable by others: chmod go-w");
        assert_int_equal(chmod(inner, 0700), 0);
        assert_int_equal(chmod(directory, modes[i]), 0);
        assert_refuses(directory, "alice", "is writable by others: chmod go-w");
        assert_int_equal(chmod(directory, 0755), 0);
    }
    assert_finds(directory, "alice");
}

TEST_AS_ROOT(a_host_that_is_not_root_has_no_use_for_roots, setup, directory_teardown)
{
    directory_write(directory, "file", "", 0644);
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(seteuid(12345), 0);
    assert_finds_none(directory, "alice");
    assert_refuses(directory_path(directory, "file"), "alice", "not a directory");
    assert_int_equal(seteuid(0), 0);
}
