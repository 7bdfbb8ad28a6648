/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A directory of root's that the tool writes to. A file there is whole or absent: it comes by
 * rename(2). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "../../core/verdict.h"

/* Opens the directory PATH, which is made where it is missing, and gives it MODE. The caller
 * closes. -1, with OUTCOME_MISCONFIGURED in *WHY_NOT: it can't be made, or is not such a directory
 * (trusted_open_directory()). */
int directory_make(const char *path, mode_t mode, struct verdict *why_not);

/* Writes TEXT to the file NAME in DIRECTORY, on the disk: first to TEMPORARY in the directory
 * ASIDE, on the same file system; one that an earlier call left there is replaced. A file that is
 * replaced keeps its group. False, with errno set. */
bool directory_put(int directory, const char *name, int aside, const char *temporary,
                   const char *text, mode_t mode);

/* The names of the files in DIRECTORY that end with SUFFIX, without it, sorted; none where
 * DIRECTORY is -1. The caller frees with directory_free_names(). NULL, with errno set. */
char **directory_names(int directory, const char *suffix);

/* Frees *NAMES, which may be NULL, and makes it NULL. */
void directory_free_names(char ***names);
