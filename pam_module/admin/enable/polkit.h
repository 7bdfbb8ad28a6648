/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The sandbox of polkit's program, which has no network from polkit 127 on. */
#pragma once

#include "plan.h"

/* Where there is such a unit, adds to PLAN a drop-in that gives it the network. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool polkit_enable(struct plan *plan, struct verdict *why_not);

/* Adds to PLAN what takes it back; one that somebody has changed stays. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool polkit_disable(struct plan *plan, struct verdict *why_not);

/* Lets systemd, where it runs, read its units again. False: it could not. */
bool polkit_reload(void);
