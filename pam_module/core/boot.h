/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Which boot of the machine this is, and for how long it has lasted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { BOOT_ID_SIZE = 37 }; /* of /proc/sys/kernel/random/boot_id: random(4) */

struct boot_moment {
    char id[BOOT_ID_SIZE];
    int64_t seconds; /* of CLOCK_BOOTTIME, which nobody can set: clock_gettime(2) */
};

/* Whether TEXT can be the id of a boot. */
bool boot_is_id(const char *text);

/* Now. False: the kernel does not say. */
bool boot_now(struct boot_moment *ret_now);
