/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* When sudo does not ask. */
#include "check-sudo.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sudoers.h"

#define SUBJECT "sudo"
#define DEFAULT "/etc/sudoers"

enum { TIMEOUT_MINUTES = 15, SETTING_SIZE = 128, SHOWN = 120 };

static bool is_in_word(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_';
}

static void judge_scope(struct report *report, const struct sudoers_line *line, bool is_for_all)
{
    report_add(report, is_for_all ? REPORT_WRONG : REPORT_WARNING, SUBJECT,
               is_for_all ? "remove \"!authenticate\"" : "check that this is intended",
               "%s:%u: %s runs without authentication: \"%.*s\"", line->path, line->number,
               is_for_all ? "sudo" : "an exemption, sudo", SHOWN, line->text);
}

static void judge_timeout(struct report *report, const struct sudoers_line *line, const char *value)
{
    double minutes = strtod(value, NULL);

    if (*value == '-')
        report_add(report, REPORT_WARNING, SUBJECT, "write \"Defaults timestamp_timeout=0\"",
                   "%s:%u: one code is valid until the next restart", line->path, line->number);
    else if (minutes > TIMEOUT_MINUTES)
        report_add(report, REPORT_NOTE, SUBJECT, NULL, "%s:%u: one code is valid for %s minutes",
                   line->path, line->number, value);
}

/* One setting of a line of Defaults: "timestamp_timeout=5". */
static void judge_setting(struct report *report, const struct sudoers_line *line, char *setting,
                          bool is_for_all)
{
    char *value = setting + strcspn(setting, "+-= \t");

    if (*value != '\0') {
        size_t length = strspn(value, "+= \t");
        if (value[0] == '-' && value[1] == '=')
            length = 2;
        *value = '\0';
        value += length;
        value += strspn(value, " \t\"=");
        value[strcspn(value, " \t\"")] = '\0';
    }
    if (strcmp(setting, "!authenticate") == 0)
        judge_scope(report, line, is_for_all);
    else if (strcmp(setting, "timestamp_timeout") == 0)
        judge_timeout(report, line, value);
    else if (strcmp(setting, "!tty_tickets") == 0 ||
             (strcmp(setting, "timestamp_type") == 0 && strcmp(value, "global") == 0))
        report_add(report, REPORT_WARNING, SUBJECT, "write \"timestamp_type=tty\"",
                   "%s:%u: a code at one terminal is valid at all terminals of the user",
                   line->path, line->number);
    else if (strcmp(setting, "passprompt_override") == 0)
        report_add(
            report, REPORT_WARNING, SUBJECT, "remove \"passprompt_override\"",
            "%s:%u: sudo's own prompt replaces the question for the code: the user cannot tell "
            "what to type",
            line->path, line->number);
    else if (strcmp(setting, "exempt_group") == 0)
        report_add(report, REPORT_WARNING, SUBJECT, "check who is in it",
                   "%s:%u: an exemption, group %s runs sudo without authentication", line->path,
                   line->number, value);
    else if (strcmp(setting, "pam_service") == 0 || strcmp(setting, "pam_login_service") == 0 ||
             strcmp(setting, "pam_askpass_service") == 0)
        report_add(report, REPORT_WARNING, SUBJECT, "check that service as well, by its name",
                   "%s:%u: uses the PAM service \"%s\" instead of its own", line->path,
                   line->number, value);
    else if (strcmp(setting, "rootpw") == 0 || strcmp(setting, "targetpw") == 0 ||
             strcmp(setting, "runaspw") == 0)
        report_add(report, REPORT_WARNING, SUBJECT, NULL,
                   "%s:%u: %s: sudo asks another user, not the caller", line->path, line->number,
                   setting);
}

/* "Defaults", then perhaps whom it is for, then settings with commas between. */
static void judge_defaults(struct report *report, const struct sudoers_line *line)
{
    const char *text = line->text + strlen("Defaults");
    bool is_for_all = isblank((unsigned char)*text);

    if (!is_for_all) {
        bool is_quoted = false;
        for (text++; *text != '\0' && (is_quoted || !isblank((unsigned char)*text)); text++)
            is_quoted ^= *text == '"';
    }
    while (*text != '\0') {
        char setting[SETTING_SIZE];
        size_t length;
        bool is_quoted = false;

        text += strspn(text, " \t,");
        for (length = 0; text[length] != '\0' && (is_quoted || text[length] != ','); length++)
            is_quoted ^= text[length] == '"';
        snprintf(setting, sizeof setting, "%.*s", (int)length, text);
        if (length > 0 && setting[0] == '!')
            memmove(setting + 1, setting + 1 + strspn(setting + 1, " \t"),
                    strlen(setting + 1 + strspn(setting + 1, " \t")) + 1);
        judge_setting(report, line, setting, is_for_all);
        text += length;
    }
}

/* A rule may turn the tag on and off again: who is named once is named. */
static void judge_rule(struct report *report, const struct sudoers_line *line)
{
    static const char tag[] = "NOPASSWD";

    for (const char *at = strstr(line->text, tag); at != NULL; at = strstr(at + 1, tag)) {
        const char *end = at + strlen(tag);
        end += strspn(end, " \t");
        if (*end != ':' || (at > line->text && is_in_word(at[-1])))
            continue;
        report_add(report, REPORT_WARNING, SUBJECT, "check that this is intended",
                   "%s:%u: an exemption, sudo runs without authentication: \"%.*s\"", line->path,
                   line->number, SHOWN, line->text);
        return;
    }
}

static bool is_alias(const char *text)
{
    static const char *const words[] = { "User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias",
                                         "Cmd_Alias" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(text, words[i], strlen(words[i])) == 0 &&
            isblank((unsigned char)text[strlen(words[i])]))
            return true;
    return false;
}

static void judge_line(const struct sudoers_line *line, void *context)
{
    struct report *report = context;
    static const char word[] = "Defaults";
    bool is_defaults =
        strncmp(line->text, word, strlen(word)) == 0 && !is_in_word(line->text[strlen(word)]);

    if (is_defaults)
        judge_defaults(report, line);
    else if (!is_alias(line->text))
        judge_rule(report, line);
}

void check_sudo_add(struct report *report, const char *sudoers)
{
    const char *path = sudoers != NULL ? sudoers : DEFAULT;
    char why_not[SUDOERS_WHY_NOT_SIZE] = "";

    if (!sudoers_read(path, judge_line, report, why_not))
        report_add(report, REPORT_WARNING, SUBJECT,
                   geteuid() != 0 ? "run this command as root" : NULL,
                   "sudoers could not be read completely: %s", why_not);
}
