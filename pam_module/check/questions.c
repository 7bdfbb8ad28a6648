/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The questions of one login. */
#include "questions.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "../core/policy.h"

#define OUTAGE "The service does not answer; a recovery code works. "

/* What comes of a wrong answer comes so long after Enter, or at a later step. */
enum { SOONEST_MS = 1000, STEP_MS = 500 };

enum { TEXT_SIZE = sizeof QUESTIONS_USED OUTAGE + LEDGER_TEXT_SIZE + SETTINGS_PROMPT_MAX };

void questions_begin(struct questions *questions, const struct login_request *request,
                     const struct login_ports *ports, bool (*noticed)(struct http_watch *watch),
                     void *context)
{
    questions->request = request;
    questions->ports = ports;
    if (getrandom(questions->key, sizeof questions->key, GRND_NONBLOCK) < 0)
        explicit_bzero(questions->key, sizeof questions->key); /* early at boot: equal is equal */
    questions->watch = (struct http_watch){
        .descriptor = ports->descriptor,
        .deadline_ms = HTTP_FOREVER,
        .noticed = noticed,
        .context = context,
    };
}

static int64_t clock_ms(const struct questions *questions)
{
    return questions->ports->clock_ms(questions->ports->context);
}

/* From Enter on the clock runs; while the user types it stands. */
static void set_deadline(struct questions *questions, int64_t deadline_ms)
{
    questions->watch.deadline_ms = deadline_ms;
    questions->ports->deadline(questions->ports->context, deadline_ms);
}

int64_t questions_stop_deadline(struct questions *questions)
{
    questions->ports->deadline(questions->ports->context, HTTP_FOREVER);
    return clock_ms(questions);
}

void questions_resume_deadline(struct questions *questions, int64_t stopped_ms)
{
    if (questions->watch.deadline_ms != HTTP_FOREVER)
        set_deadline(questions, questions->watch.deadline_ms + clock_ms(questions) - stopped_ms);
}

bool questions_end(struct questions *questions)
{
    questions->is_over = true;
    return false;
}

/* "no valid code in 3 attempts (1 empty, 2 malformed)" */
static void deny(struct questions *questions)
{
    static const char *const words[QUESTIONS_COUNTS][2] = {
        [QUESTIONS_EMPTY] = { "empty", "empty" },
        [QUESTIONS_MALFORMED] = { "malformed", "malformed" },
        [QUESTIONS_REPEATED] = { "repeated", "repeated" },
        [QUESTIONS_USED_BEFORE] = { "used before on this host", "used before on this host" },
        [QUESTIONS_UNRECOVERED] = { "wrong recovery code", "wrong recovery codes" },
    };
    struct verdict *verdict = &questions->verdict;
    const char *before = " (";

    verdict_refuse(verdict, OUTCOME_DENIED, "no valid code in %d attempt%s", questions->attempts,
                   questions->attempts == 1 ? "" : "s");
    for (int i = 0; i < QUESTIONS_COUNTS; i++) {
        int count = questions->counts[i];
        if (count == 0)
            continue;
        verdict_add(verdict, "%s%d %s", before, count, words[i][count != 1]);
        before = ", ";
    }
    if (*before == ',')
        verdict_add(verdict, ")");
}

/* The verdict stands, whatever is answered now, but for a recovery code. */
static bool is_decided(const struct questions *questions)
{
    return questions->is_outage || questions->look.is_locked;
}

/* Nobody is there any more. The verdict is the one that there would be without this question. */
static bool leave(struct questions *questions)
{
    questions->has_left = true;
    if (questions->attempts == 0 && !is_decided(questions))
        verdict_refuse(&questions->verdict, OUTCOME_DENIED, "left at the question");
    else if (!is_decided(questions))
        deny(questions);
    return questions_end(questions);
}

/* Whatever is wrong with an answer, what comes of it takes as long. */
static void even_out(struct questions *questions)
{
    int64_t spent_ms = questions_stop_deadline(questions) - questions->entered_ms;
    int64_t due_ms =
        spent_ms > SOONEST_MS ? (spent_ms + STEP_MS - 1) / STEP_MS * STEP_MS : SOONEST_MS;

    if (questions->is_awaited && due_ms > spent_ms)
        questions->ports->pause(questions->ports->context, due_ms - spent_ms);
    questions->is_awaited = false;
}

bool questions_ask(struct questions *questions, const char *before)
{
    const struct login_request *request = questions->request;
    char text[TEXT_SIZE];

    even_out(questions);
    set_deadline(questions, HTTP_FOREVER);
    explicit_bzero(&questions->answer, sizeof questions->answer);
    questions->asked++;
    snprintf(text, sizeof text, "%s%s%s%s", before, questions->look.text,
             questions->is_outage ? OUTAGE : "",
             policy_prompt(request->settings, request->enrollment));
    if (!questions->look.is_locked)
        questions->look.text[0] = '\0'; /* once is enough */
    return questions->ports->say(questions->ports->context, DIALOGUE_ASK_SECRET, text) ||
           leave(questions);
}

