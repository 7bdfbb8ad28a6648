/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Goes through a PAM stack as libpam does: with given codes, or with all that the modules may
 * return at once. */
#pragma once

#include <stdbool.h>

#include "pam-stack.h"

/* Says what the module of LINE returns. */
typedef enum pam_code (*pam_walk_answer)(const struct pam_stack_line *line, void *context);

/* What pam_authenticate() returns where every module returns what ANSWER says. */
enum pam_code pam_walk_run(const struct pam_stack *stack, pam_walk_answer answer, void *context);

/* What was found about one line. "To success": on a way that ends in PAM_SUCCESS. */
struct pam_walk_line {
    bool is_reached;
    bool is_reached_bare;   /* before any factor was shown; who is root has shown enough */
    bool is_way_round;      /* from here it goes past a line of our module, to success */
    bool is_way_round_bare; /* the same, and no factor was shown before */
    pam_codes to_success;   /* what this line's module may return, to success */
};

struct pam_walk_result {
    bool is_success;      /* some way ends in PAM_SUCCESS */
    bool is_success_bare; /* and on one of them no factor was shown */
    bool is_success_ours; /* and on one of them none but our module's code */
    struct pam_walk_line lines[PAM_STACK_LINES_MAX];
};

/* Tries every way through STACK where our module returns one of SECOND, and every other module what
 * it may. The caller frees *RET_RESULT with free(). False: out of memory, or more ways than can be
 * followed; then nothing is known. */
bool pam_walk_search(const struct pam_stack *stack, pam_codes second,
                     struct pam_walk_result **ret_result);
