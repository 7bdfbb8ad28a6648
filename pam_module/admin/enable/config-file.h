/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A file of the system's configuration that is about to change: it is the old one or the new one,
 * whatever happens meanwhile, and keeps owner, mode, ACL and other attributes. */
#pragma once

#include <stdbool.h>

#include "../../core/verdict.h"

struct config_file {
    char *path; /* without links */
    char *old;  /* what is there; NULL: there is no such file */
    char *new;  /* what is to be there; NULL: no file */
};

/* Reads the file PATH; links are followed. The caller frees with config_file_free(). False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT: somebody else than root can change it, or a directory that
 * leads to it; it is no regular file, has several hard links, more than a megabyte, a NUL byte, or
 * lines that end in CR LF; a link leads to nothing. */
bool config_file_open(const char *path, struct config_file *ret_file, struct verdict *why_not);

/* Puts NEW in the place of OLD, on the disk. False, with OUTCOME_MISCONFIGURED in *WHY_NOT, and
 * nothing changed: somebody else has changed the file meanwhile, or a call failed. */
bool config_file_write(const struct config_file *file, struct verdict *why_not);

/* Frees what FILE holds and makes it zero. */
void config_file_free(struct config_file *file);

#define auto_config_file __attribute__((cleanup(config_file_free))) struct config_file
