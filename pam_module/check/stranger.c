/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The login of somebody who is not enrolled. */
#include "stranger.h"

#include "questions.h"

enum { CONNECT_TRIES = 2 };

struct stranger {
    struct questions questions;
    const struct challenge_api *api;
    struct challenge_service *service;
};

static bool on_noticed(struct http_watch *watch)
{
    struct stranger *stranger = watch->context;

    return questions_take(&stranger->questions, false);
}

/* Every code is wrong, and nothing is sent. */
static bool on_connected(struct http_watch *watch)
{
    struct stranger *stranger = watch->context;

    while (questions_await(&stranger->questions))
        questions_again(&stranger->questions, QUESTIONS_WRONG);
    return false;
}

/* The timer of deadline.h says "misconfigured", and not "denied", so it never runs here. */
static void set_no_deadline(void *context, int64_t deadline_ms)
{
    (void)context;
    (void)deadline_ms;
}

/* As for others: if no connection can be made while the user types, it is tried once more after a
 * code; then the login is over. */
static void connect_and_wait(struct stranger *stranger)
{
    struct questions *questions = &stranger->questions;
    struct verdict why_not = { 0 };
    int tries = 0;

    questions->watch.before_send = on_connected;
    do
        stranger->api->connect(stranger->service, &questions->watch, &why_not);
    while (questions_await(questions) && ++tries < CONNECT_TRIES &&
           why_not.outcome == OUTCOME_UNAVAILABLE);
}

static void deny(struct questions *questions)
{
    bool is_silent = questions->has_left && questions->attempts == 0;

    verdict_refuse(&questions->verdict, OUTCOME_DENIED,
                   "%snot enrolled: %s/NAME.conf is missing, and unmapped_user is deny",
                   is_silent ? "left at the question; " : "",
                   questions->request->settings->users_dir);
}

void stranger_run(const struct login_request *request, const struct login_ports *ports,
                  struct verdict *ret_verdict)
{
    struct stranger stranger = { .api = NULL };
    struct questions *questions = &stranger.questions;
    struct login_ports own = *ports;

    own.deadline = set_no_deadline;
    questions_begin(questions, request, &own, on_noticed, &stranger);
    if (questions_ask(questions, "") &&
        ports->load(ports->context, &stranger.api, &stranger.service, &questions->verdict))
        connect_and_wait(&stranger);
    else
        questions_await(questions);

    deny(questions);
    questions_finish(questions);
    *ret_verdict = questions->verdict;
}
