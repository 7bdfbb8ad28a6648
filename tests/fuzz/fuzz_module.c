/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The PAM module between any application and any check program: its arguments, up to a line "%";
 * the user, the service, the host, who calls, and the password, a line each ("-": none); then what
 * happens:
 *
 *   <ANSWER     what the conversation gives; <!ANSWER: and it fails
 *   no-answer   it succeeds without one
 *   silent, no-start, no-finish, no-items, no-outcome, cut (first of all, in this order)
 *
 * and every other line is the check program's. With "cut", a line with "split=6" comes before.
 * libpam and helper.h are this file's own. */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdarg.h>
#include <syslog.h>

#include "core/text.h"
#include "fuzz.h"
#include "module/helper.h"
#include "module/session.h"
#include "module/split.h"
#include "unit/wiped.h"

#define MARK "Zq9#" /* at the end of every answer: it must be in no log */

enum { ARGUMENTS_MAX = 8, LOG_MAX = 8192 };

struct pam_handle {
    struct fuzz_input input;
    char *user, *service, *rhost, *ruser, *password;
    bool has_mark; /* the input has it as well */
    bool starts, finishes, has_items;
    bool has_outcomes; /* false: every verdict has one that does not exist */

    int running, prompts, lines, logs, delays;
    bool is_first, is_answered; /* a line may be sent */
    bool gave_password;         /* nothing may be sent or read any more */
    bool is_cut;                /* nobody may be asked any more */
    char code[SPLIT_SIZE];      /* that was cut off, until it is an answer */
    void *data;
    void (*destroy)(struct pam_handle *pamh, void *data, int status);
    bool said_verdict, was_finished;
    bool holds_signals; /* SIGCHLD is not as the host has it */
    enum outcome said;
    int conversations_failed;
    int64_t first_timeout_ms; /* of the check program's first line */
    int flags;
};

static struct pam_handle *handle;

/* libpam */

int pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
    (void)prompt;
    *user = pamh->user;
    return PAM_SUCCESS; /* and NULL: an application's conversation may be anything */
}

int pam_get_item(const pam_handle_t *pamh, int item_type, const void **item)
{
    *item = item_type == PAM_SERVICE   ? pamh->service
            : item_type == PAM_RUSER   ? pamh->ruser
            : item_type == PAM_AUTHTOK ? pamh->password
                                       : pamh->rhost;
    return pamh->has_items ? PAM_SUCCESS : PAM_BAD_ITEM;
}

int pam_get_authtok(pam_handle_t *pamh, int item, const char **authtok, const char *prompt)
{
    (void)prompt;
    fuzz_demand(item == PAM_AUTHTOK, "one password is asked for");
    *authtok = pamh->password;
    return pamh->password != NULL ? PAM_SUCCESS : PAM_CONV_ERR;
}

int pam_set_item(pam_handle_t *pamh, int item_type, const void *item)
{
    size_t rest = strlen(item);

    fuzz_demand(item_type == PAM_AUTHTOK, "one item is changed");
    fuzz_demand(rest > 0 && strncmp(item, pamh->password, rest) == 0 &&
                    strlen(pamh->password) == rest + 6,
                "six digits are cut off");
    snprintf(pamh->code, sizeof pamh->code, "%s", pamh->password + rest);
    wiped_expect(item, rest);
    pamh->password[rest] = '\0';
    return PAM_SUCCESS;
}

int pam_set_data(pam_handle_t *pamh, const char *module_data_name, void *data,
                 void (*cleanup)(pam_handle_t *pamh, void *data, int error_status))
{
    fuzz_demand(strncmp(module_data_name, "pam_twilio_verify.", 18) == 0, "the name is ours");
    if (pamh->destroy != NULL)
        pamh->destroy(pamh, pamh->data, PAM_DATA_REPLACE);
    pamh->data = data;
    pamh->destroy = cleanup;
    return PAM_SUCCESS;
}

