/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A world for login_run() in which everything is chosen from outside. */
#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ports.h"

#define IDENTITY "7f3c5d0e-9a1b"
#define FACTOR   "YF0123456789abcdef0123456789abcdef"
#define PROMPT   "Code: "
#define OUTAGE   "The service does not answer; a recovery code works. "

enum {
    DESCRIPTOR = 7,
    CODE_LENGTH = 6,
    TIMEOUT_SECONDS = 10,
    CREATIONS_MAX = 2,
    CONNECTS_MAX = 2,
    EXPIRY_MARGIN_MS = 5000,
    SOONEST_MS = 1000,
    STEP_MS = 500,
    BUSY_MS = 7000,
    BEGIN_MS = 1000000,
};

__attribute__((format(printf, 2, 3))) static void note(struct model *model, const char *format, ...)
{
    size_t used = strlen(model->trace);
    va_list values;

    va_start(values, format);
    vsnprintf(model->trace + used, sizeof model->trace - used, format, values);
    va_end(values);
}

static void demand(struct model *model, bool holds, const char *rule)
{
    if (holds || model->broken != NULL)
        return;
    model->broken = rule;
    note(model, "[!]");
}

static unsigned choose(struct model *model, unsigned count)
{
    return model->choose(model->context, count);
}

static void expect(struct model *model, enum outcome outcome)
{
    if (model->is_enrolled && !model->is_final)
        model->expected = outcome;
}

static void finish(struct model *model, enum outcome outcome)
{
    expect(model, outcome);
    model->is_final = true;
}

/* What ends the login without an outcome of its own. In an outage the verdict is there. */
static void end(struct model *model)
{
    finish(model, model->is_outage ? model->expected : OUTCOME_DENIED);
}

static void use_up(struct model *model)
{
    model->used++;
    if (model->used >= model->attempts)
        finish(model, OUTCOME_DENIED);
}

/* The user */

/* 1 s after Enter, or a later half second. */
static int64_t moment_after(int64_t spent_ms)
{
    int64_t moment_ms = SOONEST_MS;

    while (moment_ms < spent_ms)
        moment_ms += STEP_MS;
    return moment_ms;
}

static bool is_moment(const struct model *model)
{
    int64_t spent_ms = model->now_ms - model->entered_ms;

    return !model->is_awaited || spent_ms == moment_after(spent_ms);
}

static bool ask(struct model *model, const char *text)
{
    char expected[200];

    snprintf(expected, sizeof expected, "%s%s" PROMPT, model->asks > 0 ? model->before : "",
             model->is_outage ? OUTAGE : "");
    model->before = "Wrong code. ";
    note(model, "ask ");
    demand(model, !model->is_final, "asks after the end");
    demand(model, model->asks == model->answers, "asks again before the answer");
    demand(model, strcmp(text, expected) == 0, "asks something else");
    demand(model, !model->is_to_release, "keeps a wrong code from others");
    demand(model, !model->is_to_log, "does not log a wrong code at once");
    demand(model, is_moment(model), "asks at another moment than others are asked");
    demand(model, model->deadline_ms == HTTP_FOREVER, "holds the user to a deadline");
    model->is_awaited = false;
    model->code[0] = '\0';
    model->asks++;
    demand(model, model->asks <= model->attempts + model->is_outage, "asks too often");
    if (choose(model, 3) != 2)
        return true;

    model->is_gone = true;
    end(model);
    return false;
}

static void show(struct model *model, const char *text)
{
    note(model, "show ");
    demand(model, strstr(text, "recovery code") != NULL || strstr(text, "Too many") != NULL,
           "shows something else");
    demand(model, strstr(text, "Too many") == NULL || model->expected == OUTCOME_EXHAUSTED,
           "tells of a quota that is not reached");
}

