/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* libcurl: one request after another over one kept connection. How long to wait, and who is to
 * blame where no answer comes, is for http.c to say. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "move.h"

struct transfer;

/* Somebody who is asked when the connection is made and the first byte of the request would leave;
 * he may take his time. False: nothing leaves. */
struct transfer_hook {
    bool (*before_send)(void *context);
    void *context;
};

enum transfer_state {
    TRANSFER_GOES_ON,
    TRANSFER_FAILED,
    TRANSFER_REPLIED, /* a whole reply, whatever its status */
};

/* As http_open(). Keeps SETTINGS, HOOK and MOVE, which it tells what libcurl does. */
bool transfer_open(const struct settings *settings, const struct http_credentials *credentials,
                   struct move *move, const struct transfer_hook *hook,
                   struct transfer **ret_transfer, struct verdict *why_not);

/* Begins REQUEST, on the kept connection unless that is in doubt; connects to nothing yet. False:
 * libcurl does not take it. */
bool transfer_begin(struct transfer *transfer, const struct http_request *request);

/* Lets libcurl do all that it can without waiting. */
enum transfer_state transfer_step(struct transfer *transfer);

/* Waits at most WAIT_MS for something that libcurl waits for, or for DESCRIPTOR (-1: none). Whether
 * something came. */
bool transfer_wait(struct transfer *transfer, int descriptor, int64_t wait_ms);

/* Whether a byte of the request may have left. It never leaves twice. */
bool transfer_is_sent(const struct transfer *transfer);

/* After TRANSFER_FAILED: how the request ended; libcurl's words for it, or why the reply is none;
 * and whether the server's certificate is not trusted. */
enum move_end transfer_end_of(const struct transfer *transfer);
const char *transfer_words(const struct transfer *transfer);
bool transfer_is_distrusted(const struct transfer *transfer);

/* After TRANSFER_FAILED: the status of a proxy's answer to CONNECT (RFC 9110 section 9.3.6); 0:
 * there was none. */
int transfer_proxy_status(const struct transfer *transfer);

/* What on this host keeps a certificate from being trusted; CAUSE_OTHER_SIDE: nothing does. */
enum cause_kind transfer_judge_trust(const struct transfer *transfer);

/* Which certificates a request trusts: a file or a directory or both, the other one NULL; both
 * NULL: libcurl does not say. Static storage, or SETTINGS's. */
void transfer_certificates(const struct settings *settings, const char **ret_file,
                           const char **ret_directory);

/* After TRANSFER_REPLIED. */
void transfer_fill(const struct transfer *transfer, struct http_reply *ret_reply);

/* Takes the request from libcurl. HAS_FAILED: the next one gets another connection. Not while
 * libcurl looks up a name: it would wait for its thread. */
void transfer_end(struct transfer *transfer, bool has_failed);

/* Closes the connection, wipes the last reply, and frees; NULL is fine. May wait for the
 * resolver. */
void transfer_free(struct transfer *transfer);
