/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The name servers, asked beside a look-up of the C library. */
#include "resolver.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../core/descriptor.h"

#define RESOLV_CONF "/etc/resolv.conf"

enum {
    ASK_AFTER_MS = 100,   /* most look-ups have ended by then */
    ASK_AGAIN_MS = 1000,  /* UDP gets lost */
    SETTLE_MS = 2000,     /* from the question on, for the answer after a look-up failed */
    TIMEOUT_MIN_MS = 900, /* resolv.conf(5) waits for a name server for a second at least */
    MESSAGE_SIZE = 4096
};

static const uint16_t types[RESOLVER_QUERIES] = { ns_t_a, ns_t_aaaa };

/* Messages */

static uint16_t get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

size_t resolver_print(const char *name, uint16_t id, uint16_t type,
                      uint8_t query[RESOLVER_QUERY_SIZE])
{
    struct __res_state state = { .options = RES_RECURSE };
    int size = res_nmkquery(&state, ns_o_query, name, ns_c_in, type, NULL, 0, NULL, query,
                            RESOLVER_QUERY_SIZE);

    if (size < 0)
        return 0;
    query[0] = (uint8_t)(id >> 8);
    query[1] = (uint8_t)id;
    return (size_t)size;
}

/* Where the name at AT ends; 0: nowhere. */
static size_t skip_name(const uint8_t *message, size_t size, size_t at)
{
    int length = at < size ? dn_skipname(message + at, message + size) : 0;

    return length > 0 ? at + (size_t)length : 0;
}

enum resolver_answer resolver_read(const uint8_t *message, size_t size, uint16_t id, uint16_t type)
{
    enum { IS_REPLY = 0x80, OPERATION = 0x78, IS_CUT = 0x02, CODE = 0x0f };
    size_t at = NS_HFIXEDSZ;

    if (size < NS_HFIXEDSZ || get16(message) != id || (message[2] & IS_REPLY) == 0 ||
        (message[2] & OPERATION) != 0)
        return RESOLVER_NO_ANSWER;
    if ((message[3] & CODE) != 0)
        return RESOLVER_NO;
    if ((message[2] & IS_CUT) != 0)
        return RESOLVER_ADDRESS; /* more than fits */

    for (int left = get16(message + 4); left > 0; left--) {
        at = skip_name(message, size, at);
        if (at == 0)
            return RESOLVER_NO;
        at += NS_QFIXEDSZ;
    }
    for (int left = get16(message + 6); left > 0; left--) {
        at = skip_name(message, size, at);
        if (at == 0 || at + NS_RRFIXEDSZ > size)
            return RESOLVER_NO;
        if (get16(message + at) == type)
            return RESOLVER_ADDRESS;
        at += NS_RRFIXEDSZ + (size_t)get16(message + at + 8);
    }
    return RESOLVER_NO;
}

/* Servers */

static void note(struct resolver *resolver, enum cause_kind kind, const char *call, int error)
{
    if (resolver->cause.kind == CAUSE_OTHER_SIDE)
        resolver->cause = (struct cause){ kind, error, call };
}

static void open_server(struct resolver *resolver, const struct addrinfo *address)
{
    struct resolver_server *server = &resolver->servers[resolver->count++];
    int type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

    *server = (struct resolver_server){ .descriptor = socket(address->ai_family, type, 0) };
    if (server->descriptor < 0) {
        server->is_refused = errno == EAFNOSUPPORT;
        if (!server->is_refused)
            note(resolver, CAUSE_CALL, "socket() for the name server", errno);
    } else if (connect(server->descriptor, address->ai_addr, address->ai_addrlen) != 0) {
        server->is_refused = cause_is_network(errno);
        if (!server->is_refused)
            note(resolver, CAUSE_CALL, "connect() to the name server", errno);
    }
}

static void add_server(struct resolver *resolver, const char *text)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                    .ai_socktype = SOCK_DGRAM };
    struct addrinfo *address;

    if (resolver->count == RESOLVER_SERVERS_MAX || getaddrinfo(text, "53", &hints, &address) != 0)
        return;
    open_server(resolver, address);
    freeaddrinfo(address);
}

/* What follows WORD where LINE begins with that. */
static char *after(char *line, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(line, word, length) != 0 || strchr(" \t", line[length]) == NULL)
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    return line + length + strspn(line + length, " \t");
}

