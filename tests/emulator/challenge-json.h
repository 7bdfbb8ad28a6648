/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Challenges as JSON, alone and in lists. */
#pragma once

#include "call.h"

/* What it says in a reply: pending turns into expired with the time. */
enum challenge_status challenge_status_now(const struct call *call,
                                           const struct challenge *challenge);

struct json_object *challenge_to_json(const struct call *call, const struct resource *resource);

/* `pending`, `expired`, `approved` or `denied`. False: NAME is none of them. */
bool challenge_parse_status(const char *name, enum challenge_status *ret_status);
