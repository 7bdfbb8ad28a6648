/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A control of pam.conf(5). */
#include "pam-control.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { UNDEFINED = PAM_ACTION_RESET - 1, DEFAULT = PAM_CODES };

/* In the order of the codes. */
static const char *const code_words[PAM_CODES + 1] = {
    "success",
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "new_authtok_reqd",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "ignore",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
    "conv_again",
    "incomplete",
    [DEFAULT] = "default",
};

static const struct {
    const char *word;
    int action;
} action_words[] = {
    { "ignore", PAM_ACTION_IGNORE }, { "ok", PAM_ACTION_OK },   { "done", PAM_ACTION_DONE },
    { "bad", PAM_ACTION_BAD },       { "die", PAM_ACTION_DIE }, { "reset", PAM_ACTION_RESET },
};

/* pam.conf(5) tells what the keywords stand for. */
static const struct {
    const char *word, *control;
} keywords[] = {
    { "required", "success=ok new_authtok_reqd=ok ignore=ignore default=bad" },
    { "requisite", "success=ok new_authtok_reqd=ok ignore=ignore default=die" },
    { "sufficient", "success=done new_authtok_reqd=done default=ignore" },
    { "optional", "success=ok new_authtok_reqd=ok default=ignore" },
};

enum {
    ACTION_WORDS = sizeof action_words / sizeof *action_words,
    KEYWORDS = sizeof keywords / sizeof *keywords,
};

static void set_default(struct pam_control *control, int action)
{
    for (int code = 0; code < PAM_CODES; code++)
        if (control->actions[code] == UNDEFINED)
            control->actions[code] = action;
}

static void skip_space(const char **text)
{
    while (isspace((unsigned char)**text))
        ++*text;
}

/* Whether *TEXT begins with WORD, which it then has passed. libpam looks no further than that. */
static bool take(const char **text, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(*text, word, length) != 0)
        return false;
    *text += length;
    return true;
}

static bool take_code(const char **text, int *ret_code)
{
    for (int code = 0; code <= DEFAULT; code++)
        if (take(text, code_words[code])) {
            *ret_code = code;
            return true;
        }
    return false;
}

static bool take_action(const char **text, int *ret_action)
{
    int jump = 0;

    for (size_t i = 0; i < ACTION_WORDS; i++)
        if (take(text, action_words[i].word)) {
            *ret_action = action_words[i].action;
            return true;
        }
    for (; isdigit((unsigned char)**text); ++*text)
        jump = jump < PAM_JUMP_MAX ? jump * 10 + (**text - '0') : jump;
    *ret_action = jump;
    return jump > 0;
}

static bool parse_pairs(const char *text, struct pam_control *control)
{
    for (skip_space(&text); *text != '\0'; skip_space(&text)) {
        int code = 0, action = 0;
        if (!take_code(&text, &code))
            return false;
        skip_space(&text);
        if (!take(&text, "="))
            return false;
        skip_space(&text);
        if (!take_action(&text, &action))
            return false;
        if (code == DEFAULT)
            set_default(control, action);
        else
            control->actions[code] = action;
    }
    return true;
}

static void fill(struct pam_control *control, int action)
{
    for (int code = 0; code < PAM_CODES; code++)
        control->actions[code] = action;
}

bool pam_control_parse(const char *text, struct pam_control *ret_control)
{
    struct pam_control control;
    bool is_read;

    for (size_t i = 0; i < KEYWORDS; i++)
        if (strcasecmp(text, keywords[i].word) == 0)
            text = keywords[i].control;
    fill(&control, UNDEFINED);
    is_read = parse_pairs(text, &control);
    if (is_read)
        set_default(&control, PAM_ACTION_BAD);
    else
        fill(&control, PAM_ACTION_BAD);
    *ret_control = control;
    return is_read;
}

char *pam_control_take_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    char *to = word, *from;

    if (*word == '\0')
        return NULL;
    if (*word != '[') {
        *rest = word + strcspn(word, " \t");
    } else {
        for (from = to = ++word; *from != '\0' && *from != ']'; *to++ = *from++)
            if (from[0] == '\\' && from[1] == ']')
                from++;
        *rest = from;
    }
    if (**rest != '\0')
        *(*rest)++ = '\0';
    if (to > word)
        *to = '\0';
    return word;
}

const char *pam_code_word(enum pam_code code)
{
    return code_words[code];
}
