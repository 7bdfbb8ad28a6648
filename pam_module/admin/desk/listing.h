/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Rows under columns on standard output: aligned for a person, or JSON for a program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { LISTING_COLUMNS_MAX = 12 };

struct listing;

/* Starts rows of the COLUMNS, which end with NULL and outlive the listing. A person sees the first
 * ALIGNED of them aligned, and of the others those that are not empty, with their names. As JSON
 * the rows become one array of objects with the columns as names. The caller frees with
 * listing_free(). NULL: out of memory. */
struct listing *listing_start(const char *const *columns, size_t aligned, bool is_json);

/* Adds a row: a text for each column, copied, control bytes made '?'; NULL: empty, and left out of
 * the JSON. Lack of memory shows at the end. */
void listing_add(struct listing *listing, const char *const *texts);

/* Prints everything. False: a row is missing, for lack of memory. */
bool listing_print(const struct listing *listing);

/* Prints the one row: each column on a line of its own, or as JSON one object. False: out of
 * memory. */
bool listing_print_record(const struct listing *listing);

/* NULL is fine. */
void listing_free(struct listing *listing);
