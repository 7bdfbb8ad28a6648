/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the API for one login asks of the network, how often, and what it makes of the replies. The
 * functions of http.h are this test's own. */
#include "unit.h"

#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "paths.h"
#include "reply.h"
#include "twilio/challenge.h"
#include "twilio/service.h"
#include "wiped.h"

#define CREATE_PATH "/v2/Services/" REPLY_SERVICE "/Entities/" REPLY_IDENTITY "/Challenges"
#define VERIFY_PATH CREATE_PATH "/" REPLY_SID
#define PUSH_FACTOR "YFffffffffffffffffffffffffffffffff"
#define REQUEST_ID  "RQ" REPLY_HEX32

enum { TIMEOUT_SECONDS = 10, LINES_MAX = 8, TEXT_SIZE = 2048 };

static bool has_memory = true;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return has_memory ? __real_calloc(count, size) : NULL;
}

/* One request and what comes of it. */
struct exchange {
    enum http_result result;
    int status;
    char body[TEXT_SIZE];
    long retry_after_seconds;
};

static struct {
    struct exchange script[LINES_MAX];
    size_t scripted, sent;
    char requests[LINES_MAX][TEXT_SIZE]; /* "POST PATH FORM" or "GET PATH" */
    int64_t patience_ms;
    int64_t paused_ms;
    bool gives_up_in_pause, opens;
    size_t allowed; /* requests that the watch let leave */
} network;

bool http_open(const struct settings *settings, const struct http_credentials *credentials,
               struct http **ret_http, struct verdict *why_not)
{
    assert_non_null(settings);
    assert_string_equal(credentials->user, settings->account_sid);
    assert_string_equal(credentials->secret, "hunter2");
    if (!network.opens)
        return verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "no libcurl");
    *ret_http = (struct http *)&network;
    return true;
}

enum http_result http_send(struct http *http, const struct http_request *request,
                           struct http_watch *watch, struct http_reply *ret_reply,
                           struct verdict *why_not)
{
    const struct exchange *exchange = &network.script[network.sent];

    assert_ptr_equal(http, &network);
    assert_non_null(watch);
    if (network.sent >= network.scripted)
        fail_msg("one request too many: %s %s", request->path, request->form);
    network.patience_ms = request->patience_ms;
    network.allowed += watch->before_send == NULL || watch->before_send(watch);
    snprintf(network.requests[network.sent], TEXT_SIZE, "%s %s%s%s%s",
             request->form != NULL ? "POST" : "GET", request->path,
             request->form != NULL ? " " : "", request->form != NULL ? request->form : "",
             request->code != NULL ? request->code : "");
    network.sent++;

    if (exchange->result == HTTP_REPLIED)
        *ret_reply = (struct http_reply){
            .status = exchange->status,
            .body = exchange->body,
            .size = strlen(exchange->body),
            .retry_after_seconds = exchange->retry_after_seconds,
            .request_id = REQUEST_ID,
        };
    else if (exchange->result != HTTP_GIVEN_UP)
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "no network");
    return exchange->result;
}

bool http_pause(struct http *http, int64_t pause_ms, struct http_watch *watch)
{
    assert_ptr_equal(http, &network);
    assert_non_null(watch);
    network.paused_ms += pause_ms;
    return !network.gives_up_in_pause;
}

void http_free(struct http *http)
{
    assert_ptr_equal(http, &network);
}

static void reply(int status, const char *body)
{
    struct exchange *exchange = &network.script[network.scripted++];

    exchange->result = HTTP_REPLIED;
    exchange->status = status;
    snprintf(exchange->body, sizeof exchange->body, "%s", body);
}

static void reply_error(int status, int code)
{
    reply(status, reply_print_error(code, status));
}

static void reply_challenge(int status, const char *state)
{
    reply(status, reply_print(state, NULL, NULL));
}

static void fail_with(enum http_result result)
{
    network.script[network.scripted++].result = result;
}

/* One login, opened. */
struct login {
    struct settings settings;
    struct enrollment enrollment;
    struct http_watch watch;
    struct challenge challenge;
    struct challenge_service *service;
    struct verdict why_not;
};

