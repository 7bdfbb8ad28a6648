/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One guarded HTTPS request after another over one kept connection. */
#include "http.h"

/* CURLOPT_PROTOCOLS_STR came with 7.85. */
#define CURL_DISABLE_DEPRECATION

#include <ctype.h>
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../core/dialogue.h"
#include "head.h"
#include "paths.h"

enum { URL_SIZE = 640, RETRY_AFTER_MAX = 3600, ENTRIES_SIZE = 1024 };

struct http {
    CURLM *multi;
    CURL *model; /* with what all requests have in common */
    CURL *easy;  /* of the request under way: a copy; the connections are MULTI's */
    struct curl_slist *headers;
    curl_socket_t kept; /* the socket of the connection that was kept */
    const char *base_url;
    const char *what; /* the option that libcurl did not take */
    char error[CURL_ERROR_SIZE];

    /* Of the request under way: */
    struct http_watch *watch;
    int64_t patience_ms, patience_end_ms;
    bool resolved;   /* a socket was made: no resolver thread is left to wait for */
    bool is_starved; /* this host gave no socket */
    bool sent;       /* a byte may have left */
    bool given_up;
    bool failed;        /* the last request: its connection may be dead without a sign */
    bool is_distrusted; /* the last request met a certificate that can't be trusted */
    bool stuck;         /* the deadline came during a look-up: only the end of the process helps */
    struct head head;
    const char *fault; /* why the head is none */
    size_t body_size;
    char *body; /* of HTTP_BODY_MAX bytes */
};

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
    http->sent = true;
    http->patience_end_ms = dialogue_clock_ms() + http->patience_ms;
    return CURL_PREREQFUNC_OK;
}

/* As socket(2); notes where this host has no more of them. A family that it does not know is none
 * of its shortages. */
static int open_socket(struct http *http, int family, int type, int protocol)
{
    int descriptor = socket(family, type | SOCK_CLOEXEC, protocol);

    if (descriptor < 0 && errno != EAFNOSUPPORT && errno != EPROTONOSUPPORT)
        http->is_starved = true;
    return descriptor;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    return open_socket(context, address->family, address->socktype, address->protocol);
}

