/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The steps of one login. */
#include "login.h"

#include <stdio.h>
#include <string.h>

#include "../core/recovery.h"

enum { CODE_SIZE = 9, CREATE_TRIES = 2, EXPIRY_MARGIN_MS = 5000, RECOVERY_MS = 500 };

#define WRONG_CODE "Wrong code. "
#define USED_CODE  "That code was used before: wait for the next one. "

struct login {
    const struct login_request *request;
    const struct login_ports *ports;
    const struct challenge_api *api;
    struct challenge_service *service;
    struct http_watch watch;
    struct verdict verdict; /* how things stand; the last one is the login's */

    int attempts_left;
    int malformed;   /* answers that were no code */
    int unrecovered; /* wrong recovery codes */
    int used;        /* codes that another login has claimed */
    bool over;       /* nothing more will be asked or sent; the verdict tells */
    bool has_code, has_claim;
    char code[CODE_SIZE];

    struct challenge challenge;
    bool has_challenge;
    bool renewed; /* the one new challenge after an expired one */
    int tries;    /* to create the challenge */
    int64_t began_ms, created_ms;
    int64_t opens_s; /* how long the limit of our own will last; 0: not reached */
};

static int64_t clock_ms(const struct login *login)
{
    return login->ports->clock_ms(login->ports->context);
}

/* From Enter on the clock runs; while the user types it stands. */
static void set_limit(struct login *login, int64_t deadline_ms)
{
    login->watch.deadline_ms = deadline_ms;
    login->ports->limit(login->ports->context, deadline_ms);
}

static bool end(struct login *login)
{
    login->over = true;
    return false;
}

static bool ask(struct login *login, const char *before)
{
    char text[sizeof USED_CODE + 256];

    set_limit(login, HTTP_FOREVER);
    snprintf(text, sizeof text, "%s%s", before, login->request->settings->prompt);
    if (login->ports->ask(login->ports->context, text))
        return true;

    verdict_refuse(&login->verdict, OUTCOME_DENIED, "the user can't be asked");
    return end(login);
}

/* Why no attempt is left. */
static void deny_attempts(struct login *login)
{
    const struct challenge *challenge = &login->challenge;

    verdict_refuse(&login->verdict, OUTCOME_DENIED,
                   "no right code in %d attempts, %d of them not %d digits",
                   login->request->settings->attempts, login->malformed,
                   login->request->settings->code_length);
    if (login->unrecovered > 0)
        verdict_add(&login->verdict, ", %d wrong recovery codes", login->unrecovered);
    if (login->used > 0)
        verdict_add(&login->verdict, ", %d used before on this host", login->used);
    verdict_add(&login->verdict, "; challenge=%s request=%s",
                challenge->sid[0] != '\0' ? challenge->sid : "-",
                challenge->request_id[0] != '\0' ? challenge->request_id : "-");
}

/* An attempt is used up: asks for another code, or ends the login. */
static bool ask_again(struct login *login, const char *before)
{
    explicit_bzero(login->code, sizeof login->code);
    login->has_code = false;
    login->has_claim = false;
    if (--login->attempts_left > 0)
        return ask(login, before);

    deny_attempts(login);
    return end(login);
}

/* The code in ANSWER: blanks removed wherever they stand, then exactly SIZE digits. */
static bool read_code(const char *answer, size_t size, char code[CODE_SIZE])
{
    size_t used = 0;

    for (; *answer != '\0'; answer++) {
        if (*answer == ' ')
            continue;
        if (*answer < '0' || *answer > '9' || used == size)
            return false;
        code[used++] = *answer;
    }
    code[used] = '\0';
    return used == size;
}

/* From Enter on, for the answer that was taken. */
static void start_limit(struct login *login)
{
    login->watch.descriptor = -1;
    login->watch.limit_ms = (int64_t)login->request->settings->timeout_seconds * 1000;
    login->watch.waited_ms = 0;
    set_limit(login, clock_ms(login) + login->watch.limit_ms);
}

/* What this host does by itself takes none of Twilio's time: who keeps a disk busy must not make it
 * look away. Returns when that began. */
static int64_t stop_limit(const struct login *login)
{
    login->ports->limit(login->ports->context, HTTP_FOREVER);
    return clock_ms(login);
}

static void resume_limit(struct login *login, int64_t stopped_ms)
{
    if (login->watch.deadline_ms != HTTP_FOREVER)
        set_limit(login, login->watch.deadline_ms + clock_ms(login) - stopped_ms);
}

/* One that was wrong, or refused unseen, or of somebody who has none takes as long as the others. */
static void even_out(const struct login *login, int64_t began_ms)
{
    int64_t pause_ms = began_ms + RECOVERY_MS - clock_ms(login);

    if (pause_ms > 0)
        login->ports->pause(login->ports->context, pause_ms);
}