static int setup(void **state)
{
    static struct login login;

    login = (struct login){
        .settings = { .service_sid = (char *)REPLY_SERVICE,
                      .account_sid = (char *)REPLY_ACCOUNT,
                      .timeout_seconds = TIMEOUT_SECONDS },
        .enrollment = { .identity = (char *)REPLY_IDENTITY, .factor_sid = (char *)REPLY_FACTOR },
        .watch = { .descriptor = -1, .deadline_ms = HTTP_FOREVER },
        .challenge = { .sid = REPLY_SID, .request_id = "-" },
    };
    memset(&network, 0, sizeof network);
    network.opens = true;
    *state = &login;
    return challenge_api.open(&login.settings, &login.enrollment, "hunter2", &login.service,
                              &login.why_not)
               ? 0
               : -1;
}

/* The service is made for a process of one login and has no end of its own. */
static int teardown(void **state)
{
    free(((struct login *)*state)->service);
    return 0;
}

static enum challenge_state create(struct login *login)
{
    return challenge_api.create(login->service, &login->watch, NULL, &login->challenge,
                                &login->why_not);
}

static enum challenge_state create_with_code(struct login *login)
{
    return challenge_api.create(login->service, &login->watch, "123456", &login->challenge,
                                &login->why_not);
}

static enum challenge_state verify(struct login *login)
{
    return challenge_api.verify(login->service, &login->watch, &login->challenge, "123456",
                                &login->why_not);
}

static enum challenge_state fetch(struct login *login)
{
    return challenge_api.fetch(login->service, &login->watch, &login->challenge, &login->why_not);
}

static void assert_refuses(struct login *login, enum challenge_state (*send)(struct login *),
                           enum outcome outcome, const char *part)
{
    assert_int_equal(send(login), CHALLENGE_REFUSED);
    assert_refused(&login->why_not, outcome, part);
}

static void assert_requests(size_t count)
{
    assert_int_equal(network.sent, count);
    assert_int_equal(network.scripted, count);
}

#define TEST_LOGIN(name) TEST_GIVEN(struct login *login, name, setup, teardown)

TEST(the_table_is_of_this_version)
{
    assert_string_equal(challenge_api.version, PATHS_VERSION);
}

TEST_LOGIN(opening_fails_where_the_network_cannot_be_opened)
{
    struct challenge_service *service = NULL;

    network.opens = false;
    assert_false(challenge_api.open(&login->settings, &login->enrollment, "hunter2", &service,
                                    &login->why_not));
    assert_null(service);
    assert_refused(&login->why_not, OUTCOME_UNAVAILABLE, "no libcurl");
}

TEST_LOGIN(opening_fails_when_out_of_memory)
{
    struct challenge_service *service = NULL;
    bool is_open;

    has_memory = false;
    is_open = challenge_api.open(&login->settings, &login->enrollment, "hunter2", &service,
                                 &login->why_not);
    has_memory = true;
    assert_false(is_open);
    assert_null(service);
    assert_refused(&login->why_not, OUTCOME_MISCONFIGURED, "out of memory");
}

TEST_LOGIN(create_names_the_factor_and_takes_the_new_sid)
{
    reply(201, reply_print("pending", "sid", "\"" REPLY_OTHER_SID "\""));
    assert_int_equal(create(login), CHALLENGE_PENDING);
    assert_requests(1);
    assert_string_equal(network.requests[0], "POST " CREATE_PATH " FactorSid=" REPLY_FACTOR);
    assert_string_equal(login->challenge.sid, REPLY_OTHER_SID);
    assert_string_equal(login->challenge.request_id, REQUEST_ID);
    assert_int_equal(network.patience_ms, TIMEOUT_SECONDS * 1000);
}

TEST_LOGIN(create_takes_201_and_pending_alone)
{
    static const struct {
        int status;
        const char *state;
    } replies[] = { { 200, "pending" }, { 202, "pending" },  { 204, "pending" },
                    { 302, "pending" }, { 201, "approved" }, { 201, "expired" },
                    { 201, "denied" },  { 201, "" },         { 200, "approved" } };

    for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
        network.sent = network.scripted = 0;
        strcpy(login->challenge.sid, "before");
        reply_challenge(replies[i].status, replies[i].state);
        assert_int_equal(create(login), CHALLENGE_REFUSED);
        assert_requests(1);
        assert_refused(&login->why_not, OUTCOME_UNAVAILABLE, "");
        assert_string_equal(login->challenge.sid, "before");
    }
}

