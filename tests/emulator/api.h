/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One request in, one reply out; knows nothing of sockets. */
#pragma once

#include "emulator.h"
#include "reply.h"

#include <stddef.h>

enum { API_BODY_SIZE_MAX = 64 * 1024 };

struct request {
    const char *method, *path; /* the path without its query, as it was sent */
    const char *query;         /* without the question mark; may be empty */
    const char *body;
    size_t body_size;
    bool is_form;      /* Content-Type: application/x-www-form-urlencoded */
    bool is_too_large; /* the body was larger than API_BODY_SIZE_MAX */
    bool is_authentic; /* the credentials were right */
    const char *token; /* of a device; NULL: none was sent */
};

/* Carries REQUEST out under the emulator's lock, faults included. The caller frees *ret_reply;
 * *ret_now is the emulator's time. False: no memory. */
bool api_run(struct emulator *emulator, const struct request *request, int64_t *ret_now,
             struct reply *ret_reply);
