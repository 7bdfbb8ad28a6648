/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What smb.conf says about passwords. */
#pragma once

#include <stdbool.h>

enum { SMB_CONFIG_WHY_NOT_SIZE = 512 };

/* Reads the file PATH, without what it includes. *RET_ENCRYPTS: whether Samba checks passwords
 * itself ("encrypt passwords", on by default), without PAM's lines of auth. False: the file can't
 * be read; WHY_NOT is filled, and errno set. */
bool smb_config_read(const char *path, bool *ret_encrypts, char why_not[SMB_CONFIG_WHY_NOT_SIZE]);
