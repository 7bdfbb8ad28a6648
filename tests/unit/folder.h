/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A temporary folder for the files of one test. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* For TEST_IN_FOLDER(): *STATE is the path of a new empty folder with mode 0700,
 * removed with everything in it when the test ends, however it ends. */
int folder_setup(void **state);
int folder_teardown(void **state);

/* The path of NAME in FOLDER, in memory that is used again after eight calls. */
const char *folder_path(const char *folder, const char *name);

/* Makes the file NAME anew, of SIZE bytes and with exactly MODE. */
void folder_write_bytes(const char *folder, const char *name, const char *bytes, size_t size,
                        mode_t mode);

/* The same with the string TEXT. */
void folder_write(const char *folder, const char *name, const char *text, mode_t mode);
