/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One guarded HTTPS request after another over one kept connection. */
#include "http.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/clock.h"
#include "move.h"
#include "transfer.h"

enum {
    ROUND_MS = 50, /* a wait for events; so that none hides for how long this host stood still */
    ROUND_MAX_MS = 200, /* one in which nothing happened, on a busy host */
    LOST_MIN_MS = 500,  /* of the time after Enter, what this host may always use up */
    LOST_MAX_MS = 1000, /* and where the other side gave up: none waits for less */
    CAUSE_SIZE = 256,
    STATUS_TIME_OUT = 408,
    STATUS_TOO_MANY = 429
};

struct http {
    const char *base_url;
    struct transfer *transfer;
    struct transfer_hook hook;
    struct move move;
    struct cause late;  /* why the last request had no end in its time; unknown: it had one */
    bool is_stuck;      /* the deadline came during a look-up: only the end of the process helps */
    bool is_distrusted; /* the last request met a certificate that can't be trusted */

    /* Of the request under way: */
    struct http_watch *watch;
    int64_t patience_ms, patience_end_ms;
    bool is_given_up;
};

/* How a request ended. */
enum end {
    END_REPLY,
    END_FAILURE,   /* by libcurl's word */
    END_TIME_OUT,  /* not before its deadline */
    END_TOO_EARLY, /* the reply came before its request */
    END_TOO_LATE   /* it says that the request took us too long, and this host held us up */
};

static bool on_before_send(void *context)
{
    struct http *http = context;
    struct http_watch *watch = http->watch;

    http->is_given_up = watch->before_send != NULL && !watch->before_send(watch);
    http->patience_end_ms = clock_ms() + http->patience_ms;
    return !http->is_given_up;
}

bool http_open(const struct settings *settings, const struct http_credentials *credentials,
               struct http **ret_http, struct verdict *why_not)
{
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "out of memory");
    http->base_url = settings->base_url;
    http->hook = (struct transfer_hook){ on_before_send, http };
    move_open(&http->move);
    if (!transfer_open(settings, credentials, &http->move, &http->hook, &http->transfer, why_not)) {
        http_free(http);
        return false;
    }

    *ret_http = http;
    return true;
}

/* libcurl does not pass on that a pipe has ended (POLLHUP alone): ask again. */
static bool is_ready(int descriptor)
{
    struct pollfd poller = { .fd = descriptor, .events = POLLIN };

    return descriptor >= 0 && poll(&poller, 1, 0) > 0;
}

/* Of a wait, what counts as the other side's. Where something came, it may have lain there for all
 * but the time of a round. */
static void count_wait(struct http_watch *watch, int64_t waited_ms, bool came)
{
    int64_t most_ms = came ? ROUND_MS : ROUND_MAX_MS;

    watch->waited_ms += waited_ms < most_ms ? waited_ms : most_ms;
}

/* Waits for a moment, until libcurl or the watch has something to do. False: the watch gives the
 * request up. */
static bool wait_events(struct http *http, struct http_watch *watch, int64_t until_ms)
{
    int64_t now_ms = clock_ms(), left_ms = ROUND_MS;
    bool came;

    if (until_ms != HTTP_FOREVER && until_ms - now_ms < left_ms)
        left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    came = transfer_wait(http->transfer, watch->descriptor, left_ms);
    count_wait(watch, clock_ms() - now_ms, came);
    return !is_ready(watch->descriptor) || watch->noticed(watch);
}

/* Whether libcurl is looking up a name, and can't let go of the request. */
static bool is_resolving(const struct http *http)
{
    return http->move.is_resolving && !transfer_is_sent(http->transfer);
}

/* The moment at which to end the request. */
static int64_t deadline_of(const struct http *http)
{
    int64_t deadline_ms = http->watch->deadline_ms;

    if (is_resolving(http))
        return deadline_ms;
    if (deadline_ms == HTTP_FOREVER || http->patience_end_ms < deadline_ms)
        return http->patience_end_ms;
    return deadline_ms;
}

static bool is_over(int64_t deadline_ms)
{
    return deadline_ms != HTTP_FOREVER && clock_ms() >= deadline_ms;
}

/* Drives the request to its end, or to a deadline. */
static enum end drive(struct http *http)
{
    enum transfer_state state;

