/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The steps of one login. */
#include "login.h"

#include <stdio.h>
#include <string.h>

#include "push.h"
#include "questions.h"
#include "stranger.h"

enum { CREATE_TRIES = 2, EXPIRY_MARGIN_MS = 5000 };

struct login {
    struct questions questions;
    const struct login_ports *ports;
    const struct challenge_api *api;
    struct challenge_service *service;

    struct challenge challenge;
    bool has_challenge;
    bool has_claim; /* of the code that was answered */
    bool has_sent;  /* that code: it may be sent once more, where it was not judged */
    bool is_counted;
    struct ledger_counts counts; /* with that code */
    bool renewed;                /* the one new challenge after an expired one */
    int tries;                   /* to create the challenge */
    int64_t created_ms;
    int64_t opens_s; /* how long our own quota stays used up; 0: it is not */
};

static int64_t clock_ms(const struct login *login)
{
    return login->ports->clock_ms(login->ports->context);
}

static bool is_with_code(const struct login *login)
{
    return login->questions.request->settings->create_challenge == SETTINGS_CREATE_WITH_CODE;
}

static void ask_again(struct login *login, const char *before)
{
    login->has_claim = false;
    login->has_sent = false;
    questions_again(&login->questions, before);
}

static bool on_noticed(struct http_watch *watch)
{
    struct login *login = watch->context;

    return questions_take(&login->questions, false);
}

/* Twilio's limits are for all hosts together, and who reaches them is locked out everywhere. */
static bool count_creation(struct login *login)
{
    int64_t stopped_ms = questions_stop_deadline(&login->questions);

    login->opens_s = login->ports->count(login->ports->ledger, &login->questions.verdict);
    questions_resume_deadline(&login->questions, stopped_ms);
    return login->opens_s == 0;
}

/* Whether a challenge may be wasted on somebody who has not answered yet. After what was no code
 * it may not; nor where a client asks again by itself, round after round, and nobody answers. */
static bool is_worth_a_challenge(const struct login *login)
{
    return login->questions.attempts == 0 && !login->questions.look.was_denied;
}

/* The connection stands. Somebody who has left, or who has given no code but a password, costs no
 * challenge. */
static bool on_connected(struct http_watch *watch)
{
    struct login *login = watch->context;
    struct questions *questions = &login->questions;

    if (!questions->has_code && !questions_take(questions, false))
        return false;
    if (!questions->has_code && !is_worth_a_challenge(login) && !questions_await(questions))
        return false;
    return !questions_is_push(questions) && count_creation(login);
}

static void drop_challenge(struct login *login)
{
    login->challenge = (struct challenge){ 0 };
    login->has_challenge = false;
    login->renewed = true;
    login->tries = 0;
}

/* One that was made long ago: Twilio would call it expired. */
static void drop_old_challenge(struct login *login)
{
    if (login->has_challenge && !login->renewed &&
        clock_ms(login) - login->created_ms > CHALLENGE_LIFETIME_MS - EXPIRY_MARGIN_MS)
        drop_challenge(login);
}

static enum claim claim_code(struct login *login)
{
    struct questions *questions = &login->questions;
    int64_t stopped_ms = questions_stop_deadline(questions);
    enum claim claimed = login->ports->claim(login->ports->ledger, questions->answer.text,
                                             &login->counts, &questions->verdict);

    questions_resume_deadline(questions, stopped_ms);
    return claimed;
}

/* Nobody can count what is sent: one code, and no second challenge. */
static void allow_one(struct login *login)
{
    login->is_counted = false;
    login->questions.is_last = true;
    login->renewed = true;
    login->ports->say(login->ports->context, DIALOGUE_LOG_WARNING,
                      "cannot count wrong codes: one attempt, and only Twilio's limits remain");
}

/* Makes the code this login's alone. Where it is another's the user is asked again, or the login is
 * over. */
static void claim(struct login *login)
{
    switch (claim_code(login)) {
    case CLAIM_UNRECORDED:
        login->has_claim = true;
        allow_one(login);
        return;
    case CLAIM_MADE:
        login->has_claim = true;
        login->is_counted = true;
        return;
    case CLAIM_TAKEN:
        login->questions.counts[QUESTIONS_USED_BEFORE]++;
        ask_again(login, QUESTIONS_USED);
        return;
    case CLAIM_REFUSED:
        break;
    }
    questions_end(&login->questions);
}

/* Whoever typed the code has learned nothing: an outage must not lock anybody out. */
static void take_back(struct login *login)
{
    int64_t stopped_ms = questions_stop_deadline(&login->questions);

    login->ports->take_back(login->ports->ledger);
    questions_resume_deadline(&login->questions, stopped_ms);
}

