/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether sshd lets in without the code. */
#include "check-sshd.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sshd-config.h"

#define SUBJECT     "sshd"
#define END_OF_LIST " \t\r\""
#define METHODS     "AuthenticationMethods publickey,keyboard-interactive"

struct judge {
    struct report *report;
    struct sshd_config config;
    bool has_factor; /* PAM asks for a first factor as well */
};

/* What a list of methods, "publickey,keyboard-interactive:pam", comes to. */
struct list {
    bool asks;           /* the module, which can ask */
    bool gives_password; /* the module, which gets what was typed as the password */
    bool has_key;        /* something else than PAM */
    bool is_key_first;   /* and that before PAM */
};

static bool is_method(const char *word, size_t length, const char *method)
{
    return strlen(method) == length && strncmp(word, method, length) == 0;
}

static struct list read_list(const char *words)
{
    struct list list = { 0 };

    while (strcspn(words, END_OF_LIST) > 0) {
        size_t length = strcspn(words, "," END_OF_LIST);
        if (is_method(words, length, "keyboard-interactive") ||
            is_method(words, length, "keyboard-interactive:pam")) {
            list.asks = true;
        } else if (is_method(words, length, "password")) {
            list.gives_password = true;
        } else {
            list.has_key = true;
            list.is_key_first |= !list.asks && !list.gives_password;
        }
        words += length;
        words += *words == ',' ? 1 : 0;
    }
    return list;
}

/* One list of AuthenticationMethods, the first LENGTH bytes of WORDS. */
static void judge_list(struct judge *judge, const char *words, int length)
{
    struct list list = read_list(words);

    if (!list.asks && !list.gives_password)
        report_add(judge->report, REPORT_WRONG, SUBJECT, "say \"" METHODS "\"",
                   "AuthenticationMethods: \"%.*s\" logs in without the code", length, words);
    else if (!list.asks && judge->has_factor)
        report_add(judge->report, REPORT_WRONG, SUBJECT,
                   "say \"keyboard-interactive\" in its place",
                   "AuthenticationMethods: \"%.*s\" is always refused, as a password is no code",
                   length, words);
    else if (!list.has_key && !judge->has_factor)
        report_add(judge->report, REPORT_WRONG, SUBJECT, "say \"" METHODS "\"",
                   "AuthenticationMethods: by \"%.*s\" the code alone logs in", length, words);
    else if (!list.is_key_first && !judge->has_factor)
        report_add(judge->report, REPORT_WARNING, SUBJECT, "put \"publickey\" first",
                   "AuthenticationMethods: \"%.*s\" asks for the code first: anybody can use up a "
                   "user's challenges",
                   length, words);
    else
        report_add(judge->report, REPORT_OK, SUBJECT, NULL,
                   "AuthenticationMethods: \"%.*s\" asks for the code", length, words);
}

static void judge_lists(struct judge *judge)
{
    const char *words = judge->config.methods;

    for (words += strspn(words, " "); *words != '\0'; words += strspn(words, " ")) {
        size_t length = strcspn(words, " ");
        judge_list(judge, words, (int)length);
        words += length;
    }
}

/* Without AuthenticationMethods each method that is on logs in by itself. */
static void judge_any(struct judge *judge)
{
    const struct sshd_config *config = &judge->config;
    const struct {
        bool is_on;
        const char *what, *remedy;
    } methods[] = {
        { config->public_key, "a key", "say \"" METHODS "\", or \"PubkeyAuthentication no\"" },
        { config->host_based, "a host's key", "say \"HostbasedAuthentication no\"" },
        { config->gssapi, "a Kerberos ticket", "say \"GSSAPIAuthentication no\"" },
    };

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (methods[i].is_on)
            report_add(judge->report, REPORT_WRONG, SUBJECT, methods[i].remedy,
                       "%s alone logs in, and the module is not called", methods[i].what);
    if (config->password)
        report_add(
            judge->report, judge->has_factor ? REPORT_WARNING : REPORT_WRONG, SUBJECT,
            "say \"PasswordAuthentication no\"",
            judge->has_factor
                ? "the method \"password\" is always refused, as a password is no code"
                : "by the method \"password\" the code, typed as the password, logs in alone");
    if (config->keyboard_interactive && !judge->has_factor)
        report_add(judge->report, REPORT_WRONG, SUBJECT, "say \"" METHODS "\"",
                   "the code alone logs in");
    else if (config->keyboard_interactive)
        report_add(judge->report, REPORT_OK, SUBJECT, NULL,
                   "keyboard-interactive asks for the code");
}

