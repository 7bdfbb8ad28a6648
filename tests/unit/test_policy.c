/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Who is asked for a second factor, and who is not: by real files in a folder. */
#include "unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "core/policy.h"
#include "folder.h"

#define ALICE "identity = \"0123-4567\"; factor_sid = \"YF0123456789abcdef0123456789abcdef\";\n"

static bool fails_clock;
static time_t stands_at; /* both clocks; 0: they go on */

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (fails_clock)
        return -1;
    if (stands_at == 0)
        return __real_clock_gettime(clock, now);
    *now = (struct timespec){ stands_at, 0 };
    return 0;
}

static struct policy_findings findings;
static struct verdict why_not;

static enum policy find(const char *folder, int unmapped_user, const char *service,
                        const char *user)
{
    char *exempt[] = { (char *)"cron", NULL };
    const struct settings settings = { .users_dir = (char *)folder,
                                       .unmapped_user = unmapped_user,
                                       .exempt_services = exempt };

    policy_free(&findings);
    findings = (struct policy_findings){ 0 };
    why_not = (struct verdict){ 0 };
    return policy_find(&settings, service, user, &findings, &why_not);
}

static enum policy find_strictly(const char *folder, const char *user)
{
    return find(folder, SETTINGS_UNMAPPED_DENY, "sshd", user);
}

static enum policy find_loosely(const char *folder, const char *user)
{
    return find(folder, SETTINGS_UNMAPPED_IGNORE, "sshd", user);
}

/* A bypass that began AGO seconds before now, for SECONDS. */
static void write_bypass(const char *folder, const char *name, int64_t ago, int64_t seconds)
{
    struct bypass_moment now;
    char text[512];

    assert_true(bypass_now(&now));
    snprintf(text, sizeof text,
             "made = \"%" PRId64 "\"; boottime = \"%" PRId64 "\"; boot_id = \"%s\"; "
             "until = \"%" PRId64 "\"; reason = \"a lost phone\";\n",
             now.time_s - ago, now.boottime_s > ago ? now.boottime_s - ago : 0, now.boot_id,
             now.time_s - ago + seconds);
    folder_write(folder, name, text, 0640);
}

static int setup(void **state)
{
    if (folder_setup(state) != 0)
        return -1;
    folder_write(*state, "alice.conf", ALICE, 0640);
    return 0;
}

static int teardown(void **state)
{
    policy_free(&findings);
    fails_clock = false;
    stands_at = 0;
    return folder_teardown(state);
}

TEST(who_is_enrolled_is_asked)
{
    assert_int_equal(find_strictly(*state, "alice"), POLICY_ENROLLED);
    assert_string_equal(findings.enrollment->identity, "0123-4567");
    assert_int_equal(find_loosely(*state, "alice"), POLICY_ENROLLED);
    assert_null(findings.bypass);
    assert_string_equal(findings.no_bypass.reason, "");
}

TEST(a_service_that_is_exempt_is_so_before_any_file_is_read)
{
    assert_int_equal(find("/nonexistent", SETTINGS_UNMAPPED_DENY, "cron", "alice"), POLICY_EXEMPT);
    assert_int_equal(find(*state, SETTINGS_UNMAPPED_DENY, "cro", "alice"), POLICY_ENROLLED);
}

TEST(an_account_that_is_not_enrolled_is_ignored_only_where_the_settings_say_so)
{
    assert_int_equal(find_strictly(*state, "root"), POLICY_DENIED);
    assert_int_equal(find_loosely(*state, "root"), POLICY_IGNORED);
    assert_null(findings.enrollment);
}

TEST(who_is_no_account_is_denied_whatever_the_settings_say)
{
    static const char *const names[] = { "nobody-of-this-name", "", "..", "a/b", "alice\n" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(find_strictly(*state, names[i]), POLICY_DENIED);
        assert_int_equal(find_loosely(*state, names[i]), POLICY_DENIED);
    }
}

TEST(a_file_that_cannot_be_trusted_refuses)
{
    folder_write(*state, "alice.conf", ALICE, 0666);
    assert_int_equal(find_loosely(*state, "alice"), POLICY_REFUSED);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "alice.conf");
    assert_int_equal(find_loosely("/nonexistent", "root"), POLICY_REFUSED);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "/nonexistent");
}

TEST(a_bypass_counts_until_it_ends)
{
    write_bypass(*state, "alice.bypass", 10, 600);
    assert_int_equal(find_strictly(*state, "alice"), POLICY_BYPASSED);
    assert_in_range(findings.bypass_left_s, 500, 590);
    assert_non_null(findings.enrollment);
    assert_string_equal(findings.bypass->reason, "a lost phone");

    write_bypass(*state, "alice.bypass", 600, 600);
    assert_int_equal(find_loosely(*state, "alice"), POLICY_ENROLLED);
    assert_refused(&findings.no_bypass, OUTCOME_DENIED, "has ended");
    assert_int_equal(findings.bypass_left_s, 0);
}

