/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether memory with a code in it gets wiped. The linker puts this in place of explicit_bzero():
 * -Wl,--wrap=explicit_bzero -Wl,--wrap=__explicit_bzero_chk */
#pragma once

#include <stddef.h>

/* From now on SIZE bytes at MEMORY have to be wiped. */
void wiped_expect(const void *memory, size_t size);

/* How many of those were not wiped; forgets them all. */
size_t wiped_missing(void);
