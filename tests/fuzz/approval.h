/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a reply must hold before anybody may be let in, found without the parser under test. */
#pragma once

#include "twilio/challenge.h"

/* Ends the process unless BODY says approved, names every value of BINDING, and has one
 * status. */
void approval_demand(const char *body, size_t size, const struct challenge_binding *binding);
