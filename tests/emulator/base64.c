/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Decodes base64, strictly. */
#include "base64.h"

#include "memory.h"

#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* The first LENGTH characters of TEXT, which are no padding. */
static char *base64_decode_letters(const char *text, size_t length, const char *letters,
                                   size_t *ret_size)
{
    auto_free char *bytes = malloc(length + 1);
    unsigned bits = 0, count = 0;
    size_t size = 0;
    char *result = bytes;

    if (bytes == NULL || length == 0)
        return NULL;

    for (size_t i = 0; i < length; i++) {
        const char *letter = strchr(letters, text[i]);

        if (letter == NULL)
            return NULL;
        bits = bits << 6 | (unsigned)(letter - letters);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[size++] = (char)(bits >> count & 0xff);
        }
    }
    if (count >= 6 || (bits & ((1U << count) - 1)) != 0)
        return NULL;

    bytes[size] = '\0';
    *ret_size = size;
    bytes = NULL;
    return result;
}

char *base64_decode(const char *text, size_t *ret_size)
{
    size_t length = strcspn(text, "="), padding = strlen(text) - length;

    if (padding != (4 - length % 4) % 4 || strspn(text + length, "=") != padding)
        return NULL;

    return base64_decode_letters(text, length, LETTERS "+/", ret_size);
}

char *base64_decode_url(const char *text, size_t *ret_size)
{
    return base64_decode_letters(text, strlen(text), LETTERS "-_", ret_size);
}