/* Sends the code. */
static enum challenge_state send_code(struct login *login)
{
    struct questions *questions = &login->questions;
    enum challenge_state state;

    login->challenge.was_repeated = login->has_sent;
    login->has_sent = true;
    state = login->api->verify(login->service, &questions->watch, &login->challenge,
                               questions->answer.text, &questions->verdict);
    if (login->challenge.is_unjudged)
        take_back(login);
    if (state != CHALLENGE_LOST)
        return state;
    /* An "approved" that is fetched counts, since this login's code was sent to it. The code may
     * have been judged: it is not sent to a second challenge. */
    login->challenge.was_repeated = true;
    return login->api->fetch(login->service, &questions->watch, &login->challenge,
                             &questions->verdict);
}

/* Somebody has this user's first factor. Said of each from there on: the reply to any one of them
 * may get lost, or its login be killed. */
static bool is_alarming(const struct ledger_counts *counts)
{
    enum { MANY = 10 };

    return counts->day >= MANY || counts->row > RECORD_WRONG_ROW - MANY;
}

/* Whoever leaves now has left a line. */
static void log_wrong(const struct login *login)
{
    const struct questions *questions = &login->questions;
    char text[160], row[32] = "";

    if (login->is_counted)
        snprintf(row, sizeof row, ", %d in a row", login->counts.row);
    snprintf(text, sizeof text, "wrong code %d of %d%s; challenge=%s", questions->attempts + 1,
             questions->request->settings->attempts, row,
             login->challenge.sid[0] != '\0' ? login->challenge.sid : "-");
    login->ports->say(login->ports->context,
                      login->is_counted && is_alarming(&login->counts) ? DIALOGUE_LOG_WARNING
                                                                       : DIALOGUE_LOG_NOTICE,
                      text);
}

/* The code let nobody in, and was wrong or never arrived. */
static void refuse_code(struct login *login)
{
    questions_stop_deadline(&login->questions);
    log_wrong(login);
    login->ports->release(login->ports->ledger, login->questions.answer.text);
    login->tries = 0;
    ask_again(login, QUESTIONS_WRONG);
}

/* Twilio has judged the code. */
static void judge(struct login *login, enum challenge_state state)
{
    struct verdict *verdict = &login->questions.verdict;

    switch (state) {
    case CHALLENGE_APPROVED:
        verdict_pass(verdict, OUTCOME_APPROVED, "challenge=%s request=%s", login->challenge.sid,
                     login->challenge.request_id);
        break;
    case CHALLENGE_PENDING:
        refuse_code(login);
        return;
    case CHALLENGE_EXPIRED:
        if (!login->renewed && !login->challenge.was_repeated) {
            drop_challenge(login);
            return;
        }
        verdict_refuse(verdict, OUTCOME_DENIED, "the challenge expired%s",
                       login->renewed ? " again" : ", and the code must not be sent again");
        break;
    case CHALLENGE_REFUSED:
    case CHALLENGE_DENIED:
    case CHALLENGE_LOST:
    case CHALLENGE_UNSENT:
        break;
    case CHALLENGE_GIVEN_UP:
        verdict_refuse(verdict, OUTCOME_UNAVAILABLE, "the verification was interrupted");
        break;
    }
    questions_end(&login->questions);
}

/* The connection stands, and the creation takes the code along: nothing leaves before there is one
 * that is this login's alone. */
static bool on_code_due(struct http_watch *watch)
{
    struct login *login = watch->context;

    struct questions *questions = &login->questions;

    while (questions_await(questions) && !questions_is_push(questions) && !login->has_claim)
        claim(login);
    return !questions->is_over && !questions_is_push(questions) && count_creation(login);
}

/* Tries once to create a challenge. With the code it is judged, if it left. */
static void create(struct login *login)
{
    struct questions *questions = &login->questions;
    bool has_code = is_with_code(login);
    struct verdict why_not = { 0 };
    enum challenge_state state;

    questions->watch.before_send = has_code ? on_code_due : on_connected;
    login->challenge.was_repeated = has_code && login->has_sent;
    state =
        login->api->create(login->service, &questions->watch,
                           has_code ? questions->answer.text : NULL, &login->challenge, &why_not);
    questions->watch.before_send = NULL;

    /* Where the login ended meanwhile, or the creation was given up, the verdict is there. */
    if (!questions->is_over && state != CHALLENGE_GIVEN_UP)
        questions->verdict = why_not;
    login->tries++;
    login->created_ms = clock_ms(login);
    login->has_challenge = state == CHALLENGE_PENDING && login->challenge.sid[0] != '\0';
    if (!has_code || state == CHALLENGE_GIVEN_UP || state == CHALLENGE_UNSENT)
        return;
    login->has_sent = true;
    if (login->challenge.is_unjudged)
        take_back(login);
    judge(login, state);
}

