/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* RFC 4648: base64 (section 4), and base64url (section 5) without padding. */
#pragma once

#include <stddef.h>

/* New memory with the bytes and a NUL behind them. NULL: TEXT is empty or malformed, or there is no
 * memory. */
char *base64_decode(const char *text, size_t *ret_size);
char *base64_decode_url(const char *text, size_t *ret_size);
