/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Takes a request, and sends its reply in the way that the faults ask for. */
#define _GNU_SOURCE 1 /* POLLRDHUP, strchrnul */

#include "exchange.h"

#include "memory.h"
#include "request-log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DRIP_MS = 300, ENDLESS_BLOCK_SIZE = 4096, CUT_SIZE = 100 };

struct exchange *exchange_new(const char *uri)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    char *mark = NULL;

    if (exchange == NULL)
        return NULL;

    exchange->path = strdup(uri);
    exchange->body = malloc(API_BODY_SIZE_MAX);
    if (exchange->path == NULL || exchange->body == NULL) {
        exchange_free(exchange);
        return NULL;
    }

    mark = strchrnul(exchange->path, '?');
    exchange->query = *mark == '\0' ? mark : mark + 1;
    *mark = '\0';
    clock_gettime(CLOCK_MONOTONIC, &exchange->begin);
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    reply_free(&exchange->reply);
    free(exchange->path);
    free(exchange->body);
    free(exchange);
}

void exchange_take(struct exchange *exchange, const char *bytes, size_t size)
{
    if (size > API_BODY_SIZE_MAX - exchange->body_size) {
        exchange->is_too_large = true;
        return;
    }

    memcpy(exchange->body + exchange->body_size, bytes, size);
    exchange->body_size += size;
}

/* Below 0: for ever. False: the client went, or the server stops, which shuts the socket down. */
static bool exchange_pause(const struct exchange *exchange, int milliseconds)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd end = { .fd = info->connect_fd, .events = POLLRDHUP };
    int ready = 0;

    do
        ready = poll(&end, 1, milliseconds);
    while (ready < 0 && errno == EINTR);
    return ready == 0;
}

static ssize_t exchange_drip(void *context, uint64_t position, char *bytes, size_t size)
{
    struct exchange *exchange = context;

    (void)size;
    if (!exchange_pause(exchange, DRIP_MS))
        return MHD_CONTENT_READER_END_WITH_ERROR;

    bytes[0] = exchange->reply.body[position];
    return 1;
}

static ssize_t exchange_cut(void *context, uint64_t position, char *bytes, size_t size)
{
    struct exchange *exchange = context;
    size_t left = exchange->reply.size - position;

    if (left == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (left > size)
        left = size;

    memcpy(bytes, exchange->reply.body + position, left);
    return (ssize_t)left;
}

static ssize_t exchange_go_on(void *context, uint64_t position, char *bytes, size_t size)
{
    struct exchange *exchange = context;

    if (position < exchange->reply.size)
        return exchange_cut(context, position, bytes, size);
    if (!exchange_pause(exchange, 1))
        return MHD_CONTENT_READER_END_WITH_ERROR;

    memset(bytes, ' ', size);
    return (ssize_t)size;
}

/* NULL: no memory. */
static struct MHD_Response *exchange_response(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;

    switch (reply->transport) {
    case TRANSPORT_DRIP:
        return MHD_create_response_from_callback(reply->size, 1, exchange_drip, exchange, NULL);
    case TRANSPORT_CUT:
        return MHD_create_response_from_callback(reply->size + CUT_SIZE, ENDLESS_BLOCK_SIZE,
                                                 exchange_cut, exchange, NULL);
    case TRANSPORT_ENDLESS:
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, ENDLESS_BLOCK_SIZE,
                                                 exchange_go_on, exchange, NULL);
    case TRANSPORT_WHOLE:
    case TRANSPORT_SILENCE:
    case TRANSPORT_CLOSE:
        break;
    }
    return MHD_create_response_from_buffer(reply->size, reply->body, MHD_RESPMEM_PERSISTENT);
}

