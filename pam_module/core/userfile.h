/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What root keeps of one user: small files, read before the login may use the network.
 *
 *     users_dir/NAME.conf        the enrollment (enrollment.h)
 *     users_dir/NAME.recovery    the hashes of the recovery codes (recovery.h)
 *     runtime_dir/bypass/NAME    for a while no code is asked for (bypass.h) */
#pragma once

#include <stddef.h>

#include "trusted.h"

#define USERFILE_ENROLLMENT ".conf"
#define USERFILE_RECOVERY   ".recovery"

enum { USERFILE_NAME_SIZE = 256, USERFILE_SHOWN_SIZE = 64 + USERFILE_NAME_SIZE };

/* Reads the file of NAME with SUFFIX from DIRECTORY, which is users_dir opened; SHOWN is filled
 * with its name for messages ("users/alice.conf"). Results as of trusted_read_file(). A NAME that
 * is too long to have such a file has none. */
enum trusted_read userfile_read(int directory, const char *users_dir, const char *name,
                                const char *suffix, enum trusted_readers readers, char **ret_text,
                                char shown[USERFILE_SHOWN_SIZE], struct verdict *why_not);

/* The same, with users_dir USERS_DIR opened for it. */
enum trusted_read userfile_read_in(const char *users_dir, const char *name, const char *suffix,
                                   enum trusted_readers readers, char **ret_text,
                                   char shown[USERFILE_SHOWN_SIZE], struct verdict *why_not);
