/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The ports of a login, for a test that has functions of these names. */
#pragma once

#include "check/login.h"

#define PORTS(its_context, its_descriptor)                                                         \
    {                                                                                              \
        .context = (its_context), .ledger = (struct ledger *)(its_context),                        \
        .descriptor = (its_descriptor), .say = on_say, .answer = on_answer, .load = on_load,       \
        .deadline = on_deadline, .clock_ms = on_clock, .pause = on_pause, .claim = on_claim,       \
        .release = on_release, .take_back = on_take_back, .look = on_look, .count = on_count,      \
        .push = on_push, .stop_push = on_stop_push, .guess = on_guess, .recover = on_recover,      \
        .can_recover = on_can_recover, .note_end = on_note_end,                                    \
    }
