/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The real check program, started as the module does it, to its question and not further: no
 * challenge is created, and nothing is asked of Twilio. */
#pragma once

#include "../../core/settings.h"
#include "../desk/report.h"

struct dry_run {
    const char *check;         /* the check program */
    const char *settings_path; /* absolute */
    const struct settings *settings;
    const char *user; /* who is enrolled; NULL: nobody in particular */
    bool is_reached;  /* the tool itself had an answer of Twilio's */
};

/* Adds what came of it: whether it asks, what it is while it asks, whether it can connect. */
void dry_run_add(struct report *report, const struct dry_run *run);
