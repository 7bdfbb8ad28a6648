/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A file of one user in state_dir: NAME and a suffix, a record of a fixed size between eight bytes
 * that say what it is and a checksum. A change is one write, so no kill leaves half of one. The
 * files are the account's that talks to the network, so they hold only what makes a login stricter:
 * without them, or with whatever somebody else writes there, nobody gets in who has neither a right
 * code nor a recovery code, though one that was used before may count again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verdict.h"

enum { STATEFILE_MAGIC_SIZE = 8, STATEFILE_IDENTITY_SIZE = 64 };

/* What a kind of file looks like, in this machine's own byte order. */
struct statefile {
    const char *suffix;
    const char *magic; /* STATEFILE_MAGIC_SIZE characters, the first ones of the record */
    size_t size;       /* of the record, with the checksum, its last eight bytes */
};

/* Opens the file of the user NAME below the directory PATH with FLAGS of open(2); with O_CREAT it
 * makes an empty one where none is. The caller closes. -1, with OUTCOME_MISCONFIGURED in *WHY_NOT:
 * it can't be made or opened, is neither the effective user's nor root's, or others may write it or
 * the directory. *RET_ABSENT: the directory can be used, and there is no such file. */
int statefile_open(const struct statefile *kind, const char *path, const char *name, int flags,
                   bool *ret_absent, struct verdict *why_not);

/* Where the file is, as a descriptor that neither reads nor writes (O_PATH), whatever it is; a link
 * is not followed. The caller closes. -1 with errno: the directory or the file can't be opened. */
int statefile_locate(const struct statefile *kind, const char *path, const char *name);

/* Removes it; it need not be there. False, with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool statefile_remove(const struct statefile *kind, const char *path, const char *name,
                      struct verdict *why_not);

/* Which file it is: inode and time of birth, as a text. A file that was copied, or made anew, is
 * another one. False: it can't be told. */
bool statefile_identify(int file, char identity[STATEFILE_IDENTITY_SIZE]);

enum statefile_locked {
    STATEFILE_UNUSABLE, /* it can't be locked; for those who read it too: it is damaged */
    STATEFILE_BUSY,     /* somebody else holds the lock, for longer than anybody here does */
    STATEFILE_LOCKED
};

/* Locks FILE, for a moment: the caller unlocks before anything that takes long. Otherwise *WHY_NOT
 * says why. */
enum statefile_locked statefile_lock(int file, struct verdict *why_not);

/* Lets others lock FILE, which this process has locked. */
void statefile_unlock(int file);

/* Reads the record; an empty file holds one of zeros. The lock is not needed: where it meets half
 * of a write, it reads again. False: the file is not of this KIND, damaged, or can't be read;
 * *RET_RECORD is undefined. */
bool statefile_read(const struct statefile *kind, int file, void *ret_record);

/* For a file that can't be used as it is; always STATEFILE_UNUSABLE. */
enum statefile_locked statefile_refuse_damaged(struct verdict *why_not);

/* Writes RECORD to FILE, which is locked if it replaces what was read, with FOR_GOOD to the disk.
 * False, with *WHY_NOT: it may be written or not. */
bool statefile_write(const struct statefile *kind, int file, void *record, bool for_good,
                     struct verdict *why_not);

/* Whether TIME_S, seconds of a clock, may be in a record: anyone who writes the file must not be
 * able to make us count beyond what we can. */
bool statefile_is_time(int64_t time_s);
