/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "enable" and "disable": a code for a PAM service, and its end. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../../core/descriptor.h"
#include "../../core/secret.h"
#include "../desk/lock.h"
#include "../desk/terminal.h"
#include "../enroll/tool.h"
#include "../lint/judge.h"
#include "outlook.h"
#include "polkit.h"
#include "sshd.h"
#include "stack.h"

#define PAM_DIRECTORY "/etc/pam.d"
#define LOCK          "/run/twilio-verify.lock"

enum { NAMES_MAX = 2 };

/* One call. */
struct task {
    const struct command_call *call;
    struct report *report;
    struct settings *settings; /* NULL: they are not read yet, or can't be */
    struct facts *facts;
    struct plan plan;
    char *names[NAMES_MAX + 1]; /* of the services that one operand means */
    bool is_forced, is_dry;
    int split; /* how long the code is where it shares the field of the password; 0: it does not */
};

static bool refuse(struct task *task, const char *reason)
{
    report_add(task->report, REPORT_WRONG, task->names[0], NULL, "%s; %s is left as it was", reason,
               task->names[0]);
    return false;
}

static bool is_name(const char *name)
{
    return *name != '\0' && *name != '.' && strlen(name) <= FACTS_NAME_MAX &&
           strpbrk(name, "/ \t\n#\\") == NULL && strncmp(name, "common-", strlen("common-")) != 0 &&
           strcmp(name, "other") != 0;
}

