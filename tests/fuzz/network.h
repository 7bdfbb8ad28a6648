/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The functions of http.h, and the clock, out of the input: a line for each request.
 *
 *   [~!?]... STATUS[+SECONDS] BODY    a reply, with Retry-After
 *   [~!?]... lost                     carried out or not: no reply
 *   anything else                     no connection
 *
 * Each ~ is a second that goes by, each ! and ? a moment when the user is heard, before and after
 * the request left. A BODY of "=VALUE[,NAME,JSON]" is one of Twilio's with that status and one
 * field changed, "#CODE" an error of Twilio's; any other is as it stands. A line that begins with <
 * is the user's: there is no network then. */
#pragma once

#include "fuzz.h"
#include "twilio/http.h"

enum { NETWORK_REQUESTS_MAX = 64, NETWORK_TEXT_SIZE = 512, NETWORK_BEGIN_MS = 1000000 };

struct network_request {
    char path[NETWORK_TEXT_SIZE];
    char form[NETWORK_TEXT_SIZE]; /* "": none */
    bool is_delete, has_left;
    enum http_result result;
    int status;
    int turn;
    bool was_busy;    /* "too many requests at once": nothing was done */
    bool was_expired; /* the challenge had ended before the code came */
};

struct network {
    struct fuzz_input *input;
    const char *(*print)(const char *status, const char *name, const char *value);
    const bool *is_over; /* set: nothing may leave any more */
    int turn;            /* of the user's answers, who may type one code twice */
    int64_t now_ms;

    struct network_request requests[NETWORK_REQUESTS_MAX];
    size_t count;
    char *body; /* of the last reply */
    size_t size;
};

/* The only one. */
extern struct network network;

/* PRINT makes the bodies of Twilio's, as reply_print() does. */
void network_start(struct fuzz_input *input,
                   const char *(*print)(const char *status, const char *name, const char *value));

/* Demands what must hold of all requests that left, and frees. */
void network_end(void);

/* The last one; there must be one. */
const struct network_request *network_last(void);

/* Whether the last reply's body holds TEXT. */
bool network_says(const char *text);
