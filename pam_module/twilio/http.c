/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One guarded HTTPS request after another over one kept connection. */
#include "http.h"

/* CURLOPT_PROTOCOLS_STR came with 7.85. */
#define CURL_DISABLE_DEPRECATION

#include <arpa/inet.h>
#include <curl/curl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../core/dialogue.h"
#include "certificates.h"
#include "head.h"
#include "move.h"
#include "paths.h"

enum {
    URL_SIZE = 640,
    HOST_SIZE = 256,
    RETRY_AFTER_MAX = 3600,
    ROUND_MS = 50, /* a wait for events; so that none hides for how long this host stood still */
    ROUND_MAX_MS = 200,            /* one in which nothing happened, on a busy host */
    LOST_MIN_MS = 500,             /* of the time after Enter, what this host may always use up */
    LOST_MAX_MS = 1000,            /* and where the other side gave up: none waits for less */
    MEMORY_SIZE = 4 << 20,         /* more than a login needs */
    CERTIFICATE_NOT_YET_VALID = 9, /* X509_V_ERR_ of OpenSSL's x509_vfy.h */
    TOO_LARGE = 100,               /* CURLE_TOO_LARGE, of 8.6 */
    CAUSE_SIZE = 256
};

struct http {
    const struct settings *settings;
    CURLM *multi;
    CURL *model; /* with what all requests have in common */
    CURL *easy;  /* of the request under way: a copy; the connections are MULTI's */
    struct curl_slist *headers;
    curl_socket_t kept; /* the socket of the connection that was kept */
    const char *what;   /* the option that libcurl did not take */
    char *host;         /* the name that is looked up; NULL: no name server is needed */
    char error[CURL_ERROR_SIZE];

    /* Of the request under way: */
    struct move move;
    struct http_watch *watch;
    int64_t patience_ms, patience_end_ms;
    bool sent; /* a byte may have left */
    bool given_up;
    bool failed;        /* the last request: its connection may be dead without a sign */
    bool is_distrusted; /* the last request met a certificate that can't be trusted */
    bool stuck;         /* the deadline came during a look-up: only the end of the process helps */
    struct cause late;  /* why the last request had no end in its time; unknown: it had one */
    struct head head;
    const char *fault; /* why the reply is none */
    size_t body_size;
    char *body; /* of HTTP_BODY_MAX bytes */
};

/* libcurl looks up a name. */
static int on_look_up(void *resolver, void *reserved, void *context)
{
    struct http *http = context;

    (void)resolver;
    (void)reserved;
    move_look_up(&http->move, http->host, dialogue_clock_ms());
    return 0;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http *http = context;

    (void)purpose;
    /* To send the request again. */
    if (http->sent)
        return CURL_SOCKET_BAD;
    return move_open_socket(&http->move, address->socktype, address->protocol, &address->addr,
                            address->addrlen);
}

static int on_close(void *context, curl_socket_t socket)
{
    struct http *http = context;

    return move_close_socket(&http->move, socket);
}

/* libcurl is about to send the request, for the first time or again. A code is never sent twice. */
static int on_before_request(void *context, char *remote_ip, char *local_ip, int remote_port,
                             int local_port)
{
    struct http *http = context;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;

    if (http->sent)
        return CURL_PREREQFUNC_ABORT;
    if (http->watch->before_send != NULL && !http->watch->before_send(http->watch)) {
        http->given_up = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (!move_send(&http->move))
        return CURL_PREREQFUNC_ABORT;
    http->sent = true;
    http->patience_end_ms = dialogue_clock_ms() + http->patience_ms;
    return CURL_PREREQFUNC_OK;
}

/* CURLOPT_MAXFILESIZE does not stop a chunked body: count. */
static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct http *http = context;

    (void)one;
    if (size > HTTP_BODY_MAX - http->body_size)
        return 0;
    memcpy(http->body + http->body_size, bytes, size);
    http->body_size += size;
    return size;
}

static size_t on_header(char *bytes, size_t one, size_t size, void *context)
{
    struct http *http = context;

    (void)one;
    http->fault = head_take(&http->head, bytes, size);
    return http->fault == NULL ? size : 0;
}

