/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Serves and uses the control socket. */
#define _GNU_SOURCE 1 /* accept4 */

#include "control.h"

#include "command.h"
#include "memory.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* What is polled: the clients, the listener, the descriptor that ends it. */
enum { CONTROL_LISTENER = CONTROL_CLIENTS_MAX, CONTROL_END, CONTROL_POLLED };

static bool control_address(const char *path, struct sockaddr_un *ret_address)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path))
        return false;

    strcpy(address.sun_path, path);
    *ret_address = address;
    return true;
}

/* A socket that is left over from an emulator that was killed. */
static bool control_is_stale(const struct sockaddr_un *address)
{
    struct stat file;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_refused = false;

    if (probe < 0)
        return false;

    is_refused = connect(probe, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
                 errno == ECONNREFUSED;
    close(probe);
    return is_refused && lstat(address->sun_path, &file) == 0 && S_ISSOCK(file.st_mode);
}

static bool control_bind(struct control *control, const struct sockaddr_un *address)
{
    mode_t mask = umask(0177);
    int result = -1;

    if (control_is_stale(address))
        unlink(address->sun_path);
    result = bind(control->listener, (const struct sockaddr *)address, sizeof(*address));
    umask(mask);
    return result == 0 && listen(control->listener, SOMAXCONN) == 0;
}

bool control_start(const char *path, struct control *ret_control, struct reason *why_not)
{
    struct control control = { .path = path, .listener = -1 };
    struct sockaddr_un address;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        control.clients[i].socket = -1;
    if (path == NULL) {
        *ret_control = control;
        return true;
    }
    if (!control_address(path, &address))
        return reason_refuse(why_not, "--control: a path has 1 to %zu bytes; choose a shorter one",
                             sizeof(address.sun_path) - 1);

    control.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control.listener < 0 || !control_bind(&control, &address)) {
        reason_refuse(why_not, "--control: can't listen on %s: %s; remove it or choose another",
                      path, strerror(errno));
        if (control.listener >= 0)
            close(control.listener);
        return false;
    }

    *ret_control = control;
    return true;
}

/* Does nothing while all places are taken: who comes then waits in the queue. */
static void control_accept(struct control *control)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (control->clients[i].socket >= 0)
            continue;
        control->clients[i].socket =
            accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        control->clients[i].size = 0;
        return;
    }
}

/* False: the client is to be let go. */
static bool control_reply(struct emulator *emulator, char *line, int client)
{
    auto_free char *text = NULL;
    size_t size = 0;
    FILE *reply = open_memstream(&text, &size);

    if (reply == NULL)
        return false;

    command_run(emulator, line, reply);
    fclose(reply);
    return send(client, text, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Reads what is there and obeys each whole line of it. */
static bool control_read(struct control *control, struct emulator *emulator, size_t number)
{
    char *line = control->clients[number].line;
    size_t *size = &control->clients[number].size;
    ssize_t more = read(control->clients[number].socket, line + *size, CONTROL_LINE_SIZE - *size);
    char *end = NULL;

    if (more < 0)
        return errno == EAGAIN || errno == EINTR;
    if (more == 0)
        return false;

    *size += (size_t)more;
    while ((end = memchr(line, '\n', *size)) != NULL) {
        size_t used = (size_t)(end - line) + 1;

        *end = '\0';
        if (!control_reply(emulator, line, control->clients[number].socket))
            return false;
        *size -= used;
        memmove(line, line + used, *size);
    }
    return *size < CONTROL_LINE_SIZE;
}

/* Waits until something comes. The listener is asked only while a place is free. */
static int control_wait(const struct control *control, int end, struct pollfd *ret_ready)
{
    bool has_place = false;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        ret_ready[i] = (struct pollfd){ .fd = control->clients[i].socket, .events = POLLIN };
        has_place |= control->clients[i].socket < 0;
    }
    ret_ready[CONTROL_LISTENER] =
        (struct pollfd){ .fd = has_place ? control->listener : -1, .events = POLLIN };
    ret_ready[CONTROL_END] = (struct pollfd){ .fd = end, .events = POLLIN };
    return poll(ret_ready, CONTROL_POLLED, -1);
}

void control_serve(struct control *control, struct emulator *emulator, int end)
{
    struct pollfd ready[CONTROL_POLLED];

    for (;;) {
        if (control_wait(control, end, ready) < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        if (ready[CONTROL_END].revents != 0)
            return;

        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
            if (ready[i].revents != 0 && !control_read(control, emulator, i)) {
                close(control->clients[i].socket);
                control->clients[i].socket = -1;
            }
        }
        if (ready[CONTROL_LISTENER].revents != 0)
            control_accept(control);
    }
}

void control_stop(struct control *control)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (control->clients[i].socket >= 0)
            close(control->clients[i].socket);
    }
    if (control->listener < 0)
        return;

    close(control->listener);
    unlink(control->path);
}

int control_send(const char *path, int count, char *const *words)
{
    struct sockaddr_un address;
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FILE *stream = client < 0 ? NULL : fdopen(client, "r+");
    auto_free char *reply = NULL;
    size_t size = 0;

    if (stream == NULL || !control_address(path, &address) ||
        connect(client, (struct sockaddr *)&address, sizeof(address)) != 0) {
        fprintf(stderr,
                "twilio-verify-emulator: can't reach %s: %s; is an emulator running with "
                "--control %s?\n",
                path, strerror(errno), path);
        if (stream != NULL)
            fclose(stream);
        return 1;
    }

    for (int i = 0; i < count; i++)
        fprintf(stream, "%s%s", i == 0 ? "" : " ", words[i]);
    fprintf(stream, "\n");
    fflush(stream);
    if (getline(&reply, &size, stream) < 0) {
        fclose(stream);
        fprintf(stderr, "twilio-verify-emulator: no reply\n");
        return 1;
    }
    fclose(stream);
    fputs(reply, stdout);
    return strncmp(reply, "error", 5) == 0 ? 1 : 0;
}
