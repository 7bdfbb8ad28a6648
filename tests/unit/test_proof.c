/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Records of codes that were proved, and the processes that they are of. */
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/proof.h"
#include "directory.h"

#define ID     "e2e8a73e-39a5-468b-95c2-2c22088de88d"
#define FACTOR "YF0123456789abcdef0123456789abcdef"
#define WHOLE                                                                                      \
    "boot_id = \"" ID "\"; start = \"70\"; user = \"alice\"; uid = \"1000\"; factor_sid = "        \
    "\"" FACTOR "\"; seconds = 5; other = 0;"

/* Processes */

TEST(a_process_knows_itself_and_its_parent)
{
    struct kin own, parent;

    assert_true(kin_read(getpid(), &own));
    assert_int_equal(own.pid, getpid());
    assert_int_equal(own.parent, getppid());
    assert_int_equal(own.user, geteuid());
    if (own.parent == 0)
        return;
    assert_true(kin_read(own.parent, &parent));
    assert_true(parent.start <= own.start);
}

TEST(a_name_with_brackets_and_blanks_hides_nothing)
{
    static const char *const names[] = { "a) S 1 1 (", ") R 1", "\nUid:\t0\t0", "()" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        FILE *name = fopen("/proc/self/comm", "w");
        struct kin own;

        assert_non_null(name);
        fputs(names[i], name);
        fclose(name);
        assert_true(kin_read(getpid(), &own));
        assert_int_equal(own.parent, getppid());
        assert_int_equal(own.user, geteuid());
    }
}

TEST(what_has_ended_is_no_process)
{
    struct kin kin;
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    assert_false(kin_read(child, &kin));
    assert_false(kin_are_one_program(child, getpid()));
}

/* As su is, which its caller may kill. */
TEST(the_effective_user_counts_and_not_the_real_one)
{
    struct kin kin;
    int status;
    pid_t child;

    (void)state;
    if (geteuid() != 0)
        skip();
    child = fork();
    if (child == 0)
        _exit(setresuid(65534, 0, 0) != 0 || !kin_read(getpid(), &kin) || kin.user != 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

TEST(a_child_is_of_the_same_program)
{
    int ends[2];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
    }
    assert_true(kin_are_one_program(child, getpid()));
    close(ends[1]);
    close(ends[0]);
    waitpid(child, NULL, 0);
}

/* Records */

TEST(parses_what_it_needs_and_nothing_else)
{
    static const char *const wrong[] = {
        "",
        "boot_id = \"" ID "\";",
        WHOLE "other = 1;",
        WHOLE "more = 1;",
        "boot_id = \"x\"; start = \"70\"; user = \"alice\"; uid = \"1000\"; factor_sid = \"" FACTOR
        "\"; seconds = 5;",
        "boot_id = \"" ID "\"; start = \"-70\"; user = \"alice\"; uid = \"1000\"; factor_sid = "
        "\"" FACTOR "\"; seconds = 5;",
        "boot_id = \"" ID "\"; start = 70; user = \"alice\"; uid = \"1000\"; factor_sid = "
        "\"" FACTOR "\"; seconds = 5;",
        "boot_id = \"" ID "\"; start = \"70\"; user = \"../alice\"; uid = \"1000\"; factor_sid = "
        "\"" FACTOR "\"; seconds = 5;",
        "boot_id = \"" ID "\"; start = \"70\"; user = \"alice\"; uid = \"1000\"; factor_sid = "
        "\"" FACTOR "\"; seconds = -1;",
        "boot_id = \"" ID "\"; start = \"70\"; user = \"alice\"; uid = \"1000\"; factor_sid = "
        "\"" FACTOR "\";",
        "boot_id = \"" ID "\"; start = \"70\"; user = \"alice\"; uid = \"1000\"; factor_sid = "
        "\"YF\"; seconds = 5;",
    };
    struct verdict why_not;
    auto_proof *proof = NULL;

    assert_true(proof_parse(WHOLE, "x", &proof, &why_not));
    assert_string_equal(proof->user, "alice");
    assert_int_equal(proof->seconds, 5);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct proof *other = NULL;
        if (proof_parse(wrong[i], "x", &other, &why_not))
            fail_msg("took %s", wrong[i]);
        assert_null(other);
    }
}

