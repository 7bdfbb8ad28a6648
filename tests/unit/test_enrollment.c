/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Who is enrolled: the file of a user, and under which names it is looked up. */
#include "unit.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/enrollment.h"
#include "directory.h"

#define SHOWN    "users/alice.conf"
#define FACTOR   "YF0123456789abcdef0123456789abcdef"
#define IDENTITY "7f3c5d0e-9a1b"
#define ALICE    "identity = \"" IDENTITY "\"; factor_sid = \"" FACTOR "\";\n"

enum { NAME_LENGTH_MAX = 250 };

enum { UID = 4711 };

/* The accounts of this test instead of the system's. */
static struct {
    const char *asked, *name; /* getpwnam(ASKED) has the name NAME and UID; NULL: there is nobody */
    const char *first;        /* getpwuid(UID) has this name; NULL: the name NAME as well */
    int error, uid_error;
    bool has_no_uid; /* getpwuid(UID) knows nobody */
    size_t size_wanted;
    int calls, uid_calls;
} accounts;

static int fill(const char *name, struct passwd *account, char *buffer, size_t size,
                struct passwd **ret_found)
{
    if (size < accounts.size_wanted)
        return ERANGE;
    snprintf(buffer, size, "%s", name);
    *account = (struct passwd){ .pw_name = buffer, .pw_uid = UID };
    *ret_found = account;
    return 0;
}

int getpwnam_r(const char *user, struct passwd *account, char *buffer, size_t size,
               struct passwd **ret_found)
{
    *ret_found = NULL;
    accounts.calls++;
    if (accounts.error != 0)
        return accounts.error;
    if (accounts.asked == NULL || strcmp(accounts.asked, user) != 0)
        return 0;
    return fill(accounts.name, account, buffer, size, ret_found);
}

int getpwuid_r(uid_t uid, struct passwd *account, char *buffer, size_t size,
               struct passwd **ret_found)
{
    *ret_found = NULL;
    accounts.uid_calls++;
    if (accounts.uid_error != 0)
        return accounts.uid_error;
    if (accounts.has_no_uid || uid != UID)
        return 0;
    return fill(accounts.first != NULL ? accounts.first : accounts.name, account, buffer, size,
                ret_found);
}

static int setup(void **state)
{
    memset(&accounts, 0, sizeof accounts);
    return directory_setup(state);
}

/* Parsing */

static void assert_wrong(const char *text, const char *part)
{
    struct enrollment *enrollment = NULL;
    struct verdict why_not = { 0 };

    if (enrollment_parse(text, SHOWN, &enrollment, &why_not))
        fail_msg("took %s", text);
    assert_null(enrollment);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, part);
}

static void assert_right(const char *identity)
{
    char text[300];
    struct enrollment *enrollment = NULL;
    struct verdict why_not = { 0 };

    snprintf(text, sizeof text, "identity = \"%s\"; factor_sid = \"" FACTOR "\";", identity);
    assert_true(enrollment_parse(text, SHOWN, &enrollment, &why_not));
    assert_string_equal(enrollment->identity, identity);
    assert_string_equal(enrollment->factor_sid, FACTOR);
    enrollment_free(&enrollment);
    assert_null(enrollment);
}

static void assert_identity_wrong(const char *identity)
{
    char text[300];

    snprintf(text, sizeof text, "\nidentity = \"%s\"; factor_sid = \"" FACTOR "\";", identity);
    assert_wrong(text, SHOWN ":2: identity must be 8 to 64 letters, digits and dashes");
}

