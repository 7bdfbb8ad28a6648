/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Tells, moves and stops the emulator's time. */
#define _GNU_SOURCE 1 /* strptime */

#include "clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Keeps every sum of times far from overflow, and every year at four digits. */
static const int64_t CLOCK_SECONDS_MAX = 253402300799; /* the last second of the year 9999 */

int64_t clock_now(const struct clock *clock)
{
    if (clock->is_frozen)
        return clock->seconds;

    return (int64_t)time(NULL) + clock->seconds;
}

static bool clock_parse_seconds(const char *text, int64_t *ret_seconds)
{
    char *end = NULL;

    if (!isdigit((unsigned char)text[0]) || strlen(text) > 12)
        return false;

    int64_t seconds = strtoll(text, &end, 10);

    if (*end != '\0' || seconds > CLOCK_SECONDS_MAX)
        return false;

    *ret_seconds = seconds;
    return true;
}

bool clock_set(struct clock *clock, const char *text)
{
    struct clock changed = *clock;
    int64_t seconds = 0;

    if (strcmp(text, "real") == 0) {
        *clock = (struct clock){ 0 };
        return true;
    }
    if (!clock_parse_seconds(text + (text[0] != '\0'), &seconds))
        return false;

    switch (text[0]) {
    case '+':
        changed.seconds += seconds;
        break;
    case '-':
        changed.seconds -= seconds;
        break;
    case '=':
        changed = (struct clock){ .is_frozen = true, .seconds = seconds };
        break;
    default:
        return false;
    }

    if (clock_now(&changed) < 0 || clock_now(&changed) > CLOCK_SECONDS_MAX)
        return false;

    *clock = changed;
    return true;
}

void clock_print_date(int64_t seconds, char ret_text[CLOCK_DATE_SIZE])
{
    time_t time = (time_t)seconds;
    struct tm parts = { 0 };

    gmtime_r(&time, &parts);
    strftime(ret_text, CLOCK_DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void clock_print_http_date(int64_t seconds, char ret_text[CLOCK_DATE_SIZE])
{
    time_t time = (time_t)seconds;
    struct tm parts = { 0 };

    gmtime_r(&time, &parts);
    strftime(ret_text, CLOCK_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

/* `Z`, `+hh:mm` or `-hh:mm`. */
static bool clock_parse_offset(const char *text, int64_t *ret_seconds)
{
    int hours = 0, minutes = 0, end = 0;

    if (strcmp(text, "Z") == 0) {
        *ret_seconds = 0;
        return true;
    }
    if (sscanf(text, "%*1[+-]%2d:%2d%n", &hours, &minutes, &end) != 2 || end != 6 ||
        text[6] != '\0')
        return false;
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;

    *ret_seconds = (hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
    return true;
}

bool clock_parse_date(const char *text, int64_t *ret_seconds)
{
    struct tm parts = { 0 };
    int64_t offset = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);

    if (rest == NULL)
        return false;
    if (rest[0] == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (!clock_parse_offset(rest, &offset))
        return false;

    *ret_seconds = (int64_t)timegm(&parts) - offset;
    return true;
}
