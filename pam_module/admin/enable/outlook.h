/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What logins will be after a change, judged before it is made. */
#pragma once

#include "../../core/settings.h"
#include "../desk/report.h"
#include "../lint/overlay.h"

/* What somebody needs for the first factor. */
enum outlook_need {
    OUTLOOK_ANYTHING,
    OUTLOOK_PASSWORD,
    OUTLOOK_KEY,     /* in the home */
    OUTLOOK_ANY_KEY, /* from wherever sshd takes keys: who has one is not known */
};

struct outlook {
    const struct settings *settings; /* NULL: they can't be read, and every login fails */
    char *const *services;           /* that will ask for a code; ends with NULL */
    const struct overlay *overlay;   /* the files as they will be */
    enum outlook_need need;
    bool is_root_out; /* the program refuses root, whatever PAM says */
};

/* Adds the findings of check-pam, and everybody who may log in today and will be refused. False: a
 * finding is wrong, or no administrator who may log in today can do so then. */
bool outlook_add(struct report *report, const struct outlook *outlook);