TEST(an_identity_is_8_to_64_letters_digits_and_dashes)
{
    char identity[66];

    memset(identity, 'Z', 65);
    identity[64] = '\0';
    assert_right(identity);
    identity[64] = 'Z';
    identity[65] = '\0';
    assert_identity_wrong(identity);
    assert_right("12345678");
    assert_right("aZ-09---");
    assert_identity_wrong("1234567");
    assert_identity_wrong("");
    assert_identity_wrong("../../../Services");
    assert_identity_wrong("1234567/");
    assert_identity_wrong("1234567?");
    assert_identity_wrong("1234567%");
    assert_identity_wrong("1234567 ");
    assert_identity_wrong("1234567_");
    assert_identity_wrong("1234567.");
    assert_identity_wrong("123456\xc3\xa4");
    assert_identity_wrong("1234567\\n");
}

TEST(a_factor_is_yf_and_32_digits)
{
    static const char *const factors[] = {
        "",
        "YF",
        "YC0123456789abcdef0123456789abcdef",
        "YF0123456789abcdef0123456789abcde",
        "YF0123456789abcdef0123456789abcdef0",
        "YF0123456789abcdef0123456789abcdeg",
        "yf0123456789abcdef0123456789abcdef",
        "YF0123456789abcdef0123456789abc/..",
    };
    char text[300];

    for (size_t i = 0; i < ARRAY_SIZE(factors); i++) {
        snprintf(text, sizeof text, "identity = \"" IDENTITY "\";\nfactor_sid = \"%s\";",
                 factors[i]);
        assert_wrong(text, SHOWN ":2: factor_sid must be YF and 32 hexadecimal digits");
    }
}

TEST(both_keys_are_mandatory_and_no_other_is_known)
{
    assert_wrong("", SHOWN ": identity is missing");
    assert_wrong("identity = \"" IDENTITY "\";",
                 SHOWN ": factor_sid or push_factor_sid is missing: each must be YF and 32");
    assert_wrong("factor_sid = \"" FACTOR "\";", SHOWN ": identity is missing");
    assert_wrong(ALICE "bypass = true;", SHOWN ":2: unknown key bypass");
    assert_wrong("user = { " ALICE " };", SHOWN ":1: unknown key user");
    assert_wrong(ALICE ALICE, SHOWN ":2: ");
    assert_wrong("identity = 12345678;", SHOWN ":1: identity must be");
    assert_wrong("identity = [ \"" IDENTITY "\" ];", SHOWN ":1: identity must be");
}

TEST(either_factor_is_enough)
{
    static const struct {
        const char *text;
        bool has_code, has_push;
    } rows[] = {
        { "factor_sid = \"" FACTOR "\";", true, false },
        { "push_factor_sid = \"" FACTOR "\";", false, true },
        { "push_factor_sid = \"" FACTOR "\"; factor_sid = \"" FACTOR "\";", true, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct enrollment *enrollment = NULL;
        struct verdict why_not = { 0 };
        char text[300];

        snprintf(text, sizeof text, "identity = \"" IDENTITY "\"; %s", rows[i].text);
        assert_true(enrollment_parse(text, SHOWN, &enrollment, &why_not));
        assert_int_equal(enrollment->factor_sid != NULL, rows[i].has_code);
        assert_int_equal(enrollment->push_factor_sid != NULL, rows[i].has_push);
        enrollment_free(&enrollment);
    }
    assert_wrong("identity = \"" IDENTITY "\"; push_factor_sid = \"YF\";",
                 SHOWN ":1: push_factor_sid must be YF");
}

TEST(includes_nothing)
{
    assert_wrong("@include \"/etc/passwd\"\n", SHOWN ":1: @include is not supported");
    assert_wrong(ALICE " @include \"/\"\n", SHOWN ":2: @include is not supported");
}

TEST(frees_nothing_without_complaint)
{
    struct enrollment *enrollment = NULL;

    enrollment_free(&enrollment);
    assert_null(enrollment);
}

/* Finding */

static void assert_finds_as(const char *directory, const char *user, const char *whose)
{
    struct enrollment *enrollment = NULL;
    struct verdict why_not = { 0 };

    if (enrollment_find(directory, user, &enrollment, &why_not) != ENROLLMENT_FOUND)
        fail_msg("%s: %s", user, why_not.reason);
    assert_string_equal(enrollment->identity, IDENTITY);
    assert_string_equal(enrollment->factor_sid, FACTOR);
    assert_string_equal(enrollment->user, whose);
    enrollment_free(&enrollment);
}

static void assert_finds(const char *directory, const char *user)
{
    assert_finds_as(directory, user, user);
}

static void assert_finds_none(const char *directory, const char *user,
                              enum enrollment_found expected)
{
    struct enrollment *enrollment = NULL;
    struct verdict why_not = { OUTCOME_EXHAUSTED, "before" };
    enum enrollment_found found = enrollment_find(directory, user, &enrollment, &why_not);

    if (found != expected)
        fail_msg("%s: %d, not %d: %s", user, (int)found, (int)expected, why_not.reason);
    assert_null(enrollment);
}

static void assert_refuses(const char *directory, const char *user, const char *part)
{
    struct enrollment *enrollment = NULL;
    struct verdict why_not = { 0 };

    assert_int_equal(enrollment_find(directory, user, &enrollment, &why_not), ENROLLMENT_REFUSED);
    assert_null(enrollment);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, part);
}