/* resolv.conf(5) */
static void read_line(struct resolver *resolver, char *line)
{
    char *server = after(line, "nameserver");
    const char *options = after(line, "options");

    if (server != NULL) {
        server[strcspn(server, " \t")] = '\0';
        add_server(resolver, server);
    }
    resolver->is_tcp_only |= options != NULL && strstr(options, "use-vc") != NULL;
}

static void open_servers(struct resolver *resolver)
{
    FILE *file = fopen(RESOLV_CONF, "re");
    char line[512];

    if (file == NULL && errno != ENOENT)
        note(resolver, CAUSE_FILE, RESOLV_CONF, errno);
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        read_line(resolver, line);
    if (file != NULL)
        fclose(file);
}

static void *do_nothing(void *unused)
{
    return unused;
}

static void start_thread(struct resolver *resolver)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, do_nothing, NULL);

    if (error != 0)
        note(resolver, CAUSE_THREAD, "pthread_create", error);
    else
        pthread_join(thread, NULL);
}

static void print_queries(struct resolver *resolver, const char *name)
{
    uint16_t id = 0;

    if (getrandom(&id, sizeof id, GRND_NONBLOCK) != sizeof id)
        id = (uint16_t)getpid();
    for (size_t i = 0; i < RESOLVER_QUERIES; i++)
        resolver->query_size =
            resolver_print(name, (uint16_t)(id + i), types[i], resolver->queries[i]);
    if (resolver->query_size == 0)
        note(resolver, CAUSE_UNKNOWN, NULL, 0);
}

void resolver_begin(struct resolver *resolver, const char *name, int64_t now_ms)
{
    if (!resolver->is_open) {
        *resolver = (struct resolver){ .is_open = true };
        if (name != NULL) {
            resolver->cause.kind = CAUSE_OTHER_SIDE;
            open_servers(resolver);
            print_queries(resolver, name);
        }
    }
    resolver->began_ms = now_ms;
    resolver->asked_ms = 0;
    for (size_t i = 0; i < resolver->count; i++) {
        memset(resolver->servers[i].answered, 0, sizeof resolver->servers[i].answered);
        resolver->servers[i].is_good = false;
    }
    if (name != NULL)
        start_thread(resolver);
}

static bool is_done(const struct resolver_server *server)
{
    return server->is_refused || (server->answered[0] && server->answered[1]);
}

static void ask(struct resolver *resolver, struct resolver_server *server)
{
    for (size_t i = 0; i < RESOLVER_QUERIES && resolver->query_size > 0 && !is_done(server); i++) {
        if (send(server->descriptor, resolver->queries[i], resolver->query_size, 0) >= 0)
            continue;
        if (cause_is_network(errno))
            server->is_refused = true;
        else if (errno != EAGAIN)
            note(resolver, CAUSE_CALL, "send() to the name server", errno);
    }
}

static void take(struct resolver *resolver, struct resolver_server *server)
{
    uint8_t message[MESSAGE_SIZE];
    ssize_t size;

    while ((size = recv(server->descriptor, message, sizeof message, 0)) >= 0)
        for (size_t i = 0; i < RESOLVER_QUERIES; i++) {
            enum resolver_answer answer =
                resolver_read(message, (size_t)size, get16(resolver->queries[i]), types[i]);
            server->answered[i] |= answer != RESOLVER_NO_ANSWER;
            server->is_good |= answer == RESOLVER_ADDRESS;
        }
    if (cause_is_network(errno))
        server->is_refused = true;
    else if (errno != EAGAIN)
        note(resolver, CAUSE_CALL, "recv() from the name server", errno);
}

static void ask_all(struct resolver *resolver, int64_t now_ms)
{
    resolver->asked_ms = now_ms;
    for (size_t i = 0; i < resolver->count; i++)
        ask(resolver, &resolver->servers[i]);
}

static void take_all(struct resolver *resolver)
{
    for (size_t i = 0; i < resolver->count; i++)
        if (!is_done(&resolver->servers[i]))
            take(resolver, &resolver->servers[i]);
}

void resolver_step(struct resolver *resolver, int64_t now_ms)
{
    bool is_asked = resolver->asked_ms != 0;

    if (now_ms - (is_asked ? resolver->asked_ms : resolver->began_ms) >=
        (is_asked ? ASK_AGAIN_MS : ASK_AFTER_MS))
        ask_all(resolver, now_ms);
    if (is_asked)
        take_all(resolver);
}

