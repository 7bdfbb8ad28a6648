/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The clock of every deadline: nobody can set it. */
#pragma once

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC: clock_gettime(2). */
int64_t clock_ms(void);