TEST(a_record_is_of_one_process_and_one_boot)
{
    const struct kin kin = { .pid = 7, .start = 70 };
    const struct kin other = { .pid = 7, .start = 71 };
    struct boot_moment now = { ID, 65 };
    struct verdict why_not;
    auto_proof *proof = NULL;

    assert_true(proof_parse(WHOLE, "x", &proof, &why_not));
    assert_true(proof_is_of(proof, &kin, &now));
    assert_false(proof_is_of(proof, &other, &now));
    assert_int_equal(proof_age_seconds(proof, &now), 60);
    now.seconds = 4;
    assert_int_equal(proof_age_seconds(proof, &now), -1);
    now.id[0] = '0';
    assert_false(proof_is_of(proof, &kin, &now));
}

static int found;

static void count(void *context, pid_t pid, enum proof_kind kind, const struct proof *proof)
{
    assert_ptr_equal(context, &found);
    assert_int_equal(pid, getpid());
    assert_int_equal(kind, PROOF_SESSION);
    assert_string_equal(proof->user, "alice");
    found++;
}

/* A record of the process PID that began at START. */
static void put(int directory, pid_t pid, int64_t start, enum proof_kind kind, int ago)
{
    struct boot_moment now;
    struct verdict why_not;
    char number[24];

    assert_true(boot_now(&now));
    snprintf(number, sizeof number, "%lld", (long long)start);
    const struct proof proof = {
        now.id, number, (char *)"alice", (char *)"1000", (char *)FACTOR, (int)now.seconds - ago, 0
    };
    assert_true(proof_write(directory, pid, &proof, &why_not));
    assert_true(proof_commit(directory, pid, kind, &why_not));
}

static bool exists(const char *directory, const char *name)
{
    char path[300];

    snprintf(path, sizeof path, "%s/" PROOF_DIRECTORY "/%s", directory, name);
    return access(path, F_OK) == 0;
}

TEST_IN_DIRECTORY(a_walk_finds_the_living_and_removes_the_dead)
{
    struct boot_moment now;
    struct verdict why_not;
    struct kin own;
    bool is_absent;
    int sessions = proof_open_directory(directory, true, &is_absent, &why_not);
    char name[32];

    assert_true(sessions >= 0 && boot_now(&now) && kin_read(getpid(), &own));
    put(sessions, own.pid, own.start, PROOF_SESSION, 5);
    put(sessions, own.pid, own.start, PROOF_PROVED, PROOF_OPENS_SECONDS + 1);
    put(sessions, 4194304, 1, PROOF_SESSION, 5);
    directory_write(directory, PROOF_DIRECTORY "/note", "x", 0600);
    directory_write(directory, PROOF_DIRECTORY "/12345.session", "nonsense", 0600);
    found = 0;
    proof_walk(sessions, &now, count, &found);
    assert_int_equal(found, 1);
    snprintf(name, sizeof name, "%d.proved", (int)own.pid);
    assert_false(exists(directory, name));
    assert_false(exists(directory, "4194304.session"));
    assert_false(exists(directory, "12345.session"));
    assert_true(exists(directory, "note"));
    close(sessions);
}

TEST_IN_DIRECTORY(the_directories_get_their_modes)
{
    struct verdict why_not;
    struct stat status;
    bool is_absent;
    const char *runtime = directory_path(directory, "run");
    int sessions = proof_open_directory(runtime, false, &is_absent, &why_not);

    assert_int_equal(sessions, -1);
    assert_true(is_absent);
    umask(0);
    sessions = proof_open_directory(runtime, true, &is_absent, &why_not);
    assert_true(sessions >= 0 && fstat(sessions, &status) == 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(stat(runtime, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
    close(sessions);
}

TEST_IN_DIRECTORY(a_name_that_no_record_can_hold_is_refused)
{
    struct verdict why_not;
    bool is_absent;
    int sessions = proof_open_directory(directory, true, &is_absent, &why_not);
    const struct proof proof = {
        (char *)ID, (char *)"1", (char *)"a\"b", (char *)"0", (char *)FACTOR, 1, 0
    };

    assert_false(proof_write(sessions, 77, &proof, &why_not));
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "cannot be written");
    close(sessions);
}
