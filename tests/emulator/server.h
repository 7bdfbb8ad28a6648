/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* HTTPS in and out, over libmicrohttpd. */
#pragma once

#include "credentials.h"
#include "emulator.h"
#include "reason.h"

#include <stdint.h>

struct server;

struct server_settings {
    const char *address;           /* IPv4 */
    uint16_t port;                 /* 0: any that is free */
    const char *certificate, *key; /* the text of PEM files */
    int log;                       /* a descriptor; below 0: none. It stays the caller's */
    const struct credentials *credentials;
};

/* Serves from now on, in threads of its own. All that it is given must outlive it.
 * False: *why_not names what failed. */
bool server_start(struct emulator *emulator, const struct server_settings *settings,
                  struct server **ret_server, struct reason *why_not);

uint16_t server_port(const struct server *server);

/* Ends all connections and waits for all threads. NULL is allowed. */
void server_stop(struct server *server);
