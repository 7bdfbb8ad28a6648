/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One login, handed over by the program that the module started to a server (server.h), which has
 * libcurl loaded already and is never root: the dialogue's descriptors, and what root has read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../core/verdict.h"

/* What is handed over, in this order. */
enum handover_text {
    HANDOVER_SETTINGS, /* settings_print() */
    HANDOVER_USER,     /* whose enrollment it is; empty, and the next three: not enrolled */
    HANDOVER_IDENTITY,
    HANDOVER_FACTOR_SID,
    HANDOVER_RECOVERY, /* the text of the file; empty: there is none */
    HANDOVER_NOTE,     /* what the log is to tell, empty: nothing */
    HANDOVER_SECRET,
    HANDOVER_TEXTS
};

struct handover {
    const char *texts[HANDOVER_TEXTS];
    char *bytes; /* that the texts lie in, of one that was taken; SIZE of them */
    size_t size;
};

/* Offers to the server at the socket PATH. On true the login is the server's: this process must not
 * touch descriptors 0 and 1 again. False: nobody serves there, or not as the account ACCOUNT, or not
 * where the effective user has made somebody listen (by the kernel's word both, SCM_CREDENTIALS and
 * SO_PEERCRED of unix(7)), not in this version, or not at once; nothing was handed over then. */
bool handover_offer(const char *path, uid_t account, const struct handover *handover);

/* The server's side: says on CONNECTION that it takes the login, takes it, and puts the dialogue's
 * descriptors at 0 and 1. The caller frees with handover_free(). False: it was not taken; *WHY_NOT, empty
 * before, has the reason, unless the other end has left before it handed anything over. */
bool handover_take(int connection, struct handover *ret_handover, struct verdict *why_not);

/* Wipes and frees. */
void handover_free(struct handover *handover);
