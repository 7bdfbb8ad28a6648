/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Lists in pages, as Twilio's client libraries walk them. */
#pragma once

#include "call.h"

struct page {
    const char *key;  /* the name of the array, as in "challenges" */
    char path[256];   /* of the list */
    char filter[160]; /* what the addresses of other pages repeat, as in "Status=pending&"; or "" */
    bool is_reversed; /* the newest first */

    /* NULL: all. */
    bool (*is_wanted)(const struct call *call, const struct resource *resource);
    struct json_object *(*to_json)(const struct call *call, const struct resource *resource);
};

/* Answers the page of LIST that PageSize, Page and PageToken name. */
bool page_give(const struct call *call, const struct page *page, const struct resource_list *list,
               struct answer *answer);
