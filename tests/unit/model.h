/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A world for login_run() in which everything is chosen from outside: what the user does and when,
 * what the API answers, how time goes by. It watches what the login does, and knows how it must
 * end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "check/login.h"

enum { MODEL_TRACE_SIZE = 2000, MODEL_CODES_MAX = 16 };

struct model {
    /* Filled by the caller: */
    unsigned (*choose)(void *context, unsigned count); /* 0 to COUNT - 1; 0 ends things soonest */
    void *context;
    int attempts;
    int create_challenge;
    bool is_enrolled;

    /* The result: */
    const char *broken; /* the rule that the login broke; NULL: none */
    struct verdict verdict;
    char trace[MODEL_TRACE_SIZE]; /* what happened */

    /* The world's own: */
    enum outcome expected;
    bool is_final; /* EXPECTED is how it ends: nothing more may be asked or sent */
    bool is_loaded, is_gone, is_outage;
    int asks, answers, used;                   /* attempts */
    char last[64];                             /* the last answer, as it was typed */
    bool is_empty;                             /* LAST */
    char code[9];                              /* well-formed and answered last; "": none */
    bool is_tried;                             /* CODE was verified on the challenge there is */
    bool is_claimed, is_to_release, is_to_log; /* CODE */
    bool is_recovered, is_counted, was_denied;
    bool is_awaited; /* the user waits since ENTERED_MS */
    int ends;        /* that were noted */
    int connects;
    const char *before; /* what stands before the next prompt */
    int challenges;
    bool has_challenge, is_nameless, is_renewed, is_lost;
    bool is_creating;      /* with CODE, of which nothing left yet */
    bool is_unsent;        /* CODE is claimed, and nothing of it left */
    int refused_creations; /* since the last challenge */
    int64_t now_ms, entered_ms, created_ms, deadline_ms;
};

/* Runs one login in it. False: a rule was broken. */
bool model_run(struct model *model);
