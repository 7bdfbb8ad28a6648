/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers between the logins of one user (record.h), as a login needs it. Nothing is
 * open while somebody is waited for. Where nothing can be remembered, a code of the app still
 * counts, once in a login, and the note says why; a recovery code does not. */
#pragma once

#include "record.h"
#include "recovery.h"
#include "siphash.h"
#include "verdict.h"

struct ledger {
    const char *state_dir, *user;
    const struct recovery *recovery;
    uint8_t key[SIPHASH_KEY_SIZE];
    int64_t counted_s;   /* the code that was sent last counts as wrong since then; 0: none does */
    struct verdict note; /* what went wrong, for the log; no reason: nothing */
};

/* Begins for USER, the name of whose enrollment it is, or NULL for somebody who is not enrolled;
 * RECOVERY may be NULL. Claims are hashed under a key that is made of SECRET, so that the file alone
 * does not tell a code. All are kept but SECRET. */
void ledger_begin(struct ledger *ledger, const char *state_dir, const char *user,
                  const struct recovery *recovery, const char *secret);

/* Makes the user's file where there is none. Where that fails what follows tells. */
void ledger_make(const struct ledger *ledger);

enum { LEDGER_TEXT_SIZE = 96 };

/* Wrong codes of the user, with the one that was claimed last. */
struct ledger_counts {
    int day, row; /* in 24 h; without a right one between them */
};

/* Whether too many codes were wrong: OUTCOME_EXHAUSTED is in *WHY_NOT then, and TEXT is for the
 * question. */
bool ledger_is_locked(struct ledger *ledger, char text[LEDGER_TEXT_SIZE], struct verdict *why_not);

/* Notes that CODE is about to be sent, and counts it as a wrong one, under one lock. CLAIM_REFUSED, with
 * the verdict in *WHY_NOT: it must not be sent; the same where the lock can't be had. *RET_COUNTS is
 * filled on CLAIM_MADE. */
enum claim ledger_claim(struct ledger *ledger, const char *code, struct ledger_counts *ret_counts,
                        struct verdict *why_not);

/* Takes the count back: nobody has judged the code. */
void ledger_take_back(struct ledger *ledger);

/* The code was wrong: it may be sent again, and stays counted. */
void ledger_release(struct ledger *ledger, const char *code);

/* Counts the creation of a challenge. 0; or the seconds until there may be one, with
 * OUTCOME_EXHAUSTED in *WHY_NOT; or -1, with OUTCOME_MISCONFIGURED: the lock can't be had. */
int64_t ledger_count(struct ledger *ledger, struct verdict *why_not);

/* Uses up the recovery code CODE, on the disk. How many of its set remain; -1: it is wrong, used, not
 * to be tried now, or can't be used up. */
int ledger_recover(struct ledger *ledger, const char *code);

/* Whether a right recovery code would count now. */
bool ledger_can_recover(struct ledger *ledger);

/* Whether the user's last login was denied, less than a minute ago; where nothing tells, it was not. */
bool ledger_was_denied(struct ledger *ledger);

/* Notes that this one was denied; or that it was approved, and its last code was not wrong. */
void ledger_note_end(struct ledger *ledger, bool is_denied);

/* Forgets the key. */
void ledger_end(struct ledger *ledger);
