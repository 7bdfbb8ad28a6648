/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The wrong codes that this host has counted. */
#pragma once

#include "../../core/settings.h"
#include "../desk/report.h"

/* A finding about those of NAME, who is enrolled, if there are any; or that they can't be
 * counted. */
void counts_add(struct report *report, const struct settings *settings, const char *name);

/* A finding about each of NAMES, which ends with NULL, whose codes are refused. */
void counts_add_locked(struct report *report, const struct settings *settings, char *const *names);
