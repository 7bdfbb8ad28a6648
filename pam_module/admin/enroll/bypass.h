/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Ending a bypass, for the verbs that do. */
#pragma once

#include "../../core/settings.h"

/* Ends the bypass of NAME; *RET_WAS_THERE says whether there was one. False, with the verdict. */
bool bypass_end(const struct settings *settings, const char *name, bool *ret_was_there,
                struct verdict *why_not);
