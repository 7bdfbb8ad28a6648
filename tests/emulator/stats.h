/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Counts of what arrived, whatever became of it: for tests to assert on. */
#pragma once

#include <json-c/json_types.h>
#include <stdbool.h>

enum { STATS_OPERATIONS_MAX = 32, STATS_CODES_MAX = 200 * 1000 };

struct stats {
    unsigned long requests[STATS_OPERATIONS_MAX]; /* by the number of the operation */
    unsigned long requests_in_all;
    unsigned long connections;
    unsigned long codes; /* submissions of a code to a challenge, at creation or later */
    unsigned long twice_on_challenge; /* the same code to the same challenge */
    unsigned long twice_by_identity;  /* the same code for the same identity, on any challenge */
    void *seen;                       /* "CHALLENGE/CODE" and "IDENTITY/CODE" */
    unsigned seen_count; /* at most STATS_CODES_MAX: what comes later is not compared */
};

/* CHALLENGE: its SID, or where the code comes with the creation the FactorSid. */
void stats_note_code(struct stats *stats, const char *identity, const char *challenge,
                     const char *code);

/* Starts all counts anew but that of connections. */
void stats_reset(struct stats *stats);

void stats_free(struct stats *stats);

/* A new object; the operations' counts are the caller's to add. */
struct json_object *stats_to_json(const struct stats *stats);
