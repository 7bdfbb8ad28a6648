/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The PAM module: relays one dialogue between the user and the check program, and turns its verdict
 * into a PAM code. */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../core/dialogue.h"
#include "../core/text.h"
#include "../core/verdict.h"
#include "helper.h"
#include "log.h"
#include "paths.h"

#define EXPORT __attribute__((visibility("default")))

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
    const char *user, *service, *rhost;
    int64_t conversation_ms; /* the user's own time */
};

/* Leaves two ways only: a verdict, or a conversation that failed. */
enum relayed { RELAYED_VERDICT, RELAYED_NO_CONVERSATION };

/* ARGUMENT is "NAME=" and an absolute path. */
static bool take_path(const char *argument, const char *name, const char **path)
{
    size_t length = strlen(name);

    if (strncmp(argument, name, length) != 0 || argument[length] != '/')
        return false;
    *path = argument + length;
    return true;
}

static bool take_arguments(struct login *login, int argc, const char **argv)
{
    for (int i = 0; i < argc; i++) {
        char argument[128];
        if (strcmp(argv[i], "debug") == 0)
            login->debug = true;
        else if (!take_path(argv[i], "conf=", &login->settings) &&
                 !take_path(argv[i], "helper=", &login->helper_path)) {
            log_escape(argv[i], argument, sizeof argument);
            pam_syslog(login->pamh, LOG_ERR,
                       "argument \"%s\": only debug, and conf= and helper= with an absolute path, "
                       "are known; everybody is refused until the PAM configuration is mended",
                       argument);
            return false;
        }
    }
    return true;
}

static bool take_items(struct login *login)
{
    const void *service = NULL, *rhost = NULL;

    if (pam_get_item(login->pamh, PAM_SERVICE, &service) != PAM_SUCCESS || service == NULL)
        return false;
    if (pam_get_item(login->pamh, PAM_RHOST, &rhost) != PAM_SUCCESS)
        return false;
    login->service = service;
    login->rhost = rhost;
    return true;
}

static void debug_line(const struct login *login, const char *direction, const char *line)
{
    char text[DIALOGUE_LINE_SIZE];

    if (!login->debug)
        return;
    log_escape(line, text, sizeof text);
    pam_syslog(login->pamh, LOG_DEBUG, "%s %s", direction, text);
}

/* sshd answers for a user who does not exist with control bytes: they are no answer. */
static bool is_answer(const char *answer)
{
    size_t size = strnlen(answer, DIALOGUE_ANSWER_MAX + 1);

    return size <= DIALOGUE_ANSWER_MAX && text_is_clean(answer, size);
}

static bool ask(struct login *login, struct helper *helper, int style, const char *text)
{
    char *answer = NULL;
    const char *line;

    /* A success without an answer is an empty answer (pam_prompt() gives NULL then). */
    if (pam_prompt(login->pamh, style, &answer, "%s", text) != PAM_SUCCESS) {
        if (answer != NULL)
            explicit_bzero(answer, strlen(answer));
        free(answer);
        return false;
    }

    line = answer != NULL && is_answer(answer) ? answer : "";
    helper_send(helper, line);
    if (login->debug)
        pam_syslog(login->pamh, LOG_DEBUG, "> (%zu bytes)", strlen(line));

    if (answer != NULL)
        explicit_bzero(answer, strlen(answer));
    free(answer);
    return true;
}

static bool converse(struct login *login, struct helper *helper,
                     const struct dialogue_message *message)
{
    int64_t began_ms = dialogue_clock_ms();
    bool done = true;

    if (message->kind == DIALOGUE_ASK_SECRET)
        done = ask(login, helper, PAM_PROMPT_ECHO_OFF, message->text);
    else if (message->kind == DIALOGUE_ASK)
        done = ask(login, helper, PAM_PROMPT_ECHO_ON, message->text);
    else if (!login->silent)
        done = pam_info(login->pamh, "%s", message->text) == PAM_SUCCESS;

    login->conversation_ms += dialogue_clock_ms() - began_ms;
    return done;
}

/* Passes lines on until the verdict. */
static enum relayed relay(struct login *login, struct helper *helper, struct verdict *ret_verdict)
{
    struct dialogue_message message;
    char line[DIALOGUE_LINE_SIZE];
    int64_t timeout_ms = FIRST_LINE_MS;

    for (int questions = 0; questions <= DIALOGUE_QUESTIONS_MAX; questions++) {
        if (!helper_receive(helper, timeout_ms, line, &message, ret_verdict))
            return RELAYED_VERDICT;
        debug_line(login, "<", line);

        if (message.kind == DIALOGUE_VERDICT) {
            if (helper_finish(helper, ret_verdict))
                *ret_verdict = message.verdict;
            return RELAYED_VERDICT;
        }
        if (questions == DIALOGUE_QUESTIONS_MAX)
            break;
        if (!converse(login, helper, &message)) {
            helper_stop(helper, GOODBYE_MS);
            return RELAYED_NO_CONVERSATION;
        }
        timeout_ms = LATER_LINE_MS;
    }
    verdict_refuse(ret_verdict, OUTCOME_BROKEN, "the check program asked more than %d questions",
                   DIALOGUE_QUESTIONS_MAX);
    return RELAYED_VERDICT;
}

static enum relayed run(struct login *login, struct verdict *ret_verdict)
{
    struct helper helper = HELPER_NONE;
    char line[DIALOGUE_LINE_SIZE];
    enum relayed relayed;

    if (!dialogue_print_login(login->service, login->user, line)) {
        verdict_refuse(ret_verdict, OUTCOME_MISCONFIGURED,
                       "the PAM service's name is empty or longer than %d bytes",
                       DIALOGUE_SERVICE_SIZE - 1);
        return RELAYED_VERDICT;
    }
    if (!helper_start(login->helper_path, login->settings, &helper, ret_verdict))
        return RELAYED_VERDICT;

    helper_send(&helper, line);
    debug_line(login, ">", line);
    relayed = relay(login, &helper, ret_verdict);

    helper_stop(&helper, 0);
    return relayed;
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
    char line[LOG_LINE_SIZE];
    struct log_entry entry = {
        .user = login->user,
        .service = login->service,
        .rhost = login->rhost,
        .outcome = outcome,
        .reason = reason,
        .spent_ms = dialogue_clock_ms() - began_ms - login->conversation_ms,
    };

    log_print(&entry, line);
    pam_syslog(login->pamh, level, "%s", line);
}

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    int64_t began_ms = dialogue_clock_ms();
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
        pam_syslog(pamh, LOG_NOTICE, "nobody told the user's name");
        return PAM_CONV_ERR;
    }
    if (!take_items(&login))
        return PAM_SYSTEM_ERR;

    if (run(&login, &verdict) == RELAYED_NO_CONVERSATION) {
        log_login(&login, LOG_NOTICE, "unanswered", "the user can't be asked or went away",
                  began_ms);
        return PAM_CONV_ERR;
    }

    if (verdict.outcome == OUTCOME_DENIED || verdict.outcome == OUTCOME_EXHAUSTED ||
        verdict.outcome == OUTCOME_MISCONFIGURED)
        pam_fail_delay(pamh, FAIL_DELAY_MICROSECONDS);
    log_login(&login, log_level(verdict.outcome), verdict_word(verdict.outcome), verdict.reason,
              began_ms);
    return pam_code(verdict.outcome);
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