static void log_text(struct model *model, bool is_warning, const char *text)
{
    char expected[100], sid[CHALLENGE_SID_SIZE];

    snprintf(sid, sizeof sid, "YC%032d", model->challenges);
    snprintf(expected, sizeof expected, "wrong code %d of %d, 7 in a row; challenge=%s",
             model->used, model->attempts, model->is_nameless ? "-" : sid);
    demand(model, model->is_to_log, "logs what is not wrong");
    demand(model, strcmp(text, expected) == 0 && !is_warning, "logs something else");
    model->is_to_log = false;
}

/* Nobody has a push factor here. */
static bool on_say(void *context, enum dialogue_kind kind, const char *text)
{
    demand(context, kind != DIALOGUE_ASK, "asks for the number of no push");
    if (kind == DIALOGUE_ASK_SECRET)
        return ask(context, text);
    if (kind == DIALOGUE_SHOW)
        show(context, text);
    else
        log_text(context, kind == DIALOGUE_LOG_WARNING, text);
    return true;
}

/* Right or wrong, for somebody who is enrolled. */
static int on_recover(void *context, const char *code)
{
    struct model *model = context;

    demand(model, strncmp(code, "bcdfghjkmnp", 11) == 0, "tries what is no recovery code");
    demand(model, !model->is_final, "tries a recovery code after the end");
    demand(model, model->deadline_ms == HTTP_FOREVER,
           "tries a recovery code under Twilio's deadline");
    if (model->is_enrolled && choose(model, 2) == 1) {
        note(model, "right ");
        finish(model, OUTCOME_APPROVED);
        model->is_recovered = true;
        return 3;
    }
    use_up(model);
    return -1;
}

static bool on_can_recover(void *context)
{
    struct model *model = context;

    demand(model, model->is_enrolled, "offers a recovery code to nobody");
    demand(model, model->expected == OUTCOME_UNAVAILABLE && !model->is_outage,
           "tells of an outage that there is not");
    demand(model, !model->is_gone, "tells somebody who left");
    model->is_final = true;
    if (model->broken != NULL || choose(model, 2) == 0)
        return false;
    note(model, "outage ");
    model->is_outage = true;
    model->is_final = false;
    model->before = "";
    return true;
}

enum answer { GONE, WELL_FORMED, MALFORMED, RECOVERY, EMPTY, SAME, NONE };

/* What ANSWER is as it is typed. */
static void type(struct model *model, unsigned *answer)
{
    static const char *const passwords[] = { "Secret1", "12345", "1234567", "12345a" };
    static const char letters[] = "qrstvwxz";
    char again[sizeof model->last];
    int number = model->answers;

    if (*answer == SAME && number == 1)
        *answer = EMPTY;
    switch (*answer) {
    case WELL_FORMED:
        snprintf(model->last, sizeof model->last, "100-\xc2\xa0%03d\t", number);
        return;
    case MALFORMED:
        strcpy(model->last, passwords[(unsigned)number % (sizeof passwords / sizeof *passwords)]);
        return;
    case RECOVERY:
        snprintf(model->last, sizeof model->last, "BCDF-ghjk mnp%c",
                 letters[(unsigned)number % strlen(letters)]);
        return;
    case SAME:
        snprintf(again, sizeof again, "\xe2\x80\x8b%.50s", model->last);
        strcpy(model->last, again);
        return;
    default:
        strcpy(model->last, number % 2 == 0 ? " " : "");
    }
}

/* What must come of it. */
static void judge(struct model *model, unsigned answer, bool was_empty)
{
    if (answer == SAME || (answer == EMPTY && was_empty)) {
        note(model, "same ");
        model->used++;
        end(model);
    } else if (model->is_outage && (answer == EMPTY || answer == WELL_FORMED)) {
        note(model, "gives up ");
        end(model);
    } else if (answer == WELL_FORMED) {
        note(model, "code ");
        snprintf(model->code, sizeof model->code, "100%03d", model->answers);
    } else if (answer == RECOVERY) {
        note(model, "recovery ");
    } else {
        note(model, answer == EMPTY ? "empty " : "malformed ");
        use_up(model);
    }
}

