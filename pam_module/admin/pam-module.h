/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What is known about PAM modules: what they are for, and what they may return. */
#pragma once

#include "pam-control.h"

enum pam_role {
    PAM_ROLE_FACTOR,    /* asks for a factor of its own, or may: every module that is not known */
    PAM_ROLE_SECOND,    /* ours */
    PAM_ROLE_CONDITION, /* says yes by who, where or when, without asking */
    PAM_ROLE_ROOT,      /* says yes to root */
    PAM_ROLE_NONE,      /* proves nothing about anybody */
};

struct pam_module {
    const char *name; /* "pam_unix.so"; "" for what is not known */
    enum pam_role role;
    pam_codes codes; /* that it may return from pam_sm_authenticate() */
};

/* What our module returns for a refusal; MODULE_UNKNOWN where libpam can't load it. */
#define PAM_MODULE_REFUSALS                                                                        \
    (PAM_CODE_SET(PAM_CODE_SERVICE_ERR) | PAM_CODE_SET(PAM_CODE_SYSTEM_ERR) |                      \
     PAM_CODE_SET(PAM_CODE_AUTH_ERR) | PAM_CODE_SET(PAM_CODE_AUTHINFO_UNAVAIL) |                   \
     PAM_CODE_SET(PAM_CODE_MAXTRIES) | PAM_CODE_SET(PAM_CODE_CONV_ERR) |                           \
     PAM_CODE_SET(PAM_CODE_MODULE_UNKNOWN))

/* The module at PATH, as it stands in a line: by its name, whatever the folder. Static storage,
 * never NULL. */
const struct pam_module *pam_module_find(const char *path);