/* The system's folder of certificates; NULL: there is none, and libcurl's own bundle counts. Reading
 * the bundle instead costs every login 20 ms. */
static const char *system_folder(void)
{
    const char *folder = curl_version_info(CURLVERSION_NOW)->capath;
    char certificate[PATH_MAX];

    return folder != NULL && certificates_find(folder, certificate) ? folder : NULL;
}

void http_certificates(const struct settings *settings, const char **ret_file,
                       const char **ret_folder)
{
    *ret_file = settings->ca_file;
    *ret_folder = settings->ca_path;
    if (*ret_file != NULL || *ret_folder != NULL)
        return;
    *ret_folder = system_folder();
    if (*ret_folder == NULL)
        *ret_file = curl_version_info(CURLVERSION_NOW)->cainfo;
}

static void set_number(struct http *http, CURLoption option, long value, const char *what)
{
    if (curl_easy_setopt(http->easy, option, value) != CURLE_OK)
        http->what = what;
}

static void set_pointer(struct http *http, CURLoption option, const void *value, const char *what)
{
    if (curl_easy_setopt(http->easy, option, value) != CURLE_OK)
        http->what = what;
}

static void set_callbacks(struct http *http)
{
    CURL *easy = http->easy;

    if (curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_look_up) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK)
        http->what = "callbacks";
    set_pointer(http, CURLOPT_PREREQDATA, http, "prereqdata");
    set_pointer(http, CURLOPT_OPENSOCKETDATA, http, "opensocketdata");
    set_pointer(http, CURLOPT_CLOSESOCKETDATA, http, "closesocketdata");
    set_pointer(http, CURLOPT_RESOLVER_START_DATA, http, "resolver_start_data");
    set_pointer(http, CURLOPT_WRITEDATA, http, "writedata");
    set_pointer(http, CURLOPT_HEADERDATA, http, "headerdata");
    set_pointer(http, CURLOPT_ERRORBUFFER, http->error, "errorbuffer");
}

/* Everything is said: a default of libcurl's may come from the environment or change. */
static void set_guards(struct http *http)
{
    set_number(http, CURLOPT_PROTOCOLS, CURLPROTO_HTTPS, "protocols");
    set_number(http, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1, "http_version");
    set_number(http, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2, "sslversion");
    set_number(http, CURLOPT_SSL_VERIFYPEER, 1, "ssl_verifypeer");
    set_number(http, CURLOPT_SSL_VERIFYHOST, 2, "ssl_verifyhost");
    set_number(http, CURLOPT_FOLLOWLOCATION, 0, "followlocation");
    set_number(http, CURLOPT_NETRC, CURL_NETRC_IGNORED, "netrc");
    set_number(http, CURLOPT_NOSIGNAL, 1, "nosignal");
    set_number(http, CURLOPT_TCP_NODELAY, 1, "tcp_nodelay");
    set_number(http, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC, "httpauth");
    set_number(http, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1, "suppress_connect_headers");
    set_pointer(http, CURLOPT_ACCEPT_ENCODING, NULL, "accept_encoding");
}

/* One connection for one login. */
static void set_connections(struct http *http)
{
    if (curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK)
        http->what = "maxconnects";
}

static void set_peer(struct http *http, const struct settings *settings,
                     const struct http_credentials *credentials)
{
    const char *ca_path = settings->ca_path;

    if (settings->ca_file == NULL && ca_path == NULL)
        ca_path = system_folder();
    /* Without either of them libcurl's own bundle stays in force. */
    if (settings->ca_file != NULL || ca_path != NULL) {
        set_pointer(http, CURLOPT_CAINFO, settings->ca_file, "cainfo");
        set_pointer(http, CURLOPT_CAPATH, ca_path, "capath");
    }

    set_pointer(http, CURLOPT_PROXY, settings->proxy != NULL ? settings->proxy : "", "proxy");
    set_pointer(http, CURLOPT_NOPROXY, "", "noproxy");
    set_pointer(http, CURLOPT_USERNAME, credentials->user, "username");
    set_pointer(http, CURLOPT_PASSWORD, credentials->secret, "password");
    set_pointer(http, CURLOPT_USERAGENT, "pam_twilio_verify/" PATHS_VERSION, "useragent");
    set_pointer(http, CURLOPT_HTTPHEADER, http->headers, "httpheader");
}

