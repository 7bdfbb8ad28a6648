/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One list of sshd's AuthenticationMethods, "publickey,keyboard-interactive:pam". */
#pragma once

#include "check-stack.h"
#include "sshd-config.h"

enum sshd_list_end {
    SSHD_LIST_SKIPPED,  /* sshd passes it over: it names a method that is off */
    SSHD_LIST_UNKNOWN,  /* it can't be satisfied: it names a method that no sshd on Linux has */
    SSHD_LIST_PASSWORD, /* it can't be satisfied where a code is needed: sshd gives the password */
    SSHD_LIST_CLOSED,   /* the module refuses it: no method of "after=" comes before the code */
    SSHD_LIST_BYPASS,   /* it logs in without the code */
    SSHD_LIST_ALONE,    /* by it the code alone logs in */
    SSHD_LIST_BACKWARD, /* it asks for the code, and then for a factor of sshd's */
    SSHD_LIST_ASKS,     /* it asks for the code, after a factor or together with one */
};

/* What the list of LENGTH bytes comes to under CONFIG; STACK is the service that sshd calls. */
enum sshd_list_end sshd_list_judge(const char *list, size_t length,
                                   const struct sshd_config *config,
                                   const struct check_stack_answer *stack);
