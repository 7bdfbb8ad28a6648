/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The head of an HTTP/1.1 reply, line by line. It is strict: where two readers could disagree on
 * where a reply ends, it is no reply (RFC 9112, sections 2.2, 5 and 6). libcurl takes much of
 * that. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    HEAD_SIZE_MAX = 64 * 1024, /* of all lines together */
    HEAD_INTERIM_MAX = 8,      /* replies with 1xx before the one that counts */
    HEAD_REQUEST_ID_SIZE = 35,
    HEAD_DATE_SIZE = 64,
};

struct head {
    char request_id[HEAD_REQUEST_ID_SIZE]; /* Twilio-Request-Id: letters and digits; "-": none */
    char date[HEAD_DATE_SIZE];             /* Date, as it came; "": none */

    /* head.c's own: */
    enum { HEAD_STATUS, HEAD_FIELDS, HEAD_TRAILERS } part;
    size_t size;
    int status, interim;
    bool is_1_0, has_length, is_chunked, is_kept_alive;
};

/* Before the first line of a reply. */
void head_begin(struct head *head);

/* Takes the next LINE of SIZE bytes with its end: a status line, a field, the empty line, or a
 * trailer behind a chunked body. NULL: it is sound; otherwise why this is no reply. Static
 * storage. */
const char *head_take(struct head *head, const char *line, size_t size);
