/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* When the last things of a kind were made: for limits per hour and per day. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { WINDOW_HOUR = 3600, WINDOW_DAY = 24 * WINDOW_HOUR, WINDOW_TIMES_MAX = 128 };

struct window {
    int64_t *times;
    unsigned count, capacity;
};

/* How many were made in the SECONDS before NOW. */
unsigned window_count(const struct window *window, int64_t now, int64_t seconds);

/* Notes one more; forgets what is older than a day. False: no memory. */
bool window_note(struct window *window, int64_t now);

void window_free(struct window *window);