int pam_get_data(const pam_handle_t *pamh, const char *module_data_name, const void **data)
{
    (void)module_data_name;
    *data = pamh->data;
    return pamh->data != NULL ? PAM_SUCCESS : PAM_NO_MODULE_DATA;
}

/* The host that calls may say anything. */
const char *pam_getenv(pam_handle_t *pamh, const char *name)
{
    fuzz_demand(strcmp(name, "SSH_AUTH_INFO_0") == 0, "one variable is looked at");
    return pamh->ruser;
}

int pam_fail_delay(pam_handle_t *pamh, unsigned usec)
{
    fuzz_demand(usec == 2000000, "a refusal takes two seconds");
    pamh->delays++;
    return PAM_SUCCESS;
}

void pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
    char text[LOG_MAX];
    va_list values;
    int length;

    va_start(values, format);
    length = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    fuzz_demand(length > 0 && length < LOG_MAX, "a line of the log has an end");
    fuzz_demand(priority == LOG_ERR || priority == LOG_WARNING || priority == LOG_NOTICE ||
                    priority == LOG_INFO || priority == LOG_DEBUG,
                "a line of the log has a level");
    for (const char *byte = text; *byte != '\0'; byte++)
        fuzz_demand(*byte >= ' ' && *byte <= '~', "a line of the log can be read");
    fuzz_demand(pamh->has_mark || strstr(text, MARK) == NULL, "no answer is in the log");
    if (strncmp(text, "user=", 5) != 0)
        return;
    if (strstr(text, " outcome=") != NULL && strstr(text, " outcome=") < strstr(text, " reason="))
        handle->lines++;
    else
        fuzz_demand(++handle->logs <= DIALOGUE_LOGS_MAX, "there are only so many lines in the log");
}

/* An answer in memory that has to be wiped. */
static char *make_answer(const char *text)
{
    size_t size = strlen(text) + sizeof MARK;
    char *answer = malloc(size);

    fuzz_demand(answer != NULL, "there is memory");
    snprintf(answer, size, "%s%s", text, MARK);
    wiped_expect(answer, size - 1);
    return answer;
}

static int converse(pam_handle_t *pamh, char **response)
{
    char *line;
    bool fails;

    if (fuzz_take_word(&pamh->input, "no-answer"))
        return PAM_SUCCESS;
    if (!fuzz_is_next(&pamh->input, "<"))
        return PAM_CONV_ERR;
    line = fuzz_take_text(&pamh->input);
    fails = line[0] != '\0' && line[1] == '!';
    if (response != NULL) {
        *response = make_answer(line + (fails ? 2 : 1));
        pamh->gave_password = !fails && pamh->password != NULL && *pamh->password != '\0' &&
                              strcmp(*response, pamh->password) == 0;
    }
    free(line);
    return fails ? PAM_CONV_ERR : PAM_SUCCESS;
}

int pam_prompt(pam_handle_t *pamh, int style, char **response, const char *format, ...)
{
    char text[DIALOGUE_LINE_SIZE];
    va_list values;
    int result;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    fuzz_demand(text_is_clean(text, strlen(text)), "what is shown is clean");
    fuzz_demand(++pamh->prompts <= DIALOGUE_QUESTIONS_MAX, "there are only so many questions");
    fuzz_demand(pamh->conversations_failed == 0, "nobody is asked who can't be asked");
    fuzz_demand(!pamh->holds_signals, "the conversation has the signals of the host");
    fuzz_demand(style != PAM_TEXT_INFO || !(pamh->flags & PAM_SILENT), "silence is kept");
    fuzz_demand(style == PAM_TEXT_INFO || !pamh->is_cut, "nobody is asked for a code again");

    result = converse(pamh, style == PAM_TEXT_INFO ? NULL : response);
    pamh->is_answered = result == PAM_SUCCESS && style != PAM_TEXT_INFO;
    pamh->conversations_failed += result != PAM_SUCCESS;
    return result;
}

