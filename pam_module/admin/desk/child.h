/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Another program that the tool starts and waits for. */
#pragma once

enum { CHILD_INPUTS_MAX = 2 };

/* Runs the program of ARGUMENTS, an absolute path and its words up to NULL: without a shell, with
 * PATH alone in its environment, /dev/null as standard input, and no signal blocked. What it prints
 * goes to the descriptor OUTPUT, -1: where ours goes. INPUTS, descriptors up to -1, or NULL, become
 * its descriptors 3 and 4. Returns its exit status; -1: it could not be started (errno), or a
 * signal ended it. */
int child_run(const char *const *arguments, int output, const int *inputs);