/* There is a code and no challenge. A creation that failed while the user typed is tried once more;
 * what was claimed and can't be sent does not count. */
static void create_or_end(struct login *login)
{
    struct questions *questions = &login->questions;
    bool is_worth_it = login->tries == 0 || questions->verdict.outcome == OUTCOME_UNAVAILABLE;

    if (login->api != NULL && login->tries < CREATE_TRIES && is_worth_it) {
        create(login);
        return;
    }
    if (login->has_claim && !login->has_sent)
        take_back(login);
    questions_end(questions);
}

/* While the user types: load, connect, and create the challenge unless that waits for a code.
 * Failures are remembered. A challenge of the push factor would ask the phone: it waits for the
 * word. */
static void prepare(struct login *login)
{
    if (!login->ports->load(login->ports->context, &login->api, &login->service,
                            &login->questions.verdict))
        login->api = NULL;
    else if (login->questions.request->enrollment->factor_sid != NULL)
        create(login);
}

/* The challenge for a code that may be there is left to expire. */
static void push(struct login *login)
{
    if (login->api != NULL)
        push_run(&login->questions, login->api, login->service, &login->challenge, &login->opens_s);
    else
        questions_end(&login->questions);
}

/* Until there is a verdict. */
static void run(struct login *login)
{
    while (questions_await(&login->questions)) {
        drop_old_challenge(login);
        if (questions_is_push(&login->questions))
            push(login);
        else if (!login->has_challenge)
            create_or_end(login);
        else if (login->has_claim)
            judge(login, send_code(login));
        else
            claim(login);
    }
}

/* Tells the user when codes are accepted again, where our own quota refused this one. */
static void show_quota(const struct login *login)
{
    enum { MINUTE = 60 };
    char text[128];

    if (login->questions.verdict.outcome != OUTCOME_EXHAUSTED || login->opens_s <= 0)
        return;
    snprintf(text, sizeof text, "Too many %s again in %d min.",
             login->questions.answer.kind == ANSWER_PUSH ? "pushes: your phone can be asked"
                                                         : "logins: codes of the app are accepted",
             (int)((login->opens_s + MINUTE - 1) / MINUTE));
    login->ports->say(login->ports->context, DIALOGUE_SHOW, text);
}

/* What the next login must know of this one. A thief who gets in hears of his wrong codes in place
 * of the user: so the log tells. */
static void note_end(const struct login *login)
{
    const struct questions *questions = &login->questions;
    enum ledger_end end = LEDGER_DENIED;

    if (questions->verdict.outcome == OUTCOME_APPROVED)
        end = questions->answer.kind == ANSWER_CODE ? LEDGER_APPROVED : LEDGER_RECOVERED;
    else if (questions->verdict.outcome != OUTCOME_DENIED || questions->has_left)
        return;
    login->ports->note_end(login->ports->ledger, end);
}

/* Which challenge a refusal is about, and what came before an approval. */
static void conclude(struct login *login)
{
    struct questions *questions = &login->questions;
    bool is_approved = questions->verdict.outcome == OUTCOME_APPROVED;
    int before = (int)questions->look.untold;

    questions_stop_deadline(questions);
    if (!is_approved && login->challenge.sid[0] != '\0')
        verdict_add(&questions->verdict, "; challenge=%s request=%s", login->challenge.sid,
                    login->challenge.request_id);
    if (is_approved && before > 0)
        verdict_add(&questions->verdict, "; %d wrong code%s before", before,
                    before == 1 ? "" : "s");
    note_end(login);
    show_quota(login);
}

static void run_enrolled(const struct login_request *request, const struct login_ports *ports,
                         struct verdict *ret_verdict)
{
    struct login login = { .ports = ports };
    struct questions *questions = &login.questions;

    questions_begin(questions, request, ports, on_noticed, &login);
    ports->look(ports->ledger, &questions->look, &questions->verdict);
    if (questions_ask(questions, "") && !questions->look.is_locked)
        prepare(&login);
    run(&login);
    if (questions_survive_outage(questions))
        run(&login);
    conclude(&login);

    questions_finish(questions);
    *ret_verdict = questions->verdict;
}

void login_run(const struct login_request *request, const struct login_ports *ports,
               struct verdict *ret_verdict)
{
    if (request->enrollment != NULL)
        run_enrolled(request, ports, ret_verdict);
    else
        stranger_run(request, ports, ret_verdict);
}
