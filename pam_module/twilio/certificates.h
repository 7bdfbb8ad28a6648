/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The system's certificates to trust: a directory of files under the names that OpenSSL looks
 * for. */
#pragma once

#include <limits.h>
#include <stdbool.h>

/* The path of a certificate in DIRECTORY, any of them. False: there is none, or DIRECTORY can't be
 * read. */
bool certificates_find(const char *directory, char ret_path[PATH_MAX]);

/* Whether FILE, and DIRECTORY with a certificate that is in it, can be opened now; NULL: none. */
bool certificates_are_readable(const char *file, const char *directory);
