/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether Twilio can be reached, and what it knows of us. Nothing here is billed, and nothing is
 * changed there. */
#pragma once

#include "../../core/enrollment.h"
#include "../../core/settings.h"
#include "../desk/command.h"
#include "../desk/report.h"

/* A finding each for the name server, TLS, the credentials, the clock, the length of codes, the
 * administrator's key of CALL or of the settings, and the factor of ENROLLMENT, which may be NULL.
 * Whether Twilio answered. */
bool reach_add(struct report *report, const struct command_call *call,
               const struct settings *settings, const struct enrollment *enrollment);