/* The check program */

bool helper_start(const char *path, const char *settings, struct helper *ret_helper,
                  struct verdict *why_not)
{
    fuzz_demand(path[0] == '/' && settings[0] == '/', "paths are absolute");
    (void)why_not; /* nobody fills it in: zeroed memory is as broken */
    if (!handle->starts)
        return false;
    fuzz_demand(handle->running++ == 0, "it is started once");
    handle->is_first = handle->holds_signals = true;
    *ret_helper = (struct helper){ .pidfd = 7, .reader = { .descriptor = 8 } };
    return true;
}

void helper_send(struct helper *helper, const char *line)
{
    struct dialogue_login login;

    fuzz_demand(helper->pidfd == 7 && handle->running == 1, "it runs");
    fuzz_demand(handle->holds_signals, "what may end it comes while signals are held");
    fuzz_demand(!handle->gave_password, "the password goes nowhere");
    if (handle->is_first) {
        fuzz_demand(dialogue_parse_login(line, &login), "the first line is a login");
        fuzz_demand(strcmp(login.service, handle->service) == 0 &&
                        strncmp(login.user, handle->user, DIALOGUE_NAME_MAX + 1) == 0,
                    "the first line names who logs in");
        fuzz_demand(login.is_silent == (handle->is_cut || (handle->flags & PAM_SILENT) != 0) &&
                        login.is_own == (handle->ruser != NULL && *handle->ruser != '\0' &&
                                         strcmp(handle->ruser, handle->user) == 0),
                    "the first line says what the host says");
    } else {
        fuzz_demand(handle->is_answered, "a line is an answer");
        fuzz_demand(strlen(line) <= DIALOGUE_ANSWER_MAX && text_is_clean(line, strlen(line)),
                    "an answer is clean and fits");
    }
    handle->is_first = handle->is_answered = false;
}

void helper_hang_up(struct helper *helper)
{
    fuzz_demand(helper->pidfd == 7 && !handle->is_answered &&
                    (handle->is_cut || handle->conversations_failed == 1),
                "nobody is there who was not asked");
}

/* The one answer, where a code was cut off. */
static void answer_once(struct pam_handle *pamh)
{
    pamh->is_answered = *pamh->code != '\0';
    pamh->gave_password = pamh->is_answered && strcmp(pamh->code, pamh->password) == 0;
    explicit_bzero(pamh->code, sizeof pamh->code);
}

bool helper_receive(struct helper *helper, int64_t timeout_ms, char line[DIALOGUE_LINE_SIZE],
                    struct dialogue_message *ret_message, struct verdict *why_not)
{
    char *text;

    fuzz_demand(helper->pidfd == 7 && timeout_ms > 0, "it runs");
    fuzz_demand(handle->first_timeout_ms == 0 ||
                    (timeout_ms < handle->first_timeout_ms) == (handle->conversations_failed > 0),
                "the first line comes sooner than the others, until the user is gone");
    if (handle->first_timeout_ms == 0)
        handle->first_timeout_ms = timeout_ms;
    fuzz_demand(!handle->said_verdict, "nothing counts after the verdict");
    fuzz_demand(!handle->gave_password, "nothing counts after the password");
    if (handle->input.left == 0)
        return verdict_refuse(why_not, OUTCOME_BROKEN, "it ended without a verdict");
    text = fuzz_take_text(&handle->input);
    snprintf(line, DIALOGUE_LINE_SIZE, "%s", text);
    free(text);
    if (!dialogue_parse_message(line, ret_message))
        return verdict_refuse(why_not, OUTCOME_BROKEN, "the check program sent an invalid line: %s",
                              line);
    if (handle->is_cut &&
        (ret_message->kind == DIALOGUE_ASK || ret_message->kind == DIALOGUE_ASK_SECRET))
        answer_once(handle);
    handle->said_verdict = ret_message->kind == DIALOGUE_VERDICT;
    handle->said = handle->said_verdict ? ret_message->verdict.outcome : OUTCOME_BROKEN;
    if (handle->said_verdict && !handle->has_outcomes)
        ret_message->verdict.outcome = OUTCOME_APPROVED + 1;
    return true;
}