__attribute__((format(printf, 3, 4))) static void
exchange_add_header(struct MHD_Response *response, const char *name, const char *format, ...)
{
    char value[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(value, sizeof(value), format, arguments);
    va_end(arguments);
    MHD_add_response_header(response, name, value);
}

/* The response headers of Twilio's OpenAPI document, and those seen on its other hosts. */
static void exchange_add_common_headers(const struct exchange *exchange,
                                        struct MHD_Response *response)
{
    static const char *const same[][2] = {
        { "Access-Control-Allow-Origin", "*" },
        { "Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS" },
        { "Access-Control-Allow-Headers", "Authorization, Content-Type" },
        { "Access-Control-Allow-Credentials", "true" },
        { "Access-Control-Expose-Headers", "Retry-After, Twilio-Request-Id" },
        { "Twilio-Concurrent-Requests", "1" },
    };
    char sid[SID_SIZE] = "", date[CLOCK_DATE_SIZE];
    struct timespec end;

    for (size_t i = 0; i < ARRAY_SIZE(same); i++)
        MHD_add_response_header(response, same[i][0], same[i][1]);
    store_make_sid("RQ", sid);
    MHD_add_response_header(response, "Twilio-Request-Id", sid);
    clock_gettime(CLOCK_MONOTONIC, &end);
    exchange_add_header(response, "Twilio-Request-Duration", "%.3f",
                        (double)(end.tv_sec - exchange->begin.tv_sec) +
                            (double)(end.tv_nsec - exchange->begin.tv_nsec) / 1e9);
    clock_print_http_date(exchange->now, date);
    MHD_add_response_header(response, "Date", date);
}

static void exchange_add_headers(const struct exchange *exchange, struct MHD_Response *response)
{
    const struct reply *reply = &exchange->reply;
    const char *host = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Host");

    if (reply->size > 0)
        MHD_add_response_header(response, "Content-Type", reply->content_type);
    if (reply->status == 401)
        MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"Twilio API\"");
    if (reply->status >= 300 && reply->status < 400 && reply->status != 304)
        exchange_add_header(response, "Location", "https://%s/v2/elsewhere",
                            host != NULL ? host : "verify.twilio.com");
    if (reply->allow[0] != '\0')
        MHD_add_response_header(response, "Allow", reply->allow);
    if (reply->retry_after >= 0)
        exchange_add_header(response, "Retry-After", "%d", reply->retry_after);
    if (reply->signature_header != NULL)
        MHD_add_response_header(response, reply->signature_header, "an+arbitrary+string==");
    if (reply->signature_fields != NULL)
        MHD_add_response_header(response, "Twilio-Verify-Signature-Fields",
                                reply->signature_fields);
    if (reply->announces_close)
        MHD_add_response_header(response, "Connection", "close");
}

static enum MHD_Result exchange_send(struct exchange *exchange)
{
    struct MHD_Response *response = exchange_response(exchange);
    enum MHD_Result result = MHD_NO;

    if (response == NULL)
        return MHD_NO;

    exchange_add_common_headers(exchange, response);
    exchange_add_headers(exchange, response);
    result = MHD_queue_response(exchange->connection, exchange->reply.status, response);
    MHD_destroy_response(response);
    return result;
}

static bool exchange_is_form(struct MHD_Connection *connection)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");

    return type != NULL && strncasecmp(type, form, strlen(form)) == 0 &&
           strchr("; \t", type[strlen(form)]) != NULL;
}

static bool exchange_carry_out(struct exchange *exchange, const char *method)
{
    char *password = NULL;
    char *user = MHD_basic_auth_get_username_password(exchange->connection, &password);
    const struct request request = {
        .method = method,
        .path = exchange->path,
        .query = exchange->query,
        .body = exchange->body,
        .body_size = exchange->body_size,
        .is_form = exchange_is_form(exchange->connection),
        .is_too_large = exchange->is_too_large,
        .is_authentic = credentials_accept(exchange->credentials, user, password),
        .token = user != NULL && strcmp(user, "token") == 0 ? password : NULL,
    };
    bool is_printed = api_run(exchange->emulator, &request, &exchange->now, &exchange->reply);

    MHD_free(user);
    MHD_free(password);
    return is_printed;
}

enum MHD_Result exchange_answer(struct exchange *exchange, struct MHD_Connection *connection,
                                const char *method)
{
    struct reply *reply = &exchange->reply;

    exchange->connection = connection;
    if (!exchange_carry_out(exchange, method))
        return MHD_NO;

    bool has_answer = reply->transport != TRANSPORT_SILENCE && reply->transport != TRANSPORT_CLOSE;

    /* Before a byte goes out: a test that has the reply finds its line in the log. */
    request_log_write(exchange->log, method, exchange->path, has_answer ? reply->status : 0,
                      has_answer ? reply->code : 0);
    if (reply->delay_ms > 0 && !exchange_pause(exchange, (int)reply->delay_ms))
        return MHD_NO;
    if (reply->transport == TRANSPORT_SILENCE)
        exchange_pause(exchange, -1);
    return has_answer ? exchange_send(exchange) : MHD_NO;
}
