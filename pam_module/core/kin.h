/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A process and its parent, as proc(5) shows them. A pid is taken over by another process: pid and
 * start together name one process of a boot. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct kin {
    pid_t pid, parent; /* a PARENT of 0: none that this process can see */
    int64_t start;     /* in ticks since the boot: field 22 of /proc/PID/stat */
    uid_t user;        /* effective */
};

/* Reads the process PID. False: it does not exist, it is another one by now, or /proc does not show
 * it (hidepid of proc(5)) or is another pid namespace's. */
bool kin_read(pid_t pid, struct kin *ret_kin);

/* Whether the processes PID and OTHER_PID execute the same file. False where nothing can be
 * told. */
bool kin_are_one_program(pid_t pid, pid_t other_pid);