static int on_socket(void *context, curl_socket_t socket, curlsocktype purpose)
{
    struct http *http = context;

    (void)socket;
    (void)purpose;
    http->resolved = true;
    return http->sent ? CURL_SOCKOPT_ERROR : CURL_SOCKOPT_OK;
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

/* Whether NAME is one that OpenSSL looks for: 8 digits, a dot, a number. */
static bool is_hash(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
           isdigit((unsigned char)name[9]);
}

/* A certificate in FOLDER under such a name; false: there is none. Not by readdir(3), which reads
 * much of the folder at once. */
static bool find_certificate(const char *folder, char path[PATH_MAX])
{
    _Alignas(struct dirent64) char entries[ENTRIES_SIZE];
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool found = false;
    ssize_t size;

    while (!found && (size = getdents64(descriptor, entries, sizeof entries)) > 0)
        for (ssize_t at = 0; !found && at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            found = is_hash(entry->d_name);
            if (found)
                snprintf(path, PATH_MAX, "%s/%s", folder, entry->d_name);
            at += entry->d_reclen;
        }
    if (descriptor >= 0)
        close(descriptor);
    return found;
}

/* The system's folder of certificates; NULL: there is none, and libcurl's own bundle counts. Reading
 * the bundle instead costs every login 20 ms. */
static const char *system_folder(char certificate[PATH_MAX])
{
    const char *folder = curl_version_info(CURLVERSION_NOW)->capath;

    return folder != NULL && find_certificate(folder, certificate) ? folder : NULL;
}

void http_certificates(const struct settings *settings, const char **ret_file,
                       const char **ret_folder)
{
    char certificate[PATH_MAX];

    *ret_file = settings->ca_file;
    *ret_folder = settings->ca_path;
    if (*ret_file != NULL || *ret_folder != NULL)
        return;
    *ret_folder = system_folder(certificate);
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
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK)
        http->what = "callbacks";
    set_pointer(http, CURLOPT_PREREQDATA, http, "prereqdata");
    set_pointer(http, CURLOPT_OPENSOCKETDATA, http, "opensocketdata");
    set_pointer(http, CURLOPT_SOCKOPTDATA, http, "sockoptdata");
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
    char certificate[PATH_MAX];

    if (settings->ca_file == NULL && ca_path == NULL)
        ca_path = system_folder(certificate);
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

bool http_open(const struct settings *settings, const struct http_credentials *credentials,
               struct http **ret_http, struct verdict *why_not)
{
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(http);
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl does not start");
    }

    http->base_url = settings->base_url;
    http->kept = CURL_SOCKET_BAD;
    http->multi = curl_multi_init();
    http->model = curl_easy_init();
    http->headers = curl_slist_append(NULL, "Accept: application/json");
    http->body = malloc(HTTP_BODY_MAX);
    if (http->multi == NULL || http->model == NULL || http->headers == NULL || http->body == NULL) {
        http_free(http);
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl: no memory");
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
    char url[URL_SIZE];
    int length = snprintf(url, sizeof url, "%s%s", http->base_url, request->path);

    http->watch = watch;
    http->patience_ms = request->patience_ms;
    http->patience_end_ms = dialogue_clock_ms() + request->patience_ms;
    http->what = NULL;
    http->resolved = http->is_starved = http->sent = http->given_up = false;
    head_begin(&http->head);
    http->fault = NULL;
    http->body_size = 0;
    http->error[0] = '\0';

    http->easy = curl_easy_duphandle(http->model);
    if (http->easy == NULL)
        return false;
    set_number(http, CURLOPT_FRESH_CONNECT, http->failed || is_stale(http), "fresh_connect");
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

/* Waits until libcurl or the watch has something to do. False: the watch gives the request up. */
static bool wait_events(struct http *http, struct http_watch *watch, int64_t until_ms)
{
    struct curl_waitfd extra = { .fd = watch->descriptor, .events = CURL_WAIT_POLLIN };
    int64_t left_ms = until_ms == HTTP_FOREVER ? INT_MAX : until_ms - dialogue_clock_ms();

    if (left_ms < 0)
        left_ms = 0;
    if (left_ms > INT_MAX)
        left_ms = INT_MAX;
    if (watch->descriptor >= 0)
        curl_multi_poll(http->multi, &extra, 1, (int)left_ms, NULL);
    else
        curl_multi_poll(http->multi, NULL, 0, (int)left_ms, NULL);
    return !is_ready(watch->descriptor) || watch->noticed(watch);
}

/* The moment at which to end the request: libcurl can let go of it only when no resolver runs. */
static int64_t limit_of(const struct http *http)
{
    int64_t deadline_ms = http->watch->deadline_ms;

    if (!http->resolved && !http->sent)
        return deadline_ms;
    if (deadline_ms == HTTP_FOREVER || http->patience_end_ms < deadline_ms)
        return http->patience_end_ms;
    return deadline_ms;
}

/* Whether libcurl has come to an end with the request. */
static bool is_done(struct http *http, CURLcode *ret_code)
{
    const CURLMsg *message;
    int running, queued;

    if (curl_multi_perform(http->multi, &running) != CURLM_OK) {
        *ret_code = CURLE_OUT_OF_MEMORY;
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
        if (limit_ms != HTTP_FOREVER && dialogue_clock_ms() >= limit_ms) {
            snprintf(http->error, sizeof http->error, "no answer in time");
            http->stuck = !http->resolved && !http->sent;
            return CURLE_OPERATION_TIMEDOUT;
        }
        if (!wait_events(http, watch, limit_ms)) {
            snprintf(http->error, sizeof http->error, "interrupted");
            http->given_up = true;
            http->stuck = !http->resolved && !http->sent;
            return CURLE_ABORTED_BY_CALLBACK;
        }
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

/* Whether a question to a name server could be asked now: the resolver does not tell why it failed. */
static bool is_starved(struct http *http)
{
    int descriptor = open_socket(http, AF_INET, SOCK_DGRAM, 0);

    if (descriptor >= 0)
        close(descriptor);
    return http->is_starved;
}

/* Whether this host is to blame, and not what is beyond it. Who calls sudo can starve us, and must
 * not pass for an outage. A thread that does not start has no code of libcurl's, but words; and once
 * the request has left, the code for no memory may mean a header without an end. */
static bool is_ours(struct http *http, CURLcode code)
{
    return code == CURLE_SSL_CACERT_BADFILE || code == CURLE_FAILED_INIT ||
           (code == CURLE_OUT_OF_MEMORY && !http->sent) || http->is_starved ||
           strstr(http->error, "thread failed to start") != NULL ||
           (code == CURLE_COULDNT_RESOLVE_HOST && is_starved(http));
}

enum http_result http_send(struct http *http, const struct http_request *request,
                           struct http_watch *watch, struct http_reply *ret_reply,
                           struct verdict *why_not)
{
    CURLcode code;

    if (http->stuck) {
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "the name server does not answer");
        return HTTP_UNSENT;
    }
    if (watch->deadline_ms != HTTP_FOREVER && dialogue_clock_ms() >= watch->deadline_ms) {
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "no time is left");
        return HTTP_UNSENT;
    }
    if (!begin(http, request, watch)) {
        end(http);
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl does not take the request");
        return HTTP_UNSENT;
    }

    code = drive(http, watch);
    http->failed = code != CURLE_OK;
    http->is_distrusted = code == CURLE_PEER_FAILED_VERIFICATION;
    if (curl_easy_getinfo(http->easy, CURLINFO_ACTIVESOCKET, &http->kept) != CURLE_OK)
        http->kept = CURL_SOCKET_BAD;
    if (code == CURLE_OK)
        fill_reply(http, ret_reply);
    if (!http->stuck)
        end(http);

    if (code == CURLE_OK)
        return HTTP_REPLIED;
    if (http->given_up && !http->sent)
        return HTTP_GIVEN_UP;
    verdict_refuse(why_not, is_ours(http, code) ? OUTCOME_MISCONFIGURED : OUTCOME_UNAVAILABLE,
                   "%s: %s%s", http->base_url,
                   http->is_starved ? "this host has no socket for it: " : "",
                   http->fault != NULL      ? http->fault
                   : http->error[0] != '\0' ? http->error
                                            : curl_easy_strerror(code));
    return http->sent ? HTTP_LOST : HTTP_UNSENT;
}

bool http_is_distrusted(const struct http *http)
{
    return http->is_distrusted;
}

bool http_pause(struct http *http, int64_t pause_ms, struct http_watch *watch)
{
    int64_t end_ms = dialogue_clock_ms() + pause_ms;

    while (dialogue_clock_ms() < end_ms) {
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
    if (http->body != NULL)
        explicit_bzero(http->body, HTTP_BODY_MAX); /* a new factor's secret */
    free(http->body);
    free(http);
}
