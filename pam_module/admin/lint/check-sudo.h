/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* When sudo does not ask. */
#pragma once

#include "../desk/report.h"

/* Adds what the file SUDOERS, /etc/sudoers if NULL, says about going without PAM, or without a
 * code: NOPASSWD, !authenticate, the timestamp, another PAM service. */
void check_sudo_add(struct report *report, const char *sudoers);

/* The same for doas: whom doas.conf lets go without PAM. */
void check_sudo_add_doas(struct report *report);
