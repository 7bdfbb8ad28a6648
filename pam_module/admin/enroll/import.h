/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "enroll --import FILE": a seed that is there already, so that nobody scans anything. */
#pragma once

#include "seed-file.h"
#include "seed.h"

struct import {
    struct seed_file file;
    struct seed seed;
};

/* Opens the file PATH and reads the seed of USER, whose codes must have CODE_LENGTH digits. The
 * caller closes with import_close(). False: said why on standard error, without a word of the
 * file. */
bool import_open(const char *path, const char *user, int code_length, struct import *ret_import);

/* Says what still holds the seed of USER, who is enrolled now; at a terminal it offers to delete
 * it. */
void import_offer_removal(const struct import *import, const char *user);

/* Wipes the seed. */
void import_close(struct import *import);
