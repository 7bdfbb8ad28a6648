/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "unlock USER": wrong codes that were counted on this host count no more. */
#include "../desk/terminal.h"
#include "ledgers.h"
#include "tool.h"

static enum command_status unlock(const struct tool *tool, const char *name)
{
    struct users_record record;
    struct verdict why_not;

    if (users_read(&tool->users, USERS_ENROLLED, name, &record, &why_not) == USERS_NONE) {
        terminal_say("%s is not enrolled", name);
        return COMMAND_WRONG;
    }
    if (!ledgers_unlock(tool->settings, name, &why_not))
        return tool_refuse(&why_not, "nothing was changed");
    terminal_say("cleared the wrong codes of %s", name);
    return COMMAND_OK;
}

static enum command_status run(const struct command_call *call)
{
    const char *name = call->operands[0];
    auto_tool tool = TOOL_NONE;

    return tool_open_local(call, name, &tool) ? unlock(&tool, name) : COMMAND_WRONG;
}

const struct command unlock_command = {
    .name = "unlock",
    .operands = "USER",
    .summary = "Lets USER log in with codes again after too many wrong ones",
    .run = run,
};
