/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* For a while no code is asked of a user: root's file runtime_dir/bypass/NAME. It ends at its time,
 * and with the boot; no clock that is set extends it. */
#pragma once

#include <stdbool.h>

#include "boot.h"
#include "trusted.h"

#define BYPASS_DIRECTORY "bypass" /* below runtime_dir */

enum { BYPASS_SECONDS_MAX = 24 * 60 * 60, BYPASS_REASON_MAX = 200, BYPASS_PATH_SIZE = 1100 };

struct bypass {
    char *boot_id; /* of the boot in which it counts */
    int until;     /* seconds of that boot */
    char *reason;
};

/* Whether BYPASS counts at NOW; *RET_LEFT_SECONDS is how long it still will. False, with
 * OUTCOME_DENIED in *WHY_NOT: it has ended, or is for more than BYPASS_SECONDS_MAX. */
bool bypass_counts(const struct bypass *bypass, const struct boot_moment *now,
                   int *ret_left_seconds, struct verdict *why_not);

/* Parses TEXT, the contents of the file SHOWN. The caller frees with bypass_free(). False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool bypass_parse(const char *text, const char *shown, struct bypass **ret_bypass,
                  struct verdict *why_not);

/* The path of the directory of bypasses below RUNTIME_DIR. Returns PATH. */
const char *bypass_print_directory(const char *runtime_dir, char path[BYPASS_PATH_SIZE]);

/* Opens that directory; it and RUNTIME_DIR must be root's (or the effective user's) and written by
 * nobody else. The caller closes. -1, with OUTCOME_MISCONFIGURED in *WHY_NOT; *RET_ABSENT says
 * whether there is just none: nobody has made a bypass since the machine was started. */
int bypass_open_directory(const char *runtime_dir, bool *ret_absent, struct verdict *why_not);

/* Reads the file of NAME; the caller frees with bypass_free(). *WHY_NOT explains the other
 * results. */
enum trusted_read bypass_read(const char *runtime_dir, const char *name, struct bypass **ret_bypass,
                              struct verdict *why_not);

/* Frees *BYPASS, which may be NULL, and makes it NULL. */
void bypass_free(struct bypass **bypass);

#define auto_bypass __attribute__((cleanup(bypass_free))) struct bypass
