/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Which characters a line may hold. */
#include "text.h"

#include <string.h>
#include <time.h>

/* The length of the sequence that begins at BYTES (RFC 3629 section 4); 0: it is none. */
static size_t sequence(const char *bytes, size_t size)
{
    const unsigned char *byte = (const unsigned char *)bytes;
    unsigned char low = 0x80, high = 0xbf; /* of the second byte */
    size_t length;

    if (size == 0)
        return 0;
    if (byte[0] < 0x80)
        return 1;
    if (byte[0] < 0xc2 || byte[0] > 0xf4)
        return 0;

    length = byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
    if (byte[0] == 0xe0)
        low = 0xa0; /* no longer than needed */
    else if (byte[0] == 0xed)
        high = 0x9f; /* no surrogate */
    else if (byte[0] == 0xf0)
        low = 0x90;
    else if (byte[0] == 0xf4)
        high = 0x8f; /* nothing above U+10FFFF */

    if (size < length || byte[1] < low || byte[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

size_t text_decode(const char *bytes, size_t size, uint32_t *ret_point)
{
    static const uint8_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    size_t length = sequence(bytes, size);
    uint32_t point;

    if (length == 0)
        return 0;
    point = (uint8_t)bytes[0] & first_bits[length];
    for (size_t i = 1; i < length; i++)
        point = point << 6 | ((uint8_t)bytes[i] & 0x3f);
    *ret_point = point;
    return length;
}

bool text_is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

bool text_is_bidi_control(uint32_t point)
{
    return point == 0x61c || point == 0x200e || point == 0x200f ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

size_t text_character(const char *bytes, size_t size)
{
    uint32_t point = 0;
    size_t length = text_decode(bytes, size, &point);

    return text_is_control(point) || text_is_bidi_control(point) ? 0 : length;
}

bool text_is_utf8(const char *bytes, size_t size)
{
    for (size_t at = 0, length; at < size; at += length) {
        length = sequence(bytes + at, size - at);
        if (length == 0)
            return false;
    }
    return true;
}

bool text_is_clean(const char *bytes, size_t size)
{
    for (size_t at = 0, length; at < size; at += length) {
        length = text_character(bytes + at, size - at);
        if (length == 0)
            return false;
    }
    return true;
}

char *text_escape(const char *text, bool keep_blanks, char *out, size_t size)
{
    static const char digits[] = "0123456789abcdef", cut[] = "...";
    enum { ESCAPE_LENGTH = sizeof "\\xNN" - 1 };
    const char *limit = out + size - ESCAPE_LENGTH - sizeof cut;

    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = (byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\') ||
                     (byte == ' ' && keep_blanks);
        if (out > limit) {
            out = stpcpy(out, cut);
            break;
        }
        if (plain) {
            *out++ = (char)byte;
            continue;
        }
        out = stpcpy(out, "\\x");
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    *out = '\0';
    return out;
}

char *text_print_number(uint64_t number, char out[TEXT_NUMBER_SIZE])
{
    char digits[TEXT_NUMBER_SIZE];
    size_t used = 0;

    do
        digits[used++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (used > 0)
        *out++ = digits[--used];
    *out = '\0';
    return out;
}

bool text_is_sid(const char *text, const char *prefix)
{
    return strlen(text) == 34 && strncmp(text, prefix, 2) == 0 &&
           strspn(text + 2, "0123456789abcdefABCDEF") == 32;
}

const char *text_print_time(int64_t time_s, char text[TEXT_TIME_SIZE])
{
    time_t when = (time_t)time_s;
    struct tm parts = { 0 };

    gmtime_r(&when, &parts);
    if (strftime(text, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        text[0] = '\0';
    return text;
}
