/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* That a process has seen a code of the app approved: root's files in runtime_dir/sessions,
 *
 *     PID.proved     by the process that asked, for the session that it or its parent opens
 *     PID.session    by the process that opened the session
 *
 * A file counts only while that process lives, in the boot in which it was written, and for the
 * account and the factor in it. No clock that is set extends it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "boot.h"
#include "kin.h"
#include "trusted.h"

#define PROOF_DIRECTORY "sessions" /* below runtime_dir */

enum { PROOF_OPENS_SECONDS = 600 }; /* for so long PID.proved can become a session */

enum proof_kind { PROOF_PROVED, PROOF_SESSION };

struct proof {
    char *boot_id;
    char *start;      /* of the process: decimal */
    char *user;       /* the name of the enrollment */
    char *uid;        /* of the account: decimal */
    char *factor_sid; /* whose code it was */
    int seconds;      /* of that boot, at the approval */
    int other;        /* the pid of the other file that the same approval made; 0: none */
};

/* Parses TEXT, the contents of the file SHOWN. The caller frees with proof_free(). False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool proof_parse(const char *text, const char *shown, struct proof **ret_proof,
                 struct verdict *why_not);

/* Opens the directory below RUNTIME_DIR. Both must be owned by root (or the effective user) and
 * writable by nobody else. With IS_MADE it is created if it is missing. The caller closes. -1, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT; *RET_ABSENT says whether it is only missing. */
int proof_open_directory(const char *runtime_dir, bool is_made, bool *ret_absent,
                         struct verdict *why_not);

/* Reads the file of PID; the caller frees with proof_free(). *WHY_NOT tells of the other
 * results. */
enum trusted_read proof_read(int directory, pid_t pid, enum proof_kind kind,
                             struct proof **ret_proof, struct verdict *why_not);

/* Writes PROOF to a file of PID, which does not count before proof_commit(). False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool proof_write(int directory, pid_t pid, const struct proof *proof, struct verdict *why_not);

/* Makes what proof_write() wrote count, in place of the file that was there: one rename(2). False,
 * with OUTCOME_MISCONFIGURED in *WHY_NOT, and nothing changed. */
bool proof_commit(int directory, pid_t pid, enum proof_kind kind, struct verdict *why_not);

/* Removes the file of PID; it need not be there. A file that stays counts until its process
 * ends. */
void proof_remove(int directory, pid_t pid, enum proof_kind kind);

/* Whether PROOF is of the process KIN, in the boot of NOW. */
bool proof_is_of(const struct proof *proof, const struct kin *kin, const struct boot_moment *now);

/* How long ago the code was approved; -1: later than NOW. */
int64_t proof_age_seconds(const struct proof *proof, const struct boot_moment *now);

/* Calls FOUND, which may be NULL, for each file that counts; removes the others. */
void proof_walk(int directory, const struct boot_moment *now,
                void (*found)(void *context, pid_t pid, enum proof_kind kind,
                              const struct proof *proof),
                void *context);

/* Frees *PROOF, which may be NULL, and makes it NULL. */
void proof_free(struct proof **proof);

#define auto_proof __attribute__((cleanup(proof_free))) struct proof