static enum login_answer on_answer(void *context, bool wait, char answer[DIALOGUE_LINE_SIZE])
{
    struct model *model = context;
    bool can_answer = model->answers < model->asks;
    bool was_empty = model->answers > 0 && model->is_empty;
    unsigned choice;

    demand(model, !model->is_final || model->is_gone, "listens after the end");
    demand(model, can_answer || model->is_gone, "listens for an answer to nothing");
    demand(model, model->deadline_ms == HTTP_FOREVER || !wait, "holds the user to a deadline");
    if (model->is_gone || model->broken != NULL)
        return LOGIN_GONE;

    choice = choose(model, wait ? NONE : NONE + 1);
    if (choice == NONE)
        return LOGIN_NO_ANSWER;
    if (choice == GONE) {
        note(model, "gone ");
        model->is_gone = true;
        end(model);
        return LOGIN_GONE;
    }

    model->answers++;
    if (choose(model, 2) == 1)
        model->now_ms += CHALLENGE_LIFETIME_MS;
    model->entered_ms = model->now_ms;
    model->is_awaited = true;
    model->is_tried = model->is_claimed = false;
    model->code[0] = '\0';
    type(model, &choice);
    model->is_empty = choice == EMPTY || (choice == SAME && was_empty);
    judge(model, choice, was_empty);
    strcpy(answer, model->last);
    return LOGIN_ANSWER;
}

/* The API */

static enum outcome choose_refusal(struct model *model)
{
    static const enum outcome outcomes[] = { OUTCOME_UNAVAILABLE, OUTCOME_MISCONFIGURED,
                                             OUTCOME_EXHAUSTED, OUTCOME_DENIED };

    return outcomes[choose(model, 4)];
}

static enum challenge_state refuse(struct verdict *why_not, enum outcome outcome)
{
    verdict_refuse(why_not, outcome, "model");
    return CHALLENGE_REFUSED;
}

/* Every call comes by here. */
static void demand_request(struct model *model, const struct http_watch *watch)
{
    demand(model, !model->is_final, "talks to Twilio after the end");
    demand(model, model->is_loaded, "talks to Twilio before twilio.so is loaded");
    demand(model, !model->is_outage, "talks to Twilio in an outage");
    demand(model, !model->is_enrolled || watch->deadline_ms == model->deadline_ms,
           "watch and clock differ");
    demand(model, (model->code[0] != '\0') == (watch->deadline_ms != HTTP_FOREVER),
           "the deadline begins at another time than at the code");
    demand(model, (model->code[0] != '\0') == (watch->descriptor < 0),
           "listens to the user at the wrong time");
}

/* The user may be heard while the request is under way. False: it is given up. */
static bool listen(struct model *model, struct http_watch *watch)
{
    while (watch->descriptor >= 0 && choose(model, 2) == 1)
        if (!watch->noticed(watch))
            return false;
    return true;
}

static void demand_creation(struct model *model)
{
    demand(model, model->is_enrolled, "creates a challenge for nobody");
    demand(model, !model->is_final, "creates a challenge after the end");
    demand(model, model->code[0] != '\0' || model->create_challenge == SETTINGS_CREATE_AT_PROMPT,
           "creates a challenge before the code");
    demand(model, model->is_counted, "creates a challenge that is not counted");
    model->is_counted = false;
    demand(model, model->code[0] != '\0' || model->used == 0 || model->refused_creations > 0,
           "creates a challenge though a password came");
    demand(model, model->code[0] != '\0' || !model->was_denied,
           "creates a challenge for a round that nobody answers");
    demand(model, model->refused_creations < CREATIONS_MAX, "creates too often");
    if (!model->has_challenge)
        return;
    demand(model,
           model->now_ms - model->created_ms > CHALLENGE_LIFETIME_MS - EXPIRY_MARGIN_MS &&
               !model->is_renewed,
           "creates a second challenge without need");
    model->has_challenge = false;
    model->is_renewed = true;
}

