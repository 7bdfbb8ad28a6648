/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Files out of the input, for what reads with text-file.h. The linker puts these functions in place
 * of those of libc and ours: -Wl,--wrap=text_file_read,--wrap=scandir,--wrap=glob */
#pragma once

#include "fuzz.h"

/* Takes a file, all lines up to one that is "%", for each of NAMES, which end with NULL. A file is
 * found by its name, in any directory; one that begins with "absent" or "forbidden" is that. */
void files_take(struct fuzz_input *input, const char *const *names);

/* How many files were read since, and frees them. */
size_t files_forget(void);