#define TEST_FINDING(name) TEST_GIVEN(const char *directory, name, setup, directory_teardown)

TEST_FINDING(finds_the_file_of_exactly_this_name)
{
    directory_write(directory, "alice.conf", ALICE, 0640);
    assert_finds(directory, "alice");
    assert_int_equal(accounts.calls, 0);
    assert_finds_none(directory, "Alice", ENROLLMENT_UNKNOWN);
    assert_finds_none(directory, "alice ", ENROLLMENT_UNKNOWN);
    assert_finds_none(directory, "alic", ENROLLMENT_UNKNOWN);
    assert_finds_none(directory, "alice.conf", ENROLLMENT_UNKNOWN);
    assert_finds_none(directory, "", ENROLLMENT_UNKNOWN);
}

TEST_FINDING(finds_names_of_strange_bytes)
{
    static const char *const names[] = {
        "a b", "-rf", "t\xc3\xab", "\xff", "DOM\\al", "a@b", "..."
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char file[20];
        snprintf(file, sizeof file, "%s.conf", names[i]);
        directory_write(directory, file, ALICE, 0640);
        assert_finds(directory, names[i]);
    }
}

TEST_FINDING(finds_names_of_250_bytes_and_none_longer)
{
    char name[NAME_LENGTH_MAX + 10];

    memset(name, 'a', sizeof name);
    strcpy(name + NAME_LENGTH_MAX, ".conf");
    directory_write(directory, name, ALICE, 0640);
    name[NAME_LENGTH_MAX] = '\0';
    assert_finds(directory, name);

    accounts.asked = accounts.name = "alice";
    name[NAME_LENGTH_MAX] = 'a';
    name[NAME_LENGTH_MAX + 1] = '\0';
    assert_finds_none(directory, name, ENROLLMENT_UNKNOWN);
    assert_int_equal(accounts.calls, 0);
}

TEST_FINDING(looks_up_no_name_that_could_leave_the_directory)
{
    static const char *const names[] = { "",           ".",    "..",    "/",          "a/b",
                                         "../users/a", "a/",   "/root", "inner/../a", "a\nb",
                                         "a\x1f",      "\x7f", "\x01" };

    directory_write(directory, "a.conf", ALICE, 0640);
    directory_write(directory, "..conf", ALICE, 0640);
    directory_write(directory, "...conf", ALICE, 0640);
    directory_write(directory, ".conf", ALICE, 0640);
    directory_write(directory, "a\nb.conf", ALICE, 0640);
    directory_write(directory, "\x7f.conf", ALICE, 0640);
    assert_int_equal(mkdir(directory_path(directory, "inner"), 0700), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        accounts.asked = accounts.name = names[i];
        assert_finds_none(directory, names[i], ENROLLMENT_UNKNOWN);
    }
    assert_int_equal(accounts.calls, 0);
}

