/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The first code of a new factor. */
#pragma once

#include "tool.h"

enum confirm_end {
    CONFIRM_OVER,    /* the factor is gone, or its attempts are used up: it is of no use */
    CONFIRM_WAITING, /* the pending file is there: it can be confirmed later */
    CONFIRM_ENROLLED,
};

/* Asks for codes until one is right, writes the enrollment of NAME, and deletes a factor that it
 * replaces: on CONFIRM_ENROLLED a status that is not COMMAND_OK means that the deletion failed. */
enum command_status confirm_factor(struct tool *tool, const char *name,
                                   const struct users_record *record, enum confirm_end *ret_end);

/* The same with CODE alone, which was made from the seed. */
enum command_status confirm_code(struct tool *tool, const char *name,
                                 const struct users_record *record, const char *code,
                                 enum confirm_end *ret_end);