    while ((state = transfer_step(http->transfer)) == TRANSFER_GOES_ON) {
        int64_t deadline_ms = deadline_of(http);
        if (is_over(deadline_ms)) {
            http->is_stuck = is_resolving(http);
            return END_TIME_OUT;
        }
        if (!wait_events(http, http->watch, deadline_ms)) {
            http->is_given_up = true;
            http->is_stuck = is_resolving(http);
            return END_TIME_OUT;
        }
        move_step(&http->move, clock_ms());
    }
    return state == TRANSFER_REPLIED ? END_REPLY : END_FAILURE;
}

/* Whether this host, and not the other side, took most of the time after Enter; or so much of it
 * that a server lost patience in the middle of a handshake, and turned us away. */
static bool is_held_up(const struct http_watch *watch, bool is_turned_away)
{
    int64_t half_ms = watch->allotted_ms / 2 > LOST_MIN_MS ? watch->allotted_ms / 2 : LOST_MIN_MS;
    int64_t most_ms = is_turned_away && half_ms > LOST_MAX_MS ? LOST_MAX_MS : half_ms;
    int64_t spent_ms = watch->allotted_ms - (watch->deadline_ms - clock_ms());

    return watch->allotted_ms > 0 && watch->deadline_ms != HTTP_FOREVER &&
           spent_ms - watch->waited_ms > most_ms;
}

/* A look-up has failed: waits until the name servers have answered, or the time is over. */
static void settle(struct http *http)
{
    while (!move_is_settled(&http->move, clock_ms()) && !is_over(http->watch->deadline_ms))
        if (!wait_events(http, http->watch, http->watch->deadline_ms)) {
            http->is_given_up = true;
            return;
        }
}

/* Why the request had no end in its time. A second try that got the rest of the time tells nothing:
 * it is as with the first one. */
static struct cause judge_silence(const struct http *http)
{
    struct cause cause = move_judge(&http->move, MOVE_TIMED_OUT, clock_ms());

    if ((cause.kind == CAUSE_NO_TIME || cause.kind == CAUSE_UNKNOWN) &&
        http->late.kind == CAUSE_OTHER_SIDE)
        return http->late;
    return cause;
}

/* Why libcurl gave the request up. */
static struct cause judge_failure(struct http *http)
{
    enum move_end end = transfer_end_of(http->transfer);
    enum cause_kind trust = transfer_judge_trust(http->transfer);
    int64_t failed_ms = clock_ms();

    if (trust != CAUSE_OTHER_SIDE)
        return (struct cause){ trust };
    if (end == MOVE_NOT_RESOLVED)
        settle(http);
    return move_judge(&http->move, end, failed_ms);
}

/* Whether the other side ended the connection, or said what it may not. */
static bool is_turned_away(const struct http *http, enum end end)
{
    enum move_end word = transfer_end_of(http->transfer);

    return end == END_TOO_EARLY || end == END_TOO_LATE ||
           (end == END_FAILURE && (word == MOVE_CONNECTION_LOST || word == MOVE_BAD_ANSWER));
}

/* The one place that says who is to blame for a request without an answer. */
static struct cause judge(struct http *http, enum end end)
{
    struct cause cause = { CAUSE_OTHER_SIDE };

    if (end == END_TIME_OUT)
        cause = judge_silence(http);
    else if (end == END_FAILURE)
        cause = judge_failure(http);
    if (cause.kind == CAUSE_OTHER_SIDE && is_held_up(http->watch, is_turned_away(http, end)))
        cause.kind = CAUSE_NO_TIME;
    return cause;
}

/* Fills WHY_NOT. WORDS say more than the cause does; NULL: there are none. */
static void explain(const struct http *http, const struct cause *cause, const char *words,
                    struct verdict *why_not)
{
    char text[CAUSE_SIZE];

    cause_print(cause, text, sizeof text);
    if (cause->kind == CAUSE_OTHER_SIDE)
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "%s: %s", http->base_url,
                       words != NULL ? words : text);
    else
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s%s%s", http->base_url, text,
                       words != NULL ? "; libcurl: " : "", words != NULL ? words : "");
}

/* A proxy that refuses is judged as Twilio is: anyone who has a process on this host may use
 * up what it grants this host. */
