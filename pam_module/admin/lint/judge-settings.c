/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The arguments of our module's lines, and the settings that count. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../core/methods.h"
#include "judge.h"
#include "text-file.h"

#define AFTER "after="
#define SPLIT "split="

/* The account as which the module will read the settings of the file PATH: the one that is known of
 * the service; where none is known, or not on this host, the file's owner; else root, NULL. */
static const char *reader_of(const struct judge *judge, const char *path)
{
    const struct passwd *owner;
    struct stat status;

    if (judge->known != NULL &&
        (judge->known->account == NULL || getpwnam(judge->known->account) != NULL))
        return judge->known->account;
    if (stat(path, &status) != 0 || status.st_uid == 0)
        return NULL;
    owner = getpwuid(status.st_uid);
    return owner != NULL ? owner->pw_name : NULL;
}

/* Reads settings that root may not trust, for whom they exempt. */
static bool read_foreign(const char *path, struct settings **ret_settings, struct verdict *why_not)
{
    auto_text char *text = NULL;

    if (!text_file_read(path, &text))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path, strerror(errno));
    return settings_parse(text, path, ret_settings, why_not);
}

/* Settings of a line's own, at PATH, count for whom it exempts. */
static void take_settings(struct judge *judge, const struct pam_stack_line *line, const char *path)
{
    const char *account = reader_of(judge, path);
    char reader[LOGIN_NAME_MAX + sizeof " (as )"] = "";
    struct verdict why_not;
    bool is_read;

    settings_free(&judge->own);
    if (account == NULL) {
        is_read = settings_read(path, &judge->own, &why_not);
    } else {
        snprintf(reader, sizeof reader, " (as %s)", account);
        is_read =
            judge_can_use(account, path, &why_not) && read_foreign(path, &judge->own, &why_not);
        judge->has_own_settings |= is_read;
    }
    if (is_read)
        judge_add(judge, line, REPORT_NOTE, NULL, "has settings of its own: %s%s", path, reader);
    else
        judge_add(judge, line, REPORT_WRONG, "correct them: the module refuses everybody",
                  "has settings of its own: %s%s", why_not.reason, reader);
}

/* Whether ARGUMENT begins with NAME. */
static bool has_name(const char *argument, const char *name)
{
    return strncmp(argument, name, strlen(name)) == 0;
}

static bool is_after(const char *argument)
{
    return has_name(argument, AFTER) && methods_are_known(argument + strlen(AFTER));
}

static bool is_split(const char *argument)
{
    const char *digit = argument + strlen(SPLIT);

    return has_name(argument, SPLIT) && *digit >= '1' && *digit <= '8' && digit[1] == '\0';
}

void judge_find_argument(const struct pam_stack_line *line, const char *name,
                         char value[JUDGE_VALUE_SIZE])
{
    char text[PAM_LINE_MAX + 1], *rest = text;
    const char *argument;

    snprintf(text, sizeof text, "%s", line->arguments);
    *value = '\0';
    while ((argument = pam_control_take_word(&rest)) != NULL)
        if (has_name(argument, name))
            snprintf(value, JUDGE_VALUE_SIZE, "%s", argument + strlen(name));
}

/* The program that calls the service has to be sshd, which may call one of another name. */
static void judge_after(struct judge *judge, const struct pam_stack_line *line)
{
    if (!judge_is_sshd(judge))
        judge_add(judge, line, judge->known != NULL ? REPORT_WRONG : REPORT_WARNING,
                  "remove after=",
                  "the module refuses everybody: only sshd says which methods it has "
                  "accepted, as after= needs it");
}

/* What root runs for a line: the module itself, or its check program. */
static void judge_program(struct judge *judge, const struct pam_stack_line *line, const char *path)
{
    struct stat status;
    bool is_found = stat(path, &status) == 0;

    if (!is_found || !S_ISREG(status.st_mode))
        judge_add(judge, line, REPORT_WRONG, "correct the path", "%s: %s: everybody is refused",
                  path, is_found ? "not a file" : strerror(errno));
    else if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        judge_add(judge, line, REPORT_WRONG, "chown root it, and chmod go-w it",
                  "%s is writable by non-root users, who can become root by it", path);
}

/* As the module reads its arguments. */
static void take_arguments(struct judge *judge, const struct pam_stack_line *line)
{
    char text[PAM_LINE_MAX + 1], *rest = text;
    const char *argument;
    bool is_alone = true; /* no after=, and no split= */

    snprintf(text, sizeof text, "%s", line->arguments);
    for (; (argument = pam_control_take_word(&rest)) != NULL;
         is_alone &= !is_after(argument) && !is_split(argument)) {
        if (has_name(argument, "conf=/"))
            take_settings(judge, line, argument + strlen("conf="));
        else if (has_name(argument, "helper=/"))
            judge_program(judge, line, argument + strlen("helper="));
        else if (is_after(argument) && is_alone)
            judge_after(judge, line);
        else if (strcmp(argument, "debug") != 0 && !(is_split(argument) && is_alone))
            judge_add(judge, line, REPORT_WRONG,
                      "only debug, conf= and helper= with an absolute path, and either one after= "
                      "with methods of sshd or one split= with 1 to 8 are known",
                      "the module refuses everybody for the argument \"%s\"", argument);
    }
}

static void judge_line(struct judge *judge, const struct pam_stack_line *line)
{
    if (*line->name == '/' && strstr(line->name, "$ISA") == NULL)
        judge_program(judge, line, line->name);
    take_arguments(judge, line);
}

const struct settings *judge_find_settings(const struct judge *judge)
{
    return judge->own != NULL ? judge->own : judge->check->settings;
}

bool judge_lets_pass(struct judge *judge, const char *who, bool has_factor)
{
    if (!judge->passed_over->is_success)
        judge_add(judge, NULL, REPORT_WRONG,
                  "add \"auth required pam_permit.so\" below the module's line",
                  "%s is refused without a question: no other line returns success", who);
    else if (judge->passed_over->is_success_bare && !has_factor)
        judge_add(judge, NULL, REPORT_WRONG, "put a first factor into the stack",
                  "%s gets in without authentication", who);
    else
        return true;
    return false;
}

/* Whom the settings exempt gets in by what else the stack asks for. */
static void judge_exemptions(struct judge *judge)
{
    const struct settings *settings = judge_find_settings(judge);
    bool is_exempt = settings != NULL && settings_exempts(settings, judge->check->service);
    bool is_unmapped = settings != NULL && settings->unmapped_user == SETTINGS_UNMAPPED_IGNORE;
    const char *who = is_exempt ? "exempt_services names it: everybody"
                                : "unmapped_user is \"ignore\": a user who is not enrolled";

    if ((is_exempt || is_unmapped) && judge_lets_pass(judge, who, judge_is_sshd(judge)))
        judge_add(judge, NULL, REPORT_WARNING, "check that this is intended",
                  "%s logs in without a code", who);
}

void judge_settings(struct judge *judge)
{
    for (size_t i = 0; i < judge->stack->count; i++)
        if (judge_is(&judge->stack->lines[i], FACTS_SECOND) ||
            judge_is(&judge->stack->lines[i], FACTS_SPLIT))
            judge_line(judge, &judge->stack->lines[i]);
    judge_exemptions(judge);
}
