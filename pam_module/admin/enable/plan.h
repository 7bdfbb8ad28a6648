/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The files that a call changes, all or none of them. */
#pragma once

#include <stddef.h>

#include "../lint/overlay.h"
#include "config-file.h"

enum { PLAN_FILES_MAX = 8 };

struct plan {
    struct config_file files[PLAN_FILES_MAX];
    size_t count;
    struct overlay overlay[PLAN_FILES_MAX + 1]; /* what will be there */
};

/* Takes FILE over, whose NEW differs from its OLD. */
void plan_add(struct plan *plan, struct config_file *file);

/* Prints what changes, by diff(1). False, with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool plan_print(const struct plan *plan, struct verdict *why_not);

/* Writes the files in their order. False, with OUTCOME_MISCONFIGURED in *WHY_NOT: those that were
 * written are as they were before, or *WHY_NOT names the one that is not. */
bool plan_write(const struct plan *plan, struct verdict *why_not);

/* Frees what PLAN holds and makes it zero. */
void plan_free(struct plan *plan);

#define auto_plan __attribute__((cleanup(plan_free))) struct plan