/* The host of URL that is to be looked up; NULL: it is an address, or this host by libcurl's own
 * word. The caller frees with free(3). */
static bool find_host(const char *url, char **ret_host)
{
    CURLU *parts = curl_url();
    unsigned char address[sizeof(struct in6_addr)];
    char *host = NULL;
    bool is_found =
        parts != NULL &&
        curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK;

    *ret_host = NULL;
    if (is_found && host[0] != '[' && inet_pton(AF_INET, host, address) != 1 &&
        strcasecmp(host, "localhost") != 0)
        is_found = (*ret_host = strdup(host)) != NULL;
    curl_free(host);
    curl_url_cleanup(parts);
    return is_found;
}

/* Whoever takes all the memory that this host promises must not make a handshake fail: the heap grows
 * now, and does not shrink again. */
static bool take_memory(void)
{
    void *memory;

    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    mallopt(M_MMAP_THRESHOLD, 2 * MEMORY_SIZE);
    memory = malloc(MEMORY_SIZE);
    free(memory);
    return memory != NULL;
}

static bool make_parts(struct http *http)
{
    const struct settings *settings = http->settings;

    http->multi = curl_multi_init();
    http->model = curl_easy_init();
    http->headers = curl_slist_append(NULL, "Accept: application/json");
    http->body = malloc(HTTP_BODY_MAX);
    return http->multi != NULL && http->model != NULL && http->headers != NULL &&
           http->body != NULL &&
           find_host(settings->proxy != NULL ? settings->proxy : settings->base_url, &http->host) &&
           take_memory();
}

bool http_open(const struct settings *settings, const struct http_credentials *credentials,
               struct http **ret_http, struct verdict *why_not)
{
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(http);
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl does not start");
    }

    http->settings = settings;
    http->kept = CURL_SOCKET_BAD;
    move_open(&http->move);
    if (!make_parts(http)) {
        http_free(http);
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl: out of memory");
    }

    http->easy = http->model;
    set_callbacks(http);
    set_guards(http);
    set_connections(http);
    set_peer(http, settings, credentials);
    http->easy = NULL;
    if (http->what != NULL) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl does not take %s", http->what);
        http_free(http);
        return false;
    }

    *ret_http = http;
    return true;
}

/* Whether the kept connection has something to say that nobody asked for: libcurl before 8.1 takes
 * the end of TLS for a sign of life, and a code that is sent there gets lost. */
static bool is_stale(const struct http *http)
{
    struct pollfd poller = { .fd = http->kept, .events = POLLIN };

    return http->kept != CURL_SOCKET_BAD && poll(&poller, 1, 0) > 0;
}

/* A handle of its own for each request: libcurl from 7.83 to 8.2 keeps a pointer to the last field of
 * the last reply, which it has freed, and takes a folded first field for a part of that. */
static bool begin(struct http *http, const struct http_request *request, struct http_watch *watch)
{
    bool is_fresh = http->failed || is_stale(http);
    char url[URL_SIZE];
    int length = snprintf(url, sizeof url, "%s%s", http->settings->base_url, request->path);

    http->watch = watch;
    http->patience_ms = request->patience_ms;
    http->patience_end_ms = dialogue_clock_ms() + request->patience_ms;
    http->what = http->fault = NULL;
    http->sent = http->given_up = http->is_distrusted = false;
    http->body_size = 0;
    http->error[0] = '\0';
    head_begin(&http->head);
    move_begin(&http->move, is_fresh);

    http->easy = curl_easy_duphandle(http->model);
    if (http->easy == NULL)
        return false;
    set_number(http, CURLOPT_FRESH_CONNECT, is_fresh, "fresh_connect");
    set_pointer(http, CURLOPT_URL, url, "url");
    set_pointer(http, CURLOPT_CUSTOMREQUEST, request->is_delete ? "DELETE" : NULL, "customrequest");
    if (request->form != NULL) {
        set_number(http, CURLOPT_POSTFIELDSIZE, (long)strlen(request->form), "postfieldsize");
        set_pointer(http, CURLOPT_POSTFIELDS, request->form, "postfields");
    } else {
        set_number(http, CURLOPT_HTTPGET, 1, "httpget");
    }
    return length > 0 && (size_t)length < sizeof url && http->what == NULL &&
           curl_multi_add_handle(http->multi, http->easy) == CURLM_OK;
}

