/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The SIDs and the secret: from the options, the settings, or a person. */
#pragma once

#include "setup.h"

/* Fills SETUP's account_sid, api_key_sid and service_sid with what TEXT says of them; "" where that
 * is no SID. */
void answers_read(struct setup *setup);

/* Takes account_sid and api_key_sid: an option first; then a person is asked, and Enter keeps what
 * stands; or else what stands counts. False, with *RET_STATUS: said why on standard error. */
bool answers_take_sids(struct setup *setup, enum command_status *ret_status);

/* Takes the secret of api_key_sid in the same way; SETUP owns it. False, with *RET_STATUS, as
 * above. */
bool answers_take_secret(struct setup *setup, enum command_status *ret_status);

/* Asks a person for service_sid, where the key may not list the services. False, with *RET_STATUS,
 * as above. */
bool answers_take_service(struct setup *setup, enum command_status *ret_status);