TEST_FINDING(an_account_of_exactly_this_name_without_a_file_is_none)
{
    accounts.asked = accounts.name = "bob";
    assert_finds_none(directory, "bob", ENROLLMENT_NONE);
}

TEST_FINDING(nobody_of_this_name_is_unknown)
{
    assert_finds_none(directory, "bob", ENROLLMENT_UNKNOWN);
}

TEST_FINDING(another_spelling_finds_the_file_of_the_account)
{
    directory_write(directory, "alice.conf", ALICE, 0640);
    accounts.asked = "ALICE@example.com";
    accounts.name = "alice";
    assert_finds_as(directory, "ALICE@example.com", "alice");
}

TEST_FINDING(another_spelling_without_a_file_is_unknown_and_never_none)
{
    accounts.asked = "BOB";
    accounts.name = "bob";
    assert_finds_none(directory, "BOB", ENROLLMENT_UNKNOWN);
}

TEST_FINDING(another_spelling_of_a_name_that_is_not_looked_up_is_unknown)
{
    const char *users = directory_path(directory, "users");
    char longest[NAME_LENGTH_MAX + 2];
    const char *const names[] = { "../a", "..", "", "b/a", "a\nb", longest };

    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(mkdir(users, 0700), 0);
    assert_int_equal(mkdir(directory_path(users, "b"), 0700), 0);
    directory_write(directory, "a.conf", ALICE, 0640);
    directory_write(users, "b/a.conf", ALICE, 0640);
    directory_write(users, "...conf", ALICE, 0640);
    directory_write(users, ".conf", ALICE, 0640);
    directory_write(users, "a\nb.conf", ALICE, 0640);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        accounts.asked = "A";
        accounts.name = names[i];
        assert_finds_none(users, "A", ENROLLMENT_UNKNOWN);
    }
}

TEST_FINDING(another_spelling_with_a_bad_file_is_refused)
{
    directory_write(directory, "alice.conf", ALICE, 0666);
    accounts.asked = "ALICE";
    accounts.name = "alice";
    assert_refuses(directory, "ALICE", "/alice.conf is writable by others");
}

TEST_FINDING(another_name_of_the_same_uid_finds_the_file_of_the_first)
{
    directory_write(directory, "alice.conf", ALICE, 0640);
    accounts.asked = accounts.name = "alice2";
    accounts.first = "alice";
    assert_finds_as(directory, "alice2", "alice");
    accounts.asked = "ALICE2"; /* another spelling of the second name */
    assert_finds_as(directory, "ALICE2", "alice");
}

TEST_FINDING(each_name_s_own_file_comes_first)
{
    directory_write(directory, "alice.conf", ALICE, 0640);
    directory_write(directory, "alice2.conf", ALICE, 0640);
    accounts.asked = "ALICE2";
    accounts.name = "alice2";
    accounts.first = "alice";
    assert_finds_as(directory, "ALICE2", "alice2");
    assert_int_equal(accounts.uid_calls, 0);
    directory_write(directory, "ALICE2.conf", ALICE, 0640);
    assert_finds_as(directory, "ALICE2", "ALICE2");
    assert_int_equal(accounts.calls, 1);
}

TEST_FINDING(two_names_of_one_uid_without_a_file_are_none_or_unknown)
{
    accounts.asked = accounts.name = "alice2";
    accounts.first = "alice";
    assert_finds_none(directory, "alice2", ENROLLMENT_NONE);
    accounts.asked = "ALICE2";
    assert_finds_none(directory, "ALICE2", ENROLLMENT_UNKNOWN);
}

