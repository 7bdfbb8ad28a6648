/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The settings file: twilio-verify.conf(5). */
#pragma once

#include <stdbool.h>

#include "verdict.h"

enum settings_unmapped { SETTINGS_UNMAPPED_DENY, SETTINGS_UNMAPPED_IGNORE };
enum settings_create { SETTINGS_CREATE_AT_PROMPT, SETTINGS_CREATE_WITH_CODE };

enum { SETTINGS_PROMPT_MAX = 200, SETTINGS_SESSION_MINUTES_MAX = 720 };

/* Every key with its value or default. The members bear the names of the keys. */
struct settings {
    /* service */
    char *base_url; /* https://HOST[:PORT], no slash behind it */
    char *service_sid;
    char *account_sid;
    char *api_key_sid; /* NULL: account_sid with the auth token */
    char *api_key_file;
    char *proxy;   /* NULL: none */
    char *ca_file; /* NULL, and ca_path too: the system's */
    char *ca_path;
    int timeout_seconds;
    /* login */
    char *prompt; /* at most SETTINGS_PROMPT_MAX bytes */
    int attempts;
    int code_length;
    int unmapped_user;      /* enum settings_unmapped */
    char **exempt_services; /* ends with NULL; NULL: none */
    int create_challenge;   /* enum settings_create */
    /* session */
    int session_minutes;     /* 0: a code is for one login alone */
    char **session_services; /* ends with NULL; NULL: none */
    /* check */
    char *run_as;
    char *users_dir;
    char *state_dir;
    char *runtime_dir;
    /* admin: of no use to a login */
    char *admin_api_key_sid; /* NULL: the service's key and file */
    char *admin_api_key_file;
};

/* Parses TEXT, the contents of the file SHOWN. The caller frees with settings_free(). False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT naming file, line, key and remedy. */
bool settings_parse(const char *text, const char *shown, struct settings **ret_settings,
                    struct verdict *why_not);

/* Reads and parses the file PATH, which only its owner, root or the effective user, may write. The
 * caller frees with settings_free(). False, with OUTCOME_MISCONFIGURED in *WHY_NOT: the file is not
 * there, not such a file, or as of settings_parse(). */
bool settings_read(const char *path, struct settings **ret_settings, struct verdict *why_not);

/* The line of the file PATH on which GROUP.NAME stands; 0: it is not there, and its default counts;
 * or the file can't be read. */
int settings_line(const char *path, const char *group, const char *name);

/* Whether SERVICE, a PAM service, is in exempt_services. */
bool settings_exempts(const struct settings *settings, const char *service);

/* Whether SERVICE is not asked again in a session that has proved a code: session.minutes is set,
 * and SERVICE is in session.services. */
bool settings_session_covers(const struct settings *settings, const char *service);

/* Whether SERVICE is asked in every session, also if it is in session.services. polkit is: what it
 * permits may be outside of the session that answers. */
bool settings_session_never_covers(const char *service);

/* Frees *SETTINGS, which may be NULL, and makes it NULL. */
void settings_free(struct settings **settings);

#define auto_settings __attribute__((cleanup(settings_free))) struct settings
