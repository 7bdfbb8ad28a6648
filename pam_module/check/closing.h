/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The verdict, which is the last line of the dialogue, and the lines about wrong codes. The module
 * logs them. If nobody reads the dialogue any more, this process writes them to the log itself:
 * anyone who reached the question had the first factor, and that must leave a line. A process has
 * one login. */
#pragma once

#include "../core/dialogue.h"

/* Connects to the log, if this host has one. Call it while that is possible: before root is
 * dropped, and before the sandbox. */
void closing_begin(void);

/* Says whose login it is; keeps LOGIN. Before this call nothing is logged. */
void closing_name(const struct dialogue_login *login);

/* The time between these two calls is the user's, and does not count. */
void closing_note_asked(void);
void closing_note_answered(void);

/* Adds TEXT to the reason of every verdict from now on. */
void closing_add(const char *text);

/* Says TEXT for the log; KIND is DIALOGUE_LOG_NOTICE or DIALOGUE_LOG_WARNING. */
void closing_log(enum dialogue_kind kind, const char *text);

/* Says VERDICT on standard output and ends the process with status 0; no destructor of any library
 * runs. A handler of a signal may call it. */
_Noreturn void closing_say(const struct verdict *verdict);
