/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Counts requests, connections and codes. */
#define _GNU_SOURCE 1 /* asprintf, tdestroy */

#include "stats.h"

#include "field.h"
#include "memory.h"

#include <json-c/json_object.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

static int stats_compare(const void *left, const void *right)
{
    return strcmp(left, right);
}

/* True: the pair came before. */
static bool stats_see(struct stats *stats, const char *whose, const char *code)
{
    auto_free char *pair = NULL;

    if (asprintf(&pair, "%s/%s", whose, code) < 0) {
        pair = NULL;
        return false;
    }
    if (tfind(pair, &stats->seen, stats_compare) != NULL)
        return true;
    if (stats->seen_count < STATS_CODES_MAX && tsearch(pair, &stats->seen, stats_compare) != NULL) {
        stats->seen_count++;
        pair = NULL;
    }
    return false;
}

void stats_note_code(struct stats *stats, const char *identity, const char *challenge,
                     const char *code)
{
    stats->codes++;
    stats->twice_on_challenge += stats_see(stats, challenge, code);
    stats->twice_by_identity += stats_see(stats, identity, code);
}

void stats_reset(struct stats *stats)
{
    unsigned long connections = stats->connections;

    stats_free(stats);
    *stats = (struct stats){ .connections = connections };
}

void stats_free(struct stats *stats)
{
    tdestroy(stats->seen, free);
    stats->seen = NULL;
}

struct json_object *stats_to_json(const struct stats *stats)
{
    struct json_object *object = json_object_new_object();

    field_add_integer(object, "connections", (int64_t)stats->connections);
    field_add_integer(object, "requests", (int64_t)stats->requests_in_all);
    field_add_integer(object, "codes", (int64_t)stats->codes);
    field_add_integer(object, "codes_twice_on_a_challenge", (int64_t)stats->twice_on_challenge);
    field_add_integer(object, "codes_twice_for_an_identity", (int64_t)stats->twice_by_identity);
    return object;
}
