/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the user typed, and what of it goes on to the check program. */
#pragma once

#include <stdbool.h>

#include "../core/dialogue.h"

enum { TYPED_SIZE = DIALOGUE_ANSWER_MAX + 1 };

/* Makes a line of the dialogue of TYPED: TAB and CR become blanks, bidirectional controls are left
 * out. An empty line where TYPED is NULL, longer than DIALOGUE_ANSWER_MAX bytes, not UTF-8, or
 * holds another control character, as sshd's answer for an unknown user does. */
void typed_print(const char *typed, char line[TYPED_SIZE]);

/* Whether TYPED is the PASSWORD, in a time that depends on their lengths alone. Either may be NULL;
 * an empty password is none. */
bool typed_is_password(const char *typed, const char *password);
