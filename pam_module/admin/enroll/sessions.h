/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The sessions of users that have proved a code, for the tool. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../core/settings.h"
#include "../../core/verdict.h"

/* What is known of a user's sessions. */
struct sessions {
    size_t count;           /* sessions in which the user is not asked again */
    int64_t latest_seconds; /* since the latest code of them was proved */
};

/* Finds the sessions of USER, the name of an enrollment; NULL: of everybody. False, with the reason
 * in *WHY_NOT. */
bool sessions_find(const struct settings *settings, const char *user, struct sessions *ret_sessions,
                   struct verdict *why_not);