bool questions_again(struct questions *questions, const char *before)
{
    questions->has_code = false;
    if (++questions->attempts < questions->request->settings->attempts && !questions->is_last)
        return questions_ask(questions, before);

    deny(questions);
    return questions_end(questions);
}

/* A host that repeats its one field answers, not a person. */
static bool end_repeated(struct questions *questions)
{
    questions->attempts++;
    questions->counts[QUESTIONS_REPEATED]++;
    if (!is_decided(questions))
        deny(questions);
    return questions_end(questions);
}

/* A recovery code decides without Twilio, and under no deadline of its. */
static bool try_recovery(struct questions *questions)
{
    const struct login_ports *ports = questions->ports;
    int remain = ports->recover(ports->context, questions->answer.text);
    char text[64];

    if (remain < 0) {
        questions->counts[QUESTIONS_UNRECOVERED]++;
        return questions_again(questions, QUESTIONS_WRONG);
    }
    verdict_pass(&questions->verdict, OUTCOME_APPROVED, "RECOVERY CODE used, %d remain", remain);
    snprintf(text, sizeof text, "That was a recovery code; %d remain.", remain);
    ports->say(ports->context, DIALOGUE_SHOW, text);
    return questions_end(questions);
}

/* In an outage and under a lock a code is sent nowhere, and nothing typed is as good as leaving. */
static bool take_code(struct questions *questions, int64_t timeout_ms)
{
    if (is_decided(questions))
        return questions_end(questions);
    questions->has_code = true;
    questions->watch.descriptor = -1;
    questions->watch.allotted_ms = timeout_ms;
    questions->watch.waited_ms = 0;
    set_deadline(questions, questions->entered_ms + timeout_ms);
    return true;
}

/* Who is not enrolled types codes as everybody does. */
static bool has_factor(const struct questions *questions)
{
    const struct enrollment *enrollment = questions->request->enrollment;

    return enrollment == NULL || enrollment->factor_sid != NULL;
}

static bool has_push_factor(const struct questions *questions)
{
    const struct enrollment *enrollment = questions->request->enrollment;

    return enrollment != NULL && enrollment->push_factor_sid != NULL;
}

bool questions_is_push(const struct questions *questions)
{
    return questions->has_code && questions->answer.kind == ANSWER_PUSH;
}

static bool take_empty(struct questions *questions)
{
    if (questions->is_outage)
        return questions_end(questions);
    questions->counts[QUESTIONS_EMPTY]++;
    return questions_again(questions, QUESTIONS_WRONG);
}

/* What is no code never leaves this host: sshd answers every prompt with the Unix password. */
static bool take_answer(struct questions *questions)
{
    switch (questions->answer.kind) {
    case ANSWER_CODE:
        if (!has_factor(questions))
            break;
        return take_code(questions, (int64_t)questions->request->settings->timeout_seconds * 1000);
    case ANSWER_PUSH:
        if (!has_push_factor(questions))
            break;
        return take_code(questions, QUESTIONS_PUSH_MS);
    case ANSWER_RECOVERY_CODE:
        return try_recovery(questions);
    case ANSWER_EMPTY:
        return take_empty(questions);
    case ANSWER_MALFORMED:
    case ANSWER_NONE:
        break;
    }
    questions->counts[QUESTIONS_MALFORMED]++;
    return questions_again(questions, QUESTIONS_WRONG);
}

/* Whether the answer is the same as the one before it. */
static bool is_repeated(struct questions *questions)
{
    uint64_t last = questions->last;

    questions->last = answer_hash(&questions->answer, questions->key);
    return questions->asked > 1 && questions->last == last;
}

bool questions_take(struct questions *questions, bool wait)
{
    char line[DIALOGUE_LINE_SIZE];

    switch (questions->ports->answer(questions->ports->context, wait, line)) {
    case LOGIN_NO_ANSWER:
        return true;
    case LOGIN_GONE:
        return leave(questions);
    case LOGIN_ANSWER:
        break;
    }

    questions->is_awaited = true;
    questions->entered_ms = clock_ms(questions);
    answer_read(line, questions->request->settings->code_length, &questions->answer);
    explicit_bzero(line, sizeof line);
    return is_repeated(questions) ? end_repeated(questions) : take_answer(questions);
}

bool questions_await(struct questions *questions)
{
    while (!questions->is_over && !questions->has_code)
        questions_take(questions, true);
    return !questions->is_over;
}

bool questions_survive_outage(struct questions *questions)
{
    if (questions->verdict.outcome != OUTCOME_UNAVAILABLE ||
        !questions->ports->can_recover(questions->ports->context))
        return false;

    questions->is_outage = true;
    questions->is_over = false;
    questions->has_code = false;
    return questions_ask(questions, "");
}

void questions_finish(struct questions *questions)
{
    if (questions->verdict.outcome != OUTCOME_APPROVED)
        even_out(questions);
    explicit_bzero(&questions->answer, sizeof questions->answer);
}
