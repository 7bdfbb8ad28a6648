/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Small text files. */
#pragma once

#include "reason.h"

/* The whole text of PATH, at most 64 KiB, which the caller frees. OPTION is for the message.
 * NULL: *why_not says why. */
char *file_read(const char *option, const char *path, struct reason *why_not);

/* The same for a file with one line that is not empty, without its line feed. */
char *file_read_line(const char *option, const char *path, struct reason *why_not);
