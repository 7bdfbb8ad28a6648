/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The text of a line: which characters it may hold; Twilio's names for things; a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length in bytes, 1 to 4, of the character that begins at BYTES, of which SIZE are there, and
 * its code point; 0 where none does: not UTF-8 (RFC 3629 section 4), or cut off. */
size_t text_decode(const char *bytes, size_t size, uint32_t *ret_point);

/* Whether POINT is a control character: U+0000 to U+001F and U+007F to U+009F. A terminal acts on
 * them; U+009B begins the same sequences as ESC [ (ECMA-48 section 5.4). */
bool text_is_control(uint32_t point);

/* Whether POINT has Unicode's property Bidi_Control (UAX 9 section 2): it makes text look like
 * another one. */
bool text_is_bidi_control(uint32_t point);

/* As text_decode() without the point; 0 also for the characters that no line may hold: control
 * characters and bidirectional controls. */
size_t text_character(const char *bytes, size_t size);

/* Whether SIZE bytes are UTF-8, whatever the characters. */
bool text_is_utf8(const char *bytes, size_t size);

/* Whether SIZE bytes are nothing but characters as text_character() knows them. */
bool text_is_clean(const char *bytes, size_t size);

/* Writes TEXT, any bytes, for a line of the log into OUT of SIZE bytes, 8 at least: quotes,
 * backslashes and all but printable ASCII become \xNN, and so do blanks unless KEEP_BLANKS; what is
 * too long is cut and ends in "...". Returns the end, where the NUL is. A handler of a signal may
 * call it. */
char *text_escape(const char *text, bool keep_blanks, char *out, size_t size);

enum { TEXT_NUMBER_SIZE = 21 };

/* Writes NUMBER in decimal. Returns the end, where the NUL is. A handler of a signal may call
 * it. */
char *text_print_number(uint64_t number, char out[TEXT_NUMBER_SIZE]);

/* Whether TEXT is a SID of Twilio's: the two letters PREFIX and 32 hexadecimal digits. */
bool text_is_sid(const char *text, const char *prefix);

enum { TEXT_TIME_SIZE = 40 };

/* Prints the time TIME_S of CLOCK_REALTIME: "2026-01-02T03:04:05Z". Returns TEXT. */
const char *text_print_time(int64_t time_s, char text[TEXT_TIME_SIZE]);
