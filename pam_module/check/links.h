/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The links in a directory of certificates. OpenSSL follows each of them, wherever it leads. */
#pragma once

#include <dirent.h>
#include <stdbool.h>

/* The next entry of DIRECTORY that OpenSSL may look for, by the hash of a name, and that is no
 * regular file; NULL: there is none. It is valid until the next call. */
const char *links_next(DIR *directory);

/* Whether each of them leads to a regular file of DIRECTORY, or of one of the directories below
 * /usr in which Debian keeps certificates. It takes 0.6 ms to find out; that it is so is remembered
 * in state_dir until an entry of these directories changes, or to the next boot. Whoever writes
 * that file can make certificates unreadable, but none readable. */
bool links_stay(DIR *directory, const char *state_dir);