/* Whether one of the lists in VALUE, up to a comment, does without the code; "any" is one. */
static bool is_exempting(const char *value)
{
    for (;;) {
        value += strspn(value, END_OF_LIST);
        if (*value == '\0' || *value == '#')
            return false;
        if (!read_list(value).asks)
            return true;
        value += strcspn(value, END_OF_LIST);
    }
}

/* Who matches has other ways in. */
static void judge_match(const struct sshd_config_line *line, void *context)
{
    static const char *const keywords[] = {
        "PubkeyAuthentication",   "HostbasedAuthentication",      "GSSAPIAuthentication",
        "PasswordAuthentication", "KbdInteractiveAuthentication", "PAMServiceName",
    };
    struct judge *judge = context;

    if (strcasecmp(line->keyword, "AuthenticationMethods") == 0) {
        bool is_exempt = is_exempting(line->value);
        report_add(judge->report, is_exempt ? REPORT_WARNING : REPORT_OK, SUBJECT,
                   is_exempt ? "mind who can come under it" : NULL, "%s:%u: Match %s: %s%s",
                   line->path, line->number, line->criteria,
                   is_exempt ? "an exemption, logs in without the code by "
                             : "asks for the code by ",
                   line->value);
        return;
    }
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strcasecmp(line->keyword, keywords[i]) == 0 && strncasecmp(line->value, "no", 2) != 0)
            report_add(judge->report, REPORT_WARNING, SUBJECT,
                       "see that AuthenticationMethods holds for them, too",
                       "%s:%u: Match %s: a way in of their own, %s %s", line->path, line->number,
                       line->criteria, line->keyword, line->value);
}

static void judge_config(struct judge *judge)
{
    if (!judge->config.use_pam) {
        report_add(judge->report, REPORT_WRONG, SUBJECT, "say \"UsePAM yes\"",
                   "UsePAM is off: the module is never called");
        return;
    }
    if (!judge->config.keyboard_interactive)
        report_add(judge->report, REPORT_WRONG, SUBJECT, "say \"KbdInteractiveAuthentication yes\"",
                   "KbdInteractiveAuthentication is off: nobody can be asked for a code");
    if (strcmp(judge->config.methods, "any") == 0)
        judge_any(judge);
    else
        judge_lists(judge);
}

/* Newer sshds may be told of another service. */
static bool find_stack(const struct judge *judge, const struct check_stack *check,
                       struct check_stack_answer *answer)
{
    struct check_stack other = *check;

    if (strcmp(judge->config.pam_service, check->service) == 0)
        return answer->is_called;
    other.service = judge->config.pam_service;
    *answer = check_stack_ask(&other);
    if (!answer->is_called)
        report_add(judge->report, check->level_of_absence, SUBJECT,
                   "take PAMServiceName out, or put the module there",
                   "calls the PAM service \"%s\", which does not call the module", other.service);
    return answer->is_called;
}

/* The folder that sshd misses is there while it runs, and only then. */
static bool is_not_running(const char *why_not)
{
    return strstr(why_not, "privilege separation directory") != NULL;
}

void check_sshd_add(struct report *report, const char *path, const struct check_stack *check,
                    const struct check_stack_answer *answer)
{
    struct judge judge = { .report = report };
    char why_not[SSHD_CONFIG_WORDS_SIZE] = "";
    struct check_stack_answer own = *answer;
    enum sshd_config_read read = sshd_config_read(path, &judge.config, why_not);

    if (read == SSHD_CONFIG_ABSENT && own.is_called)
        report_add(report, REPORT_NOTE, SUBJECT, NULL, "is not installed");
    if (read == SSHD_CONFIG_REFUSED && own.is_called)
        report_add(report, is_not_running(why_not) ? REPORT_WARNING : REPORT_WRONG, SUBJECT,
                   "make \"sshd -T\" work, as root", "nothing is known of its configuration: %s",
                   why_not);
    if (read != SSHD_CONFIG_READ || !find_stack(&judge, check, &own))
        return;

    judge.has_factor = own.has_factor;
    judge_config(&judge);
    if (!sshd_config_matches(path, judge_match, &judge, why_not))
        report_add(report, REPORT_WARNING, SUBJECT, NULL, "Match blocks are not known: %s",
                   why_not);
}
