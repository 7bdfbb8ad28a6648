/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a test can tell a running emulator: one line in, one line out. */
#pragma once

#include "emulator.h"
#include "reason.h"

#include <stdio.h>

/* Obeys LINE, which may be changed, under the emulator's lock. Writes `ok …` or `error …` and a
 * line feed to REPLY. */
void command_run(struct emulator *emulator, char *line, FILE *reply);

void command_print_help(FILE *stream);
