/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* sshd's part: a drop-in for its methods, the reload, and a look at what it offers then. */
#pragma once

#include "../lint/sshd-config.h"
#include "plan.h"

/* Makes of FILE the drop-in for a login BY_KEY, or by a password, and a code. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool sshd_enable(bool by_key, struct config_file *file, struct verdict *why_not);

/* Makes of FILE the drop-in without our lines. *RET_COUNT: how many there were. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool sshd_disable(struct config_file *file, size_t *ret_count, struct verdict *why_not);

/* Makes the directory without which Debian's sshd checks nothing, as its unit does when it starts:
 * it may not have, if sshd does not run or waits at ssh.socket. */
void sshd_make_directory(void);

/* Reads what sshd's configuration will be with OVERLAY, and whether it will log in so. The caller
 * frees with sshd_config_free(). False, with OUTCOME_MISCONFIGURED in *WHY_NOT: sshd is not there
 * or refuses it, a line before the drop-in counts, or sshd_config does not include its
 * directory. */
bool sshd_read(bool by_key, const struct overlay *overlay, struct sshd_config *ret_config,
               struct verdict *why_not);

/* Writes the drop-in FILE, lets "sshd -t" judge it, reloads the sshd that runs with CONFIG, and
 * connects to it to see that it offers what the drop-in says. Where no sshd runs, that is all
 * right. False, with OUTCOME_MISCONFIGURED in *WHY_NOT: the drop-in is as it was, and sshd is
 * reloaded. */
bool sshd_switch(bool by_key, const struct config_file *file, const struct sshd_config *config,
                 struct verdict *why_not);

/* Takes a drop-in back that sshd_switch() wrote, and reloads. False, with OUTCOME_MISCONFIGURED in
 * *WHY_NOT: the drop-in is still there, or sshd has not read that it is gone. */
bool sshd_return(const struct config_file *file, const struct sshd_config *config,
                 struct verdict *why_not);

/* Lets "sshd -t" judge its files, and reloads it. False, with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool sshd_reload(const struct sshd_config *config, struct verdict *why_not);
