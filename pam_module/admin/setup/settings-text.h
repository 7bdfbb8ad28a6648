/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The text of a settings file, in which single keys are changed and all else stays as it is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Copies the text that GROUP.NAME has in TEXT into VALUE. False, and VALUE is "": the key is not
 * there, is no plain text, or does not fit into SIZE. */
bool settings_text_get(const char *text, const char *group, const char *name, char *value,
                       size_t size);

/* TEXT with GROUP.NAME = "VALUE": in place of the value that is there; or as the first key of its
 * group; or in a new group at the end. Comments and other keys stay. The result is for
 * settings_parse() to judge: TEXT may be anything. The caller frees. NULL: out of memory. */
char *settings_text_set(const char *text, const char *group, const char *name, const char *value);