/* "sudo" means what "sudo -i" calls, too. libpam takes a name in lower case. */
static bool take_names(struct task *task, char *name)
{
    static char sudo_i[] = "sudo-i";

    for (char *letter = name; *letter != '\0'; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    task->names[0] = name;
    task->names[1] = strcmp(name, "sudo") == 0 ? sudo_i : NULL;
    return is_name(name) ||
           refuse(task, "this is not a service with a file of its own; for all services that "
                        "include common-auth use pam-auth-update(8)");
}

/* The program has to be able to read the settings, and somebody to be there. */
static bool can_ask(struct task *task)
{
    const struct facts_service *known = facts_find_service(task->facts, task->names[0]);

    if (known == NULL)
        return true;
    if (known->words & FACTS_SYSTEM)
        return refuse(task, "only root or the system starts it: nobody can be asked for a code");
    if (judge_account(known, "the user") != NULL)
        return refuse(task, "its program is not root, and cannot read the settings; see "
                            "/usr/share/doc/twilio-verify/examples/README.md, Other programs");
    return true;
}

static struct stack stack_of(const struct task *task, const char *service)
{
    const char *line = command_value(task->call, "after");
    const char *factor = command_value(task->call, "first-factor");
    bool is_by_key = strcmp(service, "sshd") == 0 && strcmp(factor, "key") == 0;

    return (struct stack){ .service = service,
                           .facts = task->facts,
                           .line = line,
                           .split = task->split,
                           .place = is_by_key      ? STACK_IN_PLACE
                                    : line != NULL ? STACK_AFTER
                                                   : STACK_LAST };
}

/* The line that cuts the code off has to know its length. */
static bool take_split(struct task *task)
{
    struct verdict why_not;

    if (command_value(task->call, "one-field") == NULL)
        return true;
    if (task->settings == NULL &&
        !settings_read(task->call->settings_path, &task->settings, &why_not))
        return refuse(task, why_not.reason);
    task->split = task->settings->code_length;
    return true;
}

/* A second service of an operand need not be there. */
static bool plan_stacks(struct task *task)
{
    for (size_t i = 0; task->names[i] != NULL; i++) {
        struct stack stack = stack_of(task, task->names[i]);
        struct verdict why_not;
        enum stack_found found = i > 0 && stack_asks_by_another(&stack, &task->plan)
                                     ? STACK_SAME
                                     : stack_enable(&stack, &task->plan, &why_not);
        if (found == STACK_ABSENT && i > 0) {
            task->names[i] = NULL;
            break;
        }
        if (found == STACK_REFUSED || found == STACK_ABSENT)
            return refuse(task, why_not.reason);
    }
    return true;
}

/* Whether what every login needs is there. False, with the verdict. */
static bool is_installed(struct task *task, struct verdict *why_not)
{
    auto_secret char *secret = NULL;

    if ((task->settings == NULL && !tool_settings(task->call, &task->settings, why_not)) ||
        !tool_is_installed(task->settings, why_not))
        return false;
    if (secret_read_line(task->settings->api_key_file, &secret, why_not))
        return true;
    if (access(task->settings->api_key_file, F_OK) != 0)
        verdict_add(why_not, ": twilio-verify setup writes it");
    return false;
}

static bool can_log_in(struct task *task)
{
    struct verdict why_not;

    if (is_installed(task, &why_not))
        return true;
    report_add(task->report, REPORT_WRONG, task->names[0], NULL, "every login would be refused: %s",
               why_not.reason);
    return false;
}

/* Shows the plan where that is wanted, and judges what it leads to. */
static bool is_bearable(struct task *task, enum outlook_need need, bool is_root_out)
{
    bool is_ready = can_log_in(task);
    struct outlook outlook = { .settings = task->settings,
                               .services = task->names,
                               .overlay = task->plan.overlay,
                               .need = need,
                               .is_root_out = is_root_out };
    struct verdict why_not;

    if (task->is_dry && !plan_print(&task->plan, &why_not))
        return refuse(task, why_not.reason);
    if ((outlook_add(task->report, &outlook) && is_ready) || task->is_forced)
        return true;
    return refuse(task, "the result would be wrong (see above); --force changes it anyway");
}

static void add_done(struct task *task, const char *word)
{
    for (size_t i = 0; i < task->plan.count; i++)
        report_add(task->report, REPORT_OK, task->names[0], NULL, "%s: %s", word,
                   task->plan.files[i].path);
}

/* Carries the plan out, unless it was only to be shown. */
static bool finish(struct task *task, const char *word)
{
    struct verdict why_not;

    if (task->is_dry)
        return true;
    if (!plan_write(&task->plan, &why_not))
        return refuse(task, why_not.reason);
    add_done(task, word);
    return true;
}

/* Names the lines that this tool has not written. */
static void add_rest(struct task *task)
{
    for (size_t i = 0; task->names[i] != NULL; i++) {
        struct stack stack = { .service = task->names[i], .facts = task->facts };
        struct verdict remedy;
        if (stack_still_asks(&stack, &remedy))
            report_add(task->report, REPORT_WARNING, stack.service, NULL, "%s", remedy.reason);
    }
}

/* Takes back: nothing is to be judged. */
static bool undo(struct task *task)
{
    struct verdict why_not;

    if (task->is_dry)
        return plan_print(&task->plan, &why_not) || refuse(task, why_not.reason);
    return finish(task, "disabled");
}

static bool has_nothing_to_do(struct task *task, const char *word)
{
    if (task->plan.count > 0)
        return false;
    report_add(task->report, REPORT_OK, task->names[0], NULL, "%s already", word);
    return true;
}

static bool reload_polkit(struct task *task)
{
    if (task->is_dry || polkit_reload())
        return true;
    report_add(task->report, REPORT_WRONG, task->names[0], "systemctl daemon-reload",
               "systemd could not reload its units");
    return false;
}

static bool enable_service(struct task *task)
{
    bool is_polkit = strcmp(task->names[0], "polkit-1") == 0;
    struct verdict why_not;

    if (!can_ask(task) || !take_split(task) || !plan_stacks(task))
        return false;
    if (is_polkit && !polkit_enable(&task->plan, &why_not))
        return refuse(task, why_not.reason);
    if (has_nothing_to_do(task, "enabled"))
        return true;
    return is_bearable(task, OUTLOOK_ANYTHING, false) && finish(task, "enabled") &&
           (!is_polkit || reload_polkit(task));
}

/* sshd first, and PAM only when sshd was seen to ask for the first factor and for the code: with
 * PAM changed and sshd not, the method "password" would be the code alone. */
static bool write_sshd(struct task *task, bool by_key, const struct sshd_config *config)
{
    struct verdict why_not, reason;
    const struct plan *plan = &task->plan;

    if (!sshd_switch(by_key, &plan->files[0], config, &why_not))
        return refuse(task, why_not.reason);
    if (plan->count < 2 || config_file_write(&plan->files[1], &why_not)) {
        add_done(task, "enabled");
        return true;
    }
    if (!sshd_return(&plan->files[0], config, &reason))
        verdict_add(&why_not, "; and sshd still has the new methods: %s", reason.reason);
    return refuse(task, why_not.reason);
}

static bool enable_sshd(struct task *task)
{
    const char *factor = command_value(task->call, "first-factor");
    auto_sshd_config config = { 0 };
    auto_config_file drop_in = { 0 };
    bool by_key = factor != NULL && strcmp(factor, "key") == 0;
    bool is_same;
    struct verdict why_not;

    if (factor == NULL || (!by_key && strcmp(factor, "password") != 0))
        return refuse(task, "say which first factor comes before the code: --first-factor key (an "
                            "SSH key, no password) or --first-factor password (then a key alone "
                            "no longer logs in)");
    if (!sshd_enable(by_key, &drop_in, &why_not))
        return refuse(task, why_not.reason);
    is_same = drop_in.old != NULL && strcmp(drop_in.old, drop_in.new) == 0;
    plan_add(&task->plan, &drop_in);
    sshd_make_directory();
    if (!plan_stacks(task))
        return false;
    if (is_same && task->plan.count == 1) {
        report_add(task->report, REPORT_OK, task->names[0], NULL, "enabled already");
        return true;
    }
    if (!sshd_read(by_key, task->plan.overlay, &config, &why_not))
        return refuse(task, why_not.reason);
    if (!is_bearable(task,
                     !by_key             ? OUTLOOK_PASSWORD
                     : config.other_keys ? OUTLOOK_ANY_KEY
                                         : OUTLOOK_KEY,
                     config.is_root_out))
        return false;
    if (task->is_dry)
        return true;
    if (command_value(task->call, "no-reload") != NULL)
        return refuse(task, "PAM must not change before sshd is reloaded: run this command "
                            "without --no-reload");
    return write_sshd(task, by_key, &config);
}

/* Also where nothing had to be undone: an earlier "disable" may have ended before it reloaded
 * sshd. */
static bool is_reloaded(struct task *task)
{
    auto_sshd_config config = { 0 };
    struct verdict why_not;

    sshd_make_directory();
    switch (sshd_config_read(NULL, NULL, NULL, SSHD_CONFIG_USUAL, &config, &why_not)) {
    case SSHD_CONFIG_ABSENT:
        return true;
    case SSHD_CONFIG_REFUSED:
        break;
    case SSHD_CONFIG_READ:
        if (sshd_reload(&config, &why_not))
            return true;
    }
    report_add(task->report, REPORT_WRONG, "sshd", "reload it",
               "keeps its methods until it is reloaded: %s", why_not.reason);
    return false;
}

/* PAM first: sshd with its old methods would ask for nothing but the code. */
static bool disable_sshd(struct task *task)
{
    auto_config_file drop_in = { 0 };
    struct verdict why_not;
    size_t count;
    bool is_same;

    if (!sshd_disable(&drop_in, &count, &why_not))
        return refuse(task, why_not.reason);
    if (count > 0)
        plan_add(&task->plan, &drop_in);
    is_same = has_nothing_to_do(task, "disabled");
    if (!is_same && !undo(task))
        return false;
    if (task->is_dry)
        return true;
    if (command_value(task->call, "no-reload") == NULL)
        return is_reloaded(task);
    if (!is_same)
        report_add(task->report, REPORT_WARNING, "sshd", "reload it",
                   "keeps its methods until it is reloaded");
    return true;
}

static bool disable_service(struct task *task)
{
    bool is_polkit = strcmp(task->names[0], "polkit-1") == 0;
    struct verdict why_not;

    for (size_t i = 0; task->names[i] != NULL; i++)
        switch (stack_disable(task->names[i], &task->plan, &why_not)) {
        case STACK_REFUSED:
            return refuse(task, why_not.reason);
        case STACK_ABSENT:
            if (i == 0 && !is_polkit)
                return refuse(task, why_not.reason);
            break;
        case STACK_SAME:
        case STACK_CHANGED:
            break;
        }
    if (strcmp(task->names[0], "sshd") == 0)
        return disable_sshd(task);
    if (is_polkit && !polkit_disable(&task->plan, &why_not))
        return refuse(task, why_not.reason);
    if (has_nothing_to_do(task, "disabled"))
        return true;
    return undo(task) && (!is_polkit || reload_polkit(task));
}

static bool disable(struct task *task)
{
    bool is_done = disable_service(task);

    if (is_done && !task->is_dry)
        add_rest(task);
    return is_done;
}

static bool enable(struct task *task)
{
    return strcmp(task->names[0], "sshd") == 0 ? enable_sshd(task) : enable_service(task);
}

/* Only one call at a time changes PAM. */
static int lock(void)
{
    int file = lock_take(AT_FDCWD, LOCK);

    if (file < 0)
        terminal_say("%s", errno == EWOULDBLOCK ? "another twilio-verify is changing " PAM_DIRECTORY
                                                  ": try again later"
                                                : strerror(errno));
    return file;
}

static bool run_one(struct task *task, char *name, bool (*change)(struct task *task))
{
    bool is_done;

    task->report = report_start(task->call);
    if (task->report == NULL)
        return false;
    is_done = take_names(task, name) && change(task);
    report_end(task->report);
    plan_free(&task->plan);
    return is_done;
}

static enum command_status run(const struct command_call *call, bool (*change)(struct task *task))
{
    struct verdict why_not;
    struct task task = { .call = call,
                         .is_dry = command_value(call, "dry-run") != NULL,
                         .is_forced = command_value(call, "force") != NULL };
    auto_close held = lock();
    bool is_done;

    close(terminal_hold_signals()); /* they must not end it between PAM and sshd */
    if (held >= 0 && !facts_read(&task.facts, &why_not))
        terminal_say("%s", why_not.reason);
    is_done = task.facts != NULL;
    for (char *const *name = call->operands; task.facts != NULL && *name != NULL; name++)
        is_done &= run_one(&task, *name, change);
    if (is_done && !task.is_dry && change == enable)
        terminal_say("next: log in from a second terminal, then: twilio-verify check-pam");
    facts_free(&task.facts);
    settings_free(&task.settings);
    return is_done ? COMMAND_OK : COMMAND_WRONG;
}

static enum command_status run_disable(const struct command_call *call)
{
    return run(call, disable);
}

/* One line of PAM belongs to one service, and sshd's place is known. */
static enum command_status run_enable(const struct command_call *call)
{
    bool is_one = call->operands[1] == NULL, has_sshd = false;

    for (char *const *operand = call->operands; *operand != NULL; operand++)
        has_sshd |= strcasecmp(*operand, "sshd") == 0;
    if (command_value(call, "after") != NULL && (!is_one || has_sshd))
        terminal_say("--after is for one service, and not for sshd");
    else if (command_value(call, "first-factor") != NULL && !has_sshd)
        terminal_say("--first-factor is for sshd");
    else if (command_value(call, "one-field") != NULL && has_sshd)
        terminal_say("--one-field is not for sshd, whose methods have to change as well: "
                     "the recipe one-field has the lines of PAM and of sshd_config");
    else
        return run(call, enable);
    return COMMAND_USAGE;
}

const struct command enable_command = {
    .name = "enable",
    .operands = "SERVICE...",
    .summary = "Makes PAM services ask for a code",
    .options = {
        { "first-factor", "FACTOR", "for sshd: \"password\" or \"key\"" },
        { "after", "LINE", "put the code after the line of the service's file that reads LINE" },
        { "one-field", NULL, "take the code in the field of the password" },
        { "dry-run", NULL, "show what would change, change nothing" },
        { "force", NULL, "change it although something is wrong" },
        { "no-reload", NULL, "do not reload sshd" },
    },
    .run = run_enable,
};

const struct command disable_command = {
    .name = "disable",
    .operands = "SERVICE...",
    .summary = "Undoes enable",
    .options = {
        { "dry-run", NULL, "show what would change, change nothing" },
        { "no-reload", NULL, "do not reload sshd" },
    },
    .run = run_disable,
};
