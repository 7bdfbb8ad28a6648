/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One code for a session. */
#include "session.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/descriptor.h"
#include "../core/proof.h"

enum { STEPS_MAX = 64, MINUTE = 60, NUMBER_SIZE = 24, INIT = 1 };

/* What a task needs. */
struct task {
    const struct dialogue_login *login;
    struct settings *settings;
    struct enrollment *enrollment;
    char uid[NUMBER_SIZE]; /* of the account */
    struct boot_moment now;
    struct kin host;
};

static void end_task(struct task *task)
{
    enrollment_free(&task->enrollment);
    settings_free(&task->settings);
}

#define auto_task __attribute__((cleanup(end_task))) struct task

static bool refuse(struct verdict *why_not, const char *reason)
{
    return verdict_refuse(why_not, OUTCOME_DENIED, "%s", reason);
}

/* The caller of su may kill the host meanwhile. Process 1 then adopts this process, and every
 * process of the machine descends from process 1. */
static bool caller_is_parent(const struct dialogue_login *login, struct kin *ret_host,
                             struct verdict *why_not)
{
    struct kin host;

    if (getppid() != login->pid || login->pid == INIT || !kin_read(getppid(), &host) ||
        host.start != login->start)
        return refuse(why_not, "the calling process is not the parent of the check program");
    *ret_host = host;
    return true;
}

static bool print_uid(const char *user, char uid[NUMBER_SIZE])
{
    const struct passwd *account = getpwnam(user);

    if (account != NULL)
        snprintf(uid, NUMBER_SIZE, "%lu", (unsigned long)account->pw_uid);
    return account != NULL;
}

static bool find_user(struct task *task, struct verdict *why_not)
{
    switch (
        enrollment_find(task->settings->users_dir, task->login->user, &task->enrollment, why_not)) {
    case ENROLLMENT_FOUND:
        return print_uid(task->login->user, task->uid) ||
               refuse(why_not, "the user has no account on this host");
    case ENROLLMENT_REFUSED:
        return false;
    case ENROLLMENT_UNKNOWN:
    case ENROLLMENT_NONE:
        break;
    }
    return refuse(why_not, "the user is not enrolled");
}

/* The settings are read anew: they are today's. */
static bool begin(struct task *task, const char *settings_path, struct verdict *why_not)
{
    if (geteuid() != 0)
        return refuse(why_not, "only root can keep a session");
    if (!caller_is_parent(task->login, &task->host, why_not) ||
        !settings_read(settings_path, &task->settings, why_not))
        return false;
    if (task->settings->session_minutes == 0)
        return refuse(why_not, "session.minutes is 0");
    if (!boot_now(&task->now))
        return refuse(why_not, "the clock can't be read");
    return find_user(task, why_not);
}

/* One file, and OTHER is the pid of the second one. */
static bool put(const struct task *task, int directory, const struct kin *kin, pid_t other,
                enum proof_kind kind, int seconds, struct verdict *why_not)
{
    char start[NUMBER_SIZE];
    const struct proof proof = {
        .boot_id = (char *)task->now.id,
        .start = start,
        .user = task->enrollment->user,
        .uid = (char *)task->uid,
        .factor_sid = task->enrollment->factor_sid,
        .seconds = seconds,
        .other = (int)other,
    };
    struct kin host;

    snprintf(start, sizeof start, "%lld", (long long)kin->start);
    return proof_write(directory, kin->pid, &proof, why_not) &&
           caller_is_parent(task->login, &host, why_not) &&
           proof_commit(directory, kin->pid, kind, why_not);
}

/* For keyboard-interactive sshd asks in a child of the process that opens the session. Both run the
 * same program. Elsewhere the parent may be a daemon, which serves other users too. */
static bool find_opener(const struct task *task, struct kin *ret_parent)
{
    const struct kin *host = &task->host;
    struct kin again;

    return task->login->task == DIALOGUE_PROVED_IN_CHILD && host->parent > INIT &&
           kin_read(host->parent, ret_parent) && ret_parent->start <= host->start &&
           kin_are_one_program(host->pid, host->parent) && kin_read(host->pid, &again) &&
           again.parent == host->parent && again.start == host->start;
}

static bool prove(const struct task *task, struct verdict *why_not)
{
    struct kin parent = { 0 };
    bool has_parent, is_absent;
    auto_close directory = -1;
    int seconds = (int)task->now.seconds;

    if (settings_session_covers(task->settings, task->login->service))
        return refuse(why_not, "the service is in session.services");
    if (task->enrollment->factor_sid == NULL)
        return refuse(why_not, "the user has no factor whose code could be proved");
    directory = proof_open_directory(task->settings->runtime_dir, true, &is_absent, why_not);
    if (directory < 0)
        return false;
    has_parent = find_opener(task, &parent);
    if (!put(task, directory, &task->host, has_parent ? parent.pid : 0, PROOF_PROVED, seconds,
             why_not))
        return false;
    return !has_parent ||
           put(task, directory, &parent, task->host.pid, PROOF_PROVED, seconds, why_not);
}

