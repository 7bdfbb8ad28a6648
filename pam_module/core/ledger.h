/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers of the codes of the app that one user sent (record.h), as a login needs
 * it. Nothing is open while somebody is waited for. Where nothing can be remembered, a code still
 * counts, once in a login, and the note says why. */
#pragma once

#include "record.h"
#include "siphash.h"
#include "verdict.h"

struct ledger {
    const char *state_dir, *user;
    bool is_silent; /* the user does not see what a question says */
    uint8_t key[SIPHASH_KEY_SIZE];
    int64_t counted_s;   /* the code that was sent last counts as wrong since then; 0: none does */
    int64_t own, told;   /* wrong codes of this login; those that its question told of */
    int64_t looked_s;    /* when it did */
    struct verdict note; /* what went wrong, for the log; no reason: nothing */
};

/* Begins for USER, the name of whose enrollment it is, or NULL for somebody who is not enrolled.
 * Claims are hashed under a key that is made of SECRET, so that the file alone does not tell a
 * code. STATE_DIR and USER are kept. */
void ledger_begin(struct ledger *ledger, const char *state_dir, const char *user, bool is_silent,
                  const char *secret);

/* Makes the user's file, whole, where there is none. Where that fails, ledger_claim() says
 * why in the note. */
void ledger_make(const struct ledger *ledger);

enum { LEDGER_TEXT_SIZE = 96 };

/* What a login has to know before it asks. */
struct ledger_look {
    bool is_locked;              /* too many codes were wrong */
    char text[LEDGER_TEXT_SIZE]; /* what the question begins with */
    int64_t untold;              /* wrong codes before this login of which nobody was told */
    bool was_denied;             /* the last login was, less than a minute ago */
};

/* Reads it, without the lock; where nothing can be read it is zero. OUTCOME_EXHAUSTED is in
 * *WHY_NOT where it is locked. */
void ledger_look(struct ledger *ledger, struct ledger_look *ret_look, struct verdict *why_not);

/* Wrong codes of the user, with the one that was claimed last. */
struct ledger_counts {
    int day, row; /* in 24 h; without a right one between them */
};

/* Notes that CODE is about to be sent, and counts it as a wrong one, under one lock. CLAIM_REFUSED,
 * with the verdict in *WHY_NOT: it must not be sent; the same where the lock can't be had.
 * *RET_COUNTS is filled on CLAIM_MADE. */
enum claim ledger_claim(struct ledger *ledger, const char *code, struct ledger_counts *ret_counts,
                        struct verdict *why_not);

/* Takes the count back: nobody has judged the code. */
void ledger_take_back(struct ledger *ledger);

/* The code was wrong: it may be sent again, and stays counted. */
void ledger_release(struct ledger *ledger, const char *code);

/* Counts the creation of a challenge. 0; or the seconds until there may be one, with
 * OUTCOME_EXHAUSTED in *WHY_NOT; or -1, with OUTCOME_MISCONFIGURED: the lock can't be had. */
int64_t ledger_count(struct ledger *ledger, struct verdict *why_not);

/* Counts a push that is about to be sent, and its challenge. 0; or the seconds until there may be
 * one, with OUTCOME_EXHAUSTED in *WHY_NOT; or -1, with the verdict: too many codes were wrong, or
 * it can't be counted. Nothing may be sent but after 0. */
int64_t ledger_push(struct ledger *ledger, struct verdict *why_not);

/* The push was denied: none for the next RECORD_PUSH_STOP_SECONDS. False: it could not be noted. */
bool ledger_stop_push(struct ledger *ledger);

enum { LEDGER_GUESS_COSTS = 10 }; /* wrong codes */

enum ledger_guess {
    LEDGER_GUESS_REFUSED = 0, /* it was not compared; the verdict says why */
    LEDGER_GUESS_WRONG,       /* and is counted: no push, as after ledger_stop_push() */
    LEDGER_GUESS_RIGHT,
};

/* Compares TYPED with the NUMBER, of two digits, that the phone shows. It is counted as a wrong one
 * before it is compared, under one lock, and taken back if it is right: so logins at once have no
 * second guess, and no kill leaves one uncounted. */
enum ledger_guess ledger_guess(struct ledger *ledger, const char *typed, int number,
                               struct verdict *why_not);

enum ledger_end {
    LEDGER_DENIED,
    LEDGER_APPROVED,  /* the last code was right */
    LEDGER_RECOVERED, /* a recovery code was, or a push */
};

/* Notes how the login ended. One that let in has told the user what its question said, and he knows
 * of its own wrong codes. */
void ledger_note_end(struct ledger *ledger, enum ledger_end end);

/* Forgets the key. */
void ledger_end(struct ledger *ledger);
