/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the verbs share. */
#include "tool.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "../../core/clock.h"
#include "../../core/enrollment.h"
#include "../../core/secret.h"
#include "../../core/text.h"
#include "../../core/userfile.h"
#include "../desk/terminal.h"
#include "paths.h"

enum command_status tool_refuse(const struct verdict *why_not, const char *problem)
{
    terminal_say("%s: %s", problem, why_not->reason);
    return why_not->outcome == OUTCOME_UNAVAILABLE && !terminal_is_interrupted()
               ? COMMAND_UNAVAILABLE
               : COMMAND_WRONG;
}

/* Says why on standard error, and what else may be the reason. */
static bool refuse_opening(const struct verdict *why_not, const char *doing)
{
    tool_refuse(why_not, doing);
    if (geteuid() != 0)
        terminal_say("run this command as root");
    return false;
}

bool tool_key(const struct command_call *call, const struct settings *settings,
              const char **ret_user, const char **ret_path, struct verdict *why_not)
{
    const char *sid = command_value(call, "api-key-sid");
    const char *path = command_value(call, "api-key-file");
    const char *from = "--api-key-sid and --api-key-file";

    if (sid == NULL && path == NULL) {
        sid = settings->admin_api_key_sid;
        path = settings->admin_api_key_file;
        from = "api_key_sid and api_key_file of the settings' group admin";
    }
    if (sid == NULL && path == NULL) {
        *ret_user = service_user(settings);
        *ret_path = settings->api_key_file;
        return true;
    }
    if (sid == NULL || path == NULL || !text_is_sid(sid, "SK"))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s must be given together: SK and 32 hexadecimal digits, and the "
                              "path of a file",
                              from);
    *ret_user = sid;
    *ret_path = path;
    return true;
}

static bool open_service(const struct command_call *call, struct tool *tool)
{
    auto_secret char *secret = NULL;
    struct http_credentials credentials;
    struct verdict why_not;
    const char *path = NULL;

    if (!tool_key(call, tool->settings, &credentials.user, &path, &why_not))
        return refuse_opening(&why_not, "the API key");
    if (!secret_read_line(path, &secret, &why_not))
        return refuse_opening(&why_not, "the secret of the API key");
    credentials.secret = secret;
    return service_open(tool->settings, &credentials, &tool->service, &why_not) ||
           refuse_opening(&why_not, "cannot prepare requests");
}

bool tool_settings(const struct command_call *call, struct settings **ret_settings,
                   struct verdict *why_not)
{
    if (settings_read(call->settings_path, ret_settings, why_not))
        return true;
    if (access(call->settings_path, F_OK) != 0 && errno == ENOENT)
        verdict_add(why_not, ": twilio-verify setup writes it");
    return false;
}

bool tool_is_installed(const struct settings *settings, struct verdict *why_not)
{
    static const char *const files[] = { PATHS_MODULE, PATHS_CHECK, PATHS_LIBRARY };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (access(files[i], R_OK) != 0)
            return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                                  "%s: %s: install the packages twilio-verify and "
                                  "libpam-twilio-verify again",
                                  files[i], strerror(errno));
    return getpwnam(settings->run_as) != NULL ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "the account \"%s\" of run_as does not exist: create it",
                          settings->run_as);
}

bool tool_open_local(const struct command_call *call, const char *name, struct tool *ret_tool)
{
    struct verdict why_not;

    if (name != NULL && !enrollment_is_name(name)) {
        terminal_say("\"%s\" is not a valid user name: 1 to 250 bytes without \"/\"", name);
        return false;
    }
    if (name != NULL)
        ret_tool->signals = terminal_hold_signals();
    if (!tool_settings(call, &ret_tool->settings, &why_not))
        return refuse_opening(&why_not, "cannot read the settings");
    return (users_open(ret_tool->settings->users_dir, &ret_tool->users, &why_not) &&
            (name == NULL || users_lock(&ret_tool->users, name, &why_not))) ||
           refuse_opening(&why_not, "cannot open the enrollments");
}

bool tool_open(const struct command_call *call, const char *name, struct tool *ret_tool)
{
    return tool_open_local(call, name, ret_tool) && open_service(call, ret_tool);
}

bool tool_takes_name(const struct tool *tool, const char *command, const char *user)
{
    auto_enrollment *enrollment = NULL;
    struct verdict why_not;

    if (enrollment_find(tool->settings->users_dir, user, &enrollment, &why_not) !=
            ENROLLMENT_FOUND ||
        strcmp(enrollment->user, user) == 0)
        return true;
    terminal_say("%s is enrolled as %s: twilio-verify %s %s", user, enrollment->user, command,
                 terminal_word(enrollment->user).text);
    return false;
}

