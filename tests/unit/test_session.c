/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Sessions that have proved a code: the walk to the one above a process, whatever the processes do
 * meanwhile. kin_read() is this test's own; the files are real. */
#include "unit.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "check/session.h"
#include "core/proof.h"
#include "directory.h"

#define FACTOR "YF0123456789abcdef0123456789abcdef"

/* Numbers that no process here has, this one neither. */
enum {
    SUDO = 4190500,
    SHELL = 4190400,
    SSHD = 4190300,
    LISTENER = 4190200,
    CHAIN = 4191000,
    PROCESSES_MAX = 100
};
enum { START = 7000, MINUTES = 10 };

/* What is read of a process, the first time and later. */
struct process {
    struct kin first, later;
    bool is_gone;
    int reads;
};

static struct process processes[PROCESSES_MAX];
static size_t count;

bool __wrap_kin_read(pid_t pid, struct kin *ret_kin);

bool __wrap_kin_read(pid_t pid, struct kin *ret_kin)
{
    for (size_t i = 0; i < count; i++) {
        struct process *process = &processes[i];
        if (process->first.pid != pid || process->is_gone)
            continue;
        *ret_kin = process->reads++ == 0 ? process->first : process->later;
        return true;
    }
    return false;
}

static struct process *add(pid_t pid, pid_t parent, int64_t start, uid_t user)
{
    struct process *process = &processes[count++];

    assert_true(count <= PROCESSES_MAX);
    *process = (struct process){ .first = { pid, parent, start, user } };
    process->later = process->first;
    return process;
}

/* sudo, called from a shell below sshd's process. */
static void add_all(void)
{
    count = 0;
    add(getpid(), SUDO, START + 30, 0);
    add(SUDO, SHELL, START + 20, 0);
    add(SHELL, SSHD, START + 10, 1000);
    add(SSHD, LISTENER, START, 0);
    add(LISTENER, 1, 10, 0);
}

static struct process *find(pid_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (processes[i].first.pid == pid)
            return &processes[i];
    fail_msg("no process %d", (int)pid);
    return NULL;
}

/* A session of the process PID, in RUNTIME_DIR. */
static void put(const char *runtime_dir, pid_t pid, int64_t start, const char *user, int ago)
{
    struct boot_moment now;
    char number[24];
    struct verdict why_not;
    bool is_absent;
    int directory = proof_open_directory(runtime_dir, true, &is_absent, &why_not);

    assert_true(directory >= 0 && boot_now(&now));
    snprintf(number, sizeof number, "%lld", (long long)start);
    const struct proof proof = {
        now.id, number, (char *)user, (char *)"0", (char *)FACTOR, (int)now.seconds - ago, 0
    };
    assert_true(proof_write(directory, pid, &proof, &why_not));
    assert_true(proof_commit(directory, pid, PROOF_SESSION, &why_not));
    close(directory);
}

static bool covers(const char *runtime_dir, struct verdict *verdict, struct verdict *why_not)
{
    static char *services[] = { (char *)"sudo", NULL };
    const struct settings settings = { .session_minutes = MINUTES,
                                       .session_services = services,
                                       .runtime_dir = (char *)runtime_dir };
    const struct enrollment enrollment = { .identity = (char *)"identity",
                                           .factor_sid = (char *)FACTOR,
                                           .user = (char *)"root" };
    const struct dialogue_login login = { .service = "sudo", .user = "root", .is_own = true };

    *verdict = *why_not = (struct verdict){ 0 };
    return session_covers(&settings, &login, &enrollment, verdict, why_not);
}

static void assert_spared(const char *runtime_dir)
{
    struct verdict verdict, why_not;

    if (!covers(runtime_dir, &verdict, &why_not))
        fail_msg("asked because %s", why_not.reason);
    assert_int_equal(verdict.outcome, OUTCOME_NOT_REQUIRED);
}

