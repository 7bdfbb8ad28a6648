/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A push. */
#include "push.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define QUESTION "Number on your phone: "

enum {
    FETCH_MS = 2000,      /* from one reply to the next request */
    LAST_FETCH_MS = 1000, /* what the last one gets at least */
    NUMBER_MIN = 10,
    NUMBERS = 90, /* of two digits each */
    NUMBER_LENGTH = 2,
};

struct push {
    struct questions *questions;
    const struct login_ports *ports;
    const struct challenge_api *api;
    struct challenge_service *service;
    struct challenge *challenge;
    struct http_watch watch;
    int number;
    int64_t asked_ms; /* when the last request to Twilio began */
};

/* Each of them is as likely as the others. */
static bool choose_number(int *ret_number)
{
    uint8_t byte;

    do
        if (getrandom(&byte, sizeof byte, 0) != sizeof byte)
            return false;
    while (byte >= UINT8_MAX / NUMBERS * NUMBERS);
    *ret_number = NUMBER_MIN + byte % NUMBERS;
    return true;
}

/* Before anything is sent. False: the verdict tells. */
static bool count(struct push *push, int64_t *ret_opens_s)
{
    struct questions *questions = push->questions;
    int64_t stopped_ms = questions_stop_deadline(questions);

    *ret_opens_s = push->ports->push(push->ports->context, &questions->verdict);
    questions_resume_deadline(questions, stopped_ms);
    return *ret_opens_s == 0;
}

static void leave(struct push *push, const char *when)
{
    push->questions->has_left = true;
    verdict_refuse(&push->questions->verdict, OUTCOME_DENIED, "left %s", when);
    questions_end(push->questions);
}

/* Nobody is asked while the phone is: a line that comes now is no answer to anything. Where the
 * user has left, a denial still has to be seen: he must not escape it by leaving. */
static bool on_noticed(struct http_watch *watch)
{
    struct push *push = watch->context;
    char line[DIALOGUE_LINE_SIZE];

    switch (push->ports->answer(push->ports->context, false, line)) {
    case LOGIN_NO_ANSWER:
        return true;
    case LOGIN_GONE:
        push->questions->has_left = true;
        watch->descriptor = -1;
        return true;
    case LOGIN_ANSWER:
        break;
    }
    explicit_bzero(line, sizeof line);
    verdict_refuse(&push->questions->verdict, OUTCOME_DENIED,
                   "an answer came before the question for the number");
    return questions_end(push->questions);
}

static int64_t left_ms(const struct push *push)
{
    return push->watch.deadline_ms - push->ports->clock_ms(push->ports->context);
}

/* False: the time is over, or the user left. */
static bool wait(struct push *push)
{
    int64_t most_ms = left_ms(push) - LAST_FETCH_MS;

    return most_ms > 0 &&
           push->api->pause(push->service, &push->watch, most_ms < FETCH_MS ? most_ms : FETCH_MS);
}

/* How long Twilio has to be silent to be away. */
static int64_t patience_ms(const struct push *push)
{
    int64_t timeout_ms = (int64_t)push->questions->request->settings->timeout_seconds * 1000;

    return timeout_ms < QUESTIONS_PUSH_MS / 2 ? timeout_ms : QUESTIONS_PUSH_MS / 2;
}

/* A request that the end of our time has cut off says nothing of Twilio: the phone was silent. */
static bool is_silence(const struct push *push, enum challenge_state state,
                       const struct verdict *why_not)
{
    int64_t asked_ms = push->ports->clock_ms(push->ports->context) - push->asked_ms;

    return state == CHALLENGE_PENDING ||
           (state == CHALLENGE_REFUSED && push->challenge->sid[0] != '\0' && left_ms(push) <= 0 &&
            asked_ms < patience_ms(push) && why_not->outcome == OUTCOME_UNAVAILABLE);
}

/* Asks the phone, and Twilio until it knows the answer. CHALLENGE_PENDING: there was none.
 * Otherwise *WHY_NOT may tell more. */
static enum challenge_state ask_phone(struct push *push, struct verdict *why_not)
{
    const struct challenge_push shown = { push->questions->request->message, push->number };
    enum challenge_state state =
        push->api->push(push->service, &push->watch, &shown, push->challenge, why_not);

    while (state == CHALLENGE_PENDING && wait(push)) {
        push->asked_ms = push->ports->clock_ms(push->ports->context);
        state = push->api->fetch(push->service, &push->watch, push->challenge, why_not);
    }
    return is_silence(push, state, why_not) ? CHALLENGE_PENDING : state;
}

