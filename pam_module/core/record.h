/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers of one user's logins: NAME.used in state_dir. The file is the account's
 * that talks to the network, so it holds only what makes a login stricter: without it, or with
 * whatever somebody else writes there, nobody gets in who has neither a right code nor a recovery code,
 * though one that was used before may count again. Claims go by a clock that can't be set; the limit
 * of creations and the delay by the wall clock, and where that is set back they last for no longer than
 * from then on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verdict.h"

enum {
    RECORD_CLAIMS = 64,
    RECORD_CLAIM_SECONDS = 300, /* 5 steps of 60 s, the most that the API lets a factor have */
    RECORD_CREATIONS_HOUR = 45, /* Twilio allows a factor 50 challenges an hour */
    RECORD_CREATIONS_DAY = 90,  /* and 100 a day: error 60312 */
    RECORD_TRIES = 5,           /* wrong recovery codes that cost no delay */
    RECORD_DELAY_SECONDS = 30,  /* the first delay; each further wrong one doubles it */
    RECORD_DELAY_MAX_SECONDS = 3600,
    RECORD_WRONG_DAY = 30,      /* wrong codes in 24 h */
    RECORD_WRONG_ROW = 100,     /* and without a right one between them: NIST SP 800-63B 5.2.2 */
    RECORD_DENIED_SECONDS = 60, /* for so long a denied login counts as the last one */
    RECORD_SETS = 2,            /* of recovery codes: the valid one, and one that is being made */
    RECORD_SET_SIZE = 32,
    RECORD_IDENTITY_SIZE = 64,
};

/* A code that was sent to Twilio from here. */
struct record_claim {
    uint64_t hash;      /* keyed, of user and code; 0: none */
    int64_t boottime_s; /* CLOCK_BOOTTIME */
};

/* The recovery codes of one set that were used. */
struct record_set {
    char id[RECORD_SET_SIZE]; /* its name, no NUL behind it; zero: none */
    uint64_t used;            /* bit N: the code N */
};

/* The file as it is, in this machine's own byte order. */
struct record {
    char magic[8];
    struct record_claim claims[RECORD_CLAIMS];
    int64_t creations_s[RECORD_CREATIONS_DAY]; /* CLOCK_REALTIME; 0: none */
    int64_t tried_s;                           /* the last wrong recovery code, CLOCK_REALTIME */
    int64_t tries;                             /* wrong ones since the last right one */
    struct record_set sets[RECORD_SETS];
    int64_t denied_s; /* when the last login was denied, CLOCK_REALTIME; 0: it was not */
    int64_t wrong_s[RECORD_WRONG_DAY]; /* wrong codes, the newest first; CLOCK_REALTIME, 0: none */
    int64_t row;                       /* wrong codes since the last right one */
    uint64_t checksum;
};

/* Opens the file of the user NAME below the folder PATH, to read and to write it, with MAKE an empty
 * one where none is. The caller closes. -1, with OUTCOME_MISCONFIGURED in *WHY_NOT: it can't be
 * made or opened, is neither the effective user's nor root's, or others may write it or the folder. */
int record_open(const char *path, const char *name, bool make, struct verdict *why_not);

/* Where the file is, as a descriptor that neither reads nor writes (O_PATH), whatever it is; a link is
 * not followed. The caller closes. -1 with errno: the folder or the file can't be opened. */
int record_locate(const char *path, const char *name);

/* Whether the folder can be opened and there is no such file in it. */
bool record_is_absent(const char *path, const char *name);

/* Removes it; it need not be there. False, with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool record_remove(const char *path, const char *name, struct verdict *why_not);

/* Which file it is: inode and time of birth, as a text. A file that was copied, or made anew, is
 * another one. False: it can't be told. */
bool record_identify(int file, char identity[RECORD_IDENTITY_SIZE]);

enum record_locked {
    RECORD_UNUSABLE, /* damaged, or it can't be read */
    RECORD_BUSY,     /* somebody else holds the lock, for longer than anybody here does */
    RECORD_LOCKED
};

/* Locks FILE, which record_open() has opened, and reads it, also as it was before there was
 * DENIED_S, or WRONG_S; record_write() then makes a new one of it, with all that it says. On RECORD_LOCKED the
 * caller unlocks with record_unlock(), before anything that takes long; otherwise *WHY_NOT tells. */
enum record_locked record_lock(int file, struct record *ret_record, struct verdict *why_not);

/* Writes RECORD to the locked FILE, with FOR_GOOD to the disk. False, with *WHY_NOT: it may be
 * written or not. */
bool record_write(int file, struct record *record, bool for_good, struct verdict *why_not);

void record_unlock(int file);

enum claim {
    CLAIM_REFUSED = 0, /* too many others stand, or too many wrong codes */
    CLAIM_TAKEN,       /* somebody made it before */
    CLAIM_UNRECORDED,  /* by the ledger alone: nothing can be noted of it */
    CLAIM_MADE,
};

/* Notes HASH, which is not 0, as used for RECORD_CLAIM_SECONDS from NOW_S of CLOCK_BOOTTIME. */
enum claim record_claim(struct record *record, uint64_t hash, int64_t now_s);

/* Takes the claim back. */
void record_release(struct record *record, uint64_t hash);

/* Counts the creation of a challenge at NOW_S of CLOCK_REALTIME. 0; or, where there were too many, the
 * time from which on there may be another. */
int64_t record_create(struct record *record, int64_t now_s);

/* No time: the limit stands until somebody ends it. */
#define RECORD_NEVER INT64_MAX

/* Whether a code may be sent at NOW_S of CLOCK_REALTIME. 0; or, where there were too many wrong ones, the
 * time from which on one may be, or RECORD_NEVER. What is a day old is dropped, and what comes from the
 * future is from now on. */
int64_t record_opens(struct record *record, int64_t now_s);

/* How many wrong codes stand. */
int record_wrong(const struct record *record);

/* Counts a code that is about to be sent, as a wrong one; record_opens() was 0. */
void record_count(struct record *record, int64_t now_s);

/* Takes back what was counted at COUNTED_S. */
void record_take_back(struct record *record, int64_t counted_s);

/* No wrong code stands any more. */
void record_forgive(struct record *record);

/* From when on a recovery code may be tried, at NOW_S of CLOCK_REALTIME; 0: now. */
int64_t record_delay(struct record *record, int64_t now_s);

/* Counts a recovery code that is about to be tried at NOW_S, as a wrong one. 0; or, where it may not
 * be, what record_delay() says. */
int64_t record_try(struct record *record, int64_t now_s);

/* Whether the last login was denied, at most RECORD_DENIED_SECONDS before NOW_S of CLOCK_REALTIME. */
bool record_was_denied(const struct record *record, int64_t now_s);

/* The used codes of the set ID; NULL: the record does not know it. */
struct record_set *record_find(struct record *record, const char id[RECORD_SET_SIZE]);

/* How many of the COUNT codes of SET remain, whatever the file says. */
int record_left(const struct record_set *set, size_t count);
