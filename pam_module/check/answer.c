/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One answer of the user. */
#include "answer.h"

#include <string.h>

#include "../core/recovery.h"
#include "../core/text.h"

/* Unicode 15.0, PropList.txt, White_Space. */
static bool is_white_space(uint32_t point)
{
    return (point >= 0x09 && point <= 0x0d) || point == 0x20 || point == 0x85 || point == 0xa0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
           point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

static bool is_removed(uint32_t point)
{
    return is_white_space(point) || (point >= 0x200b && point <= 0x200d) || point == 0x2060 ||
           point == 0xfeff || point == '-' || (point >= 0x2010 && point <= 0x2015);
}

/* What is not UTF-8 stays, byte by byte: it is no code then. */
static void copy(const char *line, char *text)
{
    size_t left = strnlen(line, DIALOGUE_LINE_MAX);

    while (left > 0) {
        uint32_t point = UINT32_MAX;
        size_t length = text_decode(line, left, &point);

        if (length == 0)
            length = 1;
        if (!is_removed(point))
            text = mempcpy(text, line, length);
        line += length;
        left -= length;
    }
    *text = '\0';
}

static enum answer_kind judge(char *text, size_t code_length)
{
    size_t length = strlen(text);

    if (length == 0)
        return ANSWER_EMPTY;
    if (length == code_length && strspn(text, "0123456789") == length)
        return ANSWER_CODE;
    if (strcasecmp(text, "push") == 0)
        return ANSWER_PUSH;
    return recovery_read_code(text, text) ? ANSWER_RECOVERY_CODE : ANSWER_MALFORMED;
}

void answer_read(const char *line, int code_length, struct answer *ret_answer)
{
    copy(line, ret_answer->text);
    ret_answer->kind = judge(ret_answer->text, (size_t)code_length);
}

uint64_t answer_hash(const struct answer *answer, const uint8_t key[SIPHASH_KEY_SIZE])
{
    return siphash(key, answer->text, strlen(answer->text));
}
