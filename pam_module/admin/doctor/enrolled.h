/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The enrollments on this host. */
#pragma once

#include "../../core/enrollment.h"
#include "../../core/settings.h"
#include "../desk/report.h"
#include "../desk/terminal.h"

/* A finding about the directory of the enrollments, and one for each file that is damaged, names
 * the factor of another one, or is not found by another name of its account. */
void enrolled_add(struct report *report, const struct settings *settings);

/* The command that enrolls USER, who is not enrolled: "confirm" where a factor waits for its first
 * code; otherwise "enroll", with the account's own name. Where there is no account of this name it
 * is the command that shows that. */
struct terminal_command enrolled_remedy(const struct settings *settings, const char *user);

/* A finding about the recovery codes of NAME, who is enrolled. */
void enrolled_add_recovery(struct report *report, const struct settings *settings,
                           const char *name);

enum { ENROLLED_FACTORS_SIZE = 128 };

/* How a finding names the factors of ENROLLMENT. */
void enrolled_print_factors(const struct enrollment *enrollment, char text[ENROLLED_FACTORS_SIZE]);

/* A finding about USER's own, and those about his bypass and his recovery codes. The caller frees
 * with enrollment_free(). NULL: USER can't log in with a code. */
struct enrollment *enrolled_find(struct report *report, const struct settings *settings,
                                 const char *user);
