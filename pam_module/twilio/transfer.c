/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* libcurl. */
#include "transfer.h"

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

#include "../core/clock.h"
#include "certificates.h"
#include "head.h"
#include "paths.h"

enum {
    URL_SIZE = 640,
    CODE_FORM_SIZE = 80, /* of a body that ends with a code */
    RETRY_AFTER_MAX = 3600,
    MEMORY_SIZE = 4 << 20,         /* more than a login needs */
    CERTIFICATE_NOT_YET_VALID = 9, /* X509_V_ERR_ of OpenSSL's x509_vfy.h */
    TOO_LARGE = 100                /* CURLE_TOO_LARGE, of 8.6 */
};

struct transfer {
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
    struct move *move;
    const struct transfer_hook *hook;
    bool is_sent;       /* a byte may have left */
    const char *digits; /* what BODY_SENT ends with; NULL: nothing of the kind */
    char body_sent[CODE_FORM_SIZE];
    CURLcode code;
    bool failed; /* the last request: its connection may be dead without a sign */
    struct head head;
    const char *fault; /* why the reply is none */
    size_t body_size;
    char *body; /* of HTTP_BODY_MAX bytes */
};

/* libcurl looks up a name. */
static int on_look_up(void *resolver, void *reserved, void *context)
{
    const struct transfer *transfer = context;

    (void)resolver;
    (void)reserved;
    move_look_up(transfer->move, transfer->host, clock_ms());
    return 0;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    const struct transfer *transfer = context;

    (void)purpose;
    /* To send the request again. */
    if (transfer->is_sent)
        return CURL_SOCKET_BAD;
    return move_open_socket(transfer->move, address->socktype, address->protocol, &address->addr,
                            address->addrlen);
}

static int on_close(void *context, curl_socket_t socket)
{
    const struct transfer *transfer = context;

    return move_close_socket(transfer->move, socket);
}

/* The code may have been typed since the request began; libcurl reads the body after this. False:
 * it does not have the length that the request's head promises. */
static bool take_code(struct transfer *transfer)
{
    size_t length = (size_t)transfer->settings->code_length;

    if (transfer->digits == NULL)
        return true;
    if (strlen(transfer->digits) != length)
        return false;
    memcpy(transfer->body_sent + strlen(transfer->body_sent) - length, transfer->digits, length);
    return true;
}

/* libcurl is about to send the request, for the first time or again. A code is never sent twice. */
static int on_before_request(void *context, char *remote_ip, char *local_ip, int remote_port,
                             int local_port)
{
    struct transfer *transfer = context;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;

    if (transfer->is_sent || !transfer->hook->before_send(transfer->hook->context) ||
        !move_send(transfer->move) || !take_code(transfer))
        return CURL_PREREQFUNC_ABORT;
    transfer->is_sent = true;
    return CURL_PREREQFUNC_OK;
}

/* CURLOPT_MAXFILESIZE does not stop a chunked body: count. */
static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;

    (void)one;
    if (size > HTTP_BODY_MAX - transfer->body_size)
        return 0;
    memcpy(transfer->body + transfer->body_size, bytes, size);
    transfer->body_size += size;
    return size;
}

static size_t on_header(char *bytes, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;

    (void)one;
    transfer->fault = head_take(&transfer->head, bytes, size);
    return transfer->fault == NULL ? size : 0;
}

/* The system's directory of certificates; NULL: there is none, and libcurl's own bundle counts.
 * Reading the bundle instead costs every login 20 ms. */
static const char *system_directory(void)
{
    const char *directory = curl_version_info(CURLVERSION_NOW)->capath;
    char certificate[PATH_MAX];

    return directory != NULL && certificates_find(directory, certificate) ? directory : NULL;
}

void transfer_certificates(const struct settings *settings, const char **ret_file,
                           const char **ret_directory)
{
    *ret_file = settings->ca_file;
    *ret_directory = settings->ca_path;
    if (*ret_file != NULL || *ret_directory != NULL)
        return;
    *ret_directory = system_directory();
    if (*ret_directory == NULL)
        *ret_file = curl_version_info(CURLVERSION_NOW)->cainfo;
}

