/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The clock of every deadline: nobody can set it. */
#pragma once

#include <stdint.h>

/* Milliseconds of CLOCK_BOOTTIME, clock_gettime(2), which goes on while the machine sleeps: anyone
 * who puts it to sleep in the middle of a login must not pass for a service that is silent. */
int64_t clock_ms(void);