static void end(struct http *http)
{
    if (http->easy != NULL)
        curl_multi_remove_handle(http->multi, http->easy);
    curl_easy_cleanup(http->easy);
    http->easy = NULL;
}

/* libcurl does not pass on that a pipe has ended (POLLHUP alone): ask again. */
static bool is_ready(int descriptor)
{
    struct pollfd poller = { .fd = descriptor, .events = POLLIN };

    return descriptor >= 0 && poll(&poller, 1, 0) > 0;
}

/* Of a wait, what counts as the other side's. Where something came, it may have lain there for all but
 * the time of a round. */
static void count_wait(struct http_watch *watch, int64_t waited_ms, bool came)
{
    int64_t most_ms = came ? ROUND_MS : ROUND_MAX_MS;

    watch->waited_ms += waited_ms < most_ms ? waited_ms : most_ms;
}

/* Waits for a moment, until libcurl or the watch has something to do. False: the watch gives the
 * request up. */
static bool wait_events(struct http *http, struct http_watch *watch, int64_t until_ms)
{
    struct curl_waitfd extra = { .fd = watch->descriptor, .events = CURL_WAIT_POLLIN };
    int64_t now_ms = dialogue_clock_ms(), left_ms = ROUND_MS;
    int ready = 0;

    if (until_ms != HTTP_FOREVER && until_ms - now_ms < left_ms)
        left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    curl_multi_poll(http->multi, watch->descriptor >= 0 ? &extra : NULL,
                    watch->descriptor >= 0 ? 1 : 0, (int)left_ms, &ready);
    count_wait(watch, dialogue_clock_ms() - now_ms, ready > 0);
    return !is_ready(watch->descriptor) || watch->noticed(watch);
}

/* Whether libcurl is looking up a name, and can't let go of the request. */
static bool is_resolving(const struct http *http)
{
    return http->move.is_resolving && !http->sent;
}

/* The moment at which to end the request. */
static int64_t limit_of(const struct http *http)
{
    int64_t deadline_ms = http->watch->deadline_ms;

    if (is_resolving(http))
        return deadline_ms;
    if (deadline_ms == HTTP_FOREVER || http->patience_end_ms < deadline_ms)
        return http->patience_end_ms;
    return deadline_ms;
}

static bool is_over(int64_t limit_ms)
{
    return limit_ms != HTTP_FOREVER && dialogue_clock_ms() >= limit_ms;
}

/* Whether libcurl has come to an end with the request. */
static bool is_done(struct http *http, CURLcode *ret_code)
{
    const CURLMsg *message;
    int running, queued;

    if (curl_multi_perform(http->multi, &running) != CURLM_OK) {
        *ret_code = CURLE_FAILED_INIT;
        return true;
    }
    while ((message = curl_multi_info_read(http->multi, &queued)) != NULL)
        if (message->msg == CURLMSG_DONE) {
            *ret_code = message->data.result;
            return true;
        }
    return false;
}

/* Drives the request to its end, or to a limit (CURLE_OPERATION_TIMEDOUT). */
static CURLcode drive(struct http *http, struct http_watch *watch)
{
    CURLcode code;

    while (!is_done(http, &code)) {
        int64_t limit_ms = limit_of(http);
        if (is_over(limit_ms)) {
            http->stuck = is_resolving(http);
            return CURLE_OPERATION_TIMEDOUT;
        }
        if (!wait_events(http, watch, limit_ms)) {
            snprintf(http->error, sizeof http->error, "interrupted");
            http->given_up = true;
            http->stuck = is_resolving(http);
            return CURLE_ABORTED_BY_CALLBACK;
        }
        move_step(&http->move, dialogue_clock_ms());
    }
    return code;
}

