/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Descriptors: closed when their variable ends, and waited for. */
#pragma once

#include <stdint.h>

/* Closes *DESCRIPTOR, unless it is negative, and makes it -1; errno stays. */
void descriptor_close(int *descriptor);

#define auto_close __attribute__((cleanup(descriptor_close))) int

/* Waits until DESCRIPTOR can be read, or until DEADLINE_MS on clock_ms(); negative: for ever.
 * Signals do not end it. More than 0: it can be read, or has an error to read; 0: not in time; -1,
 * with errno: poll(2) failed. */
int descriptor_wait(int descriptor, int64_t deadline_ms);
