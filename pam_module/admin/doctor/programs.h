/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What has to be installed for a login: the module, the check program, twilio.so. */
#pragma once

#include "../desk/report.h"

/* Whether PATH, a file, can be replaced by nobody but root: a finding about SUBJECT for each
 * directory above it that others may write to. */
void programs_add_directories(struct report *report, const char *subject, const char *path);

/* A finding for each: the module at MODULE or, where that is NULL, where libpam looks for it; the
 * check program at CHECK; and the twilio.so that it will load. */
void programs_add(struct report *report, const char *module, const char *check);
