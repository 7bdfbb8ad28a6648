/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "confirm USER": the first code of a factor that "enroll --uri-only" made. */
#include "confirm.h"

#include <string.h>

#include "../desk/terminal.h"
#include "ledgers.h"

enum { ANSWER_SIZE = 512, MALFORMED_MAX = 10 };

/* Leaves the digits of ANSWER; false: it is no code. */
static bool read_code(char *answer, int code_length)
{
    char *end = answer;

    for (const char *byte = answer; *byte != '\0'; byte++)
        if (*byte != ' ' && *byte != '\t')
            *end++ = *byte;
    *end = '\0';
    return strlen(answer) == (size_t)code_length && strspn(answer, "0123456789") == strlen(answer);
}

/* Sends one code. FACTOR_DONE: *RET_IS_VERIFIED says whether it is right. Where the reply is lost,
 * and where Twilio refuses, which it may do of a factor that an earlier call confirmed, the factor
 * itself is asked for. */
static enum factor_result send_code(struct tool *tool, const struct users_record *record,
                                    const char *code, bool *ret_is_verified,
                                    struct verdict *why_not)
{
    struct verdict unknown;
    struct factor factor;
    enum factor_result result = factor_confirm(&tool->service, record->identity, record->factor_sid,
                                               code, tool_watch(tool), ret_is_verified, why_not);

    if (result == FACTOR_DONE || result == FACTOR_ABSENT ||
        factor_fetch(&tool->service, record->identity, record->factor_sid, tool_watch(tool),
                     &factor, &unknown) != FACTOR_DONE ||
        (result == FACTOR_REFUSED && !factor.is_verified))
        return result;
    *ret_is_verified = factor.is_verified;
    return FACTOR_DONE;
}

static enum command_status install(struct tool *tool, const char *name, enum confirm_end *ret_end)
{
    enum command_status status = COMMAND_OK;
    struct verdict why_not;

    if (!users_drop_others_codes(&tool->users, name, &why_not) ||
        !users_install(&tool->users, name, &why_not))
        return tool_refuse(&why_not,
                           "the factor is confirmed, but the enrollment could not be written");
    if (!ledgers_unlock(tool->settings, name, &why_not))
        terminal_say("could not reset the local state of %s: %s", name, why_not.reason);
    *ret_end = CONFIRM_ENROLLED;
    terminal_say("%s is enrolled", name);
    if (!tool_clean(tool, USERS_FORMER, name, &status))
        terminal_say("the new factor of %s works; the replaced one is not deleted yet", name);
    return status;
}

/* Sends CODE and installs what it confirms. False: it is wrong, and another one can be tried. */
static bool try_code(struct tool *tool, const char *name, const struct users_record *record,
                     const char *code, enum confirm_end *ret_end, enum command_status *ret_status)
{
    struct verdict why_not;
    bool is_verified = false;
    enum factor_result result = send_code(tool, record, code, &is_verified, &why_not);

    if (result == FACTOR_DONE && !is_verified)
        return false;
    if (result == FACTOR_ABSENT)
        *ret_end = CONFIRM_OVER;
    *ret_status = result == FACTOR_DONE ? install(tool, name, ret_end)
                                        : tool_refuse(&why_not, "could not confirm the factor");
    return true;
}

enum command_status confirm_code(struct tool *tool, const char *name,
                                 const struct users_record *record, const char *code,
                                 enum confirm_end *ret_end)
{
    enum command_status status = COMMAND_WRONG;

    *ret_end = CONFIRM_WAITING;
    if (!try_code(tool, name, record, code, ret_end, &status))
        terminal_say("Twilio does not accept the code of this seed: %s is not enrolled", name);
    return status;
}

enum command_status confirm_factor(struct tool *tool, const char *name,
                                   const struct users_record *record, enum confirm_end *ret_end)
{
    enum command_status status = COMMAND_WRONG;
    char answer[ANSWER_SIZE];
    int malformed = 0;
    bool is_over;

    *ret_end = CONFIRM_WAITING;
    while (terminal_ask("The code that the app shows: ", answer, sizeof answer)) {
        if (!read_code(answer, tool->settings->code_length)) {
            terminal_say("a code has %d digits", tool->settings->code_length);
            if (++malformed == MALFORMED_MAX)
                break;
            continue;
        }
        is_over = try_code(tool, name, record, answer, ret_end, &status);
        explicit_bzero(answer, sizeof answer);
        if (is_over)
            return status;
        terminal_say("wrong code: check the clock of the phone");
    }
    terminal_say("no valid code was given: %s is not enrolled", name);
    return COMMAND_WRONG;
}

static enum command_status run(const struct command_call *call)
{
    const char *name = call->operands[0];
    enum command_status status = COMMAND_WRONG;
    struct users_record record;
    auto_tool tool = TOOL_NONE;
    struct verdict why_not;
    enum users_found found;
    enum confirm_end end;

    if (!tool_open(call, name, &tool))
        return COMMAND_WRONG;

    found = users_read(&tool.users, USERS_PENDING, name, &record, &why_not);
    if (found == USERS_REFUSED) {
        status = tool_refuse(&why_not, "cannot read the pending factor");
    } else if (found == USERS_NONE || record.factor_sid[0] == '\0') {
        terminal_say("%s has no pending factor: twilio-verify enroll %s", name,
                     terminal_word(name).text);
    } else {
        status = confirm_factor(&tool, name, &record, &end);
        if (end == CONFIRM_OVER &&
            tool_clean(&tool, USERS_PENDING, name, &(enum command_status){ 0 }))
            terminal_say("the pending factor of %s was deleted: enroll again", name);
    }
    return status;
}

const struct command confirm_command = {
    .name = "confirm",
    .operands = "USER",
    .summary = "Finishes \"enroll --uri-only\" with the first code",
    .options = { TOOL_OPTIONS },
    .run = run,
};
