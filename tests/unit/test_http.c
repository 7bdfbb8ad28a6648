/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What is said to libcurl, and what comes of what it says. The functions of libcurl are this test's
 * own: a real one is met in tests/check. */
#define CURL_DISABLE_DEPRECATION
#define CURL_DISABLE_TYPECHECK
#include "unit.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/dialogue.h"
#include "twilio/http.h"
#include "wiped.h"

#undef curl_easy_setopt
#undef curl_multi_setopt
#undef curl_easy_getinfo

enum { OPTIONS_MAX = 500, STEPS_MAX = 8, NOW_MS = 1000000, PATIENCE_MS = 4000 };

typedef int prereq_function(void *context, char *remote, char *local, int remote_port,
                            int local_port);
typedef int socket_function(void *context, curl_socket_t socket, curlsocktype purpose);
typedef size_t data_function(char *bytes, size_t one, size_t size, void *context);

/* One curl_multi_perform(): goes on, or ends the request with *RET_CODE. */
typedef bool step_function(CURLcode *ret_code);

static struct {
    struct {
        bool is_set;
        long number;
        const void *pointer;
        void (*function)(void);
    } options[OPTIONS_MAX]; /* the number of an option without its type */
    char url[1024];
    int calls, failing; /* the call of curl_easy_setopt() that fails; 0: none */
    bool fails_global, fails_multi, fails_easy, fails_list, fails_limit, fails_add, fails_perform;
    bool has_folder, fails_copy, fails_socket_query;
    int lists, handles; /* not yet freed */
    bool is_added;      /* libcurl has the request */

    step_function *steps[STEPS_MAX];
    size_t step;
    CURLMsg message;
    bool has_message;
    curl_socket_t socket;
    curl_off_t retry_after;
    int polled_ms;
    int64_t now_ms;
    const char *words; /* in the error buffer, at the end */
} fake;

static char certificates[] = "/tmp/twilio-verify-http-XXXXXX";

/* libcurl */

CURLcode curl_global_init(long flags)
{
    assert_int_equal(flags, CURL_GLOBAL_DEFAULT);
    return fake.fails_global ? CURLE_FAILED_INIT : CURLE_OK;
}

CURLM *curl_multi_init(void)
{
    fake.handles += !fake.fails_multi;
    return fake.fails_multi ? NULL : (CURLM *)&fake.steps;
}

CURL *curl_easy_init(void)
{
    fake.handles += !fake.fails_easy;
    return fake.fails_easy ? NULL : (CURL *)&fake.options;
}

CURL *curl_easy_duphandle(CURL *easy)
{
    assert_ptr_equal(easy, &fake.options);
    fake.handles += !fake.fails_copy;
    return fake.fails_copy ? NULL : (CURL *)&fake.options;
}

void curl_easy_cleanup(CURL *easy)
{
    fake.handles -= easy != NULL;
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
    fake.handles -= multi != NULL;
    return CURLM_OK;
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
    static struct curl_slist only;

    assert_null(list);
    assert_string_equal(text, "Accept: application/json");
    fake.lists += !fake.fails_list;
    return fake.fails_list ? NULL : &only;
}

