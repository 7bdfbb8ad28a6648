/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The Verify services of an account: list, create, remove ("Verify Services Resource"). The
 * settings' service_sid counts for nothing here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "service.h"

enum {
    SERVICES_SID_SIZE = 35,
    SERVICES_NAME_MAX = 30, /* bytes of a name: Twilio's limit */
    SERVICES_NAME_SIZE = 3 * 64 + 1,
    SERVICES_MAX = 100, /* services that are looked at */
};

/* One service. */
struct services_row {
    char sid[SERVICES_SID_SIZE];
    char account_sid[SERVICES_SID_SIZE]; /* whose it is */
    char name[SERVICES_NAME_SIZE];       /* clean text; bytes above 0x7f as %XX */
};

/* Lists the first SERVICES_MAX services, page by page. False, with the verdict in *WHY_NOT;
 * SERVICE->error is ERRORS_NOT_PERMITTED where the key may not list them. */
bool services_list(struct service *service, struct http_watch *watch,
                   struct services_row ret_rows[SERVICES_MAX], size_t *ret_count,
                   struct verdict *why_not);

/* Creates a service called NAME, of 1 to SERVICES_NAME_MAX bytes, which apps show as the issuer;
 * its factors have codes of settings->code_length digits, 30 s and a skew of 1. False, with the
 * verdict: where SERVICE->status is 0, it may have been created. */
bool services_create(struct service *service, struct http_watch *watch, const char *name,
                     struct services_row *ret_row, struct verdict *why_not);

/* Deletes the service SID with everything in it. False, with the verdict. */
bool services_remove(struct service *service, struct http_watch *watch, const char *sid,
                     struct verdict *why_not);
