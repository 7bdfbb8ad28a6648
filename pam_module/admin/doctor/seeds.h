/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Seeds in clear, which an import may have left on this host. */
#pragma once

#include "../desk/report.h"

/* Adds the files of other modules that hold seeds of NAMES, which ends with NULL: of the first
 * COUNT_MAX of them a ~/.google_authenticator, and the entries of a users.oath in /etc. */
void seeds_add(struct report *report, char *const *names, size_t count_max);
