/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The table of operations: which method and path does what. */
#pragma once

#include "call.h"

/* What a device may do by itself. */
enum device_scope {
    DEVICE_SCOPE_NOTHING,
    DEVICE_SCOPE_FACTOR,    /* its own */
    DEVICE_SCOPE_CHALLENGE, /* of its own factor */
    DEVICE_SCOPE_LIST,      /* of these */
};

struct route {
    const char *method;
    const char *pattern;   /* of the path; `*` stands for one part */
    const char *operation; /* for faults and stats */
    bool (*run)(const struct call *call, struct answer *answer);
    enum device_scope device_scope;
    const char *signature_header; /* under the switch `signature-header=present`; NULL: none */
};

/* Fills in the parts of CALL's path. NULL: no route has this method and path. */
const struct route *route_find(const char *method, struct call *call);

/* The methods that the path of CALL has, as in `GET, POST`; empty: no route has the path. */
void route_print_methods(const struct call *call, char *ret_methods, size_t size);

/* The number of an operation, and the name of a number. False, NULL: there is none. */
bool route_find_operation(const char *name, int *ret_number);
const char *route_operation_name(int number);
int route_number(const struct route *route);