/* Somebody has this user's first factor. */
static void alarm_of(const struct push *push, bool is_stopped, const char *what)
{
    const struct login_ports *ports = push->ports;
    char text[224];

    snprintf(
        text, sizeof text, "%s: %s; challenge=%s", what,
        is_stopped
            ? "no push for an hour"
            : "cannot stop pushes, the user's file in state_dir is locked or cannot be written",
        push->challenge->sid);
    ports->say(ports->context, DIALOGUE_LOG_WARNING, text);
    verdict_refuse(&push->questions->verdict, OUTCOME_DENIED, "%s", what);
}

/* Asks for the number, once. False: nobody is there. */
static bool ask_number(struct push *push, enum ledger_guess *ret_guess)
{
    const struct login_ports *ports = push->ports;
    char line[DIALOGUE_LINE_SIZE];
    struct answer answer;

    push->questions->is_awaited = false;
    if (!ports->say(ports->context, DIALOGUE_ASK, QUESTION) ||
        ports->answer(ports->context, true, line) != LOGIN_ANSWER)
        return false;
    push->questions->is_awaited = true;
    push->questions->entered_ms = ports->clock_ms(ports->context);
    answer_read(line, NUMBER_LENGTH, &answer);
    *ret_guess = ports->guess(ports->ledger, answer.text, push->number, &push->questions->verdict);
    explicit_bzero(line, sizeof line);
    explicit_bzero(&answer, sizeof answer);
    return true;
}

/* It was approved on the phone, by whoever has it. */
static void let_in(struct push *push)
{
    enum ledger_guess guess = LEDGER_GUESS_REFUSED;

    if (!ask_number(push, &guess))
        leave(push, "at the question for the number, after the push was approved");
    else if (guess == LEDGER_GUESS_RIGHT)
        verdict_pass(&push->questions->verdict, OUTCOME_APPROVED,
                     "PUSH approved, and the number is right; challenge=%s request=%s",
                     push->challenge->sid, push->challenge->request_id);
    else if (guess == LEDGER_GUESS_WRONG)
        alarm_of(push, true, "wrong number after the push was approved");
}

static void judge(struct push *push, enum challenge_state state, const struct verdict *why_not)
{
    struct verdict *verdict = &push->questions->verdict;

    switch (state) {
    case CHALLENGE_APPROVED:
        let_in(push);
        break;
    case CHALLENGE_DENIED:
        alarm_of(push, push->ports->stop_push(push->ports->ledger),
                 "the push was denied on the phone");
        break;
    case CHALLENGE_PENDING:
        verdict_refuse(verdict, OUTCOME_DENIED, "no answer from the phone in %d s",
                       QUESTIONS_PUSH_MS / 1000);
        break;
    case CHALLENGE_EXPIRED:
        verdict_refuse(verdict, OUTCOME_DENIED,
                       "the push expired: is the clock of this host right?");
        break;
    case CHALLENGE_REFUSED:
    case CHALLENGE_LOST:
    case CHALLENGE_UNSENT:
    case CHALLENGE_GIVEN_UP:
        *verdict = *why_not;
        break;
    }
}

/* A watch of its own: while the phone is asked, the user may leave. */
static void run(struct push *push)
{
    struct verdict why_not = { 0 };
    enum challenge_state state;

    push->watch = push->questions->watch;
    push->watch.descriptor = push->ports->descriptor;
    push->watch.noticed = on_noticed;
    push->watch.context = push;
    state = ask_phone(push, &why_not);
    questions_stop_deadline(push->questions);
    if (push->questions->has_left && state != CHALLENGE_DENIED)
        leave(push, "while the phone was asked");
    else if (!push->questions->is_over)
        judge(push, state, &why_not);
}

void push_run(struct questions *questions, const struct challenge_api *api,
              struct challenge_service *service, struct challenge *ret_challenge,
              int64_t *ret_opens_s)
{
    struct push push = { questions, questions->ports, api, service, ret_challenge };

    *ret_challenge = (struct challenge){ 0 };
    if (!choose_number(&push.number))
        verdict_refuse(&questions->verdict, OUTCOME_MISCONFIGURED,
                       "no push: the kernel gives no random numbers");
    else if (count(&push, ret_opens_s))
        run(&push);
    explicit_bzero(&push.number, sizeof push.number);
    questions_end(questions);
}