static void assert_asked(const char *runtime_dir, const char *part)
{
    struct verdict verdict, why_not;

    assert_false(covers(runtime_dir, &verdict, &why_not));
    assert_int_equal(verdict.outcome, OUTCOME_BROKEN);
    if (strstr(why_not.reason, part) == NULL)
        fail_msg("asked because %s", why_not.reason);
}

static const char none[] = "no session above this process has proved a code";
static const char changed[] = "an ancestor can't be read in /proc, or has changed";

TEST_AS_ROOT(the_session_of_an_ancestor_counts, directory_setup, directory_teardown)
{
    put(directory, SSHD, START, "root", 60);
    add_all();
    assert_spared(directory);
    add_all();
    find(SSHD)->first.parent = find(SSHD)->later.parent = 1;
    assert_spared(directory);
}

TEST_AS_ROOT(the_first_session_upwards_decides, directory_setup, directory_teardown)
{
    put(directory, SSHD, START, "root", 60);
    put(directory, SUDO, START + 20, "bob", 60);
    add_all();
    assert_asked(directory, "the session is another user's");
}

TEST_AS_ROOT(a_session_is_of_one_process_that_is_roots, directory_setup, directory_teardown)
{
    put(directory, SSHD, START - 1, "root", 60);
    put(directory, SHELL, START + 10, "root", 60);
    add_all();
    assert_asked(directory, none);
}

TEST_AS_ROOT(process_1_has_no_session, directory_setup, directory_teardown)
{
    put(directory, 1, 1, "root", 60);
    add_all();
    add(1, 0, 1, 0);
    assert_asked(directory, none);
}

TEST_AS_ROOT(a_pid_that_is_taken_over_ends_the_walk, directory_setup, directory_teardown)
{
    put(directory, SSHD, START, "root", 60);
    add_all();
    find(SHELL)->later.parent = 1; /* its parent has ended since it was read */
    assert_asked(directory, changed);
    add_all();
    find(SHELL)->later.start++; /* it has ended, and another one has its pid */
    assert_asked(directory, changed);
    add_all();
    put(directory, SSHD, START + 11, "root", 60);
    find(SSHD)->first.start = find(SSHD)->later.start = START + 11; /* a parent is not younger */
    assert_asked(directory, changed);
}

TEST_AS_ROOT(what_proc_does_not_show_ends_the_walk, directory_setup, directory_teardown)
{
    put(directory, SSHD, START, "root", 60);
    add_all();
    find(SHELL)->is_gone = true;
    assert_asked(directory, changed);
    add_all();
    find(getpid())->is_gone = true;
    assert_asked(directory, "/proc can't be read");
}

TEST_AS_ROOT(the_walk_has_64_steps, directory_setup, directory_teardown)
{
    for (int far = 0; far < 2; far++) {
        put(directory, CHAIN + 64 + far, START, "root", 60);
        count = 0;
        add(getpid(), CHAIN + 1, START + 100, 0);
        for (int i = 1; i < 64 + far; i++)
            add(CHAIN + i, CHAIN + i + 1, START + 100 - i, 0);
        add(CHAIN + 64 + far, 1, START, 0);
        if (far)
            assert_asked(directory, none);
        else
            assert_spared(directory);
    }
}

TEST_AS_ROOT(the_time_ends_and_does_not_begin_in_the_future, directory_setup, directory_teardown)
{
    put(directory, SSHD, START, "root", MINUTES * 60 - 1);
    add_all();
    assert_spared(directory);
    put(directory, SSHD, START, "root", MINUTES * 60);
    add_all();
    assert_asked(directory, "proved 10 min ago");
    put(directory, SSHD, START, "root", -5);
    add_all();
    assert_asked(directory, "of this session");
}

TEST_AS_ROOT(without_a_directory_there_is_no_session, directory_setup, directory_teardown)
{
    add_all();
    assert_asked(directory, "no session has proved a code");
}
