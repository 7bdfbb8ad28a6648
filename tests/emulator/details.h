/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Details.Message and Details.Fields: Twilio's API reference, "Create a Challenge". */
#pragma once

#include "call.h"

/* *ret_details stays as it is when neither was sent; else the caller puts it. False: *answer says
 * what is wrong with them. */
bool details_parse(const struct call *call, struct json_object **ret_details,
                   struct answer *answer);
