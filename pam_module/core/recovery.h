/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Recovery codes: typed in place of a code when the phone or Twilio is away. Root's file holds
 * their hashes, all of one set under one salt, so that a try costs one hash; which of them are used
 * is in a file of state_dir (usage.h), since a login is no longer root when it uses one up. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "trusted.h"

/* No letter looks like another or like a digit, and none makes a word. */
#define RECOVERY_LETTERS "bcdfghjkmnpqrstvwxyz"

enum {
    RECOVERY_CODE_LENGTH = 12, /* log2(20) * 12: 51.8 bits */
    RECOVERY_CODE_SIZE = RECOVERY_CODE_LENGTH + 1,
    RECOVERY_CODES_MAX = 20,
    RECOVERY_SET_SIZE = 32,
    RECOVERY_SALT_SIZE = 128,
    RECOVERY_HASH_SIZE = 128,
    RECOVERY_NO_MATCH = -1,
    RECOVERY_NOT_HASHED = -2,
};

struct recovery {
    char *set;     /* the name of the set: 32 hexadecimal digits */
    char *state;   /* the file that its used codes are in: statefile_identify() */
    char *salt;    /* of crypt(5), yescrypt */
    char **hashes; /* what crypt(3) puts behind salt and "$"; ends with NULL */
};

/* Whether TEXT, any bytes, has the form of a recovery code: RECOVERY_CODE_LENGTH of
 * RECOVERY_LETTERS, large or small, blanks and dashes anywhere. CODE is changed only then. */
bool recovery_read_code(const char *text, char code[RECOVERY_CODE_SIZE]);

/* Makes a salt. False: no randomness. */
bool recovery_make_salt(char salt[RECOVERY_SALT_SIZE]);

/* What crypt(3) makes of CODE under SALT, without the salt. Takes some 20 ms and 16 MiB. False:
 * SALT is none, or out of memory. */
bool recovery_hash(const char *code, const char *salt, char hash[RECOVERY_HASH_SIZE]);

/* Parses TEXT, the contents of the file SHOWN. The caller frees with recovery_free(). False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool recovery_parse(const char *text, const char *shown, struct recovery **ret_recovery,
                    struct verdict *why_not);

/* Reads the file of NAME in users_dir USERS_DIR; the caller frees with recovery_free(). *WHY_NOT
 * tells of the other results. */
enum trusted_read recovery_read(const char *users_dir, const char *name,
                                struct recovery **ret_recovery, struct verdict *why_not);

/* How many codes the set has, used or not. */
size_t recovery_count(const struct recovery *recovery);

/* The number of CODE among the set's, from 0. RECOVERY_NO_MATCH: it is none of them, and with
 * RECOVERY NULL always, after as long. RECOVERY_NOT_HASHED: out of memory, or the salt is none. */
int recovery_match(const struct recovery *recovery, const char *code);

/* Frees *RECOVERY, which may be NULL, and makes it NULL. */
void recovery_free(struct recovery **recovery);

#define auto_recovery __attribute__((cleanup(recovery_free))) struct recovery
