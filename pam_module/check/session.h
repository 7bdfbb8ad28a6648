/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One code for a session: a session is the process that opened it, and what descends from it. All
 * of this is done as root, and before anything of the network is touched. */
#pragma once

#include "../core/dialogue.h"
#include "../core/enrollment.h"
#include "../core/settings.h"
#include "../core/verdict.h"

/* Carries out LOGIN's task, which is not DIALOGUE_LOGIN, with the settings of the file
 * SETTINGS_PATH: writes that the calling process has proved a code, or makes that of the session it
 * opens. False: nothing counts, and *WHY_NOT tells why. */
bool session_run(const char *settings_path, const struct dialogue_login *login,
                 struct verdict *why_not);

/* Whether LOGIN is in a session in which ENROLLMENT's user has proved a code, less than
 * session.minutes ago: OUTCOME_NOT_REQUIRED is in *VERDICT then. False: *WHY_NOT tells why; no
 * reason where the settings have no session for this service. */
bool session_covers(const struct settings *settings, const struct dialogue_login *login,
                    const struct enrollment *enrollment, struct verdict *verdict,
                    struct verdict *why_not);
