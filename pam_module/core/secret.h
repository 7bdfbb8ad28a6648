/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Secrets: memory that is wiped when it is freed, and a file of one line. */
#pragma once

#include <stdbool.h>

#include "verdict.h"

/* Wipes and frees *TEXT, a string or NULL, and makes it NULL. */
void secret_free(char **text);

#define auto_secret __attribute__((cleanup(secret_free)))

/* Reads a file of one secret: one line of 1 to 256 printable ASCII characters without a blank.
 * The caller frees with secret_free(). False, with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool secret_read_line(const char *path, char **ret_secret, struct verdict *why_not);
