/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The operations on services: Twilio's API reference, "Verify Services Resource". */
#pragma once

#include "call.h"

bool service_create(const struct call *call, struct answer *answer);
bool service_list(const struct call *call, struct answer *answer);
bool service_fetch(const struct call *call, struct answer *answer);
bool service_update(const struct call *call, struct answer *answer);
bool service_delete(const struct call *call, struct answer *answer);

/* A name, no totp settings. */
void service_set_defaults(struct service *service, const char *friendly_name);
