/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The file of a seed. A user owns it and its directory, and root reads it: nothing there is
 * trusted. */
#pragma once

#include <sys/types.h>

#include "../../core/verdict.h"

/* An open file; "-" is standard input. */
struct seed_file {
    const char *path, *name; /* NAME: below DIRECTORY */
    int directory, file;     /* -1: standard input */
};

/* Opens PATH for USER and reads at most 64 KiB of it into *RET_TEXT. A file must be regular, owned
 * by root or by USER, closed to others, and in no FUSE file system; no link in the whole path is
 * followed; all that may take BOUNDED_SECONDS. The caller closes with seed_file_close(), and frees
 * with secret_free(). False, with OUTCOME_MISCONFIGURED in *WHY_NOT, which quotes nothing of it. */
bool seed_file_read(const char *path, const char *user, struct seed_file *ret_file, char **ret_text,
                    struct verdict *why_not);

/* Deletes the very file that was read. False, with the verdict. */
bool seed_file_remove(const struct seed_file *file, struct verdict *why_not);

void seed_file_close(struct seed_file *file);
