/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Files that are opened only if nobody but root, or the effective user, can have written them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "verdict.h"

/* Who may read a file besides its owner. Nobody else may ever write it. */
enum trusted_readers { TRUSTED_READERS_ANY, TRUSTED_READERS_OWNER };

enum trusted_read { TRUSTED_REFUSED, TRUSTED_ABSENT, TRUSTED_READ };

/* Opens the directory PATH, to open files below it. The caller closes. -1, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT: absent, no directory, not root's (nor the effective user's),
 * writable by others. A symbolic link is not followed. */
int trusted_open_directory(const char *path, struct verdict *why_not);

/* The same for NAME below PATH, and for PATH too. *RET_ABSENT says whether it is just not there. A
 * host that is not root has no use for what root keeps there, and is not meant to see it: to such a
 * one it is not there either. */
int trusted_open_below(const char *path, const char *name, bool *ret_absent,
                       struct verdict *why_not);

/* Opens NAME below DIRECTORY (AT_FDCWD for a path) with FLAGS of open(2) (with O_CREAT its mode
 * will be 0600) and judges that very descriptor: a regular file, owned by root (or by the effective
 * user), written by nobody else, read by READERS; links are not followed, a FIFO does not block.
 * The caller closes. -1, with OUTCOME_MISCONFIGURED in *WHY_NOT, which names the file SHOWN and the
 * remedy; *RET_ABSENT says whether it is just not there (ENOENT). */
int trusted_open_file(int directory, const char *name, const char *shown, int flags,
                      enum trusted_readers readers, bool *ret_absent, struct verdict *why_not);

/* Reads such a file whole into *RET_TEXT, a string that the caller frees with secret_free().
 * TRUSTED_REFUSED: as above, or more than SIZE_MAX bytes, or a NUL byte. TRUSTED_ABSENT: there is
 * no such file; *WHY_NOT is filled as well. */
enum trusted_read trusted_read_file(int directory, const char *name, const char *shown,
                                    enum trusted_readers readers, size_t size_max, char **ret_text,
                                    struct verdict *why_not);
