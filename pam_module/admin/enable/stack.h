/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The module's line in the file of a PAM service. */
#pragma once

#include "../lint/facts.h"
#include "plan.h"

/* Where the code goes. */
enum stack_place {
    STACK_LAST,     /* behind all lines of auth */
    STACK_IN_PLACE, /* of the one line that asks for a first factor, which sshd has itself: a key */
    STACK_AFTER,    /* behind a line that somebody named */
};

struct stack {
    const char *service; /* in lower case */
    const struct facts *facts;
    enum stack_place place;
    const char *line; /* of STACK_AFTER */
    int split;        /* how long the code is where it shares a field; 0: it has its own question */
};

enum stack_found {
    STACK_REFUSED, /* the verdict says why */
    STACK_ABSENT,  /* no such service; the verdict says why, too */
    STACK_SAME,    /* nothing is to be changed */
    STACK_CHANGED,
};

/* Adds to PLAN what asks for a code by the service. STACK_SAME: an earlier call has done it.
 * STACK_REFUSED also where the service calls the module by a line that is not of this tool, as by
 * an include; where nothing comes before the code; where the file can't be read or trusted. */
enum stack_found stack_enable(const struct stack *stack, struct plan *plan,
                              struct verdict *why_not);

/* Whether the service, with the files as PLAN makes them, asks for a code by a line of another
 * file, or of one that PLAN changes: it includes another service, or its file is a link. */
bool stack_asks_by_another(const struct stack *stack, const struct plan *plan);

/* Whether the service asks for a code, with the files as they are; *RET_REMEDY says by which line,
 * and what to do. */
bool stack_still_asks(const struct stack *stack, struct verdict *ret_remedy);

/* Adds to PLAN what takes it back. STACK_SAME: nothing in the file is of this tool, or PLAN changes
 * it already. */
enum stack_found stack_disable(const char *service, struct plan *plan, struct verdict *why_not);
