/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The PAM module: relays one dialogue between the user and the check program, and turns its verdict
 * into a PAM code. */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../core/clock.h"
#include "../core/dialogue.h"
#include "../core/log.h"
#include "../core/methods.h"
#include "../core/text.h"
#include "../core/verdict.h"
#include "helper.h"
#include "paths.h"
#include "session.h"
#include "split.h"
#include "typed.h"

#define SESSION_HINT "TWILIO_VERIFY_SESSION"

/* sshd sets it for each login by keyboard-interactive, where it asks in a child of the process that
 * opens the session, and for no other one; where no other method was accepted it is empty. What a
 * client sends is never in PAM's environment. */
#define SSHD_VARIABLE "SSH_AUTH_INFO_0"

#define EXPORT     __attribute__((visibility("default")))
#define UNANSWERED "the user left at the question, or cannot be asked"

enum {
    FIRST_LINE_MS = 5000,
    LATER_LINE_MS = 40000,
    GOODBYE_MS = 1000,
    FAIL_DELAY_MICROSECONDS = 2000000,
};

/* One call of pam_sm_authenticate(). */
struct login {
    pam_handle_t *pamh;
    bool silent, debug;
    const char *settings, *helper_path;
    const char *after; /* methods of sshd, of which one comes first; NULL: none has to */
    int cuts;          /* how long the code is that this line cuts off; 0: this line asks */
    enum split split;  /* what an earlier line has cut off */
    char code[SPLIT_SIZE];
    const char *user, *service, *rhost, *tty, *ruser;
    int questions, logs;     /* that the check program has said */
    int64_t conversation_ms; /* the user's own time */
    bool is_gone;            /* the conversation failed: nobody is asked any more */
    bool proves;             /* the check program has said remember */
};

/* ARGUMENT is "NAME=" and an absolute path. */
static bool take_path(const char *argument, const char *name, const char **path)
{
    size_t length = strlen(name);

    if (strncmp(argument, name, length) != 0 || argument[length] != '/')
        return false;
    *path = argument + length;
    return true;
}

/* ARGUMENT is "after=" and names of methods, and the first of its kind. */
static bool take_after(struct login *login, const char *argument)
{
    static const char name[] = "after=";

    if (login->after != NULL || login->cuts != 0 || strncmp(argument, name, strlen(name)) != 0 ||
        !methods_are_known(argument + strlen(name)))
        return false;
    login->after = argument + strlen(name);
    return true;
}

/* ARGUMENT is "split=" and a length, and the first of its kind. */
static bool take_split(struct login *login, const char *argument)
{
    int cuts = split_parse(argument);

    if (login->after != NULL || login->cuts != 0)
        return false;
    login->cuts = cuts;
    return cuts != 0;
}

static bool take_arguments(struct login *login, int argc, const char **argv)
{
    for (int i = 0; i < argc; i++) {
        char argument[128];
        if (strcmp(argv[i], "debug") == 0)
            login->debug = true;
        else if (!take_path(argv[i], "conf=", &login->settings) &&
                 !take_path(argv[i], "helper=", &login->helper_path) &&
                 !take_after(login, argv[i]) && !take_split(login, argv[i])) {
            text_escape(argv[i], true, argument, sizeof argument);
            pam_syslog(login->pamh, LOG_ERR,
                       "argument \"%s\": the module takes debug, conf= and helper= with an "
                       "absolute path, and either one after= with methods of sshd or one split= "
                       "with 1 to %d; every login is refused until you correct the PAM line",
                       argument, SPLIT_LENGTH_MAX);
            return false;
        }
    }
    return true;
}

/* False: libpam does not tell. *RET_TEXT is NULL where the host has not set ITEM. */
static bool take_item(const struct login *login, int item, const char **ret_text)
{
    const void *text = NULL;

    if (pam_get_item(login->pamh, item, &text) != PAM_SUCCESS)
        return false;
    *ret_text = text;
    return true;
}

static bool take_items(struct login *login)
{
    if (!take_item(login, PAM_SERVICE, &login->service) || login->service == NULL ||
        !take_item(login, PAM_RHOST, &login->rhost) || !take_item(login, PAM_TTY, &login->tty) ||
        !take_item(login, PAM_RUSER, &login->ruser))
        return false;
    if (login->ruser != NULL && *login->ruser == '\0')
        login->ruser = NULL;
    return true;
}

static void debug_line(const struct login *login, const char *direction, const char *line)
{
    char text[DIALOGUE_LINE_SIZE];

    if (!login->debug)
        return;
    text_escape(line, true, text, sizeof text);
    pam_syslog(login->pamh, LOG_DEBUG, "%s %s", direction, text);
}

