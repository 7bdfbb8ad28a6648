/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The login of somebody who is not enrolled: the same questions, after the same time, and a
 * connection over which nothing is sent. */
#pragma once

#include "login.h"

/* Runs it to its verdict, which is OUTCOME_DENIED. */
void stranger_run(const struct login_request *request, const struct login_ports *ports,
                  struct verdict *ret_verdict);
