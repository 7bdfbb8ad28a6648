/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The directory of the enrollments, written to. Nothing is ever half there: a file comes into being
 * by rename(2), and what was begun at Twilio is in a file before the request leaves.
 *
 *     users_dir/NAME.conf             enrolled: what a login reads
 *     users_dir/NAME.recovery         the hashes of recovery codes, read by a login too
 *     users_dir/.pending/NAME.conf    a factor that is being made and was not confirmed
 *     users_dir/.former/NAME.conf     a factor that was replaced, to be deleted at Twilio */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../../core/verdict.h"

enum { USERS_IDENTITY_SIZE = 65, USERS_SID_SIZE = 35 };

enum users_state { USERS_ENROLLED, USERS_PENDING, USERS_FORMER, USERS_STATES };

/* A file of an earlier version, which counts for nothing: users_dir/NAME.bypass. */
#define USERS_OLD_BYPASS ".bypass"

/* What a file says. */
struct users_record {
    char identity[USERS_IDENTITY_SIZE];
    char factor_sid[USERS_SID_SIZE]; /* "" in USERS_PENDING: the request to make it may have left */
    char push_factor_sid[USERS_SID_SIZE]; /* "": none; without one there is the other */
};

struct users {
    const char *path;
    int directories[USERS_STATES];
    int lock; /* of one user, or -1 */
    const char *locked;
};

/* Opens users_dir PATH and the directories below it; where those are missing they are empty. The
 * caller closes with users_close(). False, with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool users_open(const char *path, struct users *ret_users, struct verdict *why_not);

void users_close(struct users *users);

/* Keeps other administrators away from NAME until users_close(), and makes the directories that are
 * missing: before anything is written. False: one is at it right now, or
 * the lock can't be made; the verdict says why. */
bool users_lock(struct users *users, const char *name, struct verdict *why_not);

enum users_found { USERS_REFUSED, USERS_NONE, USERS_FOUND };

/* Reads the file of NAME. USERS_REFUSED: it is damaged or can't be trusted; the verdict says
 * why. */
enum users_found users_read(const struct users *users, enum users_state state, const char *name,
                            struct users_record *ret_record, struct verdict *why_not);

/* Whether a factor of NAME waits for its first code. */
bool users_is_pending(const struct users *users, const char *name);

/* Writes the file of NAME, whole and on the disk, or not at all. */
bool users_write(const struct users *users, enum users_state state, const char *name,
                 const struct users_record *record, struct verdict *why_not);

/* The pending file becomes the enrollment; one that was there becomes the former one. */
bool users_install(const struct users *users, const char *name, struct verdict *why_not);

/* The enrollment becomes the former one: the user can't log in any more, its factor is not
 * forgotten. */
bool users_retire(const struct users *users, const char *name, struct verdict *why_not);

/* Writes TEXT, which only root shall read, as the file of NAME with SUFFIX (userfile.h) beside the
 * enrollment: whole and on the disk, or not at all. */
bool users_put(const struct users *users, const char *name, const char *suffix, const char *text,
               struct verdict *why_not);

/* Removes the file of NAME with SUFFIX; it need not be there. */
bool users_drop(const struct users *users, enum users_state state, const char *name,
                const char *suffix, struct verdict *why_not);

/* Removes the recovery codes of NAME where there is no enrollment: they are of an earlier user of
 * this name whose enrollment was deleted by hand. */
bool users_drop_others_codes(const struct users *users, const char *name, struct verdict *why_not);

/* The names that have a file with SUFFIX, sorted, for the caller to free with
 * directory_free_names(). NULL, with the verdict: the directory can't be read. */
char **users_names(const struct users *users, enum users_state state, const char *suffix,
                   struct verdict *why_not);
