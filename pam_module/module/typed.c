/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the user typed. */
#include "typed.h"

#include <string.h>

#include "../core/text.h"

/* Writes at most SIZE bytes. False: TYPED is no text of a line. */
static bool copy(const char *typed, size_t size, char *line)
{
    while (size > 0) {
        uint32_t point = 0;
        size_t length = text_decode(typed, size, &point);

        if (point == '\t' || point == '\r')
            *line++ = ' ';
        else if (length == 0 || text_is_control(point))
            return false;
        else if (!text_is_bidi_control(point))
            line = mempcpy(line, typed, length);
        typed += length;
        size -= length;
    }
    *line = '\0';
    return true;
}

void typed_print(const char *typed, char line[TYPED_SIZE])
{
    size_t size = typed != NULL ? strnlen(typed, TYPED_SIZE) : 0;

    if (size == TYPED_SIZE || !copy(typed, size, line))
        explicit_bzero(line, TYPED_SIZE);
}

bool typed_is_password(const char *typed, const char *password)
{
    size_t size = password != NULL ? strlen(password) : 0;
    unsigned difference = 0;

    if (typed == NULL || size == 0 || strlen(typed) != size)
        return false;
    for (size_t i = 0; i < size; i++)
        difference |= (unsigned char)typed[i] ^ (unsigned char)password[i];
    return difference == 0;
}
