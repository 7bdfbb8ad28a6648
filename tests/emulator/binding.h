/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The secret of a factor, as the creation takes and tells it. */
#pragma once

#include "call.h"

/* Binding.Secret, or 160 random bits when that was not sent. False: *answer says so. */
bool binding_parse(const struct call *call, struct totp_seed *ret_seed, struct answer *answer);

/* A new `{"secret", "uri"}`; the address is otpauth://, for an app. */
struct json_object *binding_to_json(const struct factor *factor);
