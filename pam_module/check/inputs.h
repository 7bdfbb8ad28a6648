/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a login needs of root's files. */
#pragma once

#include "../core/dialogue.h"
#include "../core/policy.h"

/* Initialise with { 0 }; inputs_free() afterwards. */
struct inputs {
    struct settings *settings;
    struct policy_findings findings;
    char *recovery_text; /* NULL: there are no recovery codes */
    struct verdict note; /* for the log, besides the verdict; no reason: nothing */
    char *secret;
};

/* Reads, as root, what LOGIN needs; the settings are the file SETTINGS_PATH. False: *VERDICT is the
 * login's, which may be that no code is needed. */
bool inputs_read(struct inputs *inputs, const char *settings_path,
                 const struct dialogue_login *login, struct verdict *verdict);

/* Wipes and frees. */
void inputs_free(struct inputs *inputs);