void helper_release_signals(struct helper *helper)
{
    fuzz_demand(helper->pidfd == 7 && handle->holds_signals, "they are held while it runs");
    handle->holds_signals = false;
}

void helper_hold_signals(struct helper *helper)
{
    fuzz_demand(helper->pidfd == 7 && !handle->holds_signals, "they are held once");
    handle->holds_signals = true;
}

bool helper_finish(struct helper *helper, struct verdict *why_not)
{
    fuzz_demand(handle->holds_signals, "signals are held until it has ended");
    fuzz_demand(helper->pidfd == 7 && handle->said_verdict, "it is finished after the verdict");
    if (!handle->finishes)
        return verdict_refuse(why_not, OUTCOME_BROKEN, "it did not end");
    helper->pidfd = -1;
    handle->running--;
    handle->was_finished = true;
    return true;
}

void helper_stop(struct helper *helper, int64_t patience_ms)
{
    fuzz_demand(patience_ms == 0, "what has not ended by now is killed");
    handle->running -= helper->pidfd == 7;
    handle->holds_signals = false;
    helper->pidfd = -1;
}

/* The task behind an approval, which changes nothing of it. */
bool session_run(const struct session *session, enum dialogue_task task, struct verdict *why_not)
{
    fuzz_demand(handle->running == 0 && task != DIALOGUE_LOGIN && task != DIALOGUE_SESSION,
                "one task after the other");
    fuzz_demand(handle->said_verdict && handle->said == OUTCOME_APPROVED && handle->was_finished,
                "what is remembered is an approval");
    fuzz_demand(strcmp(session->user, handle->user) == 0, "the session is the user's");
    return verdict_refuse(why_not, OUTCOME_DENIED, "not now");
}

int pam_putenv(pam_handle_t *pamh, const char *name_value)
{
    (void)pamh;
    (void)name_value;
    fuzz_demand(false, "what is not remembered leaves no hint");
    return PAM_SUCCESS;
}

/* What must come of it */

static bool are_known(char *const *arguments, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(arguments[i], "debug") != 0 && strncmp(arguments[i], "conf=/", 6) != 0 &&
            strncmp(arguments[i], "helper=/", 8) != 0)
            return false;
    return true;
}

/* Such a line is not what is expected below. */
static bool has_course_of_its_own(const char *argument)
{
    return strncmp(argument, "after=", 6) == 0 || strncmp(argument, "split=", 6) == 0;
}

static int expect(const struct pam_handle *pamh)
{
    static const int codes[] = {
        [OUTCOME_UNAVAILABLE] = PAM_AUTHINFO_UNAVAIL,
        [OUTCOME_MISCONFIGURED] = PAM_SERVICE_ERR,
        [OUTCOME_DENIED] = PAM_AUTH_ERR,
        [OUTCOME_EXHAUSTED] = PAM_MAXTRIES,
        [OUTCOME_NOT_REQUIRED] = PAM_IGNORE,
        [OUTCOME_APPROVED] = PAM_SUCCESS,
    };

    if (pamh->user == NULL)
        return PAM_CONV_ERR;
    if (!pamh->has_items || pamh->service == NULL)
        return PAM_SYSTEM_ERR;
    if (pamh->service[0] == '\0' || strlen(pamh->service) >= DIALOGUE_SERVICE_SIZE)
        return PAM_SERVICE_ERR;
    if (pamh->conversations_failed > 0)
        return PAM_CONV_ERR;
    if (pamh->gave_password)
        return PAM_AUTH_ERR;
    return pamh->was_finished && pamh->has_outcomes ? codes[pamh->said] : PAM_SYSTEM_ERR;
}

