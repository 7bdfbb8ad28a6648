/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether the second factor can be bypassed, and by which line: PAM's stacks, sshd, sudoers. */
#pragma once

#include <stddef.h>

#include "../../core/settings.h"
#include "../desk/report.h"
#include "overlay.h"

/* What to look at. Every member may be NULL: the machine's own, or what an administrator means
 * who names nothing. */
struct check_pam {
    const struct settings *settings; /* NULL: unknown; then no exemption in them is named */
    char *const *services;           /* PAM services, ends with NULL. NULL or empty: sshd, sudo,
                                        sudo-i, login, su, and whatever calls the module */
    const char *pam_dir;             /* NULL: as libpam looks, /etc/pam.d before /usr/lib/pam.d */
    const char *sshd_config;         /* NULL: sshd's own */
    const char *sudoers;             /* NULL: /etc/sudoers */
    const struct overlay *overlay;   /* files as they will be, and services that include
                                        them are looked at, too; NULL: as they are */
    bool is_unused_fine;             /* nothing is enabled yet, maybe: a note, and not wrong */
};

/* Adds the findings to REPORT, a line each with its remedy, without a verdict at the end. Needs
 * root to read everything; what can't be read is a finding, too. Starts "sshd -T", nothing else,
 * and asks nobody on the network. False: some program that calls the module may let in by something
 * else than PAM, and what that is was not looked at. */
bool check_pam_add(struct report *report, const struct check_pam *check);

/* Writes the names of the services whose own lines, or what they include, call the module into
 * NAMES, by terminal_add_word(). PAM_DIR is as of check-pam; NULL: as libpam looks. */
void check_pam_list(const char *pam_dir, char *names, size_t size);

/* Whether SERVICE cuts the code off a password (split=), so that it can ask no other question.
 * False also where that cannot be read. */
bool check_pam_has_one_field(const char *pam_dir, const char *service);
