/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A push factor for an enrollment. */
#include "push-factor.h"

#include <stdio.h>
#include <string.h>

#include "../../core/text.h"
#include "../desk/terminal.h"

bool push_factor_is_sensible(const struct command_call *call)
{
    static const char *const others[] = { "import", "name", "replace", "uri-only" };

    if (!text_is_sid(command_value(call, "push-factor"), "YF")) {
        terminal_say("--push-factor must be YF and 32 hexadecimal digits");
        return false;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (command_value(call, others[i]) != NULL) {
            terminal_say("--push-factor makes no factor: leave out --%s", others[i]);
            return false;
        }
    return true;
}

/* The identity of the enrollment and that of the option must be one. */
static bool choose_identity(const char *user, const char *identity, bool is_enrolled,
                            struct users_record *record)
{
    if (identity == NULL && !is_enrolled)
        terminal_say("%s is not enrolled: --identity has to say which identity the app has", user);
    else if (identity != NULL && is_enrolled && strcmp(identity, record->identity) != 0)
        terminal_say("%s is enrolled as identity %s: the push factor has to belong to it", user,
                     record->identity);
    else
        return is_enrolled ||
               snprintf(record->identity, sizeof record->identity, "%s", identity) > 0;
    return false;
}

/* Whether Twilio says that SID can be used. */
static enum command_status look(struct tool *tool, const char *identity, const char *sid)
{
    struct factor factor;
    struct verdict why_not;

    switch (factor_fetch(&tool->service, identity, sid, tool_watch(tool), &factor, &why_not)) {
    case FACTOR_DONE:
        break;
    case FACTOR_ABSENT:
        terminal_say("identity %s has no factor %s at Twilio", identity, sid);
        return COMMAND_WRONG;
    case FACTOR_REFUSED:
    case FACTOR_LOST:
        return tool_refuse(&why_not, "cannot check the push factor");
    }
    if (!factor.is_push)
        terminal_say("%s is not a push factor", sid);
    else if (!factor.is_verified)
        terminal_say("the push factor %s is not verified: finish in the app, and try again", sid);
    return factor.is_push && factor.is_verified ? COMMAND_OK : COMMAND_WRONG;
}

static enum command_status write(const struct tool *tool, const char *user, const char *sid,
                                 struct users_record *record)
{
    char earlier[USERS_SID_SIZE];
    struct verdict why_not;

    memcpy(earlier, record->push_factor_sid, sizeof earlier);
    snprintf(record->push_factor_sid, sizeof record->push_factor_sid, "%s", sid);
    if (!users_drop_others_codes(&tool->users, user, &why_not) ||
        !users_write(&tool->users, USERS_ENROLLED, user, record, &why_not))
        return tool_refuse(&why_not, "the enrollment could not be written");
    terminal_say("%s is enrolled with the push factor %s", user, sid);
    if (earlier[0] != '\0' && strcmp(earlier, sid) != 0)
        terminal_say("the earlier push factor %s is still at Twilio: delete it in the app",
                     earlier);
    return COMMAND_OK;
}

enum command_status push_factor_enroll(const struct command_call *call, struct tool *tool)
{
    const char *user = call->operands[0], *sid = command_value(call, "push-factor");
    struct users_record record = { 0 };
    struct verdict why_not;
    enum users_found found = users_read(&tool->users, USERS_ENROLLED, user, &record, &why_not);
    enum command_status status;

    if (found == USERS_REFUSED)
        return tool_refuse(&why_not, "cannot read the existing enrollment");
    if (!choose_identity(user, command_value(call, "identity"), found == USERS_FOUND, &record))
        return COMMAND_WRONG;
    status = look(tool, record.identity, sid);
    return status == COMMAND_OK ? write(tool, user, sid, &record) : status;
}