void curl_slist_free_all(struct curl_slist *list)
{
    fake.lists -= list != NULL;
}

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    int number = (int)option % 10000, type = (int)option / 10000 * 10000;
    va_list values;

    assert_ptr_equal(easy, &fake.options);
    assert_in_range(number, 0, OPTIONS_MAX - 1);
    if (++fake.calls == fake.failing)
        return CURLE_UNKNOWN_OPTION;
    fake.options[number].is_set = true;
    va_start(values, option);
    if (type == CURLOPTTYPE_LONG)
        fake.options[number].number = va_arg(values, long);
    else if (type == CURLOPTTYPE_FUNCTIONPOINT)
        fake.options[number].function = va_arg(values, void (*)(void));
    else
        fake.options[number].pointer = va_arg(values, const void *);
    va_end(values);
    if (option == CURLOPT_URL)
        snprintf(fake.url, sizeof fake.url, "%s", (const char *)fake.options[number].pointer);
    return CURLE_OK;
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
    (void)multi;
    assert_int_equal(option, CURLMOPT_MAXCONNECTS);
    return fake.fails_limit ? CURLM_UNKNOWN_OPTION : CURLM_OK;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
    va_list values;
    bool is_known = true;

    (void)easy;
    va_start(values, info);
    if (info == CURLINFO_RESPONSE_CODE)
        *va_arg(values, long *) = 200;
    else if (info == CURLINFO_RETRY_AFTER)
        *va_arg(values, curl_off_t *) = fake.retry_after;
    else if (info == CURLINFO_ACTIVESOCKET && !fake.fails_socket_query)
        *va_arg(values, curl_socket_t *) = fake.socket;
    else
        is_known = false;
    va_end(values);
    return is_known ? CURLE_OK : CURLE_UNKNOWN_OPTION;
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    (void)multi;
    (void)easy;
    if (fake.fails_add)
        return CURLM_OUT_OF_MEMORY;
    assert_false(fake.is_added);
    fake.is_added = true;
    return CURLM_OK;
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
    (void)multi;
    (void)easy;
    fake.is_added = false;
    return CURLM_OK;
}

CURLMcode curl_multi_perform(CURLM *multi, int *running)
{
    CURLcode code = CURLE_OK;

    (void)multi;
    *running = 1;
    if (fake.fails_perform)
        return CURLM_OUT_OF_MEMORY;
    assert_true(fake.step < STEPS_MAX && fake.steps[fake.step] != NULL);
    fake.has_message = fake.steps[fake.step++](&code);
    fake.message = (CURLMsg){ .msg = CURLMSG_DONE, .data.result = code };
    return CURLM_OK;
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *queued)
{
    (void)multi;
    *queued = 0;
    if (!fake.has_message)
        return NULL;
    fake.has_message = false;
    return &fake.message;
}

CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd extra[], unsigned count, int timeout_ms,
                          int *ready)
{
    (void)multi;
    (void)extra;
    (void)count;
    (void)ready;
    fake.polled_ms = timeout_ms;
    fake.now_ms += timeout_ms < 100 ? timeout_ms : 100;
    return CURLM_OK;
}

curl_version_info_data *curl_version_info(CURLversion age)
{
    static curl_version_info_data data;

    (void)age;
    data = (curl_version_info_data){ .capath = fake.has_folder ? certificates : "/nonexistent",
                                     .cainfo = "/bundle" };
    return &data;
}

const char *curl_easy_strerror(CURLcode code)
{
    (void)code;
    return "as libcurl calls it";
}

time_t curl_getdate(const char *text, const time_t *unused)
{
    (void)unused;
    return strncmp(text, "Wed", 3) == 0 ? 1234 : -1;
}

int64_t __wrap_dialogue_clock_ms(void);

int64_t __wrap_dialogue_clock_ms(void)
{
    return fake.now_ms;
}

/* What libcurl does in a request */

#define OPTION(name) fake.options[(int)(name) % 10000]

static int before_request(void)
{
    return ((prereq_function *)OPTION(CURLOPT_PREREQFUNCTION).function)(
        (void *)OPTION(CURLOPT_PREREQDATA).pointer, NULL, NULL, 443, 1024);
}

static int make_socket(void)
{
    return ((socket_function *)OPTION(CURLOPT_SOCKOPTFUNCTION).function)(
        (void *)OPTION(CURLOPT_SOCKOPTDATA).pointer, 7, CURLSOCKTYPE_IPCXN);
}

static size_t body(const char *text, size_t size)
{
    return ((data_function *)OPTION(CURLOPT_WRITEFUNCTION).function)(
        (char *)text, 1, size, (void *)OPTION(CURLOPT_WRITEDATA).pointer);
}

static size_t header(const char *text)
{
    return ((data_function *)OPTION(CURLOPT_HEADERFUNCTION).function)(
        (char *)text, 1, strlen(text), (void *)OPTION(CURLOPT_HEADERDATA).pointer);
}

static bool waits(CURLcode *ret_code)
{
    (void)ret_code;
    return false;
}