static void fill_reply(struct http *http, struct http_reply *reply)
{
    curl_off_t retry_after = 0;
    long status = 0;

    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &retry_after);
    *reply = (struct http_reply){
        .status = (int)status,
        .body = http->body,
        .size = http->body_size,
        .retry_after_seconds = retry_after > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (long)retry_after,
        .request_id = http->head.request_id,
        .date_seconds = http->head.date[0] != '\0' ? curl_getdate(http->head.date, NULL) : -1,
    };
}

/* What libcurl's word for a failure says of the other side. A word that is not here says nothing. */
static enum move_end end_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return MOVE_TIMED_OUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return MOVE_NOT_RESOLVED;
    case CURLE_COULDNT_CONNECT:
        return MOVE_NOT_CONNECTED;
    case CURLE_SEND_ERROR:
        return MOVE_CONNECTION_LOST;
    case CURLE_ABORTED_BY_CALLBACK: /* we have refused to send it again */
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_BAD_FUNCTION_ARGUMENT: /* of a field of the reply */
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_PROXY:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case TOO_LARGE:
    case CURLE_WRITE_ERROR: /* our own callbacks have refused it */
        return MOVE_BAD_ANSWER;
    case CURLE_OUT_OF_MEMORY:
        return MOVE_FLOOD;
    default:
        return MOVE_FAILED_HERE;
    }
}

/* Whether this host, and not the other side, took most of the time after Enter; or so much of it that
 * a server lost patience in the middle of a handshake, and ended the connection. */
static bool is_held_up(const struct http_watch *watch, enum move_end end)
{
    bool is_turned_away = end == MOVE_CONNECTION_LOST || end == MOVE_BAD_ANSWER;
    int64_t half_ms = watch->limit_ms / 2 > LOST_MIN_MS ? watch->limit_ms / 2 : LOST_MIN_MS;
    int64_t most_ms = is_turned_away && half_ms > LOST_MAX_MS ? LOST_MAX_MS : half_ms;
    int64_t spent_ms = watch->limit_ms - (watch->deadline_ms - dialogue_clock_ms());

    return watch->limit_ms > 0 && watch->deadline_ms != HTTP_FOREVER &&
           spent_ms - watch->waited_ms > most_ms;
}

/* Why a certificate is not trusted. */
static enum cause_kind judge_certificate(const struct http *http)
{
    const char *file, *folder;
    long result = 0;

    curl_easy_getinfo(http->easy, CURLINFO_SSL_VERIFYRESULT, &result);
    http_certificates(http->settings, &file, &folder);
    if (result == CERTIFICATE_NOT_YET_VALID)
        return CAUSE_CLOCK;
    return certificates_are_readable(file, folder) ? CAUSE_OTHER_SIDE : CAUSE_CERTIFICATES;
}

/* Waits until the name servers have answered, or the time is over. */
static void settle(struct http *http, struct http_watch *watch)
{
    while (!move_is_settled(&http->move, dialogue_clock_ms()) && !is_over(watch->deadline_ms))
        if (!wait_events(http, watch, watch->deadline_ms)) {
            http->given_up = true;
            return;
        }
}

/* The one place that says who is to blame for a request that failed with CODE. */
static struct cause judge(struct http *http, struct http_watch *watch, CURLcode code)
{
    int64_t failed_ms = dialogue_clock_ms();
    struct cause cause;

    if (code == CURLE_SSL_CACERT_BADFILE)
        return (struct cause){ CAUSE_CERTIFICATES };
    if (end_of(code) == MOVE_NOT_RESOLVED)
        settle(http, watch);
    cause = move_judge(&http->move, end_of(code), failed_ms);
    if (end_of(code) == MOVE_TIMED_OUT && http->late.kind == CAUSE_OTHER_SIDE &&
        (cause.kind == CAUSE_NO_TIME || cause.kind == CAUSE_UNKNOWN))
        cause = http->late; /* a second try that got the rest of the time */
    if (cause.kind == CAUSE_OTHER_SIDE && http->is_distrusted)
        cause.kind = judge_certificate(http);
    if (cause.kind == CAUSE_OTHER_SIDE && is_held_up(watch, end_of(code)))
        cause.kind = CAUSE_NO_TIME;
    return cause;
}

