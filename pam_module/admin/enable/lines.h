/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines that "enable" puts into a file, and "disable" takes out again. Each line has a mark of
 * its own, so that the order of edits does not matter and everything else stays byte for byte:
 *
 *     auth  required  pam_twilio_verify.so  # twilio-verify enable
 *     # twilio-verify enable put this line away: @include common-auth
 *
 * libpam and sshd ignore what follows a "#" (pam.conf(5), sshd_config(5)). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A line is known by its number, from 1 on. As in pam.conf(5), a line that ends in "\" goes on in
 * the next one and counts with it. */

enum { LINES_SIZE = 1024 };

/* Whether FILE, which a line includes, has lines of "auth". */
typedef bool (*lines_has_auth)(const char *file, void *context);

/* The first line of "auth" in TEXT after the line AFTER, 0 for the first of all: one of that type,
 * or an "@include" of what HAS_AUTH says yes to. 0: there are no more. */
unsigned lines_next_auth(const char *text, unsigned after, lines_has_auth has_auth, void *context);

/* Writes the line NUMBER of TEXT, with one blank between two words and without its comment. False:
 * there is no such line. */
bool lines_print(const char *text, unsigned number, char words[LINES_SIZE]);

/* The one line of TEXT that has the words of LINE. 0: there is none, or there are several. */
unsigned lines_find(const char *text, const char *line);

/* TEXT with each of LINES, which end with NULL, marked and put behind the line AFTER, or before the
 * first one where AFTER is 0. With PUTS_AWAY the line AFTER itself becomes a comment in its place.
 * The caller frees. NULL: out of memory, or there is no line AFTER. */
char *lines_insert(const char *text, unsigned after, bool puts_away, const char *const *lines);

/* TEXT with each of LINES, in the same way, at its end. The caller frees. NULL: out of memory. */
char *lines_append(const char *text, const char *const *lines);

/* TEXT as it was before lines_insert() and lines_append(). *RET_COUNT says how many lines had a
 * mark. The caller frees. NULL: out of memory. */
char *lines_remove(const char *text, size_t *ret_count);