TEST_LOGIN(create_says_what_is_wrong_with_a_reply)
{
    reply(201, reply_print("pending", "identity", "\"another\""));
    assert_int_equal(create(login), CHALLENGE_REFUSED);
    assert_refused(&login->why_not, OUTCOME_UNAVAILABLE,
                   "the reply does not match this login: identity; request=" REQUEST_ID);
    reply(201, "<html></html>");
    assert_refuses(login, create, OUTCOME_UNAVAILABLE, "invalid JSON in Twilio's reply");
    reply_challenge(201, "approved");
    assert_refuses(login, create, OUTCOME_UNAVAILABLE, "the new challenge is not pending");
}

TEST_LOGIN(create_is_not_repeated_after_a_failure)
{
    static const enum http_result results[] = { HTTP_UNSENT, HTTP_LOST };
    static const enum challenge_state states[] = { CHALLENGE_UNSENT, CHALLENGE_LOST };

    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        network.sent = network.scripted = 0;
        fail_with(results[i]);
        assert_int_equal(create(login), states[i]);
        assert_requests(1);
        assert_refused(&login->why_not, OUTCOME_UNAVAILABLE, "no network");
        fail_with(results[i]);
        assert_int_equal(create_with_code(login), states[i]);
        assert_int_equal(login->challenge.is_unjudged, results[i] == HTTP_UNSENT);
        assert_requests(2);
    }
}

static const char with_code[] =
    "POST " CREATE_PATH " FactorSid=" REPLY_FACTOR "&AuthPayload=123456";

TEST_LOGIN(create_takes_the_code_along)
{
    reply(201, reply_print("approved", "sid", "\"" REPLY_OTHER_SID "\""));
    assert_int_equal(create_with_code(login), CHALLENGE_APPROVED);
    assert_requests(1);
    assert_string_equal(network.requests[0], with_code);
    assert_string_equal(login->challenge.sid, REPLY_OTHER_SID);
    assert_int_equal(network.patience_ms, TIMEOUT_SECONDS * 1000);
}

TEST_LOGIN(create_with_a_code_tells_wrong_expired_and_denied_apart)
{
    reply(201, reply_print("pending", "sid", "\"" REPLY_OTHER_SID "\""));
    assert_int_equal(create_with_code(login), CHALLENGE_PENDING);
    assert_string_equal(login->challenge.sid, REPLY_OTHER_SID);
    login->challenge.sid[0] = '\0';
    reply_error(403, 60324);
    assert_int_equal(create_with_code(login), CHALLENGE_PENDING);
    assert_string_equal(login->challenge.sid, "");
    reply_challenge(201, "expired");
    assert_int_equal(create_with_code(login), CHALLENGE_EXPIRED);
    reply_error(403, 60323);
    assert_int_equal(create_with_code(login), CHALLENGE_EXPIRED);
    reply_challenge(201, "denied");
    assert_int_equal(create_with_code(login), CHALLENGE_DENIED);
    assert_refused(&login->why_not, OUTCOME_DENIED, "denied");
    reply_error(403, 60322);
    assert_refuses(login, create_with_code, OUTCOME_DENIED, "answered before");
    reply_error(429, 60312);
    assert_refuses(login, create_with_code, OUTCOME_EXHAUSTED, "60312");
    reply_error(404, 20404);
    assert_refuses(login, create_with_code, OUTCOME_MISCONFIGURED, "20404");
    assert_requests(8);
}

TEST_LOGIN(create_with_a_code_takes_201_alone)
{
    static const int statuses[] = { 200, 202, 204, 302, 500, 502 };

    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        network.sent = network.scripted = 0;
        reply_challenge(statuses[i], "approved");
        assert_refuses(login, create_with_code, OUTCOME_UNAVAILABLE, "");
        assert_int_equal(login->challenge.is_unjudged, statuses[i] >= 500);
    }
}