/* Fills WHY_NOT for the request that failed with CODE because of CAUSE. */
static void explain(const struct http *http, const struct cause *cause, CURLcode code,
                    struct verdict *why_not)
{
    const char *words = http->fault != NULL      ? http->fault
                        : http->error[0] != '\0' ? http->error
                                                 : curl_easy_strerror(code);
    bool is_silence = code == CURLE_OPERATION_TIMEDOUT;
    char text[CAUSE_SIZE];

    cause_print(cause, text, sizeof text);
    if (cause->kind != CAUSE_OTHER_SIDE)
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s%s%s", http->settings->base_url, text,
                       is_silence ? "" : "; libcurl: ", is_silence ? "" : words);
    else
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "%s: %s", http->settings->base_url,
                       is_silence ? text : words);
}

/* Where the time is over before the request begins, it is as the one before it ended; or else the move
 * was ours. */
static enum http_result refuse_late(const struct http *http, const struct http_watch *watch,
                                    struct verdict *why_not)
{
    struct cause cause = http->late;

    if (cause.kind == CAUSE_UNKNOWN || is_held_up(watch, MOVE_TIMED_OUT))
        cause = (struct cause){ CAUSE_NO_TIME };
    explain(http, &cause, CURLE_OPERATION_TIMEDOUT, why_not);
    return HTTP_UNSENT;
}

/* A reply that came before its request left is to another one. One that says that the request took us
 * too long is true where this host did not let us run. */
static CURLcode check_reply(struct http *http, const struct http_watch *watch)
{
    long status = 0;

    if (!move_is_answered(&http->move)) {
        http->fault = "a reply that came before its request";
        return CURLE_WEIRD_SERVER_REPLY;
    }
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    return status == 408 && is_held_up(watch, MOVE_TIMED_OUT) ? CURLE_OPERATION_TIMEDOUT : CURLE_OK;
}

/* What comes of a request that ended with CODE. */
static enum http_result conclude(struct http *http, struct http_watch *watch, CURLcode code,
                                 struct http_reply *ret_reply, struct verdict *why_not)
{
    struct cause cause;

    if (code == CURLE_OK)
        code = check_reply(http, watch);
    if (code == CURLE_OK) {
        fill_reply(http, ret_reply);
        http->late = (struct cause){ CAUSE_UNKNOWN };
        return HTTP_REPLIED;
    }
    http->failed = true;
    http->is_distrusted = code == CURLE_PEER_FAILED_VERIFICATION;
    cause = judge(http, watch, code);
    if (http->given_up && !http->sent)
        return HTTP_GIVEN_UP;
    http->late = (struct cause){ CAUSE_UNKNOWN };
    if (code == CURLE_OPERATION_TIMEDOUT)
        http->late = cause;
    explain(http, &cause, code, why_not);
    return http->sent ? HTTP_LOST : HTTP_UNSENT;
}

enum http_result http_send(struct http *http, const struct http_request *request,
                           struct http_watch *watch, struct http_reply *ret_reply,
                           struct verdict *why_not)
{
    enum http_result result;
    CURLcode code;

    if (http->stuck || is_over(watch->deadline_ms))
        return refuse_late(http, watch, why_not);
    if (!begin(http, request, watch)) {
        end(http);
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl does not take the request");
        return HTTP_UNSENT;
    }

    code = drive(http, watch);
    http->failed = false;
    if (curl_easy_getinfo(http->easy, CURLINFO_ACTIVESOCKET, &http->kept) != CURLE_OK)
        http->kept = CURL_SOCKET_BAD;
    result = conclude(http, watch, code, ret_reply, why_not);
    if (!http->stuck)
        end(http);
    return result;
}

bool http_is_distrusted(const struct http *http)
{
    return http->is_distrusted;
}

bool http_pause(struct http *http, int64_t pause_ms, struct http_watch *watch)
{
    int64_t end_ms = dialogue_clock_ms() + pause_ms;

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
    curl_easy_cleanup(http->easy);
    curl_easy_cleanup(http->model);
    curl_multi_cleanup(http->multi);
    curl_slist_free_all(http->headers);
    move_close(&http->move);
    free(http->host);
    if (http->body != NULL)
        explicit_bzero(http->body, HTTP_BODY_MAX); /* a new factor's secret */
    free(http->body);
    free(http);
}
