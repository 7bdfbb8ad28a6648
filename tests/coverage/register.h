/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Put before every source of a coverage build: tells coverage.c how the counters of the program or
 * library that the source ends up in are written. */
#pragma once

void coverage_register(void (*dump)(void));
void coverage_write(void (*dump)(void));
__attribute__((visibility("hidden"))) void __gcov_dump(void);

__attribute__((constructor, unused)) static void coverage_begin(void)
{
    coverage_register(__gcov_dump);
}

__attribute__((destructor, unused)) static void coverage_end(void)
{
    coverage_write(__gcov_dump);
}
