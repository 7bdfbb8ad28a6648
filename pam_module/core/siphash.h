/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* SipHash-2-4: a short keyed hash (J.-P. Aumasson, D. J. Bernstein, 2012). */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_KEY_SIZE = 16 };

/* The hash of SIZE bytes under KEY; as the reference implementation has it, its bytes read
 * little-endian. */
uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], const void *bytes, size_t size);
