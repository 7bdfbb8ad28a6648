/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The bytes of a reply and the way they go out. */
#pragma once

#include "answer.h"

#include <stddef.h>

enum transport {
    TRANSPORT_WHOLE,
    TRANSPORT_DRIP,    /* one byte each 0.3 s */
    TRANSPORT_CUT,     /* Content-Length promises more than comes before the end */
    TRANSPORT_ENDLESS, /* chunked, blanks for ever */
    TRANSPORT_SILENCE, /* nothing, the connection stays open */
    TRANSPORT_CLOSE,   /* nothing, the connection ends */
};

struct reply {
    unsigned status;
    int code;
    const char *content_type;
    char *body;
    size_t size;
    enum transport transport;
    unsigned delay_ms;
    int retry_after;              /* seconds; below 0: no such header */
    bool announces_close;         /* Connection: close */
    bool drops;                   /* closes after the reply without saying so */
    const char *signature_header; /* NULL: none */
    const char *signature_fields; /* Twilio-Verify-Signature-Fields; NULL: no such header */
    char allow[32];               /* the methods that the path has; empty: no such header */
};

/* Prints ANSWER. False: no memory. reply_free() is always due. */
bool reply_print(const struct answer *answer, struct reply *ret_reply);

void reply_free(struct reply *reply);
