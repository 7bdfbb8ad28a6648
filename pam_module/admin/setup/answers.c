/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The SIDs and the secret. */
#include "answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/secret.h"
#include "../../core/text.h"
#include "../desk/terminal.h"
#include "settings-text.h"

#define BLANKS " \t\r"

enum { ANSWER_SIZE = 512, SECRET_MAX = 256, TRIES_MAX = 5, QUESTION_SIZE = 200 };

/* A SID that can be asked for. */
struct question {
    const char *option, *key, *prefix, *text;
};

static const struct question account = { "account-sid", "account_sid", "AC",
                                         "Account SID (AC..., in Twilio's console)" };
static const struct question api_key = { "api-key-sid", "api_key_sid", "SK",
                                         "API key SID (SK..., in the console: API keys)" };
static const struct question service = { "service-sid", "service_sid", "VA",
                                         "Verify service SID (VA..., in the console: Verify)" };

static void read_sid(const struct setup *setup, const struct question *question, char *ret_sid)
{
    settings_text_get(setup->text, "service", question->key, ret_sid, SETUP_SID_SIZE);
    if (!text_is_sid(ret_sid, question->prefix))
        *ret_sid = '\0';
}

void answers_read(struct setup *setup)
{
    read_sid(setup, &account, setup->account_sid);
    read_sid(setup, &api_key, setup->api_key_sid);
    read_sid(setup, &service, setup->service_sid);
}

/* Removes the blanks around a pasted word. */
static char *trim(char *text)
{
    size_t length;

    text += strspn(text, BLANKS);
    length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1]) != NULL)
        length--;
    text[length] = '\0';
    return text;
}

/* What Enter keeps; NULL: there is nothing. Settings without api_key_sid use the auth token. */
static const char *what_stands(const struct setup *setup, const struct question *question,
                               const char *sid)
{
    if (*sid != '\0')
        return sid;
    return question == &api_key && !setup->is_new && setup->settings->api_key_sid == NULL
               ? "the account's auth token"
               : NULL;
}

static bool ask_sid(const struct question *question, const char *stands, char *ret_sid)
{
    char answer[ANSWER_SIZE], text[QUESTION_SIZE];

    snprintf(text, sizeof text, "%s%s%s%s: ", question->text, stands != NULL ? " [" : "",
             stands != NULL ? stands : "", stands != NULL ? "]" : "");
    for (int i = 0; i < TRIES_MAX && terminal_ask(text, answer, sizeof answer); i++) {
        const char *word = trim(answer);
        if (*word == '\0' && stands != NULL)
            return true;
        if (text_is_sid(word, question->prefix)) {
            snprintf(ret_sid, SETUP_SID_SIZE, "%s", word);
            return true;
        }
        terminal_say("a SID has %s and 32 hexadecimal digits", question->prefix);
    }
    return false;
}

static bool take_sid(const struct setup *setup, const struct question *question, char *sid,
                     enum command_status *ret_status)
{
    const char *given = command_value(setup->call, question->option);
    const char *stands = what_stands(setup, question, sid);

    *ret_status = COMMAND_USAGE;
    if (given != NULL && text_is_sid(given, question->prefix)) {
        snprintf(sid, SETUP_SID_SIZE, "%s", given);
        return true;
    }
    if (given != NULL) {
        terminal_say("--%s must be %s and 32 hexadecimal digits", question->option,
                     question->prefix);
        return false;
    }
    if (!setup->is_asking && stands == NULL)
        terminal_say("--%s is missing, and standard input is not a terminal", question->option);
    if (!setup->is_asking)
        return stands != NULL;
    *ret_status = COMMAND_WRONG;
    return ask_sid(question, stands, sid);
}

bool answers_take_sids(struct setup *setup, enum command_status *ret_status)
{
    return take_sid(setup, &account, setup->account_sid, ret_status) &&
           take_sid(setup, &api_key, setup->api_key_sid, ret_status);
}

bool answers_take_service(struct setup *setup, enum command_status *ret_status)
{
    return take_sid(setup, &service, setup->service_sid, ret_status);
}

static bool is_secret(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    return length > 0 && length <= SECRET_MAX;
}

/* An empty answer leaves *RET_SECRET as it is, where it is not NULL. */
static bool take_secret(char *answer, char **ret_secret)
{
    const char *word = trim(answer);

    if (*word == '\0' && *ret_secret != NULL)
        return true;
    if (!is_secret(word))
        return false;
    secret_free(ret_secret);
    *ret_secret = strdup(word);
    return *ret_secret != NULL;
}

/* Reads the secret from standard input. */
static bool read_secret(const char *question, char **ret_secret)
{
    char answer[ANSWER_SIZE];
    bool is_read = (isatty(STDIN_FILENO) ? terminal_ask_secret(question, answer, sizeof answer)
                                         : terminal_ask("", answer, sizeof answer)) &&
                   take_secret(answer, ret_secret);

    if (!is_read && !terminal_is_interrupted())
        terminal_say("a secret has 1 to %d printable characters without blanks", SECRET_MAX);
    explicit_bzero(answer, sizeof answer);
    return is_read;
}

/* The secret in the file of the settings, where it is that of the key. */
static void read_present_secret(struct setup *setup)
{
    char before[SETUP_SID_SIZE];
    struct verdict why_not;

    read_sid(setup, &api_key, before);
    if (!setup->is_new && strcmp(before, setup->api_key_sid) == 0)
        secret_read_line(setup->settings->api_key_file, &setup->secret, &why_not);
}

bool answers_take_secret(struct setup *setup, enum command_status *ret_status)
{
    const char *path = command_value(setup->call, "api-key-file");
    struct verdict why_not;

    *ret_status = COMMAND_WRONG;
    if (path != NULL && strcmp(path, "-") == 0)
        return read_secret("The secret of the API key (not shown): ", &setup->secret);
    if (path != NULL) {
        if (!secret_read_line(path, &setup->secret, &why_not))
            terminal_say("%s", why_not.reason);
        return setup->secret != NULL;
    }
    read_present_secret(setup);
    if (setup->is_asking)
        return read_secret(setup->secret != NULL ? "Its secret (not shown) [unchanged]: "
                                                 : "Its secret (not shown): ",
                           &setup->secret);
    if (setup->secret == NULL)
        terminal_say("--api-key-file is missing: the file of the key's secret, or - for standard "
                     "input");
    *ret_status = COMMAND_USAGE;
    return setup->secret != NULL;
}
