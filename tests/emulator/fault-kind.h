/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The kinds of faults. */
#pragma once

#include "fault.h"

enum fault_argument {
    FAULT_ARGUMENT_NONE,
    FAULT_ARGUMENT_STATUS, /* status-NNN[/CODE][-html|-empty|-rfc9457] */
    FAULT_ARGUMENT_NUMBER, /* NAME=N */
    FAULT_ARGUMENT_FIELD,  /* NAME:FIELD */
};

struct fault_kind {
    const char *name;
    enum fault_argument argument;
    bool replaces;     /* takes the place of the whole reply */
    bool keeps_undone; /* the request is not carried out, unless the fault says so */
    const char *field; /* of the reply's body */
    const char *value; /* for that field, in JSON */
    void (*bend_answer)(const struct fault *fault, struct answer *answer);
    void (*bend_reply)(const struct fault *fault, struct reply *reply);
    enum transport transport;
    const char *meaning;
};

extern const struct fault_kind fault_kinds[];
extern const size_t fault_kinds_count;
