/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The text of an sshd_config: its Match blocks, and copies without their criteria. */
#pragma once

#include <stdio.h>

#include "sshd-config.h"

#define SSHD_TEXT_DEFAULT "/etc/ssh/sshd_config"

enum { SSHD_COPIES_MAX = 512 };

/* Copies of a file and of all that it includes, in memory. */
struct sshd_copies {
    FILE *files[SSHD_COPIES_MAX];
    size_t count;
};

/* Closes the copies. */
void sshd_copies_close(struct sshd_copies *copies);

/* Copies the file PATH and all that it includes, as OVERLAY, which may be NULL, has them; each copy
 * includes copies, by /proc/PID/fd. Every connection is in BLOCK, and in the blocks around it, with
 * SSHD_CONFIG_ALONE in no other one; no connection is in any block where BLOCK is
 * SSHD_CONFIG_NO_BLOCK; the criteria stay where it is SSHD_CONFIG_USUAL. Returns the copy of PATH,
 * whose paths hold until sshd_copies_close(). -1: a file can't be read, includes go too deep, or no
 * more copies can be made; WHY_NOT is filled. */
int sshd_text_copy(const char *path, const struct overlay *overlay,
                   const struct sshd_blocks *blocks, int block, struct sshd_copies *copies,
                   struct verdict *why_not);
