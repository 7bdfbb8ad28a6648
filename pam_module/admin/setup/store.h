/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The two files of "setup". */
#pragma once

#include "setup.h"

/* Keeps other calls of "setup" away until store_close(), and reads SETUP->text: the settings file,
 * or the sample where there is none. False, with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool store_open(struct setup *setup, struct verdict *why_not);

/* Lets other calls in again, if this one kept them away. */
void store_close(const struct setup *setup);

/* Parses SETUP->text with the SIDs of SETUP, zeros for those that are not known, and API_KEY_FILE
 * (NULL: as it stands). *RET_TEXT, for the caller to free unless RET_TEXT is NULL, is that text.
 * False, with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool store_parse(const struct setup *setup, const char *api_key_file,
                 struct settings **ret_settings, char **ret_text, struct verdict *why_not);

/* Writes the secret and the settings where they differ from what is there, and prints on standard
 * output what was done. At every moment either both files are as before, or both count. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool store_write(const struct setup *setup, struct verdict *why_not);