static void set_number(struct transfer *transfer, CURLoption option, long value, const char *what)
{
    if (curl_easy_setopt(transfer->easy, option, value) != CURLE_OK)
        transfer->what = what;
}

static void set_pointer(struct transfer *transfer, CURLoption option, const void *value,
                        const char *what)
{
    if (curl_easy_setopt(transfer->easy, option, value) != CURLE_OK)
        transfer->what = what;
}

static void set_callbacks(struct transfer *transfer)
{
    CURL *easy = transfer->easy;

    if (curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_look_up) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK)
        transfer->what = "callbacks";
    set_pointer(transfer, CURLOPT_PREREQDATA, transfer, "prereqdata");
    set_pointer(transfer, CURLOPT_OPENSOCKETDATA, transfer, "opensocketdata");
    set_pointer(transfer, CURLOPT_CLOSESOCKETDATA, transfer, "closesocketdata");
    set_pointer(transfer, CURLOPT_RESOLVER_START_DATA, transfer, "resolver_start_data");
    set_pointer(transfer, CURLOPT_WRITEDATA, transfer, "writedata");
    set_pointer(transfer, CURLOPT_HEADERDATA, transfer, "headerdata");
    set_pointer(transfer, CURLOPT_ERRORBUFFER, transfer->error, "errorbuffer");
}

/* Everything is said: a default of libcurl's may come from the environment or change. */
static void set_guards(struct transfer *transfer)
{
    set_number(transfer, CURLOPT_PROTOCOLS, CURLPROTO_HTTPS, "protocols");
    set_number(transfer, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1, "http_version");
    set_number(transfer, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2, "sslversion");
    set_number(transfer, CURLOPT_SSL_VERIFYPEER, 1, "ssl_verifypeer");
    set_number(transfer, CURLOPT_SSL_VERIFYHOST, 2, "ssl_verifyhost");
    set_number(transfer, CURLOPT_FOLLOWLOCATION, 0, "followlocation");
    set_number(transfer, CURLOPT_NETRC, CURL_NETRC_IGNORED, "netrc");
    set_number(transfer, CURLOPT_NOSIGNAL, 1, "nosignal");
    set_number(transfer, CURLOPT_TCP_NODELAY, 1, "tcp_nodelay");
    set_number(transfer, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC, "httpauth");
    set_number(transfer, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1, "suppress_connect_headers");
    set_pointer(transfer, CURLOPT_ACCEPT_ENCODING, NULL, "accept_encoding");
}

