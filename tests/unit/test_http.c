/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What is said to libcurl, and what comes of what it says. The functions of libcurl and of move.h
 * are this test's own: the real ones are met in tests/check, test_move and tests/host. */
#define CURL_DISABLE_DEPRECATION
#define CURL_DISABLE_TYPECHECK
#include "unit.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "twilio/http.h"
#include "twilio/move.h"
#include "twilio/transfer.h"
#include "wiped.h"

#undef curl_easy_setopt
#undef curl_multi_setopt
#undef curl_easy_getinfo

enum { OPTIONS_MAX = 500, STEPS_MAX = 8, NOW_MS = 1000000, PATIENCE_MS = 4000 };

typedef int prereq_function(void *context, char *remote, char *local, int remote_port,
                            int local_port);
typedef curl_socket_t open_function(void *context, curlsocktype purpose,
                                    struct curl_sockaddr *address);
typedef int close_function(void *context, curl_socket_t socket);
typedef int look_up_function(void *resolver, void *reserved, void *context);
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
    bool has_directory, fails_copy, fails_socket_query, fails_url;
    int lists, handles; /* not yet freed */
    bool is_added;      /* libcurl has the request */

    step_function *steps[STEPS_MAX];
    size_t step;
    CURLMsg message;
    bool has_message;
    curl_socket_t socket;
    curl_off_t retry_after;
    int polled_ms, came;
    int64_t now_ms, held_ms; /* HELD_MS: how much longer a wait takes */
    const char *words;       /* in the error buffer, at the end */
    long verify_result, status;

    /* move.h */
    struct cause cause; /* what the judge says */
    enum move_end end;  /* of what he was asked */
    bool is_fresh, has_ended, is_unanswered;
    int unsettled; /* rounds until a name server has answered */
    const char *looked_up;
    int sockets;
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
        *va_arg(values, long *) = fake.status;
    else if (info == CURLINFO_SSL_VERIFYRESULT)
        *va_arg(values, long *) = fake.verify_result;
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
    *ready = fake.came;
    fake.polled_ms = timeout_ms;
    fake.now_ms += timeout_ms + fake.held_ms;
    return CURLM_OK;
}