static void log_entry(const struct login *login, int level, struct log_entry entry)
{
    char line[LOG_LINE_SIZE];

    entry.user = login->user;
    entry.service = login->service;
    entry.rhost = login->rhost != NULL ? login->rhost : "";
    entry.tty = login->tty != NULL ? login->tty : "";
    entry.ruser = login->ruser;
    log_print(&entry, line);
    pam_syslog(login->pamh, level, "%s", line);
}

/* Whether what was typed is the password, as a host or a client with one field gives it. */
static bool is_password(const struct login *login, const char *typed)
{
    const char *password = NULL;

    return take_item(login, PAM_AUTHTOK, &password) && typed_is_password(typed, password);
}

static void send_answer(const struct login *login, struct helper *helper, const char *typed)
{
    char line[TYPED_SIZE];

    typed_print(typed, line);
    helper_send(helper, line);
    if (login->debug)
        pam_syslog(login->pamh, LOG_DEBUG, "> (%zu bytes)", strlen(line));
    explicit_bzero(line, sizeof line);
}

/* pam_prompt(3) with the host's own signals, and no longer: an answer may end the check program. */
static bool prompt(const struct login *login, struct helper *helper, int style, const char *text,
                   char **typed)
{
    int code;

    helper_release_signals(helper);
    code = pam_prompt(login->pamh, style, typed, "%s", text);
    helper_hold_signals(helper);
    return code == PAM_SUCCESS;
}

/* Each of these says whether the dialogue goes on; otherwise the verdict is there. */

static bool pass_on(const struct login *login, struct helper *helper, const char *typed,
                    struct verdict *ret_verdict)
{
    if (is_password(login, typed))
        return verdict_refuse(ret_verdict, OUTCOME_DENIED,
                              "the answer was the password: it was not passed on");
    send_answer(login, helper, typed);
    return true;
}

/* The check program still says its verdict, which the log quotes. */
static bool leave(struct login *login, struct helper *helper)
{
    login->is_gone = true;
    helper_hang_up(helper);
    return true;
}

static bool ask(struct login *login, struct helper *helper, int style, const char *text,
                struct verdict *ret_verdict)
{
    char *typed = NULL;
    /* A success without an answer is an empty answer (pam_prompt() gives NULL then). */
    bool goes_on = prompt(login, helper, style, text, &typed)
                       ? pass_on(login, helper, typed, ret_verdict)
                       : leave(login, helper);

    if (typed != NULL)
        explicit_bzero(typed, strlen(typed));
    free(typed);
    return goes_on;
}

/* The code that an earlier line has cut off is the one answer; then nobody is there. */
static bool answer_once(struct login *login, struct helper *helper, struct verdict *ret_verdict)
{
    bool goes_on = true;

    if (*login->code != '\0')
        goes_on = pass_on(login, helper, login->code, ret_verdict);
    else
        helper_hang_up(helper);
    explicit_bzero(login->code, sizeof login->code);
    return goes_on;
}

static bool show(struct login *login, struct helper *helper, const char *text)
{
    return login->silent || prompt(login, helper, PAM_TEXT_INFO, text, NULL) ||
           leave(login, helper);
}

static bool converse(struct login *login, struct helper *helper,
                     const struct dialogue_message *message, struct verdict *ret_verdict)
{
    int64_t began_ms = clock_ms();
    bool goes_on;

    if (login->is_gone)
        return true;
    if (message->kind == DIALOGUE_SHOW)
        goes_on = show(login, helper, message->text);
    else if (login->split != SPLIT_NONE)
        goes_on = answer_once(login, helper, ret_verdict);
    else
        goes_on = ask(login, helper,
                      message->kind == DIALOGUE_ASK ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF,
                      message->text, ret_verdict);

    login->conversation_ms += clock_ms() - began_ms;
    return goes_on;
}

/* Whether there is room for MESSAGE after what was said before it. */
static bool may_be_said(const struct login *login, const struct dialogue_message *message)
{
    if (login->proves)
        return message->kind == DIALOGUE_VERDICT && message->verdict.outcome == OUTCOME_APPROVED;
    return message->kind != DIALOGUE_DONE;
}

