/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Memory that is wiped when it is freed, and files that are opened only when they can be trusted. */
#pragma once

#include <stddef.h>

#include "verdict.h"

/* Wipes and frees *TEXT, a string or NULL, and makes it NULL. */
void secret_free(char **text);

#define auto_secret __attribute__((cleanup(secret_free)))

/* Who may read a file besides its owner. Nobody else may ever write it. */
enum secret_readers { SECRET_READERS_ANY, SECRET_READERS_OWNER };

enum secret_read { SECRET_REFUSED, SECRET_ABSENT, SECRET_READ };

/* Opens the folder PATH, to open files below it. The caller closes. -1, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT: absent, no folder, not root's (nor the effective user's),
 * writable by others. A symbolic link is not followed. */
int secret_open_folder(const char *path, struct verdict *why_not);

/* Opens NAME below FOLDER (AT_FDCWD for a path) with FLAGS of open(2) (with O_CREAT its mode will
 * be 0600) and judges that very descriptor: a regular file, owned by root (or by the effective
 * user), written by nobody else, read by READERS; links are not followed, a FIFO does not block.
 * The caller closes. -1, with OUTCOME_MISCONFIGURED in *WHY_NOT, which names the file SHOWN and the
 * remedy; *RET_ABSENT says whether it is just not there (ENOENT). */
int secret_open_file(int folder, const char *name, const char *shown, int flags,
                     enum secret_readers readers, bool *ret_absent, struct verdict *why_not);

/* Reads such a file whole into *RET_TEXT, a string that the caller frees with secret_free().
 * SECRET_REFUSED: as above, or more than SIZE_MAX bytes, or a NUL byte. SECRET_ABSENT: there is no
 * such file; *WHY_NOT is filled as well. */
enum secret_read secret_read_file(int folder, const char *name, const char *shown,
                                  enum secret_readers readers, size_t size_max, char **ret_text,
                                  struct verdict *why_not);

/* Reads a file of one secret: one line of 1 to 256 printable ASCII characters without a blank.
 * The caller frees with secret_free(). False, with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool secret_read_line(const char *path, char **ret_secret, struct verdict *why_not);