static void on_connect(struct challenge_service *service, struct http_watch *watch,
                       struct verdict *why_not)
{
    struct model *model = (struct model *)service;

    note(model, "connect ");
    demand_request(model, watch);
    demand(model, !model->is_enrolled, "connects alone for somebody who is enrolled");
    demand(model, ++model->connects <= CONNECTS_MAX, "connects too often");
    if (model->broken != NULL || !listen(model, watch))
        return;
    if (choose(model, 2) == 0) {
        demand(model, !watch->before_send(watch), "sends something for nobody");
        return;
    }
    note(model, "away ");
    verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "model");
}

/* WAS_LOST: the code may have been judged, and must not be sent again. */
static void expire(struct model *model, bool was_lost)
{
    note(model, "expired ");
    model->has_challenge = false;
    if (model->is_renewed || was_lost)
        finish(model, OUTCOME_DENIED);
    model->is_renewed = true;
}

static enum challenge_state choose_state(struct model *model, bool can_be_lost,
                                         struct verdict *why_not)
{
    enum { APPROVED, PENDING, REFUSED, EXPIRED, LOST };
    unsigned choice = choose(model, can_be_lost ? 5 : 4);
    enum outcome outcome;

    switch (choice) {
    case APPROVED:
        note(model, "approved ");
        finish(model, OUTCOME_APPROVED);
        return CHALLENGE_APPROVED;
    case PENDING:
        note(model, "wrong ");
        model->is_to_release = model->is_to_log = true;
        use_up(model);
        return CHALLENGE_PENDING;
    case EXPIRED:
        expire(model, !can_be_lost);
        return CHALLENGE_EXPIRED;
    case LOST:
        note(model, "lost ");
        model->is_lost = true;
        refuse(why_not, OUTCOME_UNAVAILABLE);
        return CHALLENGE_LOST;
    default:
        outcome = choose_refusal(model);
        note(model, "refused(%s) ", verdict_word(outcome));
        finish(model, outcome);
        return refuse(why_not, outcome);
    }
}

static void note_challenge(struct model *model, struct challenge *challenge)
{
    note(model, "made ");
    model->challenges++;
    model->has_challenge = true;
    model->is_tried = model->is_nameless = false;
    model->refused_creations = 0;
    model->created_ms = model->now_ms;
    snprintf(challenge->sid, sizeof challenge->sid, "YC%032d", model->challenges);
    strcpy(challenge->request_id, "-");
}

static enum challenge_state fail_unsent(struct model *model, struct verdict *why_not)
{
    note(model, "unsent ");
    model->refused_creations++;
    expect(model, OUTCOME_UNAVAILABLE);
    refuse(why_not, OUTCOME_UNAVAILABLE);
    return CHALLENGE_UNSENT;
}

/* A creation that takes the code along. */
static enum challenge_state judge_creation(struct model *model, const char *code,
                                           struct challenge *challenge, struct verdict *why_not)
{
    enum challenge_state state;

    demand(model, model->code[0] != '\0' && strcmp(code, model->code) == 0,
           "sends what is not the code");
    demand(model, model->is_claimed, "sends a code that it has not claimed");
    if (model->broken != NULL)
        return refuse(why_not, OUTCOME_UNAVAILABLE);
    if (choose(model, 4) == 3)
        return fail_unsent(model, why_not);

    model->is_unsent = false;
    note_challenge(model, challenge);
    model->is_tried = true;
    state = choose_state(model, true, why_not);
    if (state == CHALLENGE_LOST) {
        finish(model, OUTCOME_UNAVAILABLE);
        model->is_lost = false; /* it has no name to ask for */
    }
    if (state == CHALLENGE_PENDING && choose(model, 3) == 2) {
        note(model, "nameless ");
        *challenge = (struct challenge){ 0 };
        model->has_challenge = false;
        model->is_nameless = true;
    }
    return state;
}

static enum challenge_state on_create(struct challenge_service *service, struct http_watch *watch,
                                      const char *code, struct challenge *challenge,
                                      struct verdict *why_not)
{
    struct model *model = (struct model *)service;