TEST_LOGIN(create_with_a_code_is_repeated_after_too_many_requests_alone)
{
    reply_error(429, 20429);
    reply_challenge(201, "approved");
    assert_int_equal(create_with_code(login), CHALLENGE_APPROVED);
    assert_true(login->challenge.was_repeated);
    assert_string_equal(network.requests[1], with_code);
    reply_error(429, 20429);
    assert_int_equal(create_with_code(login), CHALLENGE_REFUSED);
    assert_true(login->challenge.is_unjudged);
    assert_requests(3);
}

TEST_LOGIN(names_that_make_no_path_are_not_cut_off)
{
    char identity[SERVICE_PATH_SIZE];

    memset(identity, 'a', sizeof identity - 1);
    identity[sizeof identity - 1] = '\0';
    login->enrollment.identity = identity;
    assert_refuses(login, create, OUTCOME_MISCONFIGURED, "too long");
    assert_int_equal(verify(login), CHALLENGE_REFUSED);
    assert_int_equal(fetch(login), CHALLENGE_REFUSED);
    assert_requests(0);
}

TEST_LOGIN(create_is_given_up_when_the_watch_says_so)
{
    fail_with(HTTP_GIVEN_UP);
    assert_int_equal(create(login), CHALLENGE_GIVEN_UP);
    assert_requests(1);
}

TEST_LOGIN(create_judges_a_refusal)
{
    reply_error(429, 60312);
    assert_int_equal(create(login), CHALLENGE_REFUSED);
    assert_requests(1);
    assert_refused(&login->why_not, OUTCOME_EXHAUSTED, "60312");
    assert_non_null(strstr(login->why_not.reason, "; request="));
}

static bool refuse_to_send(struct http_watch *watch)
{
    (void)watch;
    return false;
}

TEST_LOGIN(a_connection_is_made_over_which_nothing_leaves)
{
    struct challenge_service *service;

    assert_true(challenge_api.open(&login->settings, NULL, "hunter2", &service, &login->why_not));
    fail_with(HTTP_GIVEN_UP);
    login->watch.before_send = refuse_to_send;
    challenge_api.connect(service, &login->watch, &login->why_not);
    assert_requests(1);
    assert_int_equal(network.allowed, 0);
    assert_string_equal(network.requests[0], "GET /");
    assert_int_equal(network.patience_ms, TIMEOUT_SECONDS * 1000);
    free(service);
}

TEST_LOGIN(a_connection_that_fails_says_why)
{
    fail_with(HTTP_UNSENT);
    login->watch.before_send = refuse_to_send;
    challenge_api.connect(login->service, &login->watch, &login->why_not);
    assert_requests(1);
    assert_refused(&login->why_not, OUTCOME_UNAVAILABLE, "no network");
}

TEST_LOGIN(verify_sends_the_code_to_its_own_challenge)
{
    reply_challenge(200, "approved");
    assert_int_equal(verify(login), CHALLENGE_APPROVED);
    assert_requests(1);
    assert_string_equal(network.requests[0], "POST " VERIFY_PATH " AuthPayload=123456");
    assert_string_equal(login->challenge.request_id, REQUEST_ID);
}

TEST_LOGIN(verify_takes_200_alone)
{
    static const int statuses[] = { 201, 202, 204, 206, 301, 302, 500, 502 };

    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        network.sent = network.scripted = 0;
        reply_challenge(statuses[i], "approved");
        assert_int_equal(verify(login), CHALLENGE_REFUSED);
        assert_requests(1);
        assert_refused(&login->why_not, OUTCOME_UNAVAILABLE, "");
    }
}

TEST_LOGIN(verify_tells_wrong_expired_and_denied_apart)
{
    reply_challenge(200, "pending");
    assert_int_equal(verify(login), CHALLENGE_PENDING);
    reply_error(403, 60324);
    assert_int_equal(verify(login), CHALLENGE_PENDING);
    reply_challenge(200, "expired");
    assert_int_equal(verify(login), CHALLENGE_EXPIRED);
    reply_error(403, 60323);
    assert_int_equal(verify(login), CHALLENGE_EXPIRED);
    reply_challenge(200, "denied");
    assert_int_equal(verify(login), CHALLENGE_DENIED);
    assert_refused(&login->why_not, OUTCOME_DENIED, "denied");
    reply_error(403, 60322);
    assert_refuses(login, verify, OUTCOME_DENIED, "answered before");
    reply_error(429, 60308);
    assert_refuses(login, verify, OUTCOME_EXHAUSTED, "60308");
    assert_requests(7);
}