static bool connects(CURLcode *ret_code)
{
    assert_int_equal(make_socket(), CURL_SOCKOPT_OK);
    return waits(ret_code);
}

static bool sends(CURLcode *ret_code)
{
    assert_int_equal(make_socket(), CURL_SOCKOPT_OK);
    *ret_code = CURLE_ABORTED_BY_CALLBACK;
    return before_request() != CURL_PREREQFUNC_OK;
}

static bool is_answered(CURLcode *ret_code)
{
    assert_int_equal(body("{}", 2), 2);
    *ret_code = CURLE_OK;
    return true;
}

static bool breaks(CURLcode *ret_code)
{
    if (fake.words != NULL)
        strcpy((char *)OPTION(CURLOPT_ERRORBUFFER).pointer, fake.words);
    *ret_code = CURLE_RECV_ERROR;
    return true;
}

/* Or has read too long a header. */
static bool lacks_memory(CURLcode *ret_code)
{
    *ret_code = CURLE_OUT_OF_MEMORY;
    return true;
}

static bool meets_a_stranger(CURLcode *ret_code)
{
    *ret_code = CURLE_PEER_FAILED_VERIFICATION;
    return true;
}

/* A connection that ended without a byte: libcurl connects anew and sends the request again. */
static bool repeats(CURLcode *ret_code)
{
    assert_int_equal(make_socket(), CURL_SOCKOPT_ERROR);
    assert_int_equal(before_request(), CURL_PREREQFUNC_ABORT);
    return breaks(ret_code);
}

/* The test's side */

static const struct settings settings = { .base_url = (char *)"https://verify.invalid" };
static const struct http_credentials credentials = { "SK", "hunter2" };
static const struct http_request request = { "/path", "Field=1", PATIENCE_MS, false };
static struct http_watch watch;
static struct verdict why_not;

static int begin_test(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.socket = CURL_SOCKET_BAD;
    fake.now_ms = NOW_MS;
    watch = (struct http_watch){ .descriptor = -1, .deadline_ms = HTTP_FOREVER };
    why_not = (struct verdict){ 0 };
    return 0;
}

static int end_test(void **state)
{
    (void)state;
    assert_int_equal(fake.handles, 0);
    assert_int_equal(fake.lists, 0);
    return 0;
}

static struct http *open_http(void)
{
    struct http *http = NULL;

    assert_true(http_open(&settings, &credentials, &http, &why_not));
    return http;
}

static enum http_result send_it(struct http *http, step_function *first, step_function *second,
                                struct http_reply *ret_reply)
{
    fake.steps[0] = first;
    fake.steps[1] = second;
    fake.step = 0;
    return http_send(http, &request, &watch, ret_reply, &why_not);
}

