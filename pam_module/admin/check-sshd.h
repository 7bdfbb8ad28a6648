/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether sshd lets in without the code. */
#pragma once

#include "check-stack.h"

/* Adds what is found about sshd's configuration PATH, its own if NULL, which calls a PAM service
 * that stands as CHECK says. */
void check_sshd_add(struct report *report, const char *path, const struct check_stack *check);
