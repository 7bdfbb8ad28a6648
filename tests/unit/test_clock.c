/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The clock of every deadline. */
#include "unit.h"

#include <time.h>

#include "core/clock.h"

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

/* A machine that has slept for a minute. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    *now = (struct timespec){ clock == CLOCK_MONOTONIC  ? 5
                              : clock == CLOCK_BOOTTIME ? 65
                                                        : 1,
                              432999999 };
    return 0;
}

TEST(the_sleep_of_the_machine_counts_and_no_time_of_day_does)
{
    assert_int_equal(clock_ms(), 65432);
}
