/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Why something was refused, in words for the person who asked. */
#pragma once

#include <stdbool.h>

struct reason {
    char text[512];
};

/* Always false, so that a refusal is one statement. */
bool reason_refuse(struct reason *why_not, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