TEST(a_bypass_counts_in_its_last_second)
{
    stands_at = 1000000;
    write_bypass(*state, "alice.bypass", 599, 600);
    assert_int_equal(find_strictly(*state, "alice"), POLICY_BYPASSED);
    assert_int_equal(findings.bypass_left_s, 1);
    stands_at++;
    assert_int_equal(find_strictly(*state, "alice"), POLICY_ENROLLED);
}

TEST(a_bypass_that_has_ended_leaves_nothing)
{
    const struct bypass bypass = { .made = { 1000, 500, "a" }, .until_s = 1600 };
    static const struct {
        struct bypass_moment now;
        int64_t left_s;
    } rows[] = {
        { { 1000, 500, "a" }, 600 }, { { 1599, 1099, "a" }, 1 }, { { 1600, 1100, "a" }, 0 },
        { { 1700, 600, "a" }, 0 },  /* by the wall clock alone */
        { { 1100, 1200, "a" }, 0 }, /* by the other alone */
        { { 1100, 650, "a" }, 450 }, { { 999, 500, "a" }, 0 },   { { 1100, 499, "a" }, 0 },
        { { 1100, 50, "b" }, 500 },  { { 1100, 550, "b" }, 50 }, { { 1100, 601, "b" }, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(bypass_left(&bypass, &rows[i].now), rows[i].left_s);
}

TEST(frees_what_it_found)
{
    write_bypass(*state, "alice.bypass", 10, 600);
    assert_int_equal(find_strictly(*state, "alice"), POLICY_BYPASSED);
    policy_free(&findings);
    assert_null(findings.enrollment);
    assert_null(findings.bypass);
}

TEST(a_bypass_of_an_account_without_an_enrollment_counts)
{
    write_bypass(*state, "root.bypass", 10, 600);
    assert_int_equal(find_strictly(*state, "root"), POLICY_BYPASSED);
    write_bypass(*state, "root.bypass", 600, 600);
    assert_int_equal(find_strictly(*state, "root"), POLICY_DENIED);
}

TEST(a_bypass_is_nobody_else_s)
{
    write_bypass(*state, "nobody-of-this-name.bypass", 10, 600);
    assert_int_equal(find_loosely(*state, "nobody-of-this-name"), POLICY_DENIED);
    assert_int_equal(find_loosely(*state, "alice"), POLICY_ENROLLED);
}

TEST(a_bypass_that_cannot_be_trusted_or_judged_counts_for_nothing)
{
    folder_write(*state, "alice.bypass", "until = \"99999999999\";\n", 0640);
    assert_int_equal(find_strictly(*state, "alice"), POLICY_ENROLLED);
    assert_refused(&findings.no_bypass, OUTCOME_MISCONFIGURED, "alice.bypass");

    write_bypass(*state, "alice.bypass", 10, 600);
    assert_int_equal(chmod(folder_path(*state, "alice.bypass"), 0660), 0);
    assert_int_equal(find_strictly(*state, "alice"), POLICY_ENROLLED);
    assert_refused(&findings.no_bypass, OUTCOME_MISCONFIGURED, "writable by others");

    assert_int_equal(chmod(folder_path(*state, "alice.bypass"), 0640), 0);
    fails_clock = true;
    assert_int_equal(find_strictly(*state, "alice"), POLICY_ENROLLED);
    assert_refused(&findings.no_bypass, OUTCOME_MISCONFIGURED, "clocks can't be read");
    assert_int_equal(findings.bypass_left_s, 0);
}

int main(void)
{
#define in_folder(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        in_folder(who_is_enrolled_is_asked),
        in_folder(a_service_that_is_exempt_is_so_before_any_file_is_read),
        in_folder(an_account_that_is_not_enrolled_is_ignored_only_where_the_settings_say_so),
        in_folder(who_is_no_account_is_denied_whatever_the_settings_say),
        in_folder(a_file_that_cannot_be_trusted_refuses),
        in_folder(a_bypass_counts_until_it_ends),
        in_folder(a_bypass_counts_in_its_last_second),
        cmocka_unit_test(a_bypass_that_has_ended_leaves_nothing),
        in_folder(frees_what_it_found),
        in_folder(a_bypass_of_an_account_without_an_enrollment_counts),
        in_folder(a_bypass_is_nobody_else_s),
        in_folder(a_bypass_that_cannot_be_trusted_or_judged_counts_for_nothing),
    };

    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
