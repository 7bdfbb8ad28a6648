/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "enroll --import FILE": a seed that is there already, so that nobody scans anything. */
#pragma once

#include "seed.h"

struct import {
    const char *path, *name; /* NAME: below DIRECTORY */
    int directory, file;     /* -1: standard input */
    struct seed seed;
};

/* Opens PATH, "-" for standard input, and reads the seed of USER, whose codes must have CODE_LENGTH
 * digits, from at most 64 KiB. A user owns the file and its directory, and root reads it: it must
 * be regular, owned by root or by USER, closed to others, and in no FUSE file system; no link in
 * the whole path is followed; all that may take BOUNDED_SECONDS. The caller closes with
 * import_close(). False: said why on standard error, without a word of the file. */
bool import_open(const char *path, const char *user, int code_length, struct import *ret_import);

/* Says what still holds the seed of USER, who is enrolled now; at a terminal it offers to delete
 * it. */
void import_offer_removal(const struct import *import, const char *user);

/* Wipes the seed. */
void import_close(struct import *import);
