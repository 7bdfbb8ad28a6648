/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The values of keys (keys.h) from one process to another of the same build, which need not parse the
 * file again: a line "GROUP.NAME=VALUE" for each key, in the order of the table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "keys.h"

/* Prints the members of TARGET, which keys_parse() has filled; of KEY_TEXTS nothing. Every key has a
 * group. The caller frees.
 * NULL: no memory. */
char *values_print(const struct key *keys, size_t count, const void *target);

/* Fills the members of TARGET, which are all zero before, with what values_print() has made; KEY_TEXTS
 * are none. False: TEXT is nothing that this table prints, or no memory; TARGET may be filled in part
 * then: keys_free() it in either case. */
bool values_scan(const char *text, const struct key *keys, size_t count, void *target);
