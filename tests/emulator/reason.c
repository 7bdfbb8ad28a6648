/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Fills in a reason. */
#include "reason.h"

#include <stdarg.h>
#include <stdio.h>

bool reason_refuse(struct reason *why_not, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why_not->text, sizeof(why_not->text), format, arguments);
    va_end(arguments);
    return false;
}
