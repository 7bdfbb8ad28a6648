/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* For a while no code is asked of a user: root's file NAME.bypass. It ends by itself. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "secret.h"

enum {
    BYPASS_SECONDS_MAX = 24 * 60 * 60,
    BYPASS_REASON_MAX = 200,
    BYPASS_BOOT_ID_SIZE = 37, /* of /proc/sys/kernel/random/boot_id */
};

/* One moment by every clock there is. */
struct bypass_moment {
    int64_t time_s;     /* CLOCK_REALTIME, which can be set */
    int64_t boottime_s; /* CLOCK_BOOTTIME, which can't, since the machine was started */
    char boot_id[BYPASS_BOOT_ID_SIZE];
};

struct bypass {
    struct bypass_moment made;
    int64_t until_s; /* CLOCK_REALTIME */
    char *reason;
};

/* Now. False: the kernel does not tell. */
bool bypass_now(struct bypass_moment *ret_now);

/* For how many seconds BYPASS still counts at NOW; 0: it has ended. It ends at its time by the wall
 * clock; where that clock was set back to before its beginning; and when as much time has gone by
 * for certain. */
int64_t bypass_left(const struct bypass *bypass, const struct bypass_moment *now);

/* Parses TEXT, the contents of the file SHOWN. The caller frees with bypass_free(). False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool bypass_parse(const char *text, const char *shown, struct bypass **ret_bypass,
                  struct verdict *why_not);

/* Reads the file of NAME in users_dir USERS_DIR; the caller frees with bypass_free(). *WHY_NOT tells of
 * the other results. */
enum secret_read bypass_read(const char *users_dir, const char *name, struct bypass **ret_bypass,
                             struct verdict *why_not);

/* Frees *BYPASS, which may be NULL, and makes it NULL. */
void bypass_free(struct bypass **bypass);

#define auto_bypass __attribute__((cleanup(bypass_free))) struct bypass