static void explain_proxy(const struct http *http, struct verdict *why_not)
{
    int status = transfer_proxy_status(http->transfer);

    if (status == STATUS_TOO_MANY)
        verdict_refuse(why_not, OUTCOME_EXHAUSTED,
                       "%s: the proxy answered HTTP %d: too many requests", http->base_url, status);
    else if (status >= 400 && status < 500 && status != STATUS_TIME_OUT)
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                       "%s: the proxy answered HTTP %d: check the key proxy, or let the proxy "
                       "allow this host",
                       http->base_url, status);
}

static const char *words_of(const struct http *http, enum end end)
{
    if (http->is_given_up)
        return "interrupted";
    if (end == END_TOO_EARLY)
        return "the reply came before the request";
    return end == END_FAILURE ? transfer_words(http->transfer) : NULL;
}

/* Where the time is over before the request begins, it is as the one before it ended; or else the
 * move was ours. */
static enum http_result refuse_late(const struct http *http, const struct http_watch *watch,
                                    struct verdict *why_not)
{
    struct cause cause = http->late;

    if (cause.kind == CAUSE_UNKNOWN || is_held_up(watch, false))
        cause = (struct cause){ CAUSE_NO_TIME };
    explain(http, &cause, NULL, why_not);
    return HTTP_UNSENT;
}

/* A reply that came before its request left is to another one. One that says that the request took
 * us too long is true where this host did not let us run. */
static enum end check_reply(const struct http *http, const struct http_reply *reply)
{
    if (!move_is_answered(&http->move))
        return END_TOO_EARLY;
    return reply->status == STATUS_TIME_OUT && is_held_up(http->watch, true) ? END_TOO_LATE
                                                                             : END_REPLY;
}

/* What comes of a request without a reply. */
static enum http_result conclude(struct http *http, enum end end, struct verdict *why_not)
{
    bool is_sent = transfer_is_sent(http->transfer);
    struct cause cause = judge(http, end);

    http->late = end == END_TIME_OUT ? cause : (struct cause){ CAUSE_UNKNOWN };
    http->is_distrusted = end == END_FAILURE && transfer_is_distrusted(http->transfer);
    if (http->is_given_up && !is_sent)
        return HTTP_GIVEN_UP;
    explain(http, &cause, words_of(http, end), why_not);
    if (cause.kind == CAUSE_OTHER_SIDE && end == END_FAILURE)
        explain_proxy(http, why_not);
    return is_sent ? HTTP_LOST : HTTP_UNSENT;
}

/* Runs the request that has begun. */
static enum http_result run(struct http *http, struct http_reply *ret_reply,
                            struct verdict *why_not)
{
    enum end end = drive(http);
    struct http_reply reply;

    if (end == END_REPLY) {
        transfer_fill(http->transfer, &reply);
        end = check_reply(http, &reply);
    }
    if (end != END_REPLY)
        return conclude(http, end, why_not);
    http->late = (struct cause){ CAUSE_UNKNOWN };
    *ret_reply = reply;
    return HTTP_REPLIED;
}

enum http_result http_send(struct http *http, const struct http_request *request,
                           struct http_watch *watch, struct http_reply *ret_reply,
                           struct verdict *why_not)
{
    enum http_result result = HTTP_UNSENT;

    if (http->is_stuck || is_over(watch->deadline_ms))
        return refuse_late(http, watch, why_not);
    http->watch = watch;
    http->patience_ms = request->patience_ms;
    http->patience_end_ms = clock_ms() + request->patience_ms;
    http->is_given_up = http->is_distrusted = false;
    if (transfer_begin(http->transfer, request))
        result = run(http, ret_reply, why_not);
    else
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl rejects the request");
    if (!http->is_stuck)
        transfer_end(http->transfer, result != HTTP_REPLIED);
    return result;
}

bool http_is_distrusted(const struct http *http)
{
    return http->is_distrusted;
}

bool http_pause(struct http *http, int64_t pause_ms, struct http_watch *watch)
{
    int64_t end_ms = clock_ms() + pause_ms;

    while (!is_over(end_ms)) {
        if (watch->deadline_ms != HTTP_FOREVER && end_ms >= watch->deadline_ms)
            return false;
        if (!wait_events(http, watch, end_ms))
            return false;
    }
    return true;
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    transfer_free(http->transfer);
    move_close(&http->move);
    free(http);
}
