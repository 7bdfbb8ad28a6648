/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The Verify service: the one that is named, one of those that there are, or a new one. */
#pragma once

#include "setup.h"

/* Tries the key, and fills SETUP->service_sid. What --service-sid or --issuer names counts; or else
 * a person is asked; or else what stands, the only one, or a new one where there is none. False,
 * with *RET_STATUS: said why on standard error, and nothing was made. */
bool choice_make(struct setup *setup, enum command_status *ret_status);

/* Deletes the service that choice_make() made, if it made one. */
void choice_undo(struct setup *setup);
