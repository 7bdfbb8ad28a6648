/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The system calls that a login may make. Every other one answers ENOSYS: that is what a newer
 * library meets on an older kernel, and copes with. */
#pragma once

#include <seccomp.h>
#include <stdbool.h>

/* Stands for a number that differs between architectures: FILTER_NAME and its place among the
 * names. */
#define FILTER_NAMES "FIONBIO", "FIONREAD", "SIOCGIFINDEX", "SIOCOUTQ"
enum { FILTER_NAME = 0x70000000 };

/* CALLS, with a blank between them, are allowed where their ARGUMENTS, COUNT of them, are like
 * this. */
struct filter_rule {
    const char *calls;
    unsigned count;
    struct scmp_arg_cmp arguments[3];
    const char *architecture; /* NULL: every one that has no rule of its own for a call */
    bool is_refused;          /* there they are not allowed at all */
};

/* The last one has no calls. */
extern const struct filter_rule filter_rules[];

bool filter_rule_has(const struct filter_rule *rule, const char *call);

/* Whether RULE has CALL, and allows something on ARCHITECTURE, by its libseccomp name. */
bool filter_rule_counts(const struct filter_rule *rule, const char *call, const char *architecture);