TEST_FINDING(a_bad_file_of_the_first_name_is_refused_and_never_none)
{
    accounts.asked = accounts.name = "alice2";
    accounts.first = "alice";
    directory_write(directory, "alice.conf", ALICE, 0620);
    assert_refuses(directory, "alice2", "/alice.conf is writable by others");
    assert_int_equal(unlink(directory_path(directory, "alice.conf")), 0);
    assert_int_equal(symlink("nowhere", directory_path(directory, "alice.conf")), 0);
    assert_refuses(directory, "alice2", "must not be a symbolic link");
}

TEST_FINDING(a_first_name_that_is_not_looked_up_has_no_file)
{
    static const char *const names[] = { "../a", "..", "", "a\nb" };

    directory_write(directory, "a.conf", ALICE, 0640);
    directory_write(directory, ".conf", ALICE, 0640);
    directory_write(directory, "...conf", ALICE, 0640);
    directory_write(directory, "a\nb.conf", ALICE, 0640);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        accounts.asked = accounts.name = "bob";
        accounts.first = names[i];
        assert_finds_none(directory, "bob", ENROLLMENT_NONE);
    }
}

TEST_FINDING(an_account_whose_uid_cannot_be_looked_up_is_unknown_and_never_none)
{
    static const int errors[] = { EIO, EMFILE, ENOENT, ESRCH, ENOMEM, ERANGE };

    accounts.asked = accounts.name = "bob";
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        accounts.uid_error = errors[i];
        assert_finds_none(directory, "bob", ENROLLMENT_UNKNOWN);
    }
    accounts.uid_error = 0;
    accounts.has_no_uid = true;
    assert_finds_none(directory, "bob", ENROLLMENT_UNKNOWN);
}

TEST_FINDING(accounts_that_cannot_be_told_are_unknown)
{
    static const int errors[] = { EIO, EMFILE, ENOENT, ESRCH, ENOMEM };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        accounts.asked = accounts.name = "bob";
        accounts.error = errors[i];
        assert_finds_none(directory, "bob", ENROLLMENT_UNKNOWN);
    }
}

TEST_FINDING(an_account_may_need_a_large_buffer_but_not_any)
{
    accounts.asked = accounts.name = "bob";
    accounts.size_wanted = 100000;
    assert_finds_none(directory, "bob", ENROLLMENT_NONE);
    assert_in_range(accounts.calls, 2, 6);
    accounts.size_wanted = SIZE_MAX;
    assert_finds_none(directory, "bob", ENROLLMENT_UNKNOWN);
}

TEST_FINDING(a_bad_file_of_an_account_is_refused_and_never_none)
{
    accounts.asked = accounts.name = "bob";
    directory_write(directory, "bob.conf", "", 0640);
    assert_refuses(directory, "bob", "/bob.conf: identity is missing");
    directory_write(directory, "bob.conf", ALICE, 0620);
    assert_refuses(directory, "bob", "/bob.conf is writable by others");
    assert_int_equal(accounts.calls, 0);
}

TEST_FINDING(a_file_with_a_nul_or_too_large_is_refused)
{
    static char large[16 * 1024 + 1];

    directory_write_bytes(directory, "alice.conf", ALICE "\0", sizeof ALICE, 0640);
    assert_refuses(directory, "alice", "NUL");

    memset(large, '\n', sizeof large);
    memcpy(large, ALICE, sizeof ALICE - 1);
    directory_write_bytes(directory, "alice.conf", large, sizeof large, 0640);
    assert_refuses(directory, "alice", "larger than");
    directory_write_bytes(directory, "alice.conf", large, sizeof large - 1, 0640);
    assert_finds(directory, "alice");
}

TEST_FINDING(names_the_file_by_the_last_part_of_the_directory)
{
    char expected[100];

    directory_write(directory, "bob.conf", "\n\nx = 1;", 0640);
    snprintf(expected, sizeof expected, "%s/bob.conf:3: unknown key x",
             strrchr(directory, '/') + 1);
    assert_refuses(directory, "bob", expected);
}
