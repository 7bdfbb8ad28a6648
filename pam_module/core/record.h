/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The codes of the app that a user sent from this host: NAME.sent in state_dir (statefile.h).
 * Claims go by a clock that can't be set; everything else by the wall clock, and where that is set
 * back it lasts for no longer than from then on. */
#pragma once

#include "statefile.h"

enum {
    RECORD_CLAIMS = 64,
    RECORD_CLAIM_SECONDS = 300, /* 5 steps of 60 s, the most that the API lets a factor have */
    RECORD_CREATIONS_HOUR = 45, /* Twilio allows a factor 50 challenges an hour */
    RECORD_CREATIONS_DAY = 90,  /* and 100 a day: error 60312 */
    RECORD_WRONG_DAY = 30,      /* wrong codes in 24 h */
    RECORD_WRONG_ROW = 100,     /* and without a right one between them: NIST SP 800-63B 5.2.2 */
    RECORD_DENIED_SECONDS = 60, /* for so long a denied login counts as the last one */
    RECORD_PUSHES = 3,          /* in RECORD_PUSH_SECONDS */
    RECORD_PUSH_SECONDS = 300,
    RECORD_PUSH_STOP_SECONDS = 3600, /* without a push, after one that its owner did not want */
};

/* A code that was sent to Twilio from here. */
struct record_claim {
    uint64_t hash;      /* keyed, of user and code; 0: none */
    int64_t boottime_s; /* CLOCK_BOOTTIME */
};

struct record {
    char magic[STATEFILE_MAGIC_SIZE];
    struct record_claim claims[RECORD_CLAIMS];
    int64_t creations_s[RECORD_CREATIONS_DAY]; /* CLOCK_REALTIME; 0: none */
    int64_t denied_s; /* when the last login was denied, CLOCK_REALTIME; 0: it was not */
    int64_t wrong_s[RECORD_WRONG_DAY]; /* wrong codes, the newest first; CLOCK_REALTIME, 0: none */
    int64_t row;                       /* wrong codes since the last right one */
    int64_t untold;                    /* wrong codes of which the user has not been told */
    int64_t untold_s;                  /* the first of them, CLOCK_REALTIME */
    int64_t pushes_s[RECORD_PUSHES];   /* the newest first; CLOCK_REALTIME, 0: none */
    int64_t push_stopped_s;            /* a push was denied, CLOCK_REALTIME; 0: none was */
    uint64_t checksum;
};

extern const struct statefile record_file;

/* Reads FILE. False: it is damaged, or can't be read. */
bool record_read(int file, struct record *ret_record);

/* Locks FILE and reads it. On STATEFILE_LOCKED the caller unlocks; otherwise
 * *RET_RECORD is as it was, and *WHY_NOT says why. */
enum statefile_locked record_lock(int file, struct record *ret_record, struct verdict *why_not);

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

/* Counts the creation of a challenge at NOW_S of CLOCK_REALTIME. 0; or, where there were too many,
 * the time from which on there may be another. */
int64_t record_create(struct record *record, int64_t now_s);

/* No time: the limit lasts until somebody ends it. */
#define RECORD_NEVER INT64_MAX

/* Whether a code may be sent at NOW_S of CLOCK_REALTIME. 0; or, where there were too many wrong
 * ones, the time from which on one may be, or RECORD_NEVER. What is a day old is dropped, and what
 * comes from the future is from now on. */
int64_t record_opens(struct record *record, int64_t now_s);

/* Whether the clock was set back since something was counted. */
bool record_is_ahead(const struct record *record, int64_t now_s);

/* How many wrong codes count. */
int record_wrong(const struct record *record);

/* Counts a code that is about to be sent, as a wrong one; record_opens() was 0. */
void record_count(struct record *record, int64_t now_s);

/* Takes back what was counted at COUNTED_S. */
void record_take_back(struct record *record, int64_t counted_s);

/* Whether a push may be sent at NOW_S of CLOCK_REALTIME, and counts it then. 0; or, where there
 * were too many or it is stopped, the time from which on there may be another. */
int64_t record_push(struct record *record, int64_t now_s);

/* Whether pushes are stopped at NOW_S of CLOCK_REALTIME. 0; or the time until which they are. */
int64_t record_push_stopped(struct record *record, int64_t now_s);

/* The user denied a push, or its number was wrong: none for RECORD_PUSH_STOP_SECONDS from NOW_S on.
 * It counts as WRONG wrong codes besides. */
void record_stop_push(struct record *record, int wrong, int64_t now_s);

/* No wrong code counts any longer, and a push may be sent again. */
void record_forgive(struct record *record);

/* The user was told of COUNT wrong codes, at SINCE_S of CLOCK_REALTIME; 0: he needs not be told of
 * them. */
void record_tell(struct record *record, int64_t count, int64_t since_s);

/* Whether the last login was denied, at most RECORD_DENIED_SECONDS before NOW_S of
 * CLOCK_REALTIME. */
bool record_was_denied(const struct record *record, int64_t now_s);
