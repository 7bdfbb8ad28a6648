/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Who is enrolled: a user's name to the identity and the factors at Twilio. One small file
 * a user. */
#pragma once

#include <stdbool.h>

#include "verdict.h"

struct enrollment {
    char *identity;        /* 8 to 64 letters, digits, dashes: "Create an Entity" */
    char *factor_sid;      /* YF and 32 hexadecimal digits, of type totp; NULL: none */
    char *push_factor_sid; /* the same, of type push; at least one of both is there */
    char *user;            /* whose file it was read from: another name of the same person, maybe */
};

enum enrollment_found {
    ENROLLMENT_REFUSED, /* a file or directory can't be trusted or read; the verdict says why */
    ENROLLMENT_UNKNOWN, /* no file, and no account under exactly this name, as far as can be told */
    ENROLLMENT_NONE,    /* an account under exactly this name, and no file */
    ENROLLMENT_FOUND,
};

/* Whether NAME can have a file: 1 to 250 bytes without a slash or a control byte, not "." or
 * "..". */
bool enrollment_is_name(const char *name);

/* Whether TEXT is an identity as Twilio takes it: 8 to 64 letters, digits, dashes. */
bool enrollment_is_identity(const char *text);

/* Parses TEXT, the contents of the file SHOWN. The caller frees with enrollment_free(). False,
 * with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool enrollment_parse(const char *text, const char *shown, struct enrollment **ret_enrollment,
                      struct verdict *why_not);

/* The same, of a file that need not have a factor yet. */
bool enrollment_parse_draft(const char *text, const char *shown, struct enrollment **ret_enrollment,
                            struct verdict *why_not);

/* Looks up USER, any bytes, below the directory USERS_DIR. The first of these files counts: that of
 * exactly this name; that of the name which getpwnam(3) has for the account; that of the name which
 * getpwuid(3) has for its uid. *RET_ENROLLMENT is filled on ENROLLMENT_FOUND alone, *WHY_NOT
 * explains ENROLLMENT_REFUSED alone. */
enum enrollment_found enrollment_find(const char *users_dir, const char *user,
                                      struct enrollment **ret_enrollment, struct verdict *why_not);

/* Frees *ENROLLMENT, which may be NULL, and makes it NULL. */
void enrollment_free(struct enrollment **enrollment);

#define auto_enrollment __attribute__((cleanup(enrollment_free))) struct enrollment