    note(model, "connect ");
    demand_request(model, watch);
    demand(model, model->refused_creations == 0 || model->expected == OUTCOME_UNAVAILABLE,
           "tries again what can't succeed");
    demand(model, (code != NULL) == (model->create_challenge == SETTINGS_CREATE_WITH_CODE),
           "creates in another way than the settings say");
    if (model->broken != NULL || !listen(model, watch))
        return CHALLENGE_GIVEN_UP;
    if (code != NULL && choose(model, 4) == 3)
        return fail_unsent(model, why_not);
    model->is_creating = code != NULL;
    if (!watch->before_send(watch))
        return CHALLENGE_GIVEN_UP;
    model->is_creating = false;

    note(model, "create ");
    demand_creation(model);
    if (code != NULL)
        return judge_creation(model, code, challenge, why_not);
    /* As http_send() does, when it has to give up what has left already. */
    if (!listen(model, watch))
        return refuse(why_not, OUTCOME_UNAVAILABLE);
    if (choose(model, 2) == 1) {
        enum outcome outcome = choose_refusal(model);
        note(model, "refused(%s) ", verdict_word(outcome));
        model->refused_creations++;
        expect(model, outcome);
        return refuse(why_not, outcome);
    }

    note_challenge(model, challenge);
    return CHALLENGE_PENDING;
}

static void demand_own_challenge(struct model *model, const struct challenge *challenge)
{
    char sid[CHALLENGE_SID_SIZE];

    snprintf(sid, sizeof sid, "YC%032d", model->challenges);
    demand(model, model->has_challenge && strcmp(challenge->sid, sid) == 0,
           "asks about another challenge than its own");
}

static enum challenge_state on_verify(struct challenge_service *service, struct http_watch *watch,
                                      struct challenge *challenge, const char *code,
                                      struct verdict *why_not)
{
    struct model *model = (struct model *)service;

    note(model, "verify ");
    demand_request(model, watch);
    demand_own_challenge(model, challenge);
    demand(model, model->is_enrolled, "sends a code for nobody");
    demand(model, strlen(code) == CODE_LENGTH && strcmp(code, model->code) == 0,
           "sends what is not the code");
    demand(model, !model->is_tried, "sends a code twice to one challenge");
    demand(model, model->is_claimed, "sends a code that it has not claimed");
    demand(model, !model->is_lost, "sends a code although the last one got lost");
    if (model->broken != NULL)
        return refuse(why_not, OUTCOME_UNAVAILABLE);
    model->is_tried = true;
    return choose_state(model, true, why_not);
}

static enum challenge_state on_fetch(struct challenge_service *service, struct http_watch *watch,
                                     struct challenge *challenge, struct verdict *why_not)
{
    struct model *model = (struct model *)service;

    note(model, "fetch ");
    demand_request(model, watch);
    demand_own_challenge(model, challenge);
    demand(model, model->is_lost && model->is_tried, "fetches a challenge that got no code");
    if (model->broken != NULL)
        return refuse(why_not, OUTCOME_UNAVAILABLE);
    model->is_lost = false;
    return choose_state(model, false, why_not);
}

/* What this host remembers */

/* A disk that is kept busy. */
static void take_long(struct model *model)
{
    model->now_ms += BUSY_MS;
}

static enum claim on_claim(struct ledger *ledger, const char *code,
                           struct ledger_counts *ret_counts, struct verdict *why_not)
{
    enum { CLAIMED, BEFORE, REFUSED };
    struct model *model = (void *)ledger;
    unsigned choice;
    enum outcome outcome;

