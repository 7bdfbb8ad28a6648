/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Counts events in the last hour or day. */
#include "window.h"

#include <stdlib.h>
#include <string.h>

unsigned window_count(const struct window *window, int64_t now, int64_t seconds)
{
    unsigned count = 0;

    for (unsigned i = 0; i < window->count; i++)
        count += window->times[i] > now - seconds;
    return count;
}

static void window_forget(struct window *window, unsigned count)
{
    window->count -= count;
    memmove(window->times, window->times + count, window->count * sizeof(*window->times));
}

bool window_note(struct window *window, int64_t now)
{
    while (window->count > 0 &&
           (window->times[0] <= now - WINDOW_DAY || window->count == WINDOW_TIMES_MAX))
        window_forget(window, 1);

    if (window->count == window->capacity) {
        unsigned capacity = window->capacity == 0 ? 4 : window->capacity * 2;
        int64_t *times = realloc(window->times, capacity * sizeof(*times));

        if (times == NULL)
            return false;
        window->times = times;
        window->capacity = capacity;
    }

    window->times[window->count++] = now;
    return true;
}

void window_free(struct window *window)
{
    free(window->times);
    *window = (struct window){ 0 };
}