/* Takes one line of the check program. */
static bool take_message(struct login *login, struct helper *helper,
                         const struct dialogue_message *message, struct verdict *ret_verdict)
{
    if (!may_be_said(login, message))
        return verdict_refuse(ret_verdict, OUTCOME_BROKEN,
                              "the check program said \"remember\" or \"done\" in the wrong place");
    switch (message->kind) {
    case DIALOGUE_VERDICT:
        if (helper_finish(helper, ret_verdict))
            *ret_verdict = message->verdict;
        return false;
    case DIALOGUE_LOG_NOTICE:
    case DIALOGUE_LOG_WARNING:
        if (login->logs++ == DIALOGUE_LOGS_MAX)
            break;
        log_entry(login, message->kind == DIALOGUE_LOG_NOTICE ? LOG_NOTICE : LOG_WARNING,
                  (struct log_entry){ .reason = message->text });
        return true;
    case DIALOGUE_ASK_SECRET:
    case DIALOGUE_ASK:
    case DIALOGUE_SHOW:
        if (login->questions++ == DIALOGUE_QUESTIONS_MAX)
            break;
        return converse(login, helper, message, ret_verdict);
    case DIALOGUE_REMEMBER:
        login->proves = true;
        return true;
    case DIALOGUE_DONE:
        break;
    }
    return verdict_refuse(ret_verdict, OUTCOME_BROKEN,
                          "the check program sent more than %d questions or %d lines for the log",
                          DIALOGUE_QUESTIONS_MAX, DIALOGUE_LOGS_MAX);
}

/* Passes lines on until the verdict. */
static void relay(struct login *login, struct helper *helper, struct verdict *ret_verdict)
{
    struct dialogue_message message;
    char line[DIALOGUE_LINE_SIZE];
    int64_t timeout_ms = FIRST_LINE_MS;
    bool goes_on;

    do {
        if (!helper_receive(helper, timeout_ms, line, &message, ret_verdict))
            return;
        debug_line(login, "<", line);
        goes_on = take_message(login, helper, &message, ret_verdict);
        timeout_ms = login->is_gone ? GOODBYE_MS : LATER_LINE_MS;
    } while (goes_on);
}

static bool print_login(const struct login *login, char line[DIALOGUE_LINE_SIZE])
{
    bool is_own = login->ruser != NULL && strcmp(login->ruser, login->user) == 0;
    bool is_unseen = login->silent || login->split != SPLIT_NONE;

    return dialogue_print_login(login->service, login->user,
                                (is_own ? DIALOGUE_OWN : 0) | (is_unseen ? DIALOGUE_SILENT : 0),
                                line);
}

static bool is_after(const struct login *login, struct verdict *why_not)
{
    const char *after = login->after;

    if (after == NULL || methods_are_accepted(after, pam_getenv(login->pamh, SSHD_VARIABLE)))
        return true;
    return verdict_refuse(why_not, OUTCOME_DENIED,
                          "after=%s: sshd has accepted no such method before: write "
                          "\"AuthenticationMethods %.*s,keyboard-interactive\" into sshd_config",
                          after, (int)strcspn(after, ","), after);
}

static void run(struct login *login, struct verdict *ret_verdict)
{
    struct helper helper = HELPER_NONE;
    char line[DIALOGUE_LINE_SIZE];

    if (!is_after(login, ret_verdict))
        return;
    if (!print_login(login, line)) {
        verdict_refuse(ret_verdict, OUTCOME_MISCONFIGURED,
                       "the PAM service's name is empty or longer than %d bytes",
                       DIALOGUE_SERVICE_SIZE - 1);
        return;
    }
    if (!helper_start(login->helper_path, login->settings, &helper, ret_verdict))
        return;

    helper_send(&helper, line);
    debug_line(login, ">", line);
    relay(login, &helper, ret_verdict);

    helper_stop(&helper, 0);
}

/* Every outcome by its name: a new one does not compile until somebody decides. */
static int pam_code(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_BROKEN:
        return PAM_SYSTEM_ERR;
    case OUTCOME_UNAVAILABLE:
        return PAM_AUTHINFO_UNAVAIL;
    case OUTCOME_MISCONFIGURED:
        return PAM_SERVICE_ERR;
    case OUTCOME_DENIED:
        return PAM_AUTH_ERR;
    case OUTCOME_EXHAUSTED:
        return PAM_MAXTRIES;
    case OUTCOME_NOT_REQUIRED:
        return PAM_IGNORE;
    case OUTCOME_APPROVED:
        return PAM_SUCCESS; /* the one line that lets somebody in */
    }
    return PAM_SYSTEM_ERR;
}

static void log_login(const struct login *login, int level, const char *outcome, const char *reason,
                      int64_t began_ms)
{
    log_entry(login, level,
              (struct log_entry){
                  .outcome = outcome,
                  .reason = reason,
                  .spent_ms = clock_ms() - began_ms - login->conversation_ms,
              });
}