curl_version_info_data *curl_version_info(CURLversion age)
{
    static curl_version_info_data data;

    (void)age;
    data = (curl_version_info_data){ .capath = fake.has_directory ? certificates : "/nonexistent",
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

CURLU *curl_url(void)
{
    return fake.fails_url ? NULL : (CURLU *)&fake.url;
}

CURLUcode curl_url_set(CURLU *parts, CURLUPart part, const char *text, unsigned flags)
{
    assert_ptr_equal(parts, &fake.url);
    assert_int_equal(part, CURLUPART_URL);
    assert_int_equal(flags, CURLU_NON_SUPPORT_SCHEME);
    snprintf(fake.url, sizeof fake.url, "%s", text);
    return CURLUE_OK;
}

/* By another name in C: PARTS became const with libcurl 8. */
CURLUcode get_host(const CURLU *parts, CURLUPart part, char **ret_text,
                   unsigned flags) __asm__("curl_url_get");

CURLUcode get_host(const CURLU *parts, CURLUPart part, char **ret_text, unsigned flags)
{
    (void)parts;
    (void)flags;
    assert_int_equal(part, CURLUPART_HOST);
    *ret_text = strdup(strstr(fake.url, "//") + 2);
    return CURLUE_OK;
}

void curl_url_cleanup(CURLU *parts)
{
    (void)parts;
}

void curl_free(void *memory)
{
    free(memory);
}

/* move.h */

void move_open(struct move *move)
{
    *move = (struct move){ 0 };
}

void move_begin(struct move *move, bool is_fresh)
{
    move->is_resolving = false;
    fake.is_fresh = is_fresh;
}

int move_open_socket(struct move *move, int type, int protocol, const struct sockaddr *address,
                     socklen_t size)
{
    assert_int_equal(type, SOCK_STREAM);
    assert_int_equal(protocol, IPPROTO_TCP);
    assert_non_null(address);
    assert_int_equal(size, sizeof *address);
    move->is_resolving = false;
    fake.sockets++;
    return 7;
}

int move_close_socket(struct move *move, int descriptor)
{
    (void)move;
    assert_int_equal(descriptor, 7);
    fake.sockets--;
    return 0;
}

void move_look_up(struct move *move, const char *name, int64_t now_ms)
{
    assert_int_equal(now_ms, fake.now_ms);
    move->is_resolving = true;
    fake.looked_up = name;
}

void move_step(struct move *move, int64_t now_ms)
{
    (void)move;
    assert_int_equal(now_ms, fake.now_ms);
}

bool move_send(struct move *move)
{
    (void)move;
    return !fake.has_ended;
}

bool move_is_answered(const struct move *move)
{
    (void)move;
    return !fake.is_unanswered;
}

bool move_is_settled(struct move *move, int64_t now_ms)
{
    (void)move;
    assert_int_equal(now_ms, fake.now_ms);
    return fake.unsettled-- <= 0;
}

struct cause move_judge(const struct move *move, enum move_end end, int64_t now_ms)
{
    (void)move;
    assert_in_range(now_ms, NOW_MS, fake.now_ms);
    fake.end = end;
    return fake.cause;
}

void move_close(struct move *move)
{
    (void)move;
}

int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
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
    struct curl_sockaddr address = { .family = AF_INET,
                                     .socktype = SOCK_STREAM,
                                     .protocol = IPPROTO_TCP,
                                     .addrlen = sizeof(struct sockaddr) };

    return ((open_function *)OPTION(CURLOPT_OPENSOCKETFUNCTION).function)(
        (void *)OPTION(CURLOPT_OPENSOCKETDATA).pointer, CURLSOCKTYPE_IPCXN, &address);
}

static void close_socket(void)
{
    assert_int_equal(((close_function *)OPTION(CURLOPT_CLOSESOCKETFUNCTION).function)(
                         (void *)OPTION(CURLOPT_CLOSESOCKETDATA).pointer, 7),
                     0);
}

static void look_up(void)
{
    assert_int_equal(((look_up_function *)OPTION(CURLOPT_RESOLVER_START_FUNCTION).function)(
                         NULL, NULL, (void *)OPTION(CURLOPT_RESOLVER_START_DATA).pointer),
                     0);
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

static bool looks_up(CURLcode *ret_code)
{
    look_up();
    return waits(ret_code);
}

static bool connects(CURLcode *ret_code)
{
    assert_int_equal(make_socket(), 7);
    return waits(ret_code);
}

static bool sends(CURLcode *ret_code)
{
    assert_int_equal(make_socket(), 7);
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

static bool meets_a_stranger(CURLcode *ret_code)
{
    *ret_code = CURLE_PEER_FAILED_VERIFICATION;
    return true;
}

/* A connection that ended without a byte: libcurl connects anew and sends the request again. */
static bool repeats(CURLcode *ret_code)
{
    close_socket();
    assert_int_equal(make_socket(), CURL_SOCKET_BAD);
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
    fake.status = 200;
    fake.cause = (struct cause){ CAUSE_OTHER_SIDE };
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
    struct http *opened = NULL;

    assert_true(http_open(&settings, &credentials, &opened, &why_not));
    return opened;
}

/* Of most tests. */
static struct http *http;
static struct http_reply reply;

static int begin_open(void **state)
{
    begin_test(state);
    reply = (struct http_reply){ .status = -1 };
    http = open_http();
    return 0;
}

static int end_open(void **state)
{
    http_free(http);
    http = NULL;
    return end_test(state);
}

#define TEST_OPENED(name) TEST_WITH(name, begin_open, end_open)

static enum http_result send_it(step_function *first, step_function *second)
{
    fake.steps[0] = first;
    fake.steps[1] = second;
    fake.step = 0;
    return http_send(http, &request, &watch, &reply, &why_not);
}

TEST_OPENED(says_every_guard)
{
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
}

TEST_WITH(does_not_open_where_libcurl_does_not_take_an_option, begin_test, end_test)
{
    int options;

    http_free(open_http());
    options = fake.calls;
    assert_in_range(options, 25, 60);
    for (int failing = 1; failing <= options; failing++) {
        begin_test(NULL);
        fake.failing = failing;
        assert_false(http_open(&settings, &credentials, &http, &why_not));
        assert_refused(&why_not, OUTCOME_MISCONFIGURED, "libcurl rejects ");
        assert_null(http);
        end_test(NULL);
    }
}

TEST_WITH(does_not_open_where_libcurl_gets_no_memory, begin_test, end_test)
{
    bool *const failures[] = { &fake.fails_global, &fake.fails_multi, &fake.fails_easy,
                               &fake.fails_list,   &fake.fails_limit, &fake.fails_url };

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

TEST_WITH(trusts_what_the_settings_say_then_the_directory_then_the_bundle, begin_test, end_test)
{
    const struct settings both = { .base_url = settings.base_url,
                                   .ca_file = (char *)"/file",
                                   .ca_path = (char *)"/directory" };
    const char *file, *directory;

    transfer_certificates(&both, &file, &directory);
    assert_string_equal(file, "/file");
    assert_string_equal(directory, "/directory");
    assert_true(http_open(&both, &credentials, &http, &why_not));
    assert_string_equal(OPTION(CURLOPT_CAINFO).pointer, "/file");
    assert_string_equal(OPTION(CURLOPT_CAPATH).pointer, "/directory");
    http_free(http);
    http = NULL;

    begin_test(NULL);
    transfer_certificates(&settings, &file, &directory);
    assert_string_equal(file, "/bundle");
    assert_null(directory);
    http_free(open_http());
    assert_string_equal(OPTION(CURLOPT_CAINFO).pointer, "/bundle");

    begin_test(NULL);
    fake.has_directory = true;
    transfer_certificates(&settings, &file, &directory);
    assert_string_equal(directory, certificates);
    assert_null(file);
    http_free(open_http());
    assert_null(OPTION(CURLOPT_CAINFO).pointer);
    assert_string_equal(OPTION(CURLOPT_CAPATH).pointer, certificates);
}

TEST_OPENED(a_reply_is_whole)
{
    fake.retry_after = INT_MAX;
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.size, 2);
    assert_memory_equal(reply.body, "{}", 2);
    assert_int_equal(reply.retry_after_seconds, 3600);
    assert_string_equal(reply.request_id, "-");
    assert_int_equal(reply.date_seconds, -1);
    assert_string_equal(fake.url, "https://verify.invalid/path");
}

TEST_OPENED(a_reply_is_wiped_in_the_end)
{
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    wiped_expect(reply.body, HTTP_BODY_MAX);
    http_free(http);
    http = NULL;
    assert_int_equal(wiped_missing(), 0);
}

TEST_OPENED(a_request_never_leaves_twice)
{
    assert_int_equal(send_it(sends, repeats), HTTP_LOST);
    assert_int_equal(reply.status, -1);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "as libcurl calls it");
    assert_int_equal(OPTION(CURLOPT_FRESH_CONNECT).number, 0);

    /* Whose connection may be dead without a sign. */
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    assert_int_equal(OPTION(CURLOPT_FRESH_CONNECT).number, 1);
}

TEST_OPENED(a_request_that_cannot_begin_is_not_sent)
{
    char path[1024];
    const struct http_request too_long = { path, NULL, PATIENCE_MS, false };
    int begun = fake.calls;

    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(http_send(http, &too_long, &watch, &reply, &why_not), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "libcurl rejects the request");

    fake.fails_copy = true;
    assert_int_equal(http_send(http, &request, &watch, &reply, &why_not), HTTP_UNSENT);
    fake.fails_copy = false;
    fake.fails_add = true;
    assert_int_equal(http_send(http, &request, &watch, &reply, &why_not), HTTP_UNSENT);
    fake.fails_add = false;
    for (int failing = 1; failing <= 5; failing++) {
        fake.calls = begun;
        fake.failing = begun + failing;
        assert_int_equal(send_it(sends, is_answered), HTTP_UNSENT);
    }
    assert_int_equal(fake.step, 0);
}

TEST_OPENED(libcurl_itself_may_fail)
{
    fake.fails_perform = true;
    fake.cause = (struct cause){ CAUSE_UNKNOWN };
    assert_int_equal(send_it(sends, is_answered), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "https://verify.invalid: the request failed");
    assert_int_equal(fake.end, MOVE_FAILED_HERE);
}

static CURLcode failure;

static bool fails(CURLcode *ret_code)
{
    *ret_code = failure;
    return true;
}

TEST_OPENED(each_word_of_libcurl_s_says_how_the_request_ended)
{
    static const struct {
        CURLcode code;
        enum move_end end;
    } words[] = {
        { CURLE_OPERATION_TIMEDOUT, MOVE_TIMED_OUT },
        { CURLE_COULDNT_RESOLVE_HOST, MOVE_NOT_RESOLVED },
        { CURLE_COULDNT_RESOLVE_PROXY, MOVE_NOT_RESOLVED },
        { CURLE_COULDNT_CONNECT, MOVE_NOT_CONNECTED },
        { CURLE_ABORTED_BY_CALLBACK, MOVE_BAD_ANSWER },
        { CURLE_GOT_NOTHING, MOVE_BAD_ANSWER },
        { CURLE_PARTIAL_FILE, MOVE_BAD_ANSWER },
        { CURLE_SEND_ERROR, MOVE_CONNECTION_LOST },
        { CURLE_SEND_FAIL_REWIND, MOVE_BAD_ANSWER },
        { CURLE_BAD_CONTENT_ENCODING, MOVE_BAD_ANSWER },
        { CURLE_BAD_FUNCTION_ARGUMENT, MOVE_BAD_ANSWER },
        { CURLE_PROXY, MOVE_BAD_ANSWER },
        { CURLE_RECV_ERROR, MOVE_BAD_ANSWER },
        { CURLE_SSL_CONNECT_ERROR, MOVE_BAD_ANSWER },
        { CURLE_UNSUPPORTED_PROTOCOL, MOVE_BAD_ANSWER },
        { CURLE_WEIRD_SERVER_REPLY, MOVE_BAD_ANSWER },
        { CURLE_WRITE_ERROR, MOVE_BAD_ANSWER },
        { (CURLcode)100, MOVE_BAD_ANSWER },
        { CURLE_OUT_OF_MEMORY, MOVE_FLOOD },
    };

    for (int code = 1; code < 120; code++) {
        enum move_end end = MOVE_FAILED_HERE;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
            if ((int)words[i].code == code)
                end = words[i].end;
        if (code == CURLE_SSL_CACERT_BADFILE || code == CURLE_PEER_FAILED_VERIFICATION)
            continue;
        failure = (CURLcode)code;
        assert_int_equal(send_it(fails, NULL), HTTP_UNSENT);
        if (fake.end != end)
            fail_msg("code %d ended as %d", code, (int)fake.end);
        assert_refused(&why_not, OUTCOME_UNAVAILABLE, "https://verify.invalid: ");
    }
}

TEST_OPENED(only_the_other_side_s_fault_is_an_outage)
{
    failure = CURLE_COULDNT_CONNECT;
    for (int kind = CAUSE_UNKNOWN; kind < CAUSE_OTHER_SIDE; kind++) {
        fake.cause = (struct cause){ (enum cause_kind)kind };
        assert_int_equal(send_it(fails, NULL), HTTP_UNSENT);
        assert_refused(&why_not, OUTCOME_MISCONFIGURED, cause_text((enum cause_kind)kind));
        assert_non_null(strstr(why_not.reason, "; libcurl: as libcurl calls it"));
    }
    fake.cause = (struct cause){ CAUSE_CALL, EADDRNOTAVAIL, "connect() to the server" };
    assert_int_equal(send_it(fails, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED,
                   "connect() to the server: Cannot assign requested address");
}

TEST_OPENED(a_certificate_that_is_not_trusted_may_be_this_host_s_fault)
{
    fake.has_directory = true;
    assert_int_equal(send_it(meets_a_stranger, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "https://verify.invalid: ");
    assert_true(http_is_distrusted(http));
    assert_int_equal(fake.end, MOVE_BAD_ANSWER);

    fake.verify_result = 9;
    assert_int_equal(send_it(meets_a_stranger, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "check the clock of this host");

    fake.verify_result = 20;
    fake.has_directory = false; /* the bundle is not there */
    assert_int_equal(send_it(meets_a_stranger, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "cannot read the trusted certificates");
    assert_true(http_is_distrusted(http));

    failure = CURLE_SSL_CACERT_BADFILE;
    assert_int_equal(send_it(fails, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "cannot read the trusted certificates");
    assert_false(http_is_distrusted(http));
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    assert_false(http_is_distrusted(http));
}

TEST_OPENED(the_host_that_is_looked_up_is_the_proxy_s_or_the_server_s)
{
    const struct settings proxied = { .base_url = settings.base_url,
                                      .proxy = (char *)"socks5h://proxy.invalid" };
    const struct settings fixed = { .base_url = (char *)"https://192.0.2.1" };
    const struct settings fixed6 = { .base_url = (char *)"https://[::1]" };
    const struct settings local = { .base_url = (char *)"https://localhost" };
    const struct {
        const struct settings *settings;
        const char *name;
    } rows[] = { { &settings, "verify.invalid" },
                 { &proxied, "proxy.invalid" },
                 { &fixed, NULL },
                 { &fixed6, NULL },
                 { &local, NULL } };

    failure = CURLE_COULDNT_RESOLVE_HOST;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        http_free(http);
        http = NULL;
        assert_true(http_open(rows[i].settings, &credentials, &http, &why_not));
        fake.looked_up = "";
        assert_int_equal(send_it(looks_up, fails), HTTP_UNSENT);
        if (rows[i].name == NULL)
            assert_null(fake.looked_up);
        else
            assert_string_equal(fake.looked_up, rows[i].name);
    }
}

TEST_OPENED(a_look_up_that_failed_is_judged_when_the_name_servers_have_answered)
{
    failure = CURLE_COULDNT_RESOLVE_HOST;
    fake.unsettled = 10;
    assert_int_equal(send_it(looks_up, fails), HTTP_UNSENT);
    assert_int_equal(fake.end, MOVE_NOT_RESOLVED);
    assert_int_equal(fake.unsettled, -1);
    assert_in_range(fake.now_ms, NOW_MS + 500, NOW_MS + 600);

    fake.unsettled = 1000;
    watch.deadline_ms = fake.now_ms + 300;
    assert_int_equal(send_it(looks_up, fails), HTTP_UNSENT);
    assert_int_equal(fake.now_ms, watch.deadline_ms);
}

/* A deadline of 2 s that began SPENT_MS ago, WAITED_MS of it spent on waiting. */
static void set_deadline(int64_t spent_ms, int64_t waited_ms)
{
    watch.allotted_ms = 2000;
    watch.waited_ms = waited_ms;
    watch.deadline_ms = fake.now_ms + watch.allotted_ms - spent_ms;
}

TEST_OPENED(most_of_the_time_spent_on_this_host_is_not_an_outage)
{
    failure = CURLE_RECV_ERROR;
    set_deadline(1500, 500);
    assert_int_equal(send_it(fails, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "as libcurl calls it");
    set_deadline(1501, 500);
    assert_int_equal(send_it(fails, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, CAUSE_NO_TIME_TEXT);
    set_deadline(1501, 500);
    set_deadline(501, 0);
    watch.allotted_ms = 600; /* half of it is less than what this host may always use */
    watch.deadline_ms = fake.now_ms + 100;
    assert_int_equal(send_it(fails, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "as libcurl calls it");
    watch.deadline_ms = fake.now_ms + 99;
    assert_int_equal(send_it(fails, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, CAUSE_NO_TIME_TEXT);
    set_deadline(1501, 500);
    watch.allotted_ms = 0; /* nobody counts */
    assert_int_equal(send_it(fails, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "as libcurl calls it");
}

TEST_OPENED(a_server_that_ended_a_slow_handshake_is_not_an_outage)
{
    static const struct {
        CURLcode code;
        int64_t lost_ms;
    } rows[] = {
        { CURLE_SSL_CONNECT_ERROR, 1000 }, { CURLE_RECV_ERROR, 1000 },
        { CURLE_SEND_ERROR, 1000 },        { CURLE_GOT_NOTHING, 1000 },
        { CURLE_COULDNT_CONNECT, 10000 },  { CURLE_COULDNT_RESOLVE_HOST, 10000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (int excess_ms = 0; excess_ms < 2; excess_ms++) {
            failure = rows[i].code;
            set_deadline(0, 0);
            watch.allotted_ms = 20000;
            watch.deadline_ms = fake.now_ms + watch.allotted_ms - rows[i].lost_ms - excess_ms;
            assert_int_equal(send_it(fails, NULL), HTTP_UNSENT);
            assert_int_equal(why_not.outcome,
                             excess_ms == 0 ? OUTCOME_UNAVAILABLE : OUTCOME_MISCONFIGURED);
        }
}

TEST_OPENED(a_wait_counts_as_the_other_side_s_but_not_what_this_host_added)
{
    static const struct {
        int64_t held_ms;
        int came;
        int64_t waited_ms;
    } rows[] = { { 0, 0, 50 }, { 100, 0, 150 }, { 900, 0, 200 }, { 0, 1, 50 }, { 900, 1, 50 } };

    failure = CURLE_RECV_ERROR;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        watch.waited_ms = 0;
        fake.held_ms = rows[i].held_ms;
        fake.came = rows[i].came;
        assert_int_equal(send_it(waits, fails), HTTP_UNSENT);
        assert_int_equal(watch.waited_ms, rows[i].waited_ms);
    }
}

TEST_OPENED(a_reply_that_came_before_its_request_is_refused)
{
    fake.is_unanswered = true;
    assert_int_equal(send_it(sends, is_answered), HTTP_LOST);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "the reply came before the request");
    fake.is_unanswered = false;
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    assert_true(fake.is_fresh);
}

TEST_OPENED(a_reply_that_we_took_too_long_is_true_where_this_host_held_us_up)
{
    fake.status = 408;
    set_deadline(1000, 0);
    watch.allotted_ms += 8000;
    watch.deadline_ms += 8000;
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    assert_int_equal(reply.status, 408);
    watch.deadline_ms -= 1;
    assert_int_equal(send_it(sends, is_answered), HTTP_LOST);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, CAUSE_NO_TIME_TEXT);
}

TEST_OPENED(a_connection_that_ended_before_the_request_carries_none)
{
    fake.has_ended = true;
    assert_int_equal(send_it(sends, NULL), HTTP_UNSENT);
    assert_int_equal(fake.end, MOVE_BAD_ANSWER);
    fake.has_ended = false;
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
}

static bool holds_back(struct http_watch *unused)
{
    (void)unused;
    return false;
}

TEST_OPENED(the_watch_may_hold_a_request_back)
{
    watch.before_send = holds_back;
    assert_int_equal(send_it(sends, NULL), HTTP_GIVEN_UP);
}

static int noticed;

static bool notices(struct http_watch *unused)
{
    (void)unused;
    return --noticed > 0;
}

/* Somebody has something to say from the first wait on. */
static void watch_somebody(int times)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    close(ends[1]);
    watch.descriptor = ends[0];
    watch.noticed = notices;
    noticed = times;
}

TEST_OPENED(the_watch_is_heard_and_may_give_a_request_up)
{
    watch_somebody(2);
    fake.steps[2] = is_answered;
    assert_int_equal(send_it(waits, waits), HTTP_GIVEN_UP);
    assert_int_equal(noticed, 0);
    noticed = 1;
    assert_int_equal(send_it(looks_up, waits), HTTP_GIVEN_UP);
    assert_true(fake.is_added); /* the look-up goes on, and libcurl would wait for it */
    close(watch.descriptor);
    http_free(http);

    begin_open(NULL);
    watch_somebody(1);
    assert_int_equal(send_it(connects, waits), HTTP_GIVEN_UP);
    assert_false(fake.is_added);
    noticed = 1;
    fake.unsettled = 10;
    failure = CURLE_COULDNT_RESOLVE_HOST;
    assert_int_equal(send_it(fails, NULL), HTTP_GIVEN_UP);
    close(watch.descriptor);
}

static bool sends_and_waits(CURLcode *ret_code)
{
    assert_false(sends(ret_code));
    return false;
}

TEST_OPENED(a_request_that_has_left_is_lost_where_it_is_given_up)
{
    watch_somebody(1);
    assert_int_equal(send_it(sends_and_waits, NULL), HTTP_LOST);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "interrupted");
    close(watch.descriptor);
}

TEST_OPENED(a_pause_ends_with_its_time_or_before_the_deadline_or_by_the_watch)
{
    assert_true(http_pause(http, 200, &watch));
    assert_int_equal(fake.now_ms, NOW_MS + 200);
    assert_int_equal(watch.waited_ms, 200);
    watch.deadline_ms = fake.now_ms + 201;
    assert_true(http_pause(http, 200, &watch));
    watch.deadline_ms = fake.now_ms + 200;
    assert_false(http_pause(http, 200, &watch));
    assert_int_equal(fake.now_ms, NOW_MS + 400);
    watch.deadline_ms = HTTP_FOREVER;
    watch_somebody(2);
    assert_false(http_pause(http, 200, &watch));
    assert_int_equal(fake.now_ms, NOW_MS + 500);
    close(watch.descriptor);
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

TEST_OPENED(a_reply_with_an_unsound_head_is_refused)
{
    assert_int_equal(send_it(sends_headers, is_answered), HTTP_REPLIED);
    assert_string_equal(reply.request_id, "RQ0");
    assert_int_equal(reply.date_seconds, 1234);

    assert_int_equal(send_it(sends_two_lengths, NULL), HTTP_LOST);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "two Content-Length fields");
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
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

TEST_OPENED(a_body_has_an_end)
{
    assert_int_equal(send_it(sends_much, NULL), HTTP_LOST);
}

TEST_OPENED(a_connection_with_something_to_say_is_not_used_again)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fake.socket = pair[0];
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    assert_int_equal(OPTION(CURLOPT_FRESH_CONNECT).number, 0);

    assert_int_equal(write(pair[1], "x", 1), 1);
    fake.fails_socket_query = true;
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    assert_int_equal(OPTION(CURLOPT_FRESH_CONNECT).number, 1);
    /* Which one is kept now libcurl did not say. */
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    assert_int_equal(OPTION(CURLOPT_FRESH_CONNECT).number, 0);
    close(pair[0]);
    close(pair[1]);
}

static bool takes_a_month(CURLcode *ret_code)
{
    watch.deadline_ms = fake.now_ms + 30LL * 24 * 3600 * 1000;
    return looks_up(ret_code);
}

static bool takes_too_long(CURLcode *ret_code)
{
    assert_int_equal(fake.polled_ms, 50);
    watch.deadline_ms = fake.now_ms - 1;
    return waits(ret_code);
}

TEST_OPENED(a_name_that_is_not_resolved_ends_with_the_deadline)
{
    assert_int_equal(send_it(takes_a_month, takes_too_long), HTTP_UNSENT);
    assert_int_equal(fake.end, MOVE_TIMED_OUT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "no answer in time");
    /* Its thread hangs: libcurl is not touched any more. */
    assert_int_equal(send_it(NULL, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "no answer in time");
    assert_true(fake.is_added);
}

TEST_OPENED(where_no_time_is_left_it_is_as_the_request_before_ended_or_this_host_s)
{
    watch.deadline_ms = fake.now_ms;
    assert_int_equal(send_it(NULL, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, CAUSE_NO_TIME_TEXT);

    watch.deadline_ms = fake.now_ms + 100;
    for (int i = 0; i < 3; i++)
        fake.steps[i] = waits;
    assert_int_equal(http_send(http, &request, &watch, &reply, &why_not), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "no answer in time");
    assert_int_equal(send_it(NULL, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "no answer in time");

    /* The answer came, and then this host stood still. */
    watch.deadline_ms = fake.now_ms + 100;
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    fake.now_ms += 1000;
    assert_int_equal(send_it(NULL, NULL), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, CAUSE_NO_TIME_TEXT);
}

TEST_OPENED(a_second_try_that_got_the_rest_of_the_time_ends_as_the_first_one)
{
    static const enum cause_kind kinds[] = { CAUSE_NO_TIME, CAUSE_UNKNOWN };
    step_function *const silence[] = { waits, waits, waits };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        /* The first try had no silence before it. */
        watch.deadline_ms = HTTP_FOREVER;
        assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
        watch.deadline_ms = fake.now_ms + 100;
        fake.cause = (struct cause){ kinds[i] };
        memcpy(fake.steps, silence, sizeof silence);
        fake.step = 0;
        assert_int_equal(http_send(http, &request, &watch, &reply, &why_not), HTTP_UNSENT);
        assert_refused(&why_not, OUTCOME_MISCONFIGURED, "");

        for (int is_held_up = 0; is_held_up < 2; is_held_up++)
            for (int is_second = 0; is_second < 2; is_second++) {
                set_deadline(1900, is_held_up ? 100 : 1900);
                fake.cause = (struct cause){ is_second ? kinds[i] : CAUSE_OTHER_SIDE };
                fake.step = 0;
                http_send(http, &request, &watch, &reply, &why_not);
                assert_int_equal(why_not.outcome,
                                 is_held_up ? OUTCOME_MISCONFIGURED : OUTCOME_UNAVAILABLE);
            }
    }

    /* But not where a call failed. */
    set_deadline(1900, 1900);
    fake.step = 0;
    fake.cause = (struct cause){ CAUSE_OTHER_SIDE };
    http_send(http, &request, &watch, &reply, &why_not);
    set_deadline(1900, 1900);
    fake.step = 0;
    fake.cause = (struct cause){ CAUSE_CALL };
    http_send(http, &request, &watch, &reply, &why_not);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "a system call failed");
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

TEST_OPENED(a_connection_that_does_not_come_ends_with_the_patience)
{
    assert_int_equal(send_it(connects, loses_patience), HTTP_UNSENT);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "no answer in time");
    assert_int_equal(send_it(sends, is_answered), HTTP_REPLIED);
    assert_int_equal(send_it(sends, loses_patience), HTTP_LOST);
    assert_false(fake.is_added);

    /* It begins anew when the request leaves. */
    fake.steps[2] = is_answered;
    assert_int_equal(send_it(sends_late, is_late), HTTP_REPLIED);
}

static char certificate[sizeof certificates + sizeof "/0123abcd.0"];

int unit_begin(void **state)
{
    (void)state;
    if (mkdtemp(certificates) == NULL)
        return 1;
    snprintf(certificate, sizeof certificate, "%s/0123abcd.0", certificates);
    return fclose(fopen(certificate, "w"));
}

int unit_end(void **state)
{
    (void)state;
    return unlink(certificate) != 0 || rmdir(certificates) != 0;
}
