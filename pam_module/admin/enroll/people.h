/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Who may log in to this host, as far as its accounts and groups say. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../../core/settings.h"
#include "../desk/bounded.h"

struct person {
    char *name;
    const char *why;       /* "root", "sudo", "wheel", "admin", "password" or "key" */
    bool is_administrator; /* root, or a member of sudo, wheel or admin */
    bool has_password, has_key;
};

struct people {
    struct person *persons;
    size_t count;
    size_t silent; /* homes whose file system did not answer */
    struct bounded child;
};

/* Finds root, the members of sudo, wheel and admin, and every account with a login shell of
 * shells(5) and a password or an authorized key in its home. Directories that do not list their
 * accounts (getpwent(3)) are not seen. Only root sees passwords and keys. Names the homes that do
 * not answer on standard error, and looks into no other after three of them. The caller frees with
 * people_free(). False: out of memory. */
bool people_find(struct people *ret_people);

/* Frees what PEOPLE holds and makes it zero. */
void people_free(struct people *people);

#define auto_people __attribute__((cleanup(people_free))) struct people

enum people_state {
    PEOPLE_READY,   /* enrolled, or exempt */
    PEOPLE_MISSING, /* refused: not enrolled, or a file can't be trusted */
    PEOPLE_IGNORED, /* not enrolled, and not asked: unmapped_user is "ignore" */
};

/* What a login of NAME by the PAM service SERVICE would be. SETTINGS of NULL: nobody's would
 * succeed. */
enum people_state people_state(const struct settings *settings, const char *service,
                               const char *name);
