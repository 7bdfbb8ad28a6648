/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The steps of one login. */
#include "login.h"

#include <stdio.h>
#include <string.h>

enum { CODE_SIZE = 9, CREATE_TRIES = 2, EXPIRY_MARGIN_MS = 5000 };

#define WRONG_CODE "Wrong code. "

struct login {
    const struct login_request *request;
    const struct login_ports *ports;
    const struct challenge_api *api;
    struct challenge_service *service;
    struct http_watch watch;
    struct verdict verdict; /* how things stand; the last one is the login's */

    int attempts_left;
    int malformed; /* answers that were no code */
    bool over;     /* nothing more will be asked or sent; the verdict tells */
    bool has_code;
    char code[CODE_SIZE];

    struct challenge challenge;
    bool has_challenge;
    bool renewed; /* the one new challenge after an expired one */
    int tries;    /* to create the challenge */
    int64_t began_ms, created_ms;
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
    char text[sizeof WRONG_CODE + 256];

    set_limit(login, HTTP_FOREVER);
    login->watch.descriptor = login->ports->descriptor;
    snprintf(text, sizeof text, "%s%s", before, login->request->settings->prompt);
    if (login->ports->ask(login->ports->context, text))
        return true;

    verdict_refuse(&login->verdict, OUTCOME_DENIED, "the user can't be asked");
    return end(login);
}

/* An attempt is used up: asks for another code, or ends the login. */
static bool ask_again(struct login *login)
{
    explicit_bzero(login->code, sizeof login->code);
    login->has_code = false;
    if (--login->attempts_left > 0)
        return ask(login, WRONG_CODE);

    verdict_refuse(
        &login->verdict, OUTCOME_DENIED,
        "no right code in %d attempts, %d of them not %d digits; challenge=%s request=%s",
        login->request->settings->attempts, login->malformed, login->request->settings->code_length,
        login->challenge.sid[0] != '\0' ? login->challenge.sid : "-",
        login->challenge.request_id[0] != '\0' ? login->challenge.request_id : "-");
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

/* Takes one answer, with WAIT the next one that comes. What is no code never leaves this host:
 * sshd answers every prompt with the Unix password. False: the login is over. */
static bool take_answer(struct login *login, bool wait)
{
    const struct settings *settings = login->request->settings;
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

    login->has_code = read_code(answer, (size_t)settings->code_length, login->code);
    explicit_bzero(answer, sizeof answer);
    if (!login->has_code) {
        login->malformed++;
        return ask_again(login);
    }

    login->watch.descriptor = -1;
    set_limit(login, clock_ms(login) + (int64_t)settings->timeout_seconds * 1000);
    return true;
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

/* The connection stands. Somebody who is gone, or who has shown no code yet but a password, costs
 * no challenge. */
static bool on_connected(struct http_watch *watch)
{
    struct login *login = watch->context;
    bool at_code = login->request->settings->create_challenge == SETTINGS_CREATE_AT_CODE;

    if (!login->has_code && !take_answer(login, false))
        return false;
    return login->malformed > 0 || at_code ? await_code(login) : true;
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
        ask_again(login);
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
    enum challenge_state state =
        login->api->create(login->service, &login->watch, &login->challenge, &why_not);

    /* Where the user ended the login meanwhile, that is its verdict. */
    if (!login->over)
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

/* Adds to a verdict by which names Twilio knows the login. */
static void name_challenge(struct login *login)
{
    verdict_refuse(&login->verdict, login->verdict.outcome, "%s; challenge=%s request=%s",
                   login->verdict.reason, login->challenge.sid, login->challenge.request_id);
}

/* Sends the code and decides. */
static void verify(struct login *login)
{
    enum challenge_state state = login->api->verify(
        login->service, &login->watch, &login->challenge, login->code, &login->verdict);

    /* An "approved" that is fetched counts, since this login's code was sent to it. */
    if (state == CHALLENGE_LOST)
        state =
            login->api->fetch(login->service, &login->watch, &login->challenge, &login->verdict);

    switch (state) {
    case CHALLENGE_APPROVED:
        verdict_pass(&login->verdict, OUTCOME_APPROVED, "challenge=%s request=%s",
                     login->challenge.sid, login->challenge.request_id);
        end(login);
        return;
    case CHALLENGE_PENDING:
        ask_again(login);
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
    name_challenge(login);
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
        .before_send = on_connected,
        .context = &login,
    };

    if (ask(&login, ""))
        prepare(&login);
    while (await_code(&login) && have_challenge(&login))
        verify(&login);

    explicit_bzero(login.code, sizeof login.code);
    *ret_verdict = login.verdict;
}
