/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a running check program is: its account, its capabilities, its sandbox. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "../desk/report.h"

struct process {
    uid_t user;          /* real, effective, saved and that of files: all the same */
    bool is_one_user;    /* they are */
    bool has_groups;     /* supplementary ones */
    bool has_privileges; /* a capability, or the way to one */
    bool is_filtered;    /* seccomp */
};

/* Reads from /proc the process of PIDFD. False: it is gone, or /proc is closed. */
bool process_read(int pidfd, struct process *ret_process);

/* Adds findings: whether it is RUN_AS and nothing more, and how it is restricted. */
void process_add(struct report *report, const char *run_as, const struct process *process);