/* One connection for one login. */
static void set_connections(struct transfer *transfer)
{
    if (curl_multi_setopt(transfer->multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK)
        transfer->what = "maxconnects";
}

static void set_peer(struct transfer *transfer, const struct settings *settings,
                     const struct http_credentials *credentials)
{
    const char *file, *directory;

    transfer_certificates(settings, &file, &directory);
    set_pointer(transfer, CURLOPT_CAINFO, file, "cainfo");
    set_pointer(transfer, CURLOPT_CAPATH, directory, "capath");
    set_pointer(transfer, CURLOPT_PROXY, settings->proxy != NULL ? settings->proxy : "", "proxy");
    set_pointer(transfer, CURLOPT_NOPROXY, "", "noproxy");
    set_pointer(transfer, CURLOPT_USERNAME, credentials->user, "username");
    set_pointer(transfer, CURLOPT_PASSWORD, credentials->secret, "password");
    set_pointer(transfer, CURLOPT_USERAGENT, "pam_twilio_verify/" PATHS_VERSION, "useragent");
    set_pointer(transfer, CURLOPT_HTTPHEADER, transfer->headers, "httpheader");
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

/* Anyone who takes all the memory that this host promises must not make a handshake fail: the heap
 * grows now, and does not shrink again. */
static bool take_memory(void)
{
    void *memory;

    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    mallopt(M_MMAP_THRESHOLD, 2 * MEMORY_SIZE);
    memory = malloc(MEMORY_SIZE);
    free(memory);
    return memory != NULL;
}

static bool make_parts(struct transfer *transfer)
{
    const struct settings *settings = transfer->settings;

    transfer->multi = curl_multi_init();
    transfer->model = curl_easy_init();
    transfer->headers = curl_slist_append(NULL, "Accept: application/json");
    transfer->body = malloc(HTTP_BODY_MAX);
    return transfer->multi != NULL && transfer->model != NULL && transfer->headers != NULL &&
           transfer->body != NULL &&
           find_host(settings->proxy != NULL ? settings->proxy : settings->base_url,
                     &transfer->host) &&
           take_memory();
}

static bool set_all(struct transfer *transfer, const struct http_credentials *credentials)
{
    transfer->easy = transfer->model;
    set_callbacks(transfer);
    set_guards(transfer);
    set_connections(transfer);
    set_peer(transfer, transfer->settings, credentials);
    transfer->easy = NULL;
    return transfer->what == NULL;
}

bool transfer_open(const struct settings *settings, const struct http_credentials *credentials,
                   struct move *move, const struct transfer_hook *hook,
                   struct transfer **ret_transfer, struct verdict *why_not)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);

    if (transfer == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(transfer);
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl cannot be initialized");
    }

    *transfer = (struct transfer){
        .settings = settings, .move = move, .hook = hook, .kept = CURL_SOCKET_BAD
    };
    if (!make_parts(transfer)) {
        transfer_free(transfer);
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl: out of memory");
    }
    if (!set_all(transfer, credentials)) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "libcurl rejects %s", transfer->what);
        transfer_free(transfer);
        return false;
    }

    *ret_transfer = transfer;
    return true;
}

/* Whether the kept connection has something to say that nobody asked for: libcurl before 8.1 takes
 * the end of TLS for a sign of life, and a code that is sent there gets lost. */
static bool is_stale(const struct transfer *transfer)
{
    struct pollfd poller = { .fd = transfer->kept, .events = POLLIN };

    return transfer->kept != CURL_SOCKET_BAD && poll(&poller, 1, 0) > 0;
}

/* False: the body does not fit. */
static bool set_form(struct transfer *transfer, const struct http_request *request)
{
    const char *form = request->form;

    transfer->digits = request->code;
    if (request->code != NULL) {
        int length = snprintf(transfer->body_sent, CODE_FORM_SIZE, "%s%0*d", form,
                              transfer->settings->code_length, 0);
        if (length < 0 || length >= CODE_FORM_SIZE)
            return false;
        form = transfer->body_sent;
    }
    set_number(transfer, CURLOPT_POSTFIELDSIZE, (long)strlen(form), "postfieldsize");
    set_pointer(transfer, CURLOPT_POSTFIELDS, form, "postfields");
    return true;
}

/* A handle of its own for each request: libcurl from 7.83 to 8.2 keeps a pointer to the last field
 * of the last reply, which it has freed, and takes a folded first field for a part of that. */
bool transfer_begin(struct transfer *transfer, const struct http_request *request)
{
    bool is_fresh = transfer->failed || is_stale(transfer);
    char url[URL_SIZE];
    int length = snprintf(url, sizeof url, "%s%s", transfer->settings->base_url, request->path);

    transfer->what = transfer->fault = NULL;
    transfer->is_sent = false;
    transfer->code = CURLE_OK;
    transfer->body_size = 0;
    transfer->error[0] = '\0';
    head_begin(&transfer->head);
    move_begin(transfer->move, is_fresh);

    transfer->easy = curl_easy_duphandle(transfer->model);
    if (transfer->easy == NULL)
        return false;
    set_number(transfer, CURLOPT_FRESH_CONNECT, is_fresh, "fresh_connect");
    set_pointer(transfer, CURLOPT_URL, url, "url");
    set_pointer(transfer, CURLOPT_CUSTOMREQUEST, request->is_delete ? "DELETE" : NULL,
                "customrequest");
    if (request->form == NULL)
        set_number(transfer, CURLOPT_HTTPGET, 1, "httpget");
    else if (!set_form(transfer, request))
        return false;
    return length > 0 && (size_t)length < sizeof url && transfer->what == NULL &&
           curl_multi_add_handle(transfer->multi, transfer->easy) == CURLM_OK;
}

