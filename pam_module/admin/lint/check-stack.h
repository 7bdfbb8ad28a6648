/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether a PAM service can be passed without the code, and by which line. */
#pragma once

#include <stdbool.h>

#include "../../core/settings.h"
#include "../desk/report.h"
#include "pam-stack.h"

struct check_stack {
    struct pam_stack_source source;
    const char *service;
    const struct settings *settings;    /* NULL: unknown */
    enum report_level level_of_absence; /* how it is to be taken if the module is not called */
    bool is_named;                      /* somebody asked for the service: it has to be there */
};

enum { CHECK_STACK_AFTER_SIZE = 64 };

/* The subject of findings about what else than PAM such a program obeys. */
#define CHECK_STACK_PROGRAMS "programs"

/* Whether the program that calls PAM obeys it alone. */
enum check_stack_trust {
    CHECK_STACK_ALONE,   /* or what else it obeys was looked at */
    CHECK_STACK_OTHERS,  /* it does not; that is said */
    CHECK_STACK_UNKNOWN, /* it is not known, and not said */
};

struct check_stack_answer {
    bool is_known;   /* the stack could be followed */
    bool is_called;  /* it has a line of our module */
    bool is_other;   /* and that line, or the lack of it, is the one of "other" */
    bool has_factor; /* and one of a factor besides */
    bool is_new;     /* and that line is in a file of the overlay */
    bool has_split;  /* and one that cuts the code off a password */
    char after[CHECK_STACK_AFTER_SIZE]; /* "after=" of all lines of our module; "": of not all */
    enum check_stack_trust trust;       /* of check_stack_add(), where the module is called */
};

/* Adds what is found about a service; nothing where there is no such service and nobody named it.
 * The code may be the only factor in sshd's stack, and there alone: sshd has factors of its own. */
struct check_stack_answer check_stack_add(struct report *report, const struct check_stack *check);

/* The same answer, without a finding. */
struct check_stack_answer check_stack_ask(const struct check_stack *check);