/* Whether PROOF is of the user and of the factor that he has now. */
static bool is_users(const struct proof *proof, const struct enrollment *enrollment,
                     const char *uid, struct verdict *why_not)
{
    if (strcmp(proof->user, enrollment->user) != 0 || strcmp(proof->uid, uid) != 0)
        return refuse(why_not, "the session is another user's");
    if (enrollment->factor_sid == NULL || strcmp(proof->factor_sid, enrollment->factor_sid) != 0)
        return refuse(why_not, "the session has proved a code of another factor");
    return true;
}

static bool open_session(const struct task *task, struct verdict *why_not)
{
    auto_proof *proof = NULL;
    bool is_absent;
    auto_close directory =
        proof_open_directory(task->settings->runtime_dir, false, &is_absent, why_not);
    int64_t age;

    if (directory < 0)
        return is_absent ? refuse(why_not, "no code was proved") : false;
    proof_walk(directory, &task->now, NULL, NULL);
    switch (proof_read(directory, task->host.pid, PROOF_PROVED, &proof, why_not)) {
    case TRUSTED_READ:
        break;
    case TRUSTED_ABSENT:
        return refuse(why_not, "this process has proved no code");
    case TRUSTED_REFUSED:
        return false;
    }
    age = proof_age_seconds(proof, &task->now);
    if (!proof_is_of(proof, &task->host, &task->now) || age < 0 || age > PROOF_OPENS_SECONDS)
        return refuse(why_not, "the code was proved by another process, or too long ago");
    if (!is_users(proof, task->enrollment, task->uid, why_not) ||
        !put(task, directory, &task->host, 0, PROOF_SESSION, proof->seconds, why_not))
        return false;
    proof_remove(directory, task->host.pid, PROOF_PROVED);
    if (proof->other != 0)
        proof_remove(directory, proof->other, PROOF_PROVED);
    return true;
}

bool session_run(const char *settings_path, const struct dialogue_login *login,
                 struct verdict *why_not)
{
    auto_task task = { .login = login };

    if (!begin(&task, settings_path, why_not))
        return false;
    return login->task == DIALOGUE_SESSION ? open_session(&task, why_not) : prove(&task, why_not);
}

/* One step of the walk upwards. Pids are reused: CHILD must be PARENT's child before and after
 * PARENT was read, and must not be older. */
static bool read_parent(const struct kin *child, struct kin *ret_parent)
{
    struct kin parent, again;

    if (!kin_read(child->parent, &parent) || parent.start > child->start ||
        !kin_read(child->pid, &again) || again.start != child->start ||
        again.parent != child->parent)
        return false;
    *ret_parent = parent;
    return true;
}

/* The first record of a session among the ancestors. NULL, with the reason in *WHY_NOT. */
static struct proof *search(int directory, const struct boot_moment *now, struct verdict *why_not)
{
    struct kin child, parent;

    if (!kin_read(getpid(), &child)) {
        refuse(why_not, "/proc can't be read");
        return NULL;
    }
    for (int step = 0; step < STEPS_MAX && child.parent > INIT; step++, child = parent) {
        auto_proof *proof = NULL;
        if (!read_parent(&child, &parent)) {
            refuse(why_not, "an ancestor can't be read in /proc, or has changed");
            return NULL;
        }
        switch (proof_read(directory, parent.pid, PROOF_SESSION, &proof, why_not)) {
        case TRUSTED_REFUSED:
            return NULL;
        case TRUSTED_ABSENT:
            continue;
        case TRUSTED_READ:
            break;
        }
        if (parent.user == 0 && proof_is_of(proof, &parent, now)) {
            struct proof *found = proof;
            proof = NULL;
            return found;
        }
    }
    refuse(why_not, "no session above this process has proved a code");
    return NULL;
}

static bool find(const struct settings *settings, const struct dialogue_login *login,
                 const struct enrollment *enrollment, struct verdict *verdict,
                 struct verdict *why_not)
{
    struct boot_moment now;
    char uid[NUMBER_SIZE];
    bool is_absent;
    auto_close directory = proof_open_directory(settings->runtime_dir, false, &is_absent, why_not);
    int64_t age;

    if (directory < 0)
        return is_absent ? refuse(why_not, "no session has proved a code") : false;
    if (!boot_now(&now))
        return refuse(why_not, "the clock can't be read");
    auto_proof *proof = search(directory, &now, why_not);
    if (proof == NULL)
        return false;
    if (!print_uid(login->user, uid))
        return refuse(why_not, "the user has no account on this host");
    if (!is_users(proof, enrollment, uid, why_not))
        return false;
    age = proof_age_seconds(proof, &now);
    if (age < 0 || age >= (int64_t)settings->session_minutes * MINUTE)
        return verdict_refuse(why_not, OUTCOME_DENIED,
                              "the code of this session was proved %d min ago",
                              (int)(age / MINUTE));
    verdict_pass(verdict, OUTCOME_NOT_REQUIRED, "code proved %d min ago", (int)(age / MINUTE));
    return true;
}

bool session_covers(const struct settings *settings, const struct dialogue_login *login,
                    const struct enrollment *enrollment, struct verdict *verdict,
                    struct verdict *why_not)
{
    if (!settings_session_covers(settings, login->service))
        return false;
    if (settings_session_never_covers(login->service))
        return refuse(why_not, "this service is asked in every session");
    if (!login->is_own)
        return refuse(why_not, "the caller is not the user");
    if (geteuid() != 0)
        return refuse(why_not, "only root can read sessions");
    return find(settings, login, enrollment, verdict, why_not);
}
