/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A challenge of Twilio Verify: create, verify, push, fetch; and what the answers mean. The
 * sections are those of Twilio's API as the reference pages of Verify v2 describe it. */
#pragma once

#include <stddef.h>

#include "../core/enrollment.h"
#include "../core/settings.h"
#include "../core/verdict.h"
#include "http.h"

enum { CHALLENGE_SID_SIZE = 35, CHALLENGE_REQUEST_ID_SIZE = 35 };

/* How long a challenge lives when nothing else was asked for: five minutes. */
enum { CHALLENGE_LIFETIME_MS = 5 * 60 * 1000 };

/* What came of a request. Zero refuses. */
enum challenge_state {
    CHALLENGE_REFUSED = 0, /* the verdict says why */
    CHALLENGE_GIVEN_UP,    /* the watch said so; no request left */
    CHALLENGE_UNSENT,      /* no request left; the verdict says why */
    CHALLENGE_LOST,        /* no reply, and it may have been carried out; the verdict says why */
    CHALLENGE_DENIED,      /* somebody denied it; the verdict says so */
    CHALLENGE_EXPIRED,     /* its time is over */
    CHALLENGE_PENDING,     /* made, or the code was wrong */
    CHALLENGE_APPROVED,    /* the code was right, or it was approved on the phone; and every bound
                              field is ours */
};

struct challenge {
    char sid[CHALLENGE_SID_SIZE];
    char request_id[CHALLENGE_REQUEST_ID_SIZE]; /* Twilio's name for the last request, or "-" */
    bool was_repeated; /* the code must not be sent again: it was, or it may have been judged */
    bool is_push;      /* of the push factor; push() makes it so */
    /* Of the last code: it never left, or came back with 5xx or "too many requests". */
    bool is_unjudged;
};

/* To whom a reply must belong. A SID of NULL: a new challenge, any SID of the right form. */
struct challenge_binding {
    const char *account_sid, *service_sid, *identity, *factor_sid, *factor_type, *sid;
};

/* Parses a reply of SIZE bytes with a challenge in it; strict JSON, no key twice, no U+0000, every
 * field of BINDING equal. CHALLENGE_REFUSED with OUTCOME_UNAVAILABLE in *WHY_NOT; CHALLENGE_DENIED
 * with OUTCOME_DENIED. RET_SID is filled on all results but CHALLENGE_REFUSED. */
enum challenge_state challenge_parse(const char *body, size_t size,
                                     const struct challenge_binding *binding,
                                     char ret_sid[CHALLENGE_SID_SIZE], struct verdict *why_not);

/* What the phone shows of a push ("Create a Challenge", Details). */
struct challenge_push {
    const char *message; /* at most CHALLENGE_MESSAGE_MAX printable characters of ASCII */
    int number;          /* the value of the one field */
};

enum { CHALLENGE_MESSAGE_MAX = 256, CHALLENGE_PUSH_SECONDS = 60 };

/* What is asked of Twilio, for judging a refusal. */
enum challenge_step {
    CHALLENGE_CREATE,
    CHALLENGE_CREATE_WITH_CODE,
    CHALLENGE_VERIFY,
    CHALLENGE_FETCH
};

/* Judges a reply that carries no challenge: HTTP STATUS and the body of an error. Only
 * CHALLENGE_REFUSED, with the verdict in *WHY_NOT; CHALLENGE_EXPIRED and, for the code that means a
 * wrong code, CHALLENGE_PENDING. */
enum challenge_state challenge_judge(enum challenge_step step, int status, const char *body,
                                     size_t size, struct verdict *why_not);

/* The API for one login. */
struct challenge_service;

/* The functions as one table: the check program loads it when it is no longer root, and the tests
 * hand out another. */
struct challenge_api {
    const char *version; /* of the project; another one must not be used */

    /* Keeps SETTINGS and ENROLLMENT, which may be NULL for a user who is not enrolled and for whom
     * nothing will be sent; copies SECRET. False, with the verdict in *WHY_NOT. */
    bool (*open)(const struct settings *settings, const struct enrollment *enrollment,
                 const char *secret, struct challenge_service **ret_service,
                 struct verdict *why_not);

    /* Makes the connection, over which nothing is sent: BEFORE_SEND of the watch must say false.
     * *WHY_NOT tells where it can't be made. */
    void (*connect)(struct challenge_service *service, struct http_watch *watch,
                    struct verdict *why_not);

    /* Creates a challenge, whose SID is in *CHALLENGE unless the reply has none. With a CODE, which
     * goes along and is judged, every state is possible; CODE is read when BEFORE_SEND of the watch
     * has said true. With NULL: CHALLENGE_PENDING, or none was made. Never sent more than once, but
     * for "too many requests at once", as verify(). */
    enum challenge_state (*create)(struct challenge_service *service, struct http_watch *watch,
                                   const char *code, struct challenge *challenge,
                                   struct verdict *why_not);

    /* Sends CODE, digits alone: once, or once more after "too many requests at once" where
     * CHALLENGE->was_repeated is false, and true then. Every state but CHALLENGE_GIVEN_UP and
     * CHALLENGE_UNSENT. */
    enum challenge_state (*verify)(struct challenge_service *service, struct http_watch *watch,
                                   struct challenge *challenge, const char *code,
                                   struct verdict *why_not);

    /* Creates a challenge of the push factor, which lives for CHALLENGE_PUSH_SECONDS by Twilio's
     * clock, or this host's before the first reply; its SID is in *CHALLENGE on CHALLENGE_PENDING
     * alone. What may have left is not sent again, but after "too many requests at once", or a 400
     * that shows that this host's clock is wrong. CHALLENGE_REFUSED otherwise. */
    enum challenge_state (*push)(struct challenge_service *service, struct http_watch *watch,
                                 const struct challenge_push *push, struct challenge *challenge,
                                 struct verdict *why_not);

    /* Waits PAUSE_MS with the connection open. False: the watch gave up, or its deadline comes
     * first. */
    bool (*pause)(struct challenge_service *service, struct http_watch *watch, int64_t pause_ms);

    /* How CHALLENGE stands. Every state but CHALLENGE_GIVEN_UP, CHALLENGE_UNSENT and
     * CHALLENGE_LOST. */
    enum challenge_state (*fetch)(struct challenge_service *service, struct http_watch *watch,
                                  struct challenge *challenge, struct verdict *why_not);
};

/* The name of the table in twilio.so. */
#define CHALLENGE_API_SYMBOL "challenge_api"
extern const struct challenge_api challenge_api;
