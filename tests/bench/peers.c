/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Stands in for the services of Duo and Yubico, on the same server library as the emulator, so that
 * pam_duo 1.x and pam_yubico can be measured beside the module: every code is right.
 *
 *   bench-peers PORT CERTIFICATE KEY      prints "ready"; ends at the end of file */
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY_MAX = 4096, FILE_MAX = 64 * 1024, DOCUMENT_MAX = 512, CONNECTIONS_MAX = 2000 };

enum { BSON_STRING = 2, BSON_DOCUMENT = 3 };

/* A document of BSON (bsonspec.org): its size, its elements, a NUL. */
struct bson {
    unsigned char bytes[DOCUMENT_MAX];
    size_t size;
};

static void put(struct bson *document, const void *bytes, size_t size)
{
    memcpy(document->bytes + document->size, bytes, size);
    document->size += size;
}

static void put_size(unsigned char *bytes, size_t size)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(size >> 8 * i);
}

static void begin(struct bson *document)
{
    document->size = 4;
}

static void end(struct bson *document)
{
    put(document, "", 1);
    put_size(document->bytes, document->size);
}

static void put_name(struct bson *document, unsigned char type, const char *name)
{
    put(document, &type, 1);
    put(document, name, strlen(name) + 1);
}

static void put_string(struct bson *document, const char *name, const char *text)
{
    unsigned char size[4];

    put_size(size, strlen(text) + 1);
    put_name(document, BSON_STRING, name);
    put(document, size, sizeof size);
    put(document, text, strlen(text) + 1);
}

static void put_document(struct bson *document, const char *name, const struct bson *inner)
{
    put_name(document, BSON_DOCUMENT, name);
    put(document, inner->bytes, inner->size);
}

static void answer_duo(const char *path, const char *form, struct bson *ret_reply)
{
    struct bson response, factors;

    begin(&response);
    if (strstr(path, "preauth") != NULL) {
        begin(&factors);
        put_string(&factors, "default", "push1");
        put_string(&factors, "1", "push1");
        end(&factors);
        put_string(&response, "result", "auth");
        put_string(&response, "prompt", "Passcode: ");
        put_document(&response, "factors", &factors);
    } else if (strstr(path, "auth.bson") != NULL && strstr(form, "async=1") != NULL) {
        put_string(&response, "txid", "1");
    } else {
        put_string(&response, "status", "Welcome");
        put_string(&response, "result", "allow");
    }
    end(&response);

    begin(ret_reply);
    put_string(ret_reply, "stat", "OK");
    put_document(ret_reply, "response", &response);
    end(ret_reply);
}

/* The validation protocol 2.0. The signature is a word: without a key pam_yubico can't check it. */
static size_t answer_yubico(struct MHD_Connection *connection, char reply[DOCUMENT_MAX])
{
    const char *otp = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "otp");
    const char *nonce = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "nonce");

    return (size_t)snprintf(
        reply, DOCUMENT_MAX,
        "h=none\r\nt=2026-01-01T00:00:00Z0001\r\notp=%.64s\r\nnonce=%.64s\r\nsl=100\r\n"
        "status=OK\r\n",
        otp != NULL ? otp : "", nonce != NULL ? nonce : "");
}

struct request {
    size_t size;
    char form[BODY_MAX + 1];
};

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *bytes,
                              size_t *size, void **state)
{
    struct request *request = *state;
    struct MHD_Response *response;
    struct bson reply;
    enum MHD_Result result;

    (void)context, (void)method, (void)version;
    if (request == NULL) {
        *state = calloc(1, sizeof *request);
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    if (*size > 0) {
        if (*size > BODY_MAX - request->size)
            return MHD_NO;
        memcpy(request->form + request->size, bytes, *size);
        request->size += *size;
        *size = 0;
        return MHD_YES;
    }

    if (strncmp(path, "/wsapi/", 7) == 0)
        reply.size = answer_yubico(connection, (char *)reply.bytes);
    else
        answer_duo(path, request->form, &reply);
    response = MHD_create_response_from_buffer(reply.size, reply.bytes, MHD_RESPMEM_MUST_COPY);
    result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static void forget(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    free(*state);
}

static char *read_file(const char *path)
{
    char *text = calloc(1, FILE_MAX);
    FILE *file = fopen(path, "re");

    if (text == NULL || file == NULL || fread(text, 1, FILE_MAX - 1, file) == 0) {
        fprintf(stderr, "bench-peers: %s can't be read\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

static int listen_at(const char *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

    if (setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, SOMAXCONN) != 0) {
        perror("bench-peers: listen");
        exit(1);
    }
    return listener;
}

int main(int argc, char **argv)
{
    unsigned flags = MHD_USE_TLS | MHD_USE_POLL | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC;
    struct MHD_Daemon *daemon;
    char byte;

    if (argc != 4) {
        fputs("usage: bench-peers PORT CERTIFICATE KEY\n", stderr);
        return 2;
    }
    daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL, MHD_OPTION_LISTEN_SOCKET,
                              listen_at(argv[1]), MHD_OPTION_HTTPS_MEM_CERT, read_file(argv[2]),
                              MHD_OPTION_HTTPS_MEM_KEY, read_file(argv[3]),
                              MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                              MHD_OPTION_NOTIFY_COMPLETED, forget, NULL, MHD_OPTION_END);
    if (daemon == NULL) {
        fputs("bench-peers: can't serve\n", stderr);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    MHD_stop_daemon(daemon);
    return 0;
}