bool resolver_is_settled(struct resolver *resolver, int64_t now_ms)
{
    bool is_settled = true;

    if (resolver->cause.kind != CAUSE_OTHER_SIDE)
        return true;
    if (resolver->asked_ms == 0)
        ask_all(resolver, now_ms);
    take_all(resolver);
    for (size_t i = 0; i < resolver->count; i++) {
        if (resolver->servers[i].is_good)
            return true;
        is_settled = is_settled && is_done(&resolver->servers[i]);
    }
    return is_settled || now_ms - resolver->began_ms >= SETTLE_MS;
}

/* The judge */

/* Whether this host had no memory for an answer that is missing: the caller may have chosen a
 * control group that has none left for sockets. */
static bool has_dropped(const struct resolver_server *server)
{
    uint32_t counts[SK_MEMINFO_VARS] = { 0 };
    socklen_t size = sizeof counts;

    return !is_done(server) && server->descriptor >= 0 &&
           getsockopt(server->descriptor, SOL_SOCKET, SO_MEMINFO, counts, &size) == 0 &&
           counts[SK_MEMINFO_DROPS] > 0;
}

static struct cause find_closed_file(void)
{
    static const char *const files[] = { RESOLV_CONF, "/etc/hosts", "/etc/nsswitch.conf",
                                         "/etc/gai.conf", "/etc/host.conf" };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        auto_close descriptor = open(files[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (descriptor < 0 && errno != ENOENT)
            return (struct cause){ CAUSE_FILE, errno, files[i] };
    }
    return (struct cause){ CAUSE_OTHER_SIDE };
}

struct cause resolver_judge_failure(const struct resolver *resolver, int64_t looked_up_ms)
{
    struct cause closed = find_closed_file();
    bool said_something = false, is_refused = true;

    if (resolver->cause.kind != CAUSE_OTHER_SIDE)
        return resolver->cause;
    if (closed.kind != CAUSE_OTHER_SIDE)
        return closed;
    if (resolver->count == 0)
        return (struct cause){ CAUSE_NO_SERVER };
    for (size_t i = 0; i < resolver->count; i++) {
        const struct resolver_server *server = &resolver->servers[i];
        if (server->is_good)
            return (struct cause){ CAUSE_RESOLVER };
        if (has_dropped(server))
            return (struct cause){ CAUSE_DROPPED };
        is_refused = is_refused && server->is_refused;
        said_something |= server->is_refused || server->answered[0] || server->answered[1];
    }
    if (is_refused && !cause_has_network())
        return (struct cause){ CAUSE_NO_NETWORK };
    /* Sooner than a silent name server is given up. */
    if (!said_something && (looked_up_ms < TIMEOUT_MIN_MS || resolver->is_tcp_only))
        return (struct cause){ CAUSE_UNKNOWN };
    return (struct cause){ CAUSE_OTHER_SIDE };
}

static bool is_unread(const struct resolver_server *server)
{
    struct pollfd poller = { .fd = server->descriptor, .events = POLLIN };

    return poll(&poller, 1, 0) != 0;
}

struct cause resolver_judge_silence(const struct resolver *resolver)
{
    const struct resolver_server *first = &resolver->servers[0];
    bool is_silent = false;

    if (resolver->cause.kind != CAUSE_OTHER_SIDE)
        return resolver->cause;
    if (resolver->asked_ms == 0)
        return (struct cause){ CAUSE_NO_TIME };
    for (size_t i = 0; i < resolver->count; i++) {
        if (!is_done(&resolver->servers[i]) && is_unread(&resolver->servers[i]))
            return (struct cause){ CAUSE_NO_TIME };
        if (has_dropped(&resolver->servers[i]))
            return (struct cause){ CAUSE_DROPPED };
        is_silent |= !is_done(&resolver->servers[i]);
    }
    /* The C library asks one after the other, and waits for seconds between them. */
    if (!is_silent || resolver->is_tcp_only || (first->is_good && is_done(first)))
        return (struct cause){ CAUSE_RESOLVER };
    return (struct cause){ CAUSE_OTHER_SIDE };
}

void resolver_close(struct resolver *resolver)
{
    for (size_t i = 0; i < resolver->count; i++)
        if (resolver->servers[i].descriptor >= 0)
            close(resolver->servers[i].descriptor);
    *resolver = (struct resolver){ .is_open = false };
}
