/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Who is asked for a second factor, and who is not: by real files in a directory. */
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "core/policy.h"
#include "directory.h"

#define ALICE "identity = \"0123-4567\"; factor_sid = \"YF0123456789abcdef0123456789abcdef\";\n"

static bool fails_clock;
static time_t stands_at; /* the clock; 0: it goes on */

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

static enum policy find(const char *directory, int unmapped_user, const char *service,
                        const char *user)
{
    char *exempt[] = { (char *)"cron", NULL };
    const struct settings settings = { .users_dir = (char *)directory,
                                       .runtime_dir = (char *)directory,
                                       .unmapped_user = unmapped_user,
                                       .exempt_services = exempt };

    policy_free(&findings);
    findings = (struct policy_findings){ 0 };
    why_not = (struct verdict){ 0 };
    return policy_find(&settings, service, user, &findings, &why_not);
}

static enum policy find_strictly(const char *directory, const char *user)
{
    return find(directory, SETTINGS_UNMAPPED_DENY, "sshd", user);
}

static enum policy find_loosely(const char *directory, const char *user)
{
    return find(directory, SETTINGS_UNMAPPED_IGNORE, "sshd", user);
}

/* The bypass of NAME, for SECONDS from now. */
static void write_bypass(const char *directory, const char *name, int seconds)
{
    struct boot_moment now;
    char text[512];

    assert_true(boot_now(&now));
    snprintf(text, sizeof text, "boot_id = \"%s\"; until = %d; reason = \"a lost phone\";\n",
             now.id, (int)now.seconds + seconds);
    directory_write(directory_path(directory, "bypass"), name, text, 0600);
}

static int setup(void **state)
{
    if (directory_setup(state) != 0)
        return -1;
    directory_write(*state, "alice.conf", ALICE, 0640);
    return mkdir(directory_path(*state, "bypass"), 0700);
}

static int teardown(void **state)
{
    policy_free(&findings);
    fails_clock = false;
    stands_at = 0;
    return directory_teardown(state);
}

#define TEST_FINDING(name) TEST_GIVEN(const char *directory, name, setup, teardown)

TEST_FINDING(who_is_enrolled_is_asked)
{
    assert_int_equal(find_strictly(directory, "alice"), POLICY_ENROLLED);
    assert_string_equal(findings.enrollment->identity, "0123-4567");
    assert_int_equal(find_loosely(directory, "alice"), POLICY_ENROLLED);
    assert_null(findings.bypass);
    assert_string_equal(findings.no_bypass.reason, "");
}

TEST_FINDING(a_bypass_counts_until_it_ends)
{
    stands_at = 1000000;
    write_bypass(directory, "alice", 600);
    assert_int_equal(find_strictly(directory, "alice"), POLICY_BYPASSED);
    assert_int_equal(findings.bypass_left_seconds, 600);
    assert_non_null(findings.enrollment);
    assert_string_equal(findings.bypass->reason, "a lost phone");

    stands_at += 599;
    assert_int_equal(find_strictly(directory, "alice"), POLICY_BYPASSED);
    assert_int_equal(findings.bypass_left_seconds, 1);
    stands_at++;
    assert_int_equal(find_loosely(directory, "alice"), POLICY_ENROLLED);
    assert_refused(&findings.no_bypass, OUTCOME_DENIED, "has ended");
    assert_int_equal(findings.bypass_left_seconds, 0);
}

TEST_FINDING(a_bypass_of_another_boot_counts_for_nothing)
{
    directory_write(directory_path(directory, "bypass"), "alice",
                    "boot_id = \"01234567-89ab-cdef-0123-456789abcdef\"; until = 1000600; "
                    "reason = \"x\";",
                    0600);
    stands_at = 1000000;
    assert_int_equal(find_strictly(directory, "alice"), POLICY_ENROLLED);
    assert_refused(&findings.no_bypass, OUTCOME_DENIED, "this host was restarted since");
}

TEST_FINDING(a_bypass_beside_the_enrollments_counts_for_nothing)
{
    struct boot_moment now;
    char text[512];

    assert_true(boot_now(&now));
    snprintf(text, sizeof text, "boot_id = \"%s\"; until = %d; reason = \"x\";", now.id,
             (int)now.seconds + 600);
    directory_write(directory, "alice.bypass", text, 0600);
    assert_int_equal(find_strictly(directory, "alice"), POLICY_ENROLLED);
    assert_string_equal(findings.no_bypass.reason, "");
}

TEST_FINDING(frees_what_it_found)
{
    write_bypass(directory, "alice", 600);
    assert_int_equal(find_strictly(directory, "alice"), POLICY_BYPASSED);
    policy_free(&findings);
    assert_null(findings.enrollment);
    assert_null(findings.bypass);
}

TEST_FINDING(a_bypass_of_an_account_without_an_enrollment_counts)
{
    write_bypass(directory, "root", 600);
    assert_int_equal(find_strictly(directory, "root"), POLICY_BYPASSED);
    write_bypass(directory, "root", -1);
    assert_int_equal(find_strictly(directory, "root"), POLICY_DENIED);
}

TEST_FINDING(a_bypass_is_for_no_other_name)
{
    write_bypass(directory, "nobody-of-this-name", 600);
    assert_int_equal(find_loosely(directory, "nobody-of-this-name"), POLICY_DENIED);
    assert_int_equal(find_loosely(directory, "alice"), POLICY_ENROLLED);
}

TEST_FINDING(a_bypass_that_cannot_be_trusted_or_judged_counts_for_nothing)
{
    const char *bypasses = directory_path(directory, "bypass");

    directory_write(bypasses, "alice", "until = 1000;\n", 0600);
    assert_int_equal(find_strictly(directory, "alice"), POLICY_ENROLLED);
    assert_refused(&findings.no_bypass, OUTCOME_MISCONFIGURED, "bypass/alice");

    write_bypass(directory, "alice", 600);
    assert_int_equal(chmod(directory_path(bypasses, "alice"), 0660), 0);
    assert_int_equal(find_strictly(directory, "alice"), POLICY_ENROLLED);
    assert_refused(&findings.no_bypass, OUTCOME_MISCONFIGURED, "writable by others");

    assert_int_equal(chmod(directory_path(bypasses, "alice"), 0600), 0);
    fails_clock = true;
    assert_int_equal(find_strictly(directory, "alice"), POLICY_ENROLLED);
    assert_refused(&findings.no_bypass, OUTCOME_MISCONFIGURED, "cannot read the clock");
    assert_int_equal(findings.bypass_left_seconds, 0);
}