static void demand_code(const struct pam_handle *pamh, int code, char *const *arguments, int count)
{
    if (!are_known(arguments, count)) {
        fuzz_demand(code == PAM_SERVICE_ERR, "an unknown argument refuses");
        fuzz_demand(pamh->prompts == 0 && pamh->delays == 0, "an unknown argument does nothing");
        return;
    }
    fuzz_demand(code == expect(pamh), "the code is that of the verdict");
    fuzz_demand(pamh->running == 0, "no check program is left");
    fuzz_demand(!pamh->holds_signals, "the host has its signals back");
    fuzz_demand(pamh->lines == (pamh->user != NULL && pamh->service != NULL && pamh->has_items),
                "a login is a line");
    fuzz_demand(pamh->delays <= 1, "one delay is enough");
}

/* A line with "split=6", before the one that counts. */
static void cut(struct pam_handle *pamh, int flags)
{
    const char *argument = "split=6";
    int code = pam_sm_authenticate(pamh, flags, 1, &argument);

    fuzz_demand(pamh->prompts == 0 && pamh->delays == 0 && pamh->running == 0, "it asks PAM alone");
    if (pamh->user == NULL || pamh->service == NULL || !pamh->has_items || pamh->password == NULL)
        fuzz_demand(code != PAM_SUCCESS && code != PAM_IGNORE, "without a password it fails");
    else
        fuzz_demand(code == PAM_IGNORE, "it has no opinion");
    pamh->is_cut = code == PAM_IGNORE;
    pamh->lines = 0;
    if (pamh->data != NULL)
        wiped_expect((char *)pamh->data + sizeof(int64_t), SPLIT_SIZE);
}

static char *take_name(struct fuzz_input *input)
{
    return fuzz_take_word(input, "-") ? NULL : fuzz_take_text(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pam_handle pamh = { .input = { data, size } };
    char *arguments[ARGUMENTS_MAX];
    int count = 0, code, flags;

    while (count < ARGUMENTS_MAX && pamh.input.left > 0 && !fuzz_take_word(&pamh.input, "%")) {
        arguments[count] = fuzz_take_text(&pamh.input);
        if (has_course_of_its_own(arguments[count]))
            free(arguments[count]);
        else
            count++;
    }
    pamh.user = take_name(&pamh.input);
    pamh.service = take_name(&pamh.input);
    pamh.rhost = take_name(&pamh.input);
    pamh.ruser = take_name(&pamh.input);
    pamh.password = take_name(&pamh.input);
    pamh.has_mark = memmem(data, size, MARK, strlen(MARK)) != NULL;
    flags = pamh.flags = fuzz_take_word(&pamh.input, "silent") ? PAM_SILENT : 0;
    pamh.starts = !fuzz_take_word(&pamh.input, "no-start");
    pamh.finishes = !fuzz_take_word(&pamh.input, "no-finish");
    pamh.has_items = !fuzz_take_word(&pamh.input, "no-items");
    pamh.has_outcomes = !fuzz_take_word(&pamh.input, "no-outcome");

    handle = &pamh;
    if (fuzz_take_word(&pamh.input, "cut"))
        cut(&pamh, flags);
    code = pam_sm_authenticate(&pamh, flags, count, (const char **)arguments);
    demand_code(&pamh, code, arguments, count);
    if (pamh.destroy != NULL)
        pamh.destroy(&pamh, pamh.data, code);
    fuzz_demand(wiped_missing() == 0, "answers are wiped");
    fuzz_demand(pam_sm_setcred(&pamh, flags, 0, NULL) == PAM_SUCCESS, "credentials are no matter");

    free(pamh.password);
    free(pamh.ruser);
    free(pamh.rhost);
    free(pamh.service);
    free(pamh.user);
    while (count > 0)
        free(arguments[--count]);
    return 0;
}