    demand(model,
           !model->is_final &&
               (model->has_challenge || model->create_challenge == SETTINGS_CREATE_WITH_CODE),
           "claims a code that it can't send");
    demand(model, model->code[0] != '\0' && strcmp(code, model->code) == 0,
           "claims what is not the code");
    demand(model, !model->is_claimed, "claims twice");
    demand(model, model->deadline_ms == HTTP_FOREVER, "claims under Twilio's deadline");
    take_long(model);
    choice = model->broken == NULL ? choose(model, 3) : REFUSED;
    if (choice == CLAIMED) {
        model->is_claimed = true;
        model->is_unsent = model->is_creating;
        *ret_counts = (struct ledger_counts){ 3, 7 };
        return CLAIM_MADE;
    }
    if (choice == BEFORE) {
        note(model, "used ");
        model->before = "That code was used before: wait for the next one. ";
        use_up(model);
        return CLAIM_TAKEN;
    }
    outcome = choose_refusal(model);
    note(model, "unclaimed(%s) ", verdict_word(outcome));
    finish(model, outcome);
    verdict_refuse(why_not, outcome, "model");
    return CLAIM_REFUSED;
}

static void on_take_back(struct ledger *ledger)
{
    struct model *model = (void *)ledger;

    demand(model, model->is_unsent, "takes back what was judged");
    model->is_unsent = false;
}

static void on_look(struct ledger *ledger, struct ledger_look *ret_look, struct verdict *why_not)
{
    struct model *model = (void *)ledger;

    (void)why_not;
    demand(model, model->is_enrolled && model->asks == 0, "looks for nobody");
    model->was_denied = choose(model, 2) == 1;
    ret_look->was_denied = model->was_denied;
}

static int64_t on_push(void *context, struct verdict *why_not)
{
    demand(context, false, "counts a push for nobody");
    verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "model");
    return -1;
}

static bool on_stop_push(struct ledger *ledger)
{
    demand((void *)ledger, false, "stops pushes of nobody");
    return false;
}

static enum ledger_guess on_guess(struct ledger *ledger, const char *typed, int number,
                                  struct verdict *why_not)
{
    (void)typed;
    (void)number;
    demand((void *)ledger, false, "compares a number of no push");
    verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "model");
    return LEDGER_GUESS_REFUSED;
}

static void on_release(struct ledger *ledger, const char *code)
{
    struct model *model = (void *)ledger;

    demand(model, model->is_to_release, "gives a code back that was not wrong");
    demand(model, model->deadline_ms == HTTP_FOREVER, "gives a code back under Twilio's deadline");
    demand(model, strcmp(code, model->code) == 0, "gives another code back");
    model->is_to_release = false;
    model->is_claimed = false;
}

static int64_t on_count(struct ledger *ledger, struct verdict *why_not)
{
    struct model *model = (void *)ledger;

    demand(model, model->is_enrolled, "counts a challenge of nobody");
    demand(model, !model->is_final && !model->is_counted, "counts what is not created");
    demand(model, model->deadline_ms == HTTP_FOREVER, "counts under Twilio's deadline");
    take_long(model);
    if (choose(model, 3) != 2) {
        model->is_counted = true;
        return 0;
    }
    note(model, "limit ");
    model->refused_creations++;
    if (model->has_challenge) {
        model->has_challenge = false;
        model->is_renewed = true;
    }
    expect(model, OUTCOME_EXHAUSTED);
    verdict_refuse(why_not, OUTCOME_EXHAUSTED, "model");
    return 60;
}

static void on_note_end(struct ledger *ledger, enum ledger_end end)
{
    struct model *model = (void *)ledger;

    demand(model, ++model->ends == 1, "ends twice");
    demand(model, model->is_enrolled && !model->is_gone, "notes the end of what nobody answered");
    demand(model,
           end == (model->expected == OUTCOME_DENIED ? LEDGER_DENIED
                   : model->is_recovered             ? LEDGER_RECOVERED
                                                     : LEDGER_APPROVED),
           "notes another end");
    demand(model, model->deadline_ms == HTTP_FOREVER, "notes the end under Twilio's deadline");
}

static const struct challenge_api api = {
    .version = "model",
    .connect = on_connect,
    .create = on_create,
    .verify = on_verify,
    .fetch = on_fetch,
};