/* For the later line, which alone may let in. */
static int cut(const struct login *login, int64_t began_ms)
{
    int status = split_cut(login->pamh, login->user, login->cuts);

    if (status != PAM_IGNORE)
        log_login(login, LOG_NOTICE, "unanswered",
                  status == PAM_BUF_ERR ? "out of memory" : UNANSWERED, began_ms);
    return status;
}

/* Asks, or gives the code that an earlier line has cut off. */
static void run_split(struct login *login, struct verdict *ret_verdict)
{
    login->split = split_take(login->pamh, login->user, login->code);
    run(login, ret_verdict);
    explicit_bzero(login->code, sizeof login->code);
    if (login->split == SPLIT_NO_CODE && ret_verdict->outcome == OUTCOME_DENIED)
        verdict_add(ret_verdict, "; the password ended in no code");
}

static void log_text(const void *context, int level, const char *text)
{
    log_entry(context, level, (struct log_entry){ .reason = text });
}

/* Whether TASK is done; the log says why not. */
static bool run_task(const struct login *login, enum dialogue_task task)
{
    const struct session session = { login->helper_path, login->settings, login->service,
                                     login->user,        log_text,        login };
    char reason[VERDICT_REASON_SIZE + 64];
    struct verdict why_not = { 0 };

    if (session_run(&session, task, &why_not))
        return true;
    snprintf(reason, sizeof reason, "this session has proved no code, so sudo asks: %s",
             why_not.reason);
    log_text(login, LOG_NOTICE, reason);
    return false;
}

/* A hint and no proof: it tells the process that opens the session whether to look. */
static void prove(const struct login *login)
{
    bool is_in_child = pam_getenv(login->pamh, SSHD_VARIABLE) != NULL;

    if (run_task(login, is_in_child ? DIALOGUE_PROVED_IN_CHILD : DIALOGUE_PROVED) &&
        pam_putenv(login->pamh, SESSION_HINT "=1") != PAM_SUCCESS)
        log_text(login, LOG_NOTICE, "this session has proved no code, so sudo asks: pam_putenv");
}

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    int64_t began_ms = clock_ms();
    struct verdict verdict = { 0 };
    struct login login = {
        .pamh = pamh,
        .silent = (flags & PAM_SILENT) != 0,
        .settings = PATHS_SETTINGS,
        .helper_path = PATHS_CHECK,
    };

    if (!take_arguments(&login, argc, argv))
        return PAM_SERVICE_ERR;
    if (pam_get_user(pamh, &login.user, NULL) != PAM_SUCCESS || login.user == NULL) {
        pam_syslog(pamh, LOG_NOTICE, "PAM supplied no user name");
        return PAM_CONV_ERR;
    }
    if (!take_items(&login))
        return PAM_SYSTEM_ERR;

    if (login.cuts != 0)
        return cut(&login, began_ms);
    run_split(&login, &verdict);
    if (login.is_gone) {
        log_login(&login, LOG_NOTICE, "unanswered",
                  verdict.outcome == OUTCOME_BROKEN ? UNANSWERED : verdict.reason, began_ms);
        return PAM_CONV_ERR;
    }

    if (verdict.outcome == OUTCOME_DENIED || verdict.outcome == OUTCOME_EXHAUSTED ||
        verdict.outcome == OUTCOME_MISCONFIGURED)
        pam_fail_delay(pamh, FAIL_DELAY_MICROSECONDS);
    log_login(&login, verdict_level(verdict.outcome), verdict_word(verdict.outcome), verdict.reason,
              began_ms);
    if (verdict.outcome == OUTCOME_APPROVED && login.proves)
        prove(&login);
    return pam_code(verdict.outcome);
}

/* The session is opened whatever comes of it. */
EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct login login = {
        .pamh = pamh,
        .settings = PATHS_SETTINGS,
        .helper_path = PATHS_CHECK,
    };

    (void)flags;
    if (pam_getenv(pamh, SESSION_HINT) == NULL)
        return PAM_SUCCESS;
    pam_putenv(pamh, SESSION_HINT);
    if (take_arguments(&login, argc, argv) && take_item(&login, PAM_USER, &login.user) &&
        login.user != NULL && take_items(&login))
        run_task(&login, DIALOGUE_SESSION);
    return PAM_SUCCESS;
}

/* A record of the session counts only while its process lives. */
EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_SUCCESS;
}

/* Nothing to do, and no failure: the module may be alone in a stack. */
EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_SUCCESS;
}
