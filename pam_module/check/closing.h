/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the module logs: the verdict, which is the last line, and wrong codes. Where nobody reads it
 * any more it goes to the log from here. Anyone who reached the question had the first factor, and
 * that must leave a line. There is one for a process. */
#pragma once

#include "../core/dialogue.h"

/* Connects to the log, if this host has one, as long as that is possible: before root's rights are
 * dropped, and before the process shuts itself in. */
void closing_begin(void);

/* Whose login it is; before that nothing is logged. */
void closing_name(const struct dialogue_login *login);

/* From asked to answered the time is the user's. */
void closing_note_asked(void);
void closing_note_answered(void);

/* Says TEXT for the log, as a notice or as a warning. */
void closing_log(bool is_warning, const char *text);

/* Says VERDICT on standard output and ends the process with status 0; no destructor of any library
 * runs. A handler of a signal may call it. */
_Noreturn void closing_say(const struct verdict *verdict);
