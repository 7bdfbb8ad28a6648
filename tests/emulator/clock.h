/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The emulator's clock, which a test can move or stop, and dates as text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOCK_DATE_SIZE = 40 };

/* Zero is the real clock. */
struct clock {
    bool is_frozen;
    int64_t seconds; /* frozen: the time; else: what is added to the real clock */
};

/* Seconds since 1970. */
int64_t clock_now(const struct clock *clock);

/* Obeys `+SECONDS`, `-SECONDS`, `=EPOCH` or `real`. False: TEXT is none of them. */
bool clock_set(struct clock *clock, const char *text);

/* `2015-07-30T20:00:00Z`, as in Twilio's examples. */
void clock_print_date(int64_t seconds, char ret_text[CLOCK_DATE_SIZE]);

/* `Thu, 30 Jul 2015 20:00:00 GMT`: RFC 9110 section 5.6.7. */
void clock_print_http_date(int64_t seconds, char ret_text[CLOCK_DATE_SIZE]);

/* RFC 3339 with `T`, an optional fraction (dropped), and `Z` or an offset. False: it is not. */
bool clock_parse_date(const char *text, int64_t *ret_seconds);