TEST_LOGIN(verify_refuses_when_the_reply_names_another_challenge)
{
    reply(200, reply_print("approved", "sid", "\"" REPLY_OTHER_SID "\""));
    assert_refuses(login, verify, OUTCOME_UNAVAILABLE, "does not match this login: sid");
    assert_string_equal(login->challenge.sid, REPLY_SID);
}

TEST_LOGIN(verify_refuses_when_the_reply_names_another_account_service_identity_or_factor)
{
    static const char *const names[] = { "account_sid", "service_sid", "identity", "factor_sid",
                                         "factor_type" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        network.sent = network.scripted = 0;
        reply(200, reply_print("approved", names[i], "\"another\""));
        assert_refuses(login, verify, OUTCOME_UNAVAILABLE, names[i]);
    }
}

TEST_LOGIN(a_code_that_may_have_arrived_is_never_sent_again)
{
    fail_with(HTTP_LOST);
    assert_int_equal(verify(login), CHALLENGE_LOST);
    assert_requests(1);
    assert_refused(&login->why_not, OUTCOME_UNAVAILABLE, "no network");
    assert_string_equal(login->challenge.request_id, "-");
}

TEST_LOGIN(a_code_that_never_left_is_sent_once_more)
{
    fail_with(HTTP_UNSENT);
    reply_challenge(200, "approved");
    assert_int_equal(verify(login), CHALLENGE_APPROVED);
    assert_requests(2);

    fail_with(HTTP_UNSENT);
    fail_with(HTTP_UNSENT);
    assert_int_equal(verify(login), CHALLENGE_REFUSED);
    fail_with(HTTP_UNSENT);
    fail_with(HTTP_LOST);
    assert_int_equal(verify(login), CHALLENGE_LOST);
    assert_requests(6);
}

TEST_LOGIN(a_code_is_sent_once_more_after_too_many_requests)
{
    reply_error(429, 20429);
    reply_challenge(200, "approved");
    assert_int_equal(verify(login), CHALLENGE_APPROVED);
    assert_requests(2);
    assert_int_equal(network.paused_ms, 500);
    assert_true(login->challenge.was_repeated);

    reply_error(429, 20429);
    assert_int_equal(verify(login), CHALLENGE_REFUSED);
    assert_requests(3);
    assert_refused(&login->why_not, OUTCOME_EXHAUSTED, "20429");

    login->challenge.was_repeated = false;
    reply_error(429, 20429);
    reply_error(429, 20429);
    assert_int_equal(verify(login), CHALLENGE_REFUSED);
    assert_requests(5);
    assert_refused(&login->why_not, OUTCOME_EXHAUSTED, "20429");

    login->challenge.was_repeated = false;
    reply_error(429, 20429);
    fail_with(HTTP_LOST);
    assert_int_equal(verify(login), CHALLENGE_LOST);
    assert_requests(7);
}

TEST_LOGIN(a_code_is_not_sent_again_after_any_other_refusal)
{
    static const struct {
        int status, code;
    } errors[] = { { 429, 60308 }, { 429, 60312 }, { 429, 0 },     { 403, 20429 }, { 500, 20429 },
                   { 503, 20503 }, { 500, 20500 }, { 408, 20429 }, { 429, 20430 }, { 403, 60324 } };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        network.sent = network.scripted = 0;
        reply_error(errors[i].status, errors[i].code);
        verify(login);
        assert_requests(1);
    }
    network.sent = network.scripted = 0;
    reply(429, "<html>20429</html>");
    assert_refuses(login, verify, OUTCOME_EXHAUSTED, "HTTP 429");
    assert_requests(1);
}

TEST_LOGIN(waits_as_long_as_the_server_says)
{
    reply_error(429, 20429);
    network.script[0].retry_after_seconds = 2;
    reply_challenge(200, "approved");
    assert_int_equal(verify(login), CHALLENGE_APPROVED);
    assert_int_equal(network.paused_ms, 2000);
}

