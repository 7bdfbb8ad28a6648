/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The whole state of one emulator. */
#pragma once

#include "clock.h"
#include "fault.h"
#include "stats.h"
#include "store.h"
#include "switches.h"

#include <pthread.h>

struct emulator {
    /* Set at the start, then only read. */
    char account_sid[SID_SIZE];
    char service_sid[SID_SIZE];
    struct switches first_switches; /* those of the command line */

    /* Whoever touches the rest holds the lock. */
    pthread_mutex_t lock;
    struct clock clock;
    struct switches switches;
    struct faults faults;
    struct store store;
    struct stats stats;
};

/* Makes the service that is there from the start. False: no memory. */
bool emulator_start(struct emulator *emulator);

/* Back to the state at the start: the service alone, no faults, the switches of the command line,
 * the real clock, all counts but that of connections at 0. */
bool emulator_reset(struct emulator *emulator);

void emulator_free(struct emulator *emulator);
