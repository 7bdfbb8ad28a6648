/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What lies on this host for a login: the secrets, the account, the directories, the
 * certificates. */
#pragma once

#include "../../core/settings.h"
#include "../desk/report.h"

/* A finding for each. */
void host_add(struct report *report, const struct settings *settings);
