/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One answer of the user: which kind it is. */
#pragma once

#include <stdint.h>

#include "../core/dialogue.h"
#include "../core/siphash.h"

enum answer_kind {
    ANSWER_NONE = 0, /* nothing was answered yet */
    ANSWER_EMPTY,
    ANSWER_MALFORMED,
    ANSWER_CODE,          /* of the app: the right number of digits */
    ANSWER_PUSH,          /* the word "push", in any case */
    ANSWER_RECOVERY_CODE, /* recovery_read_code() takes it */
};

/* TEXT is what remains of the line; of a recovery code what recovery_read_code() makes of it. */
struct answer {
    enum answer_kind kind;
    char text[DIALOGUE_LINE_SIZE];
};

/* Reads LINE, any bytes. What people paste along with a code is removed wherever it stands: the
 * characters with Unicode's property White_Space, U+200B to U+200D, U+2060, U+FEFF, and the dashes
 * U+002D and U+2010 to U+2015. The caller wipes *RET_ANSWER. */
void answer_read(const char *line, int code_length, struct answer *ret_answer);

/* A hash under KEY, the same for two answers only if nothing but what is removed makes them differ
 * (or by chance, once in 2^64). */
uint64_t answer_hash(const struct answer *answer, const uint8_t key[SIPHASH_KEY_SIZE]);
