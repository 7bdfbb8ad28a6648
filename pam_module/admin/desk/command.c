/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The words of a call. */
#include "command.h"

#include <string.h>

const char *command_value(const struct command_call *call, const char *name)
{
    for (size_t i = 0; call->command->options[i].name != NULL; i++)
        if (strcmp(call->command->options[i].name, name) == 0)
            return call->values[i];
    return NULL;
}