/* A recovery code decides without Twilio, and under no limit of its. False: the login is over. */
static bool try_recovery(struct login *login, const char *code)
{
    int64_t began_ms = clock_ms(login);
    int remain = login->ports->recover(login->ports->context, code);

    if (remain >= 0) {
        char text[64];
        verdict_pass(&login->verdict, OUTCOME_APPROVED, "RECOVERY CODE used up, %d remain", remain);
        snprintf(text, sizeof text, "That was a recovery code; %d remain.", remain);
        login->ports->show(login->ports->context, text);
        return end(login);
    }
    even_out(login, began_ms);
    login->unrecovered++;
    return ask_again(login, WRONG_CODE);
}

/* Whether ANSWER was a recovery code, which is tried then. */
static bool take_recovery(struct login *login, const char *answer)
{
    char code[RECOVERY_CODE_SIZE];
    bool is_one = recovery_read_code(answer, code);

    if (is_one) {
        try_recovery(login, code);
        explicit_bzero(code, sizeof code);
    }
    return is_one;
}

static void take_text(struct login *login, const char *answer)
{
    login->has_code = read_code(answer, (size_t)login->request->settings->code_length, login->code);
    if (login->has_code) {
        start_limit(login);
    } else if (!take_recovery(login, answer)) {
        login->malformed++;
        ask_again(login, WRONG_CODE);
    }
}

/* Takes one answer, with WAIT the next one that comes. What is no code never leaves this host:
 * sshd answers every prompt with the Unix password. False: the login is over. */
static bool take_answer(struct login *login, bool wait)
{
    char answer[DIALOGUE_LINE_SIZE];

    switch (login->ports->answer(login->ports->context, wait, answer)) {
    case LOGIN_NO_ANSWER:
        return true;
    case LOGIN_GONE:
        verdict_refuse(&login->verdict, OUTCOME_DENIED, "the user went away");
        return end(login);
    case LOGIN_ANSWER:
        break;
    }

    take_text(login, answer);
    explicit_bzero(answer, sizeof answer);
    return !login->over;
}

/* Waits for a well-formed code. False: the login is over. */
static bool await_code(struct login *login)
{
    while (!login->over && !login->has_code)
        take_answer(login, true);
    return !login->over;
}

static bool on_noticed(struct http_watch *watch)
{
    return take_answer(watch->context, false);
}

/* Twilio's limits are for all hosts together, and who reaches them is locked out everywhere. */
static bool count_creation(struct login *login)
{
    int64_t stopped_ms = stop_limit(login);

    login->opens_s = login->ports->count(login->ports->context, &login->verdict);
    resume_limit(login, stopped_ms);
    return login->opens_s == 0;
}

/* The connection stands. Somebody who is gone, or who has shown no code yet but a password, costs
 * no challenge. */
static bool on_connected(struct http_watch *watch)
{
    struct login *login = watch->context;
    bool at_code = login->request->settings->create_challenge == SETTINGS_CREATE_AT_CODE;

    if (!login->has_code && !take_answer(login, false))
        return false;
    if ((login->attempts_left < login->request->settings->attempts || at_code) &&
        !await_code(login))
        return false;
    return count_creation(login);
}

static void deny_unenrolled(struct login *login)
{
    verdict_refuse(&login->verdict, OUTCOME_DENIED,
                   "not enrolled: %s/NAME.conf is missing, and unmapped_user is deny",
                   login->request->settings->users_dir);
    end(login);
}

/* Takes about as long as the real thing, but never longer than the limit allows. */
static void linger(struct login *login, int64_t pause_ms)
{
    int64_t left_ms = login->watch.deadline_ms - clock_ms(login);

    if (pause_ms > left_ms)
        pause_ms = left_ms;
    if (pause_ms > 0)
        login->ports->pause(login->ports->context, pause_ms);
}

/* For a user who is not enrolled: every attempt is answered as for others, after about as long as
 * the connection took. */
static bool on_connected_unenrolled(struct http_watch *watch)
{
    struct login *login = watch->context;
    int64_t pause_ms = clock_ms(login) - login->began_ms;

    while (await_code(login)) {
        linger(login, pause_ms);
        ask_again(login, WRONG_CODE);
    }
    return false;
}

static void pretend(struct login *login)
{
    int64_t pause_ms;

    login->watch.before_send = on_connected_unenrolled;
    if (login->api != NULL)
        login->api->create(login->service, &login->watch, &login->challenge, &login->verdict);

    /* The service is away: everybody gets one prompt then. */
    pause_ms = clock_ms(login) - login->began_ms;
    if (await_code(login))
        linger(login, pause_ms);
    deny_unenrolled(login);
}

static void create(struct login *login)
{
    struct verdict why_not = { 0 };
    enum challenge_state state;

    login->watch.before_send = on_connected;
    state = login->api->create(login->service, &login->watch, &login->challenge, &why_not);
    login->watch.before_send = NULL;

    /* Where the login ended meanwhile, or the creation was given up, the verdict is there. */
    if (!login->over && state != CHALLENGE_GIVEN_UP)
        login->verdict = why_not;
    login->tries++;
    login->created_ms = clock_ms(login);
    login->has_challenge = state == CHALLENGE_PENDING;
}

