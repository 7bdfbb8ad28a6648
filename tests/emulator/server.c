/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Listens, and hands each request to an exchange. */
#include "server.h"

#include "exchange.h"
#include "memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 2000,
    CONNECTION_MEMORY = 64 * 1024,
    IDLE_SECONDS_MAX = 300,
    THREAD_STACK_SIZE = 1024 * 1024,
};

struct server {
    struct emulator *emulator;
    const struct credentials *credentials;
    struct MHD_Daemon *daemon;
    int listener, log;
    uint16_t port;
};

static void *server_begin_exchange(void *context, const char *uri,
                                   struct MHD_Connection *connection)
{
    struct server *server = context;
    struct exchange *exchange = exchange_new(uri);

    (void)connection;
    if (exchange == NULL)
        return NULL;

    exchange->emulator = server->emulator;
    exchange->credentials = server->credentials;
    exchange->log = server->log;
    return exchange;
}

static enum MHD_Result server_handle(void *context, struct MHD_Connection *connection,
                                     const char *url, const char *method, const char *version,
                                     const char *bytes, size_t *size, void **request)
{
    struct exchange *exchange = *request;

    (void)context, (void)url, (void)version;
    if (exchange == NULL)
        return MHD_NO;
    if (!exchange->is_started) {
        exchange->is_started = true;
        return MHD_YES;
    }
    if (*size > 0) {
        exchange_take(exchange, bytes, *size);
        *size = 0;
        return MHD_YES;
    }
    return exchange_answer(exchange, connection, method);
}

static void server_end_exchange(void *context, struct MHD_Connection *connection, void **request,
                                enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *request;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    (void)context, (void)code;
    if (exchange == NULL)
        return;

    if (exchange->reply.drops)
        shutdown(info->connect_fd, SHUT_RDWR);
    exchange_free(exchange);
    *request = NULL;
}

static void server_note_connection(void *context, struct MHD_Connection *connection, void **socket,
                                   enum MHD_ConnectionNotificationCode code)
{
    struct server *server = context;

    (void)connection, (void)socket;
    if (code != MHD_CONNECTION_NOTIFY_STARTED)
        return;

    pthread_mutex_lock(&server->emulator->lock);
    server->emulator->stats.connections++;
    pthread_mutex_unlock(&server->emulator->lock);
}

/* Every connection inherits TCP_NODELAY: a reply must not wait for the client's ACK. */
static bool server_listen(struct server *server, const struct server_settings *settings,
                          struct reason *why_not)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(settings->port) };
    socklen_t size = sizeof(address);
    int on = 1;

    if (inet_pton(AF_INET, settings->address, &address.sin_addr) != 1)
        return reason_refuse(why_not, "--address: %s is no IPv4 address, as in 127.0.0.1",
                             settings->address);

    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->listener < 0 ||
        setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        setsockopt(server->listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        bind(server->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(server->listener, SOMAXCONN) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0)
        return reason_refuse(why_not,
                             "--port: can't listen on %s:%u: %s; choose another port, or 0 for any",
                             settings->address, settings->port, strerror(errno));

    server->port = ntohs(address.sin_port);
    return true;
}

static bool server_serve(struct server *server, const struct server_settings *settings,
                         struct reason *why_not)
{
    unsigned flags = MHD_USE_TLS | MHD_USE_POLL | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC | MHD_USE_SUPPRESS_DATE_NO_CLOCK;

    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, server_handle, server, MHD_OPTION_LISTEN_SOCKET, server->listener,
        MHD_OPTION_HTTPS_MEM_CERT, settings->certificate, MHD_OPTION_HTTPS_MEM_KEY, settings->key,
        MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS_MAX,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_SIZE, MHD_OPTION_URI_LOG_CALLBACK,
        server_begin_exchange, server, MHD_OPTION_NOTIFY_COMPLETED, server_end_exchange, server,
        MHD_OPTION_NOTIFY_CONNECTION, server_note_connection, server, MHD_OPTION_END);
    if (server->daemon == NULL)
        return reason_refuse(why_not, "can't serve: --certificate and --key must be a certificate "
                                      "and its key, both in PEM");

    server->listener = -1; /* the daemon's from now on */
    return true;
}

bool server_start(struct emulator *emulator, const struct server_settings *settings,
                  struct server **ret_server, struct reason *why_not)
{
    struct server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return reason_refuse(why_not, "no memory");

    server->emulator = emulator;
    server->credentials = settings->credentials;
    server->log = settings->log;
    server->listener = -1;
    if (!server_listen(server, settings, why_not) || !server_serve(server, settings, why_not)) {
        server_stop(server);
        return false;
    }

    *ret_server = server;
    return true;
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

void server_stop(struct server *server)
{
    if (server == NULL)
        return;

    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    if (server->listener >= 0)
        close(server->listener);
    free(server);
}
