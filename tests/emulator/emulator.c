/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Begins, resets and ends the state. */
#include "emulator.h"

#include "service.h"

bool emulator_start(struct emulator *emulator)
{
    struct service *service = NULL;

    emulator->switches = emulator->first_switches;
    store_start(&emulator->store);
    service =
        store_add_service(&emulator->store, emulator->service_sid, clock_now(&emulator->clock));
    if (service == NULL)
        return false;

    service_set_defaults(service, "Emulator");
    return true;
}

bool emulator_reset(struct emulator *emulator)
{
    store_free(&emulator->store);
    stats_reset(&emulator->stats);
    emulator->faults = (struct faults){ 0 };
    emulator->clock = (struct clock){ 0 };
    return emulator_start(emulator);
}

void emulator_free(struct emulator *emulator)
{
    store_free(&emulator->store);
    stats_free(&emulator->stats);
    pthread_mutex_destroy(&emulator->lock);
}
