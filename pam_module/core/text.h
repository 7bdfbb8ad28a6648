/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The text of a line: which bytes may stand there, UTF-8 without control bytes; Twilio's names for
 * things; a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length in bytes, 1 to 4, of the character that begins at BYTES, of which SIZE are there; 0
 * where none does: not UTF-8 (RFC 3629 section 4), cut off, or a control byte (0x00 to 0x1f, 0x7f). */
size_t text_character(const char *bytes, size_t size);

/* Whether SIZE bytes are UTF-8, control bytes included. */
bool text_is_utf8(const char *bytes, size_t size);

/* Whether SIZE bytes are nothing but characters as text_character() knows them. */
bool text_is_clean(const char *bytes, size_t size);

/* Whether TEXT is a SID of Twilio's: the two letters PREFIX and 32 hexadecimal digits. */
bool text_is_sid(const char *text, const char *prefix);

enum { TEXT_TIME_SIZE = 40 };

/* Prints the time TIME_S of CLOCK_REALTIME: "2026-01-02T03:04:05Z". Returns TEXT. */
const char *text_print_time(int64_t time_s, char text[TEXT_TIME_SIZE]);