TEST_LOGIN(repeats_nothing_when_the_pause_ends_the_wait)
{
    network.gives_up_in_pause = true;
    reply_error(429, 20429);
    assert_refuses(login, verify, OUTCOME_EXHAUSTED, "20429");
    reply_error(429, 20429);
    assert_int_equal(create(login), CHALLENGE_REFUSED);
    assert_requests(2);
}

TEST_LOGIN(repeats_nothing_when_no_time_is_left)
{
    login->watch.deadline_ms = clock_ms() - 1;
    fail_with(HTTP_UNSENT);
    assert_int_equal(verify(login), CHALLENGE_REFUSED);
    fail_with(HTTP_LOST);
    assert_int_equal(fetch(login), CHALLENGE_REFUSED);
    reply_error(429, 20429);
    assert_int_equal(create(login), CHALLENGE_REFUSED);
    assert_requests(3);
}

TEST_LOGIN(create_is_repeated_once_after_too_many_requests)
{
    reply_error(429, 20429);
    reply_error(429, 20429);
    assert_int_equal(create(login), CHALLENGE_REFUSED);
    assert_requests(2);
    assert_refused(&login->why_not, OUTCOME_EXHAUSTED, "20429");
}

TEST_LOGIN(create_may_be_tried_again_after_a_refusal)
{
    static const struct {
        int status, code;
    } errors[] = { { 429, 0 }, { 429, 60312 }, { 500, 20429 }, { 503, 20503 } };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        network.sent = network.scripted = 0;
        reply_error(errors[i].status, errors[i].code);
        assert_int_equal(create(login), CHALLENGE_REFUSED);
        reply_challenge(201, "pending");
        assert_int_equal(create(login), CHALLENGE_PENDING);
        assert_requests(2);
    }
}

TEST_LOGIN(create_goes_on_after_one_answer_of_too_many_requests)
{
    reply_error(429, 20429);
    reply_challenge(201, "pending");
    assert_int_equal(create(login), CHALLENGE_PENDING);
    assert_string_equal(network.requests[0], network.requests[1]);
    reply_challenge(201, "pending");
    assert_int_equal(create(login), CHALLENGE_PENDING);
    assert_requests(3);
}

TEST_LOGIN(verify_leaves_three_tenths_of_the_time_to_ask_how_it_went)
{
    enum { HOUR_MS = 3600 * 1000, BUSY_MS = 20 * 1000 }; /* a busy machine is no other share */

    login->watch.deadline_ms = clock_ms() + HOUR_MS;
    reply_challenge(200, "pending");
    verify(login);
    assert_in_range(network.patience_ms, (HOUR_MS - BUSY_MS) / 10 * 7, HOUR_MS / 10 * 7);
}

TEST_LOGIN(fetch_asks_for_its_own_challenge)
{
    reply_challenge(200, "approved");
    assert_int_equal(fetch(login), CHALLENGE_APPROVED);
    assert_requests(1);
    assert_string_equal(network.requests[0], "GET " VERIFY_PATH);
    assert_string_equal(login->challenge.request_id, REQUEST_ID);
}

TEST_LOGIN(fetch_is_as_strict_as_verify)
{
    reply_challenge(201, "approved");
    assert_refuses(login, fetch, OUTCOME_UNAVAILABLE, "");
    reply(200, reply_print("approved", "sid", "\"" REPLY_OTHER_SID "\""));
    assert_refuses(login, fetch, OUTCOME_UNAVAILABLE, "sid");
    reply_error(404, 20404);
    assert_refuses(login, fetch, OUTCOME_DENIED, "no longer has");
    reply_challenge(200, "pending");
    assert_int_equal(fetch(login), CHALLENGE_PENDING);
    reply_challenge(200, "expired");
    assert_int_equal(fetch(login), CHALLENGE_EXPIRED);
    reply_error(403, 60324);
    assert_refuses(login, fetch, OUTCOME_MISCONFIGURED, "60324");
    assert_requests(6);
}

TEST_LOGIN(fetch_is_repeated_once_whatever_was_lost)
{
    static const enum http_result results[] = { HTTP_UNSENT, HTTP_LOST };

    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        network.sent = network.scripted = 0;
        fail_with(results[i]);
        reply_challenge(200, "approved");
        assert_int_equal(fetch(login), CHALLENGE_APPROVED);
        assert_requests(2);
        fail_with(results[i]);
        fail_with(results[i]);
        assert_int_equal(fetch(login), CHALLENGE_REFUSED);
        assert_requests(4);
    }
}

