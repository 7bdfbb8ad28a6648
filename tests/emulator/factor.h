/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The operations on factors, totp and push: Twilio's API reference, "Factor resource". */
#pragma once

#include "call.h"

enum { FACTOR_ATTEMPTS_MAX = 5, FACTORS_MAX = 100, NEW_FACTORS_A_DAY_MAX = 100 };

bool factor_create(const struct call *call, struct answer *answer);
bool factor_list(const struct call *call, struct answer *answer);
bool factor_fetch(const struct call *call, struct answer *answer);
bool factor_verify(const struct call *call, struct answer *answer);
bool factor_delete(const struct call *call, struct answer *answer);

/* True: CODE is right now, within the skew, and was not used under the switch `used-code=pending`.
 * *ret_step is its time step. */
bool factor_accepts(const struct call *call, const struct factor *factor, const char *code,
                    int64_t *ret_step);
