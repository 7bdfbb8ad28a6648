/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The questions of one login, the same for everybody: how many there are, when the next one comes,
 * and which answers end the login. */
#pragma once

#include "answer.h"
#include "login.h"

#define QUESTIONS_WRONG "Wrong code. "
#define QUESTIONS_USED  "That code was used before: wait for the next one. "

/* From the Enter that asks for a push to the last reply, in place of timeout_seconds. */
enum { QUESTIONS_PUSH_MS = 30000 };

enum questions_count {
    QUESTIONS_EMPTY,
    QUESTIONS_MALFORMED,
    QUESTIONS_REPEATED,
    QUESTIONS_USED_BEFORE,
    QUESTIONS_UNRECOVERED, /* wrong recovery codes */
    QUESTIONS_COUNTS,
};

struct questions {
    const struct login_request *request;
    const struct login_ports *ports;
    struct http_watch watch; /* of the request under way; the owner's callbacks */
    struct verdict verdict;  /* how things stand; at the end the login's */
    bool is_over;            /* nothing more is asked or sent; the verdict tells */
    bool has_code;        /* ANSWER is a code, or asks for a push, and nobody has judged it yet */
    struct answer answer; /* until the next question */
    int asked, attempts;  /* questions; answers that did not count */

    uint8_t key[SIPHASH_KEY_SIZE]; /* of LAST */
    uint64_t last;                 /* a hash of the answer before */
    bool has_left;
    bool is_last;            /* one more answer that does not count ends the login */
    struct ledger_look look; /* where it is locked a recovery code alone counts */
    bool is_outage;          /* the user knows: a recovery code alone is worth trying */
    bool is_awaited;         /* the user waits since ENTERED_MS for what comes of the answer */
    int64_t entered_ms;
    int counts[QUESTIONS_COUNTS]; /* of answers that did not count, by the reason */
};

/* Begins, in zeroed memory. NOTICED and CONTEXT are of the watch. All are kept. */
void questions_begin(struct questions *questions, const struct login_request *request,
                     const struct login_ports *ports, bool (*noticed)(struct http_watch *watch),
                     void *context);

/* Asks, with BEFORE before the prompt. False: the login is over. */
bool questions_ask(struct questions *questions, const char *before);

/* Takes an answer, with WAIT the next one that comes. One that needs no request is dealt with
 * here: a recovery code is tried, others are asked for again. False: the login is over. */
bool questions_take(struct questions *questions, bool wait);

/* Whether ANSWER asks for a push, which has not been made yet. */
bool questions_is_push(const struct questions *questions);

/* Takes answers until one is a code, or asks for a push. False: the login is over. */
bool questions_await(struct questions *questions);

/* The answer did not count: asks again, with BEFORE before the prompt, or ends the login after the
 * last attempt. False: the login is over. */
bool questions_again(struct questions *questions, const char *before);

/* Ends the login; always false. */
bool questions_end(struct questions *questions);

/* The login is over because the service is away: where a recovery code can still let the user in,
 * tells so and asks, once. False: it stays over. */
bool questions_survive_outage(struct questions *questions);

/* Between these two the time is this host's and not Twilio's: a disk that somebody keeps busy must
 * not pass for an outage. Stopping returns what resuming wants. */
int64_t questions_stop_deadline(struct questions *questions);
void questions_resume_deadline(struct questions *questions, int64_t stopped_ms);

/* The verdict may be said now: waits for the moment, and wipes. */
void questions_finish(struct questions *questions);
