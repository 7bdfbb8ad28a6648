/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The sessions of users that have proved a code; and "session USER". */
#include "sessions.h"

#include <string.h>

#include "../../core/descriptor.h"
#include "../../core/proof.h"
#include "../desk/terminal.h"
#include "tool.h"

enum { MINUTE = 60 };

struct search {
    const char *user;
    int directory;
    int64_t most_seconds; /* for so long a session counts */
    struct boot_moment now;
    struct sessions sessions;
    size_t ended;
};

static bool is_users(const struct search *search, const struct proof *proof)
{
    return search->user == NULL || strcmp(proof->user, search->user) == 0;
}

static void count(void *context, pid_t pid, enum proof_kind kind, const struct proof *proof)
{
    struct search *search = context;
    int64_t age = proof_age_seconds(proof, &search->now);

    (void)pid;
    if (kind != PROOF_SESSION || !is_users(search, proof) || age < 0 || age >= search->most_seconds)
        return;
    if (search->sessions.count++ == 0 || age < search->sessions.latest_seconds)
        search->sessions.latest_seconds = age;
}

static void end(void *context, pid_t pid, enum proof_kind kind, const struct proof *proof)
{
    struct search *search = context;

    if (!is_users(search, proof))
        return;
    proof_remove(search->directory, pid, kind);
    search->ended++;
}

static bool walk(const struct settings *settings, struct search *search,
                 void (*found)(void *, pid_t, enum proof_kind, const struct proof *),
                 struct verdict *why_not)
{
    bool is_absent;
    auto_close directory = proof_open_directory(settings->runtime_dir, false, &is_absent, why_not);

    if (directory < 0)
        return is_absent;
    if (!boot_now(&search->now))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot read the clock");
    search->most_seconds = (int64_t)settings->session_minutes * MINUTE;
    search->directory = directory;
    proof_walk(directory, &search->now, found, search);
    return true;
}

bool sessions_find(const struct settings *settings, const char *user, struct sessions *ret_sessions,
                   struct verdict *why_not)
{
    struct search search = { .user = user };

    if (!walk(settings, &search, count, why_not))
        return false;
    *ret_sessions = search.sessions;
    return true;
}

/* Those that are not opened yet as well. */
static enum command_status end_all(const struct tool *tool, const char *user)
{
    struct search search = { .user = user };
    struct verdict why_not;

    if (!walk(tool->settings, &search, end, &why_not))
        return tool_refuse(&why_not, "the sessions did not end");
    if (search.ended == 0)
        terminal_say("%s has no session that has proved a code", user);
    else
        terminal_say("every session of %s has to prove a code again", user);
    return COMMAND_OK;
}

static enum command_status show(const struct tool *tool, const char *user)
{
    struct verdict why_not;
    struct sessions sessions;

    if (!sessions_find(tool->settings, user, &sessions, &why_not))
        return tool_refuse(&why_not, "the sessions are unknown");
    if (sessions.count == 0)
        terminal_say("%s has no session that has proved a code", user);
    else
        terminal_say(
            "%s is not asked again in %zu session%s; the latest code was proved %d min ago", user,
            sessions.count, sessions.count == 1 ? "" : "s",
            (int)(sessions.latest_seconds / MINUTE));
    return COMMAND_OK;
}

static enum command_status run(const struct command_call *call)
{
    const char *user = call->operands[0];
    bool is_end = command_value(call, "end") != NULL;
    auto_tool tool = TOOL_NONE;

    if (!tool_open_local(call, user, &tool))
        return COMMAND_WRONG;
    if (!tool_takes_name(&tool, is_end ? "session --end" : "session", user))
        return COMMAND_WRONG;
    return is_end ? end_all(&tool, user) : show(&tool, user);
}

const struct command session_command = {
    .name = "session",
    .operands = "USER",
    .summary = "Shows in how many sessions USER is not asked again",
    .options = {
        { "end", NULL, "ask USER for a code again in every session" },
    },
    .run = run,
};
