/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One verb of the tool: what it is called with, its help, its function. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* How the tool ends. */
enum command_status {
    COMMAND_OK = 0,          /* done; nothing is wrong */
    COMMAND_WRONG = 1,       /* refused, or something wrong was found: the output says what */
    COMMAND_USAGE = 2,       /* called the wrong way; nothing was done */
    COMMAND_UNAVAILABLE = 3, /* Twilio or the network did not answer: try again later */
};

enum { COMMAND_OPTIONS_MAX = 10 };

/* An option of a verb: "--NAME" or "--NAME ARGUMENT". */
struct command_option {
    const char *name;     /* NULL ends the table */
    const char *argument; /* what to call it in the help; NULL: a flag */
    const char *help;
};

/* One call of a verb, its words taken apart. */
struct command_call {
    const struct command *command;
    const char *settings_path;
    const char *values[COMMAND_OPTIONS_MAX]; /* in the order of the options; "" for a flag that is
                                                given, NULL for what is not */
    char *const *operands;                   /* ends with NULL */
};

struct command {
    const char *name;
    const char *operands; /* as the help shows them: "", "USER", "[USER]", "SERVICE..." */
    const char *summary;
    struct command_option options[COMMAND_OPTIONS_MAX + 1];
    enum command_status (*run)(const struct command_call *call);
};

/* The value of the option NAME: NULL where it is not given, "" for a flag. NAME is one of the
 * verb's own. */
const char *command_value(const struct command_call *call, const char *name);

/* The verbs. */
extern const struct command bypass_command, check_pam_command, confirm_command, disable_command,
    doctor_command, enable_command, enroll_command, explain_command, list_command,
    recovery_codes_command, remove_command, session_command, setup_command, status_command,
    unlock_command;
