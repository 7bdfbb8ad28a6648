/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One guarded HTTPS request after another over one kept connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../core/settings.h"
#include "../core/verdict.h"

enum { HTTP_BODY_MAX = 64 * 1024, HTTP_FOREVER = -1 };

/* A connection to the API, or the means to make one. */
struct http;

/* Whom to be: Basic authentication (RFC 7617). */
struct http_credentials {
    const char *user, *secret;
};

/* What goes on beside a request: somebody to listen to, and a deadline. The callbacks may change
 * DESCRIPTOR and DEADLINE_MS. */
struct http_watch {
    int descriptor;      /* looked at while the request is under way; -1: none */
    int64_t deadline_ms; /* on clock_ms(); HTTP_FOREVER: none */
    int64_t allotted_ms; /* how long the time before DEADLINE_MS is; 0: nobody counts it */
    int64_t waited_ms;   /* of it: spent on waiting for the other side; http.c adds to it */
    /* DESCRIPTOR is readable. False: give the request up. */
    bool (*noticed)(struct http_watch *watch);
    /* The connection is made, and the first byte of the request would leave now; it may take its
     * time. False: give the request up, nothing leaves. NULL: go on. */
    bool (*before_send)(struct http_watch *watch);
    void *context; /* the callbacks' own */
};

struct http_request {
    const char *path;    /* below the base URL; every part of it checked before */
    const char *form;    /* a POST with this body; NULL: a GET, or a DELETE */
    int64_t patience_ms; /* for this request, once the name is resolved; below the deadline */
    bool is_delete;
    const char *code; /* digits that end the body, read after BEFORE_SEND; NULL: none */
};

enum http_result {
    HTTP_UNSENT,   /* failed, and not a byte of it left */
    HTTP_LOST,     /* failed, and it may have been carried out */
    HTTP_GIVEN_UP, /* the watch said so; not a byte left */
    HTTP_REPLIED,  /* a whole reply, whatever its status */
};

struct http_reply {
    int status;
    const char *body; /* owned by struct http, valid until the next request; not a string */
    size_t size;
    long retry_after_seconds; /* 0: the server did not say */
    const char *request_id;   /* Twilio-Request-Id, checked; "-" where there is none */
    int64_t date_seconds;     /* Date, since 1970; -1 where there is none */
};

/* Prepares for requests to SETTINGS->base_url as CREDENTIALS, of which it keeps a copy in libcurl's
 * memory. Connects to nothing. The caller frees with http_free(), or ends the process. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT: libcurl cannot be initialized, is out of memory, or lacks an
 * option. */
bool http_open(const struct settings *settings, const struct http_credentials *credentials,
               struct http **ret_http, struct verdict *why_not);

/* Sends REQUEST and waits for the reply, at most until WATCH->deadline_ms. It never leaves twice:
 * libcurl's own repetition on a connection that turned out dead is refused once a byte may have
 * been sent. On everything but HTTP_REPLIED and HTTP_GIVEN_UP *WHY_NOT is OUTCOME_UNAVAILABLE where
 * the other side said no, or was silent while it was its turn (move.h); OUTCOME_EXHAUSTED where a
 * proxy has had too many requests; or else OUTCOME_MISCONFIGURED, with what this host could not or
 * would not do (cause.h), or where a proxy refuses it. */
enum http_result http_send(struct http *http, const struct http_request *request,
                           struct http_watch *watch, struct http_reply *ret_reply,
                           struct verdict *why_not);

/* Whether the last request failed because the server's certificate can't be trusted. */
bool http_is_distrusted(const struct http *http);

/* Waits PAUSE_MS and goes on watching. False: the watch gave up, or its deadline comes first. */
bool http_pause(struct http *http, int64_t pause_ms, struct http_watch *watch);

/* Closes the connection, wipes the last reply, and frees; NULL is fine. May wait for the resolver:
 * a process that has a deadline ends without it. */
void http_free(struct http *http);
