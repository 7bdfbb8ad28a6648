/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The control socket: AF_UNIX, stream, one command a line and one reply line for each. */
#pragma once

#include "emulator.h"
#include "reason.h"

enum { CONTROL_CLIENTS_MAX = 64, CONTROL_LINE_SIZE = 1024 };

struct control {
    const char *path;
    int listener;
    struct {
        int socket; /* below 0: the place is free */
        char line[CONTROL_LINE_SIZE];
        size_t size;
    } clients[CONTROL_CLIENTS_MAX];
};

/* Listens on PATH, mode 0600, which must outlive *ret_control; PATH NULL: on nothing. */
bool control_start(const char *path, struct control *ret_control, struct reason *why_not);

/* Obeys commands until the descriptor END is readable. */
void control_serve(struct control *control, struct emulator *emulator, int end);

/* Closes all, and removes the socket from the directory. */
void control_stop(struct control *control);

/* Sends the words as one command and prints the reply. The exit status: 0, or 1 when the reply
 * begins with `error` or there is none. */
int control_send(const char *path, int count, char *const *words);