static void drop_challenge(struct login *login)
{
    login->has_challenge = false;
    login->renewed = true;
    login->tries = 0;
}

/* Whether there is a challenge for the code; a creation that failed while the user typed is tried
 * once more. False: the login is over. */
static bool have_challenge(struct login *login)
{
    if (login->has_challenge && !login->renewed &&
        clock_ms(login) - login->created_ms > CHALLENGE_LIFETIME_MS - EXPIRY_MARGIN_MS)
        drop_challenge(login);

    while (!login->over && !login->has_challenge) {
        bool is_worth_it = login->tries == 0 || login->verdict.outcome == OUTCOME_UNAVAILABLE;
        if (login->api == NULL || login->tries >= CREATE_TRIES || !is_worth_it)
            return end(login);
        create(login);
    }
    return !login->over;
}

static enum login_claim claim_code(struct login *login)
{
    int64_t stopped_ms = stop_limit(login);
    enum login_claim claimed =
        login->ports->claim(login->ports->context, login->code, &login->verdict);

    resume_limit(login, stopped_ms);
    return claimed;
}

/* Makes the code this login's alone. Where it is another's the user is asked again, or the login is
 * over. */
static void claim(struct login *login)
{
    switch (claim_code(login)) {
    case LOGIN_CLAIMED:
        login->has_claim = true;
        return;
    case LOGIN_CLAIMED_BEFORE:
        login->used++;
        ask_again(login, USED_CODE);
        return;
    case LOGIN_CLAIM_REFUSED:
        break;
    }
    end(login);
}

/* Sends the code. */
static enum challenge_state send_code(struct login *login)
{
    enum challenge_state state = login->api->verify(
        login->service, &login->watch, &login->challenge, login->code, &login->verdict);

    /* An "approved" that is fetched counts, since this login's code was sent to it. */
    if (state == CHALLENGE_LOST)
        state =
            login->api->fetch(login->service, &login->watch, &login->challenge, &login->verdict);
    /* It let nobody in, and was wrong or never arrived. */
    if (state == CHALLENGE_PENDING) {
        stop_limit(login);
        login->ports->release(login->ports->context, login->code);
    }
    return state;
}

/* Sends the code and decides. */
static void verify(struct login *login)
{
    switch (send_code(login)) {
    case CHALLENGE_APPROVED:
        verdict_pass(&login->verdict, OUTCOME_APPROVED, "challenge=%s request=%s",
                     login->challenge.sid, login->challenge.request_id);
        end(login);
        return;
    case CHALLENGE_PENDING:
        ask_again(login, WRONG_CODE);
        return;
    case CHALLENGE_EXPIRED:
        if (!login->renewed) {
            drop_challenge(login);
            return;
        }
        verdict_refuse(&login->verdict, OUTCOME_DENIED, "the challenge expired again");
        break;
    case CHALLENGE_REFUSED:
    case CHALLENGE_LOST:
        break;
    case CHALLENGE_GIVEN_UP:
        verdict_refuse(&login->verdict, OUTCOME_UNAVAILABLE, "the verification was given up");
        break;
    }
    verdict_add(&login->verdict, "; challenge=%s request=%s", login->challenge.sid,
                login->challenge.request_id);
    end(login);
}

/* While the user types: load, connect, and create the challenge. Failures are remembered. */
static void prepare(struct login *login)
{
    if (!login->ports->load(login->ports->context, &login->api, &login->service, &login->verdict))
        login->api = NULL;
    login->began_ms = clock_ms(login);

    if (login->request->enrollment == NULL)
        pretend(login);
    else if (login->api != NULL)
        create(login);
}

/* Tells the user when codes are accepted again, where a limit of our own refused this one. */
static void show_limit(const struct login *login)
{
    enum { MINUTE = 60 };
    char text[128];

    if (login->verdict.outcome != OUTCOME_EXHAUSTED || login->opens_s <= 0)
        return;
    snprintf(text, sizeof text, "Too many logins: codes of the app are accepted again in %d min.",
             (int)((login->opens_s + MINUTE - 1) / MINUTE));
    login->ports->show(login->ports->context, text);
}

void login_run(const struct login_request *request, const struct login_ports *ports,
               struct verdict *ret_verdict)
{
    struct login login = {
        .request = request,
        .ports = ports,
        .attempts_left = request->settings->attempts,
    };

    login.watch = (struct http_watch){
        .descriptor = ports->descriptor,
        .deadline_ms = HTTP_FOREVER,
        .noticed = on_noticed,
        .context = &login,
    };

    if (ask(&login, ""))
        prepare(&login);
    while (await_code(&login) && have_challenge(&login))
        if (login.has_claim)
            verify(&login);
        else
            claim(&login);
    show_limit(&login);

    explicit_bzero(login.code, sizeof login.code);
    *ret_verdict = login.verdict;
}