static bool on_load(void *context, const struct challenge_api **ret_api,
                    struct challenge_service **ret_service, struct verdict *why_not)
{
    struct model *model = context;
    enum outcome outcome;

    note(model, "load ");
    demand(model, model->asks == 1, "loads before it asked");
    demand(model, !model->is_loaded, "loads twice");
    model->is_loaded = true;
    if (choose(model, 3) != 2) {
        *ret_api = &api;
        *ret_service = (struct challenge_service *)model;
        return true;
    }
    outcome = choose(model, 2) == 0 ? OUTCOME_MISCONFIGURED : OUTCOME_UNAVAILABLE;
    note(model, "failed ");
    expect(model, outcome);
    return verdict_refuse(why_not, outcome, "model");
}

static void on_deadline(void *context, int64_t deadline_ms)
{
    struct model *model = context;

    demand(model, model->is_enrolled,
           "may end without \"denied\" for somebody who is not enrolled");
    demand(model,
           deadline_ms == HTTP_FOREVER || deadline_ms == model->now_ms + TIMEOUT_SECONDS * 1000,
           "sets another deadline than the settings say");
    model->deadline_ms = deadline_ms;
}

static int64_t on_clock(void *context)
{
    return ((struct model *)context)->now_ms;
}

static void on_pause(void *context, int64_t pause_ms)
{
    struct model *model = context;

    demand(model, model->is_awaited && pause_ms > 0, "pauses while nobody waits");
    demand(model, !model->is_final || model->expected != OUTCOME_APPROVED, "lets an approval wait");
    demand(model, model->deadline_ms == HTTP_FOREVER, "pauses under Twilio's deadline");
    demand(model,
           model->now_ms + pause_ms - model->entered_ms ==
               moment_after(model->now_ms - model->entered_ms),
           "pauses until another moment");
    model->now_ms += pause_ms;
    if (!model->is_enrolled)
        model->code[0] = '\0'; /* it is always wrong */
}

bool model_run(struct model *model)
{
    const struct settings settings = {
        .prompt = (char *)PROMPT,
        .attempts = model->attempts,
        .code_length = CODE_LENGTH,
        .timeout_seconds = TIMEOUT_SECONDS,
        .create_challenge = model->create_challenge,
        .users_dir = (char *)"/users",
    };
    const struct enrollment enrollment = { .identity = (char *)IDENTITY,
                                           .factor_sid = (char *)FACTOR,
                                           .user = (char *)"alice" };
    const struct login_request request = { &settings, model->is_enrolled ? &enrollment : NULL };
    const struct login_ports ports = PORTS(model, DESCRIPTOR);

    model->expected = OUTCOME_DENIED;
    model->before = "Wrong code. ";
    model->now_ms = BEGIN_MS;
    model->deadline_ms = HTTP_FOREVER;
    login_run(&request, &ports, &model->verdict);

    demand(model, model->asks > 0, "asks nothing");
    demand(model, model->verdict.outcome == model->expected, "ends with another outcome");
    demand(model, model->verdict.outcome != OUTCOME_APPROVED || model->is_enrolled,
           "approves nobody");
    demand(model, !model->is_to_release, "keeps a wrong code from others");
    demand(model, !model->is_unsent, "counts what never left");
    demand(model, !model->is_to_log, "does not log a wrong code");
    demand(model, model->verdict.outcome == OUTCOME_APPROVED || is_moment(model),
           "ends at another moment than others end");
    demand(model,
           (model->ends == 1) ==
               (model->is_enrolled && !model->is_gone &&
                (model->expected == OUTCOME_APPROVED || model->expected == OUTCOME_DENIED)),
           "does not note the end");
    demand(model, !model->is_recovered || model->verdict.outcome == OUTCOME_APPROVED,
           "refuses after a recovery code is used up");
    demand(model, model->verdict.reason[0] != '\0', "does not tell why");
    demand(model, !model->is_lost, "does not ask what became of a lost code");
    return model->broken == NULL;
}
