/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* When sudo does not ask. */
#include "check-sudo.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../core/descriptor.h"
#include "../desk/child.h"
#include "pam-control.h"
#include "text-file.h"

#define SUBJECT   "sudo"
#define DEFAULT   "/etc/sudoers"
#define SOURCES   "/etc/nsswitch.conf"
#define PLUGINS   "/etc/sudo.conf"
#define LOOK      "look for NOPASSWD and !authenticate there yourself"
#define FILE_NAME "sudoers_file="

enum { TIMEOUT_MINUTES = 15, WORDS_SIZE = 160 };

/* LIST may be NULL. */
static size_t count_of(json_object *list)
{
    return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

/* Adds what ITEM, an element of one of cvtsudoers' lists, means. */
typedef void add_function(struct report *report, json_object *item);

static void add_each(struct report *report, json_object *parent, const char *name,
                     add_function *add)
{
    json_object *list = json_object_object_get(parent, name);
    size_t count = count_of(list);

    for (size_t i = 0; i < count; i++)
        add(report, json_object_array_get_idx(list, i));
}

/* How sudoers(5) writes a name of KIND. */
static const char *mark_of(const char *kind)
{
    return strcmp(kind, "usergroup") == 0  ? "%"
           : strcmp(kind, "userid") == 0   ? "#"
           : strcmp(kind, "netgroup") == 0 ? "+"
                                           : "";
}

/* Appends the names in the list NAME of PARENT: "alice, %wheel, !bob". */
static void join(json_object *parent, const char *name, char words[WORDS_SIZE])
{
    json_object *list = json_object_object_get(parent, name);
    size_t count = count_of(list);

    for (size_t i = 0; i < count; i++) {
        json_object *object = json_object_array_get_idx(list, i);
        const char *before = json_object_object_get(object, "negated") != NULL ? "!" : "";
        json_object_object_foreach(object, kind, value)
        {
            size_t used = strlen(words);
            if (strcmp(kind, "negated") != 0)
                snprintf(words + used, WORDS_SIZE - used, "%s%s%s%s", used > 0 ? ", " : "", before,
                         mark_of(kind), json_object_get_string(value));
        }
    }
}

static void add_timeout(struct report *report, const char *minutes)
{
    if (*minutes == '-')
        report_add(report, REPORT_WARNING, SUBJECT, "write \"Defaults timestamp_timeout=0\"",
                   "timestamp_timeout=%s: one code is valid until the next restart", minutes);
    else if (strtod(minutes, NULL) > TIMEOUT_MINUTES)
        report_add(report, REPORT_NOTE, SUBJECT, NULL,
                   "timestamp_timeout=%s: one code is valid for so many minutes", minutes);
}

/* Adds what the setting NAME of "Defaults" means for the code. VALUE is "true" or "false" for a
 * flag. */
static void add_setting(struct report *report, const char *name, const char *value)
{
    static const char global[] = "a code at one terminal is valid at all terminals of the user";
    static const char other[] = "sudo asks another user, not the caller";
    static const char service[] = "sudo uses this PAM service instead of its own";
    static const char look[] = "check that service as well, by its name";
    static const struct {
        const char *name, *value; /* NULL: any but "false" */
        const char *remedy, *text;
    } rows[] = {
        { "tty_tickets", "false", "write \"timestamp_type=tty\"", global },
        { "timestamp_type", "global", "write \"timestamp_type=tty\"", global },
        { "passprompt_override", "true", "remove \"passprompt_override\"",
          "sudo's own prompt replaces the question for the code: the user cannot tell what to "
          "type" },
        { "exempt_group", NULL, "check who is in it",
          "an exemption, this group runs sudo without authentication" },
        { "pam_service", NULL, look, service },
        { "pam_login_service", NULL, look, service },
        { "pam_askpass_service", NULL, look, service },
        { "rootpw", "true", NULL, other },
        { "targetpw", "true", NULL, other },
        { "runaspw", "true", NULL, other },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0 &&
            (rows[i].value != NULL ? strcmp(rows[i].value, value) == 0
                                   : strcmp(value, "false") != 0))
            report_add(report, REPORT_WARNING, SUBJECT, rows[i].remedy, "%s=%s: %s", name, value,
                       rows[i].text);
    if (strcmp(name, "timestamp_timeout") == 0)
        add_timeout(report, value);
}

static bool is_off(json_object *options, const char *flag)
{
    json_object *value = json_object_object_get(options, flag);

    return json_object_is_type(value, json_type_boolean) && !json_object_get_boolean(value);
}

/* As sudoers(5) writes everybody, and everything. */
static bool is_all(const char *words)
{
    return strcmp(words, "ALL") == 0;
}

/* "Defaults" of everybody, or of those in "Binding". */
static void add_defaults(struct report *report, json_object *defaults)
{
    json_object *options = json_object_object_get(defaults, "Options");
    size_t count = count_of(options);
    char whose[WORDS_SIZE] = "";

    join(defaults, "Binding", whose);
    for (size_t i = 0; i < count; i++) {
        json_object *option = json_object_array_get_idx(options, i);
        json_object_object_foreach(option, name, value)
        {
            add_setting(report, name, json_object_get_string(value));
        }
        if (is_off(option, "authenticate") && (*whose == '\0' || is_all(whose)))
            report_add(report, REPORT_WRONG, SUBJECT, "remove \"!authenticate\"",
                       "Defaults !authenticate: sudo runs without authentication");
        else if (is_off(option, "authenticate"))
            report_add(report, REPORT_WARNING, SUBJECT, "check that this is intended",
                       "Defaults !authenticate: an exemption, without authentication: %s", whose);
    }
}

/* Whether one of the options of a command is NOPASSWD. */
static bool is_exempt(json_object *command)
{
    json_object *options = json_object_object_get(command, "Options");
    size_t count = count_of(options);

    for (size_t i = 0; i < count; i++)
        if (is_off(json_object_array_get_idx(options, i), "authenticate"))
            return true;
    return false;
}

/* A rule: who may run what. */
static void add_rule(struct report *report, json_object *rule)
{
    json_object *commands = json_object_object_get(rule, "Cmnd_Specs");
    size_t count = count_of(commands);
    char whose[WORDS_SIZE] = "", what[WORDS_SIZE] = "";

    join(rule, "User_List", whose);
    for (size_t i = 0; i < count; i++)
        if (is_exempt(json_object_array_get_idx(commands, i)))
            join(json_object_array_get_idx(commands, i), "Commands", what);
    if (is_all(whose) && is_all(what))
        report_add(report, REPORT_WRONG, SUBJECT, "remove \"NOPASSWD\"",
                   "NOPASSWD: sudo runs without authentication");
    else if (*what != '\0')
        report_add(report, REPORT_WARNING, SUBJECT, "check that this is intended",
                   "NOPASSWD: an exemption, %s runs without authentication: %s", whose, what);
}

static void add_unknown(struct report *report, const char *path, const char *reason)
{
    report_add(report, REPORT_WARNING, SUBJECT,
               geteuid() != 0 ? "run this command as root" : "look for NOPASSWD yourself",
               "whom sudo does not ask is not known: %s: %s", path, reason);
}

static void add_policy(struct report *report, const char *path, const char *text)
{
    json_object *policy = json_tokener_parse(text);

    if (policy == NULL && *text != '\0') /* it prints nothing for a file that says nothing */
        add_unknown(report, path, "cvtsudoers printed no JSON");
    add_each(report, policy, "Defaults", add_defaults);
    add_each(report, policy, "User_Specs", add_rule);
    json_object_put(policy);
}

/* Asks cvtsudoers(1), which ends without a policy where sudo skips a bad line and goes on. */
static void convert(struct report *report, const char *path, int output, int messages)
{
    const char *const arguments[] = { "/usr/bin/cvtsudoers", "-c", "/dev/null", "-f", "json", "-o",
                                      "/proc/self/fd/3",     path, NULL };
    const int inputs[] = { output, -1 };
    int status = child_run(arguments, messages, inputs);
    auto_text char *text = NULL;

    lseek(output, 0, SEEK_SET);
    lseek(messages, 0, SEEK_SET);
    if (status < 0)
        add_unknown(report, path, "there is no cvtsudoers, of the package sudo");
    else if (!text_file_read_descriptor(status == 0 ? output : messages, &text))
        add_unknown(report, path, strerror(errno));
    else if (status == 0)
        add_policy(report, path, text);
    else {
        text[strcspn(text, "\n")] = '\0';
        add_unknown(report, path, text);
    }
}

/* A line of nsswitch.conf: "sudoers: files sss". */
static void add_source(const char *path, char *line, void *report)
{
    static const char key[] = "sudoers:";
    const char *word;

    if (strncmp(line, key, strlen(key)) != 0)
        return;
    line += strlen(key);
    while ((word = pam_control_take_word(&line)) != NULL && *word != '#')
        if (strcmp(word, "files") != 0 && strchr(word, '=') == NULL)
            report_add(report, REPORT_WARNING, SUBJECT, LOOK,
                       "%s: sudo takes rules from \"%s\" too, which are not checked", path, word);
}

/* A line of sudo.conf: "Plugin sudoers_policy sudoers.so sudoers_file=/etc/sudoers". */
static void add_plugin(const char *path, char *line, void *report)
{
    const char *word = pam_control_take_word(&line);
    const char *symbol = word != NULL ? pam_control_take_word(&line) : NULL;

    if (symbol == NULL || strcmp(word, "Plugin") != 0)
        return;
    if (strncmp(symbol, "sudoers_", strlen("sudoers_")) != 0)
        report_add(report, REPORT_WARNING, SUBJECT, "check whom it lets in without authentication",
                   "%s: the rules of the plugin \"%s\" are not checked", path, symbol);
    while ((word = pam_control_take_word(&line)) != NULL && *word != '#')
        if (strncmp(word, FILE_NAME, strlen(FILE_NAME)) == 0 &&
            strcmp(word + strlen(FILE_NAME), DEFAULT) != 0)
            report_add(report, REPORT_WARNING, SUBJECT, "check that file as well, with --sudoers",
                       "%s: sudo reads %s in place of " DEFAULT, path, word + strlen(FILE_NAME));
}

void check_sudo_add(struct report *report, const char *sudoers)
{
    const char *path = sudoers != NULL ? sudoers : DEFAULT;
    auto_close output = memfd_create("policy", MFD_CLOEXEC);
    auto_close messages = memfd_create("messages", MFD_CLOEXEC);
    auto_text char *text = NULL;

    if (sudoers == NULL) {
        text_file_each(SOURCES, add_source, report);
        text_file_each(PLUGINS, add_plugin, report);
    }
    if (output >= 0 && messages >= 0 && text_file_read(path, &text)) /* a FIFO would hold it up */
        convert(report, path, output, messages);
    else
        add_unknown(report, path, strerror(errno));
}

/* A line of doas.conf: "permit nopass alice". */
static void add_permit(const char *path, char *line, void *report)
{
    const char *word = pam_control_take_word(&line);

    if (word == NULL || strcmp(word, "permit") != 0)
        return;
    while ((word = pam_control_take_word(&line)) != NULL && *word != '#')
        if (strcmp(word, "nopass") == 0)
            report_add(report, REPORT_WARNING, "doas", "check that this is intended",
                       "%s: nopass: an exemption, without authentication: %s", path, line);
}

void check_sudo_add_doas(struct report *report)
{
    text_file_each("/etc/doas.conf", add_permit, report);
}
