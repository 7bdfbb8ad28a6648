/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a PAM application could find changed in its own process after a login. */
#pragma once

#include <stdio.h>

enum { PROCESS_FACTS_MAX = 16 };

/* Each fact as text. Initialise with { 0 }. */
struct process_state {
    char *facts[PROCESS_FACTS_MAX];
};

/* Looks at descriptors, mapped files, threads, children, signals, limits, timers and the rest. */
void process_state_take(struct process_state *state);

/* Prints a JSON object that holds [before, after] for each fact that differs: "{}" for none. */
void process_state_print_changes(FILE *out, const struct process_state *before,
                                 const struct process_state *after);

void process_state_free(struct process_state *state);

/* Prints what waitid(2) sees of this process's children: "none", "running", "ended PID". */
void process_state_print_children(FILE *out);

/* How much memory is resident. 0: not to be told. */
long process_state_rss_kib(void);
