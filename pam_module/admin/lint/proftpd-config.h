/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The directives of proftpd.conf, with all that it includes. */
#pragma once

#include "../../core/verdict.h"

struct proftpd_config_line {
    const char *path;
    unsigned number;
    const char *keyword; /* as it is written; "<VirtualHost" where one begins */
    const char *value;   /* the rest of the line */
    unsigned host;       /* 0: the main server; else the number of a VirtualHost */
    bool is_global;      /* in <Global>: it counts for all of them */
    bool is_conditional; /* in <IfDefine> and the like, but <IfModule mod_auth_pam.c> */
};

typedef void (*proftpd_config_found)(const struct proftpd_config_line *line, void *context);

/* Calls FOUND for each directive of the file PATH, and of what it includes, in proftpd's order.
 * False: a file can't be read, includes or sections go too deep, or there are too many files;
 * WHY_NOT is filled. */
bool proftpd_config_read(const char *path, proftpd_config_found found, void *context,
                         struct verdict *why_not);