void tool_close(struct tool *tool)
{
    if (tool->service.http != NULL)
        service_close(&tool->service);
    users_close(&tool->users);
    if (tool->signals >= 0)
        close(tool->signals);
    settings_free(&tool->settings);
}

static bool give_up(struct http_watch *watch)
{
    (void)watch;
    return false;
}

struct http_watch tool_watch_of(const struct settings *settings, int signals)
{
    return (struct http_watch){
        .descriptor = signals,
        .deadline_ms = clock_ms() + (int64_t)settings->timeout_seconds * 1000,
        .noticed = give_up,
    };
}

struct http_watch *tool_watch(struct tool *tool)
{
    tool->watch = tool_watch_of(tool->settings, tool->signals);
    return &tool->watch;
}

/* What was begun is undone whatever comes. */
static struct http_watch *watch_on(struct tool *tool)
{
    tool->watch = tool_watch_of(tool->settings, -1);
    return &tool->watch;
}

/* Deletes one factor for codes, or where its SID never became known, every one of the identity that
 * was not confirmed. Absent is as good as deleted. */
static enum factor_result remove_factors(struct tool *tool, const struct users_record *record,
                                         struct verdict *why_not)
{
    struct factor factors[FACTOR_LIST_MAX];
    enum factor_result result;
    size_t count;

    if (record->factor_sid[0] != '\0')
        return factor_remove(&tool->service, record->identity, record->factor_sid, watch_on(tool),
                             why_not);

    result =
        factor_list(&tool->service, record->identity, watch_on(tool), factors, &count, why_not);
    for (size_t i = 0; result == FACTOR_DONE && i < count; i++)
        if (!factors[i].is_verified && !factors[i].is_push)
            result = factor_remove(&tool->service, record->identity, factors[i].sid, watch_on(tool),
                                   why_not);
    return result;
}

/* Deletes the entity where it has no factor left. */
static enum factor_result remove_entity(struct tool *tool, const char *identity,
                                        struct verdict *why_not)
{
    struct factor factors[FACTOR_LIST_MAX];
    enum factor_result result;
    size_t count = 0;

    result = factor_list(&tool->service, identity, watch_on(tool), factors, &count, why_not);
    if (result == FACTOR_DONE && count == 0)
        result = factor_remove(&tool->service, identity, NULL, watch_on(tool), why_not);
    return result;
}

static bool is_gone(enum factor_result result)
{
    return result == FACTOR_DONE || result == FACTOR_ABSENT;
}

/* Anyone who is killed while a factor is replaced may leave the enrolled one among the former ones.
 * False: it can't be told. */
static bool find_use(const struct tool *tool, const char *name, const struct users_record *record,
                     bool *ret_is_used, struct verdict *why_not)
{
    struct users_record enrolled;
    enum users_found found = users_read(&tool->users, USERS_ENROLLED, name, &enrolled, why_not);

    if (found == USERS_REFUSED)
        return false;
    *ret_is_used = found == USERS_FOUND && strcmp(enrolled.factor_sid, record->factor_sid) == 0;
    return true;
}

/* False: it is told what may remain. */
static bool delete_there(struct tool *tool, const struct users_record *record,
                         enum command_status *ret_status)
{
    struct verdict why_not;

    if (is_gone(remove_factors(tool, record, &why_not)) &&
        is_gone(remove_entity(tool, record->identity, &why_not)))
        return true;
    *ret_status = tool_refuse(&why_not, "cannot delete the factor at Twilio");
    terminal_say("the factor may still be at Twilio: identity %s, factor %s. Its file is kept. Try "
                 "\"twilio-verify remove\" again later",
                 record->identity, record->factor_sid[0] != '\0' ? record->factor_sid : "unknown");
    return false;
}

bool tool_clean(struct tool *tool, enum users_state state, const char *name,
                enum command_status *ret_status)
{
    struct users_record record;
    struct verdict why_not;
    bool is_kept = false;
    enum users_found found = users_read(&tool->users, state, name, &record, &why_not);

    if (found == USERS_NONE)
        return true;
    if (found == USERS_REFUSED) {
        *ret_status = tool_refuse(&why_not, "cannot read what has to be deleted");
        return false;
    }

    if (state == USERS_FORMER && !find_use(tool, name, &record, &is_kept, &why_not)) {
        *ret_status = tool_refuse(&why_not, "cannot find out if a replaced factor is in use");
        return false;
    }
    if (!is_kept && !delete_there(tool, &record, ret_status))
        return false;
    if (users_drop(&tool->users, state, name, USERFILE_ENROLLMENT, &why_not))
        return true;
    *ret_status = tool_refuse(&why_not, is_kept ? "cannot delete the second file of a factor in use"
                                                : "deleted at Twilio, but not on this host");
    return false;
}
