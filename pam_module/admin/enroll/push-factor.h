/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "enroll USER --push-factor SID": a push factor that the user's app has made. */
#pragma once

#include "tool.h"

/* Whether the options make sense beside --push-factor. False: said why on standard error. */
bool push_factor_is_sensible(const struct command_call *call);

/* Asks Twilio for the factor, and writes it into the enrollment of the user, who need not have one
 * yet. It must be a push factor of the user's identity, and verified. Makes and deletes nothing at
 * Twilio. */
enum command_status push_factor_enroll(const struct command_call *call, struct tool *tool);
