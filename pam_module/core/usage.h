/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Which recovery codes of a user were used, and how often wrong ones were typed: NAME.used in
 * state_dir (statefile.h). A file and a lock of its own: a login that stands still while it holds
 * the lock of the codes of the app (record.h) holds up no recovery code. The delay goes by the wall
 * clock, and where that is set back it lasts for no longer than from then on. */
#pragma once

#include "recovery.h"
#include "statefile.h"

enum {
    USAGE_TRIES = 5,          /* wrong recovery codes that cost no delay */
    USAGE_DELAY_SECONDS = 30, /* the first delay; each further wrong one doubles it */
    USAGE_DELAY_MAX_SECONDS = 3600,
    USAGE_SETS = 2, /* of recovery codes: the valid one, and one that is being made */
};

/* The recovery codes of one set that were used. */
struct usage_set {
    char id[RECOVERY_SET_SIZE]; /* its name, no NUL behind it; zero: none */
    uint64_t used;              /* bit N: the code N */
};

struct usage {
    char magic[STATEFILE_MAGIC_SIZE];
    int64_t tried_s; /* the last wrong recovery code, CLOCK_REALTIME */
    int64_t tries;   /* wrong ones since the last right one */
    struct usage_set sets[USAGE_SETS];
    uint64_t checksum;
};

extern const struct statefile usage_file;

/* Reads FILE, in its first layout too. False: it is damaged, or can't be read. */
bool usage_read(int file, struct usage *ret_usage);

/* Locks FILE and reads it. On STATEFILE_LOCKED the caller unlocks; otherwise
 * *RET_USAGE is as it was, and *WHY_NOT says why. */
enum statefile_locked usage_lock(int file, struct usage *ret_usage, struct verdict *why_not);

/* From when on a recovery code may be tried, at NOW_S of CLOCK_REALTIME; 0: now. */
int64_t usage_delay(struct usage *usage, int64_t now_s);

/* Counts a recovery code that is about to be tried at NOW_S, as a wrong one. 0; or, where it may
 * not be, what usage_delay() says. */
int64_t usage_try(struct usage *usage, int64_t now_s);

/* The used codes of RECOVERY's set, where FILE is the one that it was made for. NULL: USAGE does
 * not know them. */
struct usage_set *usage_find(struct usage *usage, int file, const struct recovery *recovery);

/* How many of the COUNT codes of SET remain, whatever the file says. */
int usage_left(const struct usage_set *set, size_t count);

/* A login's use of them; RECOVERY NULL: the user has none. *NOTE is for the log, where there is
 * something to tell.
 *
 * Uses up CODE, on the disk. How many of its set remain; -1: it is wrong, used, not to be tried
 * now, or can't be used up. */
int usage_recover(const char *state_dir, const char *user, const struct recovery *recovery,
                  const char *code, struct verdict *note);

/* Whether a right code would count now. False where RECOVERY is NULL, too; *NOTE as above. */
bool usage_can_recover(const char *state_dir, const char *user, const struct recovery *recovery,
                       struct verdict *note);
