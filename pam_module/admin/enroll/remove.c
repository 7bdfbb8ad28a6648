/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "remove USER": the factor at Twilio, then the file. */
#include <string.h>

#include "../../core/userfile.h"
#include "../desk/terminal.h"
#include "bypass.h"
#include "ledgers.h"
#include "tool.h"

/* Before the enrollment goes: who is not enrolled must not be let on by a bypass that was
 * forgotten. */
static bool drop_extras(struct tool *tool, const char *name, enum command_status *ret_status)
{
    struct verdict why_not;
    bool was_there;

    if (bypass_end(tool->settings, name, &was_there, &why_not) &&
        users_drop(&tool->users, USERS_ENROLLED, name, USERFILE_RECOVERY, &why_not))
        return true;
    *ret_status = tool_refuse(&why_not, "nothing was changed");
    return false;
}

/* The app made it, and it may be in use elsewhere. */
static void say_push_factor(const struct tool *tool, const char *name,
                            const struct users_record *removed)
{
    struct users_record enrolled;
    struct verdict why_not;

    if (removed->push_factor_sid[0] == '\0' ||
        (users_read(&tool->users, USERS_ENROLLED, name, &enrolled, &why_not) == USERS_FOUND &&
         strcmp(enrolled.push_factor_sid, removed->push_factor_sid) == 0))
        return;
    terminal_say("the push factor %s of identity %s is still at Twilio: delete it with the app "
                 "that made it",
                 removed->push_factor_sid, removed->identity);
}

/* Without Twilio: nobody logs in with it, and what is to be deleted there is kept. */
static enum command_status retire(struct tool *tool, const char *name)
{
    struct users_record record = { .push_factor_sid = "" }, former;
    struct verdict why_not;
    enum command_status status;

    if (users_read(&tool->users, USERS_ENROLLED, name, &record, &why_not) == USERS_NONE) {
        terminal_say("%s is not enrolled", name);
        return COMMAND_WRONG;
    }
    if (users_read(&tool->users, USERS_FORMER, name, &former, &why_not) != USERS_NONE) {
        terminal_say("a replaced factor of %s must first be deleted at Twilio: run this command "
                     "without --local",
                     name);
        return COMMAND_WRONG;
    }
    if (!drop_extras(tool, name, &status))
        return status;
    if (!users_retire(&tool->users, name, &why_not))
        return tool_refuse(&why_not, "nothing was changed");
    terminal_say("%s is no longer enrolled. The factor is still at Twilio; to delete it: "
                 "twilio-verify remove %s",
                 name, terminal_word(name).text);
    say_push_factor(tool, name, &record);
    return COMMAND_OK;
}

static enum command_status remove_all(const struct command_call *call, struct tool *tool)
{
    static const enum users_state states[] = { USERS_PENDING, USERS_FORMER, USERS_ENROLLED };
    const char *name = call->operands[0];
    bool is_leftovers = command_value(call, "leftovers") != NULL;
    enum command_status status = COMMAND_OK;
    struct verdict why_not;
    int found = 0;

    if (!is_leftovers && !drop_extras(tool, name, &status))
        return status;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct users_record record = { .push_factor_sid = "" };
        if ((is_leftovers && states[i] == USERS_ENROLLED) ||
            users_read(&tool->users, states[i], name, &record, &why_not) == USERS_NONE)
            continue;
        found++;
        if (!tool_clean(tool, states[i], name, &status)) {
            if (!is_leftovers)
                terminal_say("the recovery codes and the bypass of %s are deleted", name);
            return status;
        }
        say_push_factor(tool, name, &record);
    }
    if (found == 0) {
        terminal_say(is_leftovers ? "%s has no unfinished enrollment" : "%s is not enrolled", name);
        return is_leftovers ? COMMAND_OK : COMMAND_WRONG;
    }
    if (!is_leftovers && !ledgers_forget(tool->settings, name, &why_not))
        terminal_say("could not delete the local state of %s: %s", name, why_not.reason);
    terminal_say("%s: %s", name,
                 is_leftovers ? "deleted the unfinished enrollment" : "removed here and at Twilio");
    return COMMAND_OK;
}

static enum command_status run(const struct command_call *call)
{
    bool is_local = command_value(call, "local") != NULL;
    const char *name = call->operands[0];
    auto_tool tool = TOOL_NONE;

    if (is_local ? !tool_open_local(call, name, &tool) : !tool_open(call, name, &tool))
        return COMMAND_WRONG;
    return is_local ? retire(&tool, name) : remove_all(call, &tool);
}

const struct command remove_command = {
    .name = "remove",
    .operands = "USER",
    .summary = "Deletes the factor of USER at Twilio, then the enrollment",
    .options = {
        { "local", NULL, "delete only on this host; a later remove deletes the factor at Twilio" },
        { "leftovers", NULL, "delete only what is pending or replaced" },
        TOOL_OPTIONS,
    },
    .run = run,
};