TEST(says_every_guard)
{
    struct http *http = open_http();
    static const struct {
        CURLoption option;
        long number;
    } guards[] = {
        { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
        { CURLOPT_TCP_NODELAY, 1 },
        { CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
        { CURLOPT_PROTOCOLS, CURLPROTO_HTTPS },
        { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
        { CURLOPT_SSL_VERIFYPEER, 1 },
        { CURLOPT_SSL_VERIFYHOST, 2 },
        { CURLOPT_FOLLOWLOCATION, 0 },
        { CURLOPT_NETRC, CURL_NETRC_IGNORED },
        { CURLOPT_NOSIGNAL, 1 },
        { CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC },
    };

    for (size_t i = 0; i < ARRAY_SIZE(guards); i++) {
        assert_true(OPTION(guards[i].option).is_set);
        assert_int_equal(OPTION(guards[i].option).number, guards[i].number);
    }
    assert_string_equal(OPTION(CURLOPT_PROXY).pointer, "");
    assert_string_equal(OPTION(CURLOPT_NOPROXY).pointer, "");
    assert_string_equal(OPTION(CURLOPT_USERNAME).pointer, "SK");
    assert_string_equal(OPTION(CURLOPT_PASSWORD).pointer, "hunter2");
    assert_true(OPTION(CURLOPT_ACCEPT_ENCODING).is_set);
    assert_null(OPTION(CURLOPT_ACCEPT_ENCODING).pointer);
    http_free(http);
}

TEST(does_not_open_where_libcurl_does_not_take_an_option)
{
    struct http *http = NULL;
    int options;

    http_free(open_http());
    options = fake.calls;
    assert_in_range(options, 25, 60);
    for (int failing = 1; failing <= options; failing++) {
        begin_test(NULL);
        fake.failing = failing;
        assert_false(http_open(&settings, &credentials, &http, &why_not));
        assert_refused(&why_not, OUTCOME_MISCONFIGURED, "libcurl does not take ");
        assert_null(http);
        end_test(NULL);
    }
}

TEST(does_not_open_where_libcurl_gets_no_memory)
{
    bool *const failures[] = { &fake.fails_global, &fake.fails_multi, &fake.fails_easy,
                               &fake.fails_list, &fake.fails_limit };
    struct http *http = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        begin_test(NULL);
        *failures[i] = true;
        assert_false(http_open(&settings, &credentials, &http, &why_not));
        assert_refused(&why_not, OUTCOME_MISCONFIGURED, "libcurl");
        assert_null(http);
        end_test(NULL);
    }
    http_free(NULL);
}

TEST(trusts_what_the_settings_say_then_the_folder_then_the_bundle)
{
    const struct settings both = { .base_url = settings.base_url,
                                   .ca_file = (char *)"/file",
                                   .ca_path = (char *)"/folder" };
    const char *file, *folder;
    struct http *http;

    http_certificates(&both, &file, &folder);
    assert_string_equal(file, "/file");
    assert_string_equal(folder, "/folder");
    assert_true(http_open(&both, &credentials, &http, &why_not));
    assert_string_equal(OPTION(CURLOPT_CAINFO).pointer, "/file");
    assert_string_equal(OPTION(CURLOPT_CAPATH).pointer, "/folder");
    http_free(http);

    begin_test(NULL);
    http_certificates(&settings, &file, &folder);
    assert_string_equal(file, "/bundle");
    assert_null(folder);
    http_free(open_http());
    assert_false(OPTION(CURLOPT_CAINFO).is_set);

    begin_test(NULL);
    fake.has_folder = true;
    http_certificates(&settings, &file, &folder);
    assert_string_equal(folder, certificates);
    assert_null(file);
    http_free(open_http());
    assert_null(OPTION(CURLOPT_CAINFO).pointer);
    assert_string_equal(OPTION(CURLOPT_CAPATH).pointer, certificates);
}

TEST(a_reply_is_whole)
{
    struct http *http = open_http();
    struct http_reply reply = { 0 };

    fake.retry_after = INT_MAX;
    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_REPLIED);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.size, 2);
    assert_memory_equal(reply.body, "{}", 2);
    assert_int_equal(reply.retry_after_seconds, 3600);
    assert_string_equal(reply.request_id, "-");
    assert_int_equal(reply.date_seconds, -1);
    assert_string_equal(fake.url, "https://verify.invalid/path");
    http_free(http);
}

TEST(a_reply_is_wiped_in_the_end)
{
    struct http *http = open_http();
    struct http_reply reply = { 0 };

    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_REPLIED);
    wiped_expect(reply.body, HTTP_BODY_MAX);
    http_free(http);
    assert_int_equal(wiped_missing(), 0);
}

TEST(a_request_never_leaves_twice)
{
    struct http *http = open_http();
    struct http_reply reply = { .status = -1 };

    assert_int_equal(send_it(http, sends, repeats, &reply), HTTP_LOST);
    assert_int_equal(reply.status, -1);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "as libcurl calls it");
    assert_int_equal(OPTION(CURLOPT_FRESH_CONNECT).number, 0);

    /* Whose connection may be dead without a sign. */
    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_REPLIED);
    assert_int_equal(OPTION(CURLOPT_FRESH_CONNECT).number, 1);
    http_free(http);
}

