/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers of a user's logins (record.h), for the tool. Those files are the
 * account's of run_as, and are opened as that account: whatever it may have put there, root does
 * not follow. */
#pragma once

#include "../../core/record.h"
#include "../../core/settings.h"
#include "../../core/usage.h"

/* Notes a new set of recovery codes, SET, of which none is used, beside the set VALID (NULL: there
 * is none). A file that is damaged is made anew, and VALID counts no more then. Fills IDENTITY with
 * which file it is. False, with the verdict. */
bool ledgers_add(const struct settings *settings, const char *name, const char *valid,
                 const char *set, char identity[STATEFILE_IDENTITY_SIZE], struct verdict *why_not);

/* Forgets every set of recovery codes but SET: a login that has read another one before can't use
 * its codes any more. False, with the verdict. */
bool ledgers_keep(const struct settings *settings, const char *name, const char *set,
                  struct verdict *why_not);

/* How many recovery codes of RECOVERY remain. -1, with the verdict: none can be used. */
int ledgers_left(const struct settings *settings, const char *name, const struct recovery *recovery,
                 struct verdict *why_not);

/* Reads what is known of the codes that NAME sent; where there is no file, of none. *RET_OPENS_S:
 * as of record_opens(). False, with the verdict: a login can't use the file. */
bool ledgers_read(const struct settings *settings, const char *name, struct record *ret_record,
                  int64_t *ret_opens_s, struct verdict *why_not);

/* No wrong code of NAME counts any more. False, with the verdict. */
bool ledgers_unlock(const struct settings *settings, const char *name, struct verdict *why_not);

/* Forgets everything about NAME. False, with the verdict. */
bool ledgers_forget(const struct settings *settings, const char *name, struct verdict *why_not);
