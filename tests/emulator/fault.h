/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lies and failures of a server that a client must survive. */
#pragma once

#include "answer.h"
#include "reason.h"
#include "reply.h"

#include <stdio.h>

enum { FAULTS_MAX = 16, FAULT_FIELD_SIZE = 40, FAULT_ANY_OPERATION = -1, FAULT_FOR_EVER = -1 };

struct fault {
    const struct fault_kind *kind;
    int operation; /* FAULT_ANY_OPERATION or the number of one */
    long times;    /* how often it is still due, or FAULT_FOR_EVER */
    bool carries_out;
    unsigned number; /* status, seconds or milliseconds: what the kind takes */
    int code;        /* of status-NNN/CODE */
    int form;        /* of status-NNN-html: an enum error_body; below 0: as the switch says */
    char field[FAULT_FIELD_SIZE];
};

/* In the order in which they were set. Zero: none. */
struct faults {
    struct fault list[FAULTS_MAX];
    size_t count;
};

/* Adds `KIND [on OPERATION] [times N] [after carrying-out]`. */
bool faults_add(struct faults *faults, const char *text, struct reason *why_not);

/* Those that a request for OPERATION meets, counted down: of the kinds that take the place of the
 * whole reply only the first, of the others all. */
void faults_take(struct faults *faults, int operation, struct faults *ret_taken);

/* False: one of them keeps the request from being carried out. */
bool faults_carry_out(const struct faults *taken);

/* The two places where faults act. */
void faults_bend_answer(const struct faults *taken, struct answer *answer);
void faults_bend_reply(const struct faults *taken, struct reply *reply);

/* One line for each kind. */
void faults_print_help(FILE *stream);