TEST(a_request_that_cannot_begin_is_not_sent)
{
    struct http *http = open_http();
    struct http_reply reply;
    char path[1024];
    const struct http_request too_long = { path, NULL, PATIENCE_MS, false };
    int begun = fake.calls;

    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(http_send(http, &too_long, &watch, &reply, &why_not), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "libcurl does not take the request");

    fake.fails_copy = true;
    assert_int_equal(http_send(http, &request, &watch, &reply, &why_not), HTTP_UNSENT);
    fake.fails_copy = false;
    fake.fails_add = true;
    assert_int_equal(http_send(http, &request, &watch, &reply, &why_not), HTTP_UNSENT);
    fake.fails_add = false;
    for (int failing = 1; failing <= 5; failing++) {
        fake.calls = begun;
        fake.failing = begun + failing;
        assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_UNSENT);
    }
    assert_int_equal(fake.step, 0);
    http_free(http);
}

TEST(libcurl_itself_may_fail)
{
    struct http *http = open_http();
    struct http_reply reply;

    fake.fails_perform = true;
    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "https://verify.invalid: ");

    fake.fails_perform = false;
    assert_int_equal(send_it(http, lacks_memory, NULL, &reply), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "https://verify.invalid: ");
    assert_int_equal(send_it(http, sends, lacks_memory, &reply), HTTP_LOST);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "https://verify.invalid: ");
    fake.words = "getaddrinfo() thread failed to start";
    assert_int_equal(send_it(http, breaks, NULL, &reply), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "thread failed to start");
    assert_false(http_is_distrusted(http));

    assert_int_equal(send_it(http, meets_a_stranger, NULL, &reply), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "https://verify.invalid: ");
    assert_true(http_is_distrusted(http));
    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_REPLIED);
    assert_false(http_is_distrusted(http));
    http_free(http);
}

static bool holds_back(struct http_watch *unused)
{
    (void)unused;
    return false;
}

TEST(the_watch_may_hold_a_request_back)
{
    struct http *http = open_http();
    struct http_reply reply;

    watch.before_send = holds_back;
    assert_int_equal(send_it(http, sends, NULL, &reply), HTTP_GIVEN_UP);
    http_free(http);
}

static bool sends_headers(CURLcode *ret_code)
{
    sends(ret_code);
    assert_int_equal(header("HTTP/1.1 200 OK\r\n"), 17);
    assert_int_equal(header("Twilio-Request-Id: RQ0\r\n"), 24);
    assert_int_equal(header("Date: Wed, 25 Nov 2026 12:00:00 GMT\r\n"), 37);
    assert_int_equal(header("Content-Length: 2\r\n"), 19);
    return false;
}

static bool sends_two_lengths(CURLcode *ret_code)
{
    sends_headers(ret_code);
    assert_int_equal(header("Content-Length: 3\r\n"), 0);
    *ret_code = CURLE_WRITE_ERROR;
    return true;
}

TEST(a_reply_with_an_unsound_head_is_none)
{
    struct http *http = open_http();
    struct http_reply reply;

    assert_int_equal(send_it(http, sends_headers, is_answered, &reply), HTTP_REPLIED);
    assert_string_equal(reply.request_id, "RQ0");
    assert_int_equal(reply.date_seconds, 1234);

    assert_int_equal(send_it(http, sends_two_lengths, NULL, &reply), HTTP_LOST);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "two Content-Length fields");
    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_REPLIED);
    http_free(http);
}

static bool sends_much(CURLcode *ret_code)
{
    static const char block[1024];

    sends(ret_code);
    for (int i = 0; i < HTTP_BODY_MAX / 1024; i++)
        assert_int_equal(body(block, sizeof block), sizeof block);
    assert_int_equal(body(block, 1), 0);
    *ret_code = CURLE_WRITE_ERROR;
    return true;
}

TEST(a_body_has_an_end)
{
    struct http *http = open_http();
    struct http_reply reply;

    assert_int_equal(send_it(http, sends_much, NULL, &reply), HTTP_LOST);
    http_free(http);
}

