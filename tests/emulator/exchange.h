/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One request on its way in and its reply on the way out. */
#pragma once

#include "api.h"
#include "credentials.h"

#include <microhttpd.h>
#include <time.h>

struct exchange {
    struct emulator *emulator;
    const struct credentials *credentials;
    int log; /* a descriptor, or below 0 */

    char *path; /* the address as it was sent; cut at the question mark */
    const char *query;
    char *body;
    size_t body_size;
    bool is_started, is_too_large;
    struct timespec begin;

    struct MHD_Connection *connection;
    struct reply reply;
    int64_t now; /* when the request was carried out */
};

/* NULL: no memory. */
struct exchange *exchange_new(const char *uri);
void exchange_free(struct exchange *exchange);

/* Keeps some of the request's body, or notes that there is too much of it. */
void exchange_take(struct exchange *exchange, const char *bytes, size_t size);

/* Carries the request out and queues the reply. MHD_NO: the connection is to end. */
enum MHD_Result exchange_answer(struct exchange *exchange, struct MHD_Connection *connection,
                                const char *method);
