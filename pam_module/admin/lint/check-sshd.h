/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether sshd lets in without the code. */
#pragma once

#include "check-stack.h"

/* Adds what is found about sshd's configuration PATH, its own if NULL, unless it calls a service
 * that does not call the module: CHECK, which stands as ANSWER says, or another one. */
void check_sshd_add(struct report *report, const char *path, const struct check_stack *check,
                    const struct check_stack_answer *answer);