enum transfer_state transfer_step(struct transfer *transfer)
{
    const CURLMsg *message;
    int running, queued;

    if (curl_multi_perform(transfer->multi, &running) != CURLM_OK) {
        transfer->code = CURLE_FAILED_INIT;
        return TRANSFER_FAILED;
    }
    while ((message = curl_multi_info_read(transfer->multi, &queued)) != NULL)
        if (message->msg == CURLMSG_DONE) {
            transfer->code = message->data.result;
            return transfer->code == CURLE_OK ? TRANSFER_REPLIED : TRANSFER_FAILED;
        }
    return TRANSFER_GOES_ON;
}

bool transfer_wait(struct transfer *transfer, int descriptor, int64_t wait_ms)
{
    struct curl_waitfd extra = { .fd = descriptor, .events = CURL_WAIT_POLLIN };
    int ready = 0;

    curl_multi_poll(transfer->multi, descriptor >= 0 ? &extra : NULL, descriptor >= 0 ? 1 : 0,
                    (int)wait_ms, &ready);
    return ready > 0;
}

bool transfer_is_sent(const struct transfer *transfer)
{
    return transfer->is_sent;
}

/* What libcurl's word for a failure says of the other side. A word that is not here says
 * nothing. */
enum move_end transfer_end_of(const struct transfer *transfer)
{
    switch ((int)transfer->code) {
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

const char *transfer_words(const struct transfer *transfer)
{
    if (transfer->fault != NULL)
        return transfer->fault;
    return transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(transfer->code);
}

bool transfer_is_distrusted(const struct transfer *transfer)
{
    return transfer->code == CURLE_PEER_FAILED_VERIFICATION;
}

int transfer_proxy_status(const struct transfer *transfer)
{
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return (int)status;
}

enum cause_kind transfer_judge_trust(const struct transfer *transfer)
{
    const char *file, *directory;
    long result = 0;

    if (transfer->code == CURLE_SSL_CACERT_BADFILE)
        return CAUSE_CERTIFICATES;
    if (!transfer_is_distrusted(transfer))
        return CAUSE_OTHER_SIDE;
    curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &result);
    transfer_certificates(transfer->settings, &file, &directory);
    if (result == CERTIFICATE_NOT_YET_VALID)
        return CAUSE_CLOCK;
    return certificates_are_readable(file, directory) ? CAUSE_OTHER_SIDE : CAUSE_CERTIFICATES;
}

void transfer_fill(const struct transfer *transfer, struct http_reply *ret_reply)
{
    curl_off_t retry_after = 0;
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
    *ret_reply = (struct http_reply){
        .status = (int)status,
        .body = transfer->body,
        .size = transfer->body_size,
        .retry_after_seconds = retry_after > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (long)retry_after,
        .request_id = transfer->head.request_id,
        .date_seconds =
            transfer->head.date[0] != '\0' ? curl_getdate(transfer->head.date, NULL) : -1,
    };
}

void transfer_end(struct transfer *transfer, bool has_failed)
{
    transfer->failed = has_failed;
    explicit_bzero(transfer->body_sent, CODE_FORM_SIZE);
    transfer->digits = NULL;
    if (transfer->easy == NULL)
        return;
    if (curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &transfer->kept) != CURLE_OK)
        transfer->kept = CURL_SOCKET_BAD;
    curl_multi_remove_handle(transfer->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    transfer->easy = NULL;
}

void transfer_free(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    curl_easy_cleanup(transfer->easy);
    curl_easy_cleanup(transfer->model);
    curl_multi_cleanup(transfer->multi);
    curl_slist_free_all(transfer->headers);
    free(transfer->host);
    if (transfer->body != NULL)
        explicit_bzero(transfer->body, HTTP_BODY_MAX); /* a new factor's secret */
    free(transfer->body);
    free(transfer);
}
