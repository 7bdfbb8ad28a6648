/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A temporary directory for the files of one test. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* For TEST_IN_DIRECTORY(): *STATE is the path of a new empty directory with mode 0700,
 * removed with everything in it when the test ends, however it ends. */
int directory_setup(void **state);
int directory_teardown(void **state);

/* The path of NAME in DIRECTORY, in memory that is used again after eight calls. */
const char *directory_path(const char *directory, const char *name);

/* Makes the file NAME anew, of SIZE bytes and with exactly MODE. */
void directory_write_bytes(const char *directory, const char *name, const char *bytes, size_t size,
                           mode_t mode);

/* The same with the string TEXT. */
void directory_write(const char *directory, const char *name, const char *text, mode_t mode);
