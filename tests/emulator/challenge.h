/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The operations on challenges: sections 3.1 to 3.3 and 5 of the contract. */
#pragma once

#include "call.h"

enum {
    CHALLENGE_ATTEMPTS_MAX = 5,
    CHALLENGE_SECONDS_DEFAULT = 5 * 60,
    CHALLENGE_SECONDS_MAX = 60 * 60,
    CHALLENGES_AN_HOUR_MAX = 50,
    CHALLENGES_A_DAY_MAX = 100,
    SHORT_CODE_LENGTH_MAX = 4,
    SHORT_CODE_CHALLENGES_A_DAY_MAX = 10,
};

bool challenge_create(const struct call *call, struct answer *answer);
bool challenge_list(const struct call *call, struct answer *answer);
bool challenge_fetch(const struct call *call, struct answer *answer);
bool challenge_verify(const struct call *call, struct answer *answer);
bool challenge_notify(const struct call *call, struct answer *answer);
