/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What sshd is configured for: asked of sshd itself, "sshd -T", and its Match blocks, which it does
 * not tell of, from the text. */
#pragma once

#include <stdbool.h>

enum { SSHD_CONFIG_WORDS_SIZE = 512 };

/* What is outside of every Match block. */
struct sshd_config {
    bool use_pam, password, keyboard_interactive, public_key, host_based, gssapi;
    char methods[SSHD_CONFIG_WORDS_SIZE];     /* AuthenticationMethods: "any", or lists */
    char pam_service[SSHD_CONFIG_WORDS_SIZE]; /* "sshd", where sshd does not know the keyword */
};

enum sshd_config_read { SSHD_CONFIG_REFUSED, SSHD_CONFIG_ABSENT, SSHD_CONFIG_READ };

/* Runs "sshd -T", with "-f PATH" unless PATH is NULL, without a shell and with an empty environment
 * but for PATH. SSHD_CONFIG_ABSENT: sshd is not installed. SSHD_CONFIG_REFUSED fills WHY_NOT with
 * the last line that it says, or what else failed. */
enum sshd_config_read sshd_config_read(const char *path, struct sshd_config *ret_config,
                                       char why_not[SSHD_CONFIG_WORDS_SIZE]);

/* A line of a Match block. */
struct sshd_config_line {
    const char *path;
    unsigned number;
    const char *criteria; /* "User alice" */
    const char *keyword;  /* as it is written */
    const char *value;    /* the rest of the line */
};

typedef void (*sshd_config_found)(const struct sshd_config_line *line, void *context);

/* Calls FOUND for each line within a Match block of PATH, sshd's own if NULL, and of what that
 * includes. False: a file could not be read, or includes go too deep; WHY_NOT is filled. */
bool sshd_config_matches(const char *path, sshd_config_found found, void *context,
                         char why_not[SSHD_CONFIG_WORDS_SIZE]);