static enum challenge_state send_push(struct login *login)
{
    const struct challenge_push push = { "Login at web-1 (sshd)?", 42 };

    login->enrollment.push_factor_sid = (char *)PUSH_FACTOR;
    return challenge_api.push(login->service, &login->watch, &push, &login->challenge,
                              &login->why_not);
}

static void reply_push(int status, const char *state, const char *name, const char *value)
{
    char body[TEXT_SIZE], *factor;

    snprintf(body, sizeof body, "%s", reply_print(state, name, value));
    factor = strstr(body, "\"totp\"");
    if (factor != NULL)
        memcpy(factor, "\"push\"", 6);
    factor = strstr(body, REPLY_FACTOR);
    if (factor != NULL)
        memcpy(factor, PUSH_FACTOR, strlen(PUSH_FACTOR));
    reply(status, body);
}

/* ISO 8601, as the API has it; 60 s from now. */
static void assert_ends_soon(const char *date)
{
    struct tm parts = { 0 };
    const char *end = strptime(date, "%Y%%2D%m%%2D%dT%H%%3A%M%%3A%SZ", &parts);
    time_t left = timegm(&parts) - time(NULL);

    assert_non_null(end);
    assert_string_equal(end, "");
    assert_in_range(left, CHALLENGE_PUSH_SECONDS - 5, CHALLENGE_PUSH_SECONDS);
}

TEST_LOGIN(a_push_tells_the_phone_host_service_and_number)
{
    static const char before[] =
        "POST " CREATE_PATH " FactorSid=" PUSH_FACTOR
        "&Details.Message=Login%20at%20web%2D1%20%28sshd%29%3F&Details.Fields="
        "%7B%22label%22%3A%22Number%22%2C%22value%22%3A%2242%22%7D&ExpirationDate=";

    reply_push(201, "pending", NULL, NULL);
    assert_int_equal(send_push(login), CHALLENGE_PENDING);
    assert_requests(1);
    assert_string_equal(login->challenge.sid, REPLY_SID);
    assert_memory_equal(network.requests[0], before, strlen(before));
    assert_ends_soon(network.requests[0] + strlen(before));
}

TEST_LOGIN(a_push_is_fetched_as_a_push)
{
    static const struct {
        const char *status;
        enum challenge_state state;
    } rows[] = { { "pending", CHALLENGE_PENDING },
                 { "approved", CHALLENGE_APPROVED },
                 { "expired", CHALLENGE_EXPIRED },
                 { "denied", CHALLENGE_DENIED } };

    reply_push(201, "pending", NULL, NULL);
    send_push(login);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        reply_push(200, rows[i].status, NULL, NULL);
        assert_int_equal(fetch(login), rows[i].state);
    }
    reply_challenge(200, "approved");
    assert_refuses(login, fetch, OUTCOME_UNAVAILABLE, "does not match this login: factor_sid");
    reply_push(200, "approved", "factor_type", "\"totp \"");
    assert_refuses(login, fetch, OUTCOME_UNAVAILABLE, "does not match this login: factor_type");
}

TEST_LOGIN(a_push_that_may_have_left_is_not_sent_again)
{
    fail_with(HTTP_LOST);
    assert_int_equal(send_push(login), CHALLENGE_REFUSED);
    assert_requests(1);
    assert_string_equal(login->challenge.sid, "");
    fail_with(HTTP_UNSENT);
    reply_push(201, "pending", NULL, NULL);
    assert_int_equal(send_push(login), CHALLENGE_PENDING);
    assert_requests(3);
}

TEST_LOGIN(a_new_push_is_201_and_pending)
{
    reply_push(201, "approved", NULL, NULL);
    assert_refuses(login, send_push, OUTCOME_UNAVAILABLE, "the new challenge is not pending");
    reply_push(200, "pending", NULL, NULL);
    assert_int_equal(send_push(login), CHALLENGE_REFUSED);
    reply_challenge(201, "pending");
    assert_refuses(login, send_push, OUTCOME_UNAVAILABLE, "does not match this login: factor_sid");
    assert_string_equal(login->challenge.sid, "");
}