TEST(a_connection_with_something_to_say_is_not_used_again)
{
    struct http *http = open_http();
    struct http_reply reply;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fake.socket = pair[0];
    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_REPLIED);
    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_REPLIED);
    assert_int_equal(OPTION(CURLOPT_FRESH_CONNECT).number, 0);

    assert_int_equal(write(pair[1], "x", 1), 1);
    fake.fails_socket_query = true;
    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_REPLIED);
    assert_int_equal(OPTION(CURLOPT_FRESH_CONNECT).number, 1);
    /* Which one is kept now libcurl did not say. */
    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_REPLIED);
    assert_int_equal(OPTION(CURLOPT_FRESH_CONNECT).number, 0);
    close(pair[0]);
    close(pair[1]);
    http_free(http);
}

static bool takes_a_month(CURLcode *ret_code)
{
    watch.deadline_ms = fake.now_ms + 30LL * 24 * 3600 * 1000;
    return waits(ret_code);
}

static bool takes_too_long(CURLcode *ret_code)
{
    assert_int_equal(fake.polled_ms, INT_MAX);
    watch.deadline_ms = fake.now_ms - 1;
    return waits(ret_code);
}

TEST(a_name_that_is_not_resolved_ends_with_the_deadline)
{
    struct http *http = open_http();
    struct http_reply reply;

    assert_int_equal(send_it(http, takes_a_month, takes_too_long, &reply), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "no answer in time");
    /* Its thread hangs: libcurl is not touched any more. */
    assert_int_equal(send_it(http, NULL, NULL, &reply), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "the name server does not answer");
    assert_true(fake.is_added);
    http_free(http);
}

static bool sends_late(CURLcode *ret_code)
{
    fake.now_ms += PATIENCE_MS - 1;
    return sends(ret_code);
}

static bool is_late(CURLcode *ret_code)
{
    fake.now_ms += PATIENCE_MS - 200;
    return waits(ret_code);
}

static bool loses_patience(CURLcode *ret_code)
{
    fake.now_ms += PATIENCE_MS;
    return waits(ret_code);
}

TEST(a_connection_that_does_not_come_ends_with_the_patience)
{
    struct http *http = open_http();
    struct http_reply reply;

    assert_int_equal(send_it(http, connects, loses_patience, &reply), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "no answer in time");
    assert_int_equal(send_it(http, sends, is_answered, &reply), HTTP_REPLIED);
    assert_int_equal(send_it(http, sends, loses_patience, &reply), HTTP_LOST);
    assert_false(fake.is_added);

    /* It begins anew when the request leaves. */
    fake.steps[2] = is_answered;
    assert_int_equal(send_it(http, sends_late, is_late, &reply), HTTP_REPLIED);

    watch.deadline_ms = fake.now_ms;
    assert_int_equal(send_it(http, NULL, NULL, &reply), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "no time is left");
    http_free(http);
}

int main(void)
{
    char path[64];
#define of_libcurl(test) cmocka_unit_test_setup_teardown(test, begin_test, end_test)
    const struct CMUnitTest tests[] = {
        of_libcurl(says_every_guard),
        of_libcurl(does_not_open_where_libcurl_does_not_take_an_option),
        of_libcurl(does_not_open_where_libcurl_gets_no_memory),
        of_libcurl(trusts_what_the_settings_say_then_the_folder_then_the_bundle),
        of_libcurl(a_reply_is_whole),
        of_libcurl(a_reply_is_wiped_in_the_end),
        of_libcurl(a_request_never_leaves_twice),
        of_libcurl(a_request_that_cannot_begin_is_not_sent),
        of_libcurl(libcurl_itself_may_fail),
        of_libcurl(the_watch_may_hold_a_request_back),
        of_libcurl(a_reply_with_an_unsound_head_is_none),
        of_libcurl(a_body_has_an_end),
        of_libcurl(a_connection_with_something_to_say_is_not_used_again),
        of_libcurl(a_name_that_is_not_resolved_ends_with_the_deadline),
        of_libcurl(a_connection_that_does_not_come_ends_with_the_patience),
    };
    int failed;

    if (mkdtemp(certificates) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/0123abcd.0", certificates);
    fclose(fopen(path, "w"));
    failed = cmocka_run_group_tests_name("http", tests, NULL, NULL);
    unlink(path);
    rmdir(certificates);
    return failed;
}
