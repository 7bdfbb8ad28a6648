/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The codes of the app that a user sent from this host. */
#include "record.h"

#include <string.h>

enum { HOUR = 3600, DAY = 24 * HOUR };

enum { UNTOLD_MAX = 9999 };

const struct statefile record_file = { ".sent", "ptvsent2", sizeof(struct record) };

static bool are_times(const int64_t *times_s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!statefile_is_time(times_s[i]))
            return false;
    return true;
}

static bool is_sane(const struct record *record)
{
    for (size_t i = 0; i < RECORD_CLAIMS; i++)
        if (!statefile_is_time(record->claims[i].boottime_s))
            return false;
    return are_times(record->creations_s, RECORD_CREATIONS_DAY) &&
           are_times(record->wrong_s, RECORD_WRONG_DAY) && are_times(&record->denied_s, 1) &&
           are_times(&record->untold_s, 1) && are_times(record->pushes_s, RECORD_PUSHES) &&
           are_times(&record->push_stopped_s, 1) && record->row >= 0 &&
           record->row <= RECORD_WRONG_ROW && record->untold >= 0 && record->untold <= UNTOLD_MAX;
}

bool record_read(int file, struct record *ret_record)
{
    struct record record;

    if (!statefile_read(&record_file, file, &record) || !is_sane(&record))
        return false;
    *ret_record = record;
    return true;
}

enum statefile_locked record_lock(int file, struct record *ret_record, struct verdict *why_not)
{
    enum statefile_locked locked = statefile_lock(file, why_not);

    if (locked != STATEFILE_LOCKED || record_read(file, ret_record))
        return locked;
    statefile_unlock(file);
    return statefile_refuse_damaged(why_not);
}

/* For how long the claim has stood at least. One from the future was made before the machine was
 * started, and all that is known is for how long it has been up. */
static int64_t age_s(const struct record_claim *claim, int64_t now_s)
{
    return claim->boottime_s <= now_s ? now_s - claim->boottime_s : now_s;
}

enum claim record_claim(struct record *record, uint64_t hash, int64_t now_s)
{
    struct record_claim *empty = NULL;

    for (size_t i = 0; i < RECORD_CLAIMS; i++) {
        struct record_claim *claim = &record->claims[i];
        if (claim->hash == 0 || age_s(claim, now_s) > RECORD_CLAIM_SECONDS)
            empty = claim;
        else if (claim->hash == hash)
            return CLAIM_TAKEN;
    }
    if (empty == NULL)
        return CLAIM_REFUSED;
    *empty = (struct record_claim){ hash, now_s };
    return CLAIM_MADE;
}

void record_release(struct record *record, uint64_t hash)
{
    for (size_t i = 0; i < RECORD_CLAIMS; i++)
        if (record->claims[i].hash == hash)
            record->claims[i] = (struct record_claim){ 0 };
}

/* The time from which on one more fits into LIMIT of them in SECONDS; 0: it fits. The creations are
 * sorted, the newest first. */
static int64_t opens_at(const struct record *record, int limit, int64_t seconds, int64_t now_s)
{
    int64_t oldest_s = record->creations_s[limit - 1];

    return oldest_s != 0 && now_s - oldest_s < seconds ? oldest_s + seconds : 0;
}

/* A time from the future, where the clock was set back, is now: no limit must hold for longer
 * than it says. */
static void correct(int64_t *times_s, size_t count, int64_t now_s)
{
    for (size_t i = 0; i < count; i++)
        if (times_s[i] > now_s)
            times_s[i] = now_s;
}

int64_t record_create(struct record *record, int64_t now_s)
{
    int64_t hour_s, day_s;

    correct(record->creations_s, RECORD_CREATIONS_DAY, now_s);
    hour_s = opens_at(record, RECORD_CREATIONS_HOUR, HOUR, now_s);
    day_s = opens_at(record, RECORD_CREATIONS_DAY, DAY, now_s);
    if (hour_s != 0 || day_s != 0)
        return hour_s > day_s ? hour_s : day_s;

    memmove(record->creations_s + 1, record->creations_s,
            sizeof record->creations_s - sizeof *record->creations_s);
    record->creations_s[0] = now_s;
    return 0;
}

int record_wrong(const struct record *record)
{
    int count = 0;

    while (count < RECORD_WRONG_DAY && record->wrong_s[count] != 0)
        count++;
    return count;
}

bool record_is_ahead(const struct record *record, int64_t now_s)
{
    return record->wrong_s[0] > now_s || record->untold_s > now_s;
}

int64_t record_opens(struct record *record, int64_t now_s)
{
    bool has_ended = false; /* what follows the first gap is not an older entry */

    if (record->untold_s > now_s)
        record->untold_s = now_s;
    for (size_t i = 0; i < RECORD_WRONG_DAY; i++) {
        int64_t *wrong_s = &record->wrong_s[i];
        if (*wrong_s > now_s)
            *wrong_s = now_s > 0 ? now_s : 1;
        has_ended = has_ended || *wrong_s == 0 || now_s - *wrong_s >= DAY;
        if (has_ended)
            *wrong_s = 0;
    }
    if (record->row >= RECORD_WRONG_ROW)
        return RECORD_NEVER;
    return record_wrong(record) < RECORD_WRONG_DAY ? 0
                                                   : record->wrong_s[RECORD_WRONG_DAY - 1] + DAY;
}

void record_count(struct record *record, int64_t now_s)
{
    memmove(record->wrong_s + 1, record->wrong_s, sizeof record->wrong_s - sizeof *record->wrong_s);
    record->wrong_s[0] = now_s > 0 ? now_s : 1; /* 0 is none */
    record->row += record->row < RECORD_WRONG_ROW;
    if (record->untold == 0)
        record->untold_s = now_s > 0 ? now_s : 1;
    record->untold += record->untold < UNTOLD_MAX;
}

void record_take_back(struct record *record, int64_t counted_s)
{
    int count = record_wrong(record), found = 0;

    /* Where the clock was set back, it was rewritten: the newest is as good. */
    for (int i = 0; i < count; i++)
        if (record->wrong_s[i] == counted_s)
            found = i;
    if (count > 0) {
        memmove(record->wrong_s + found, record->wrong_s + found + 1,
                (size_t)(RECORD_WRONG_DAY - 1 - found) * sizeof *record->wrong_s);
        record->wrong_s[RECORD_WRONG_DAY - 1] = 0;
    }
    record->row -= record->row > 0;
    record_tell(record, 1, 0);
}

void record_tell(struct record *record, int64_t count, int64_t since_s)
{
    record->untold -= count < record->untold ? count : record->untold;
    if (record->untold == 0)
        record->untold_s = 0;
    else if (since_s > 0)
        record->untold_s = since_s;
}

int64_t record_push_stopped(struct record *record, int64_t now_s)
{
    int64_t stopped_s;

    correct(&record->push_stopped_s, 1, now_s);
    stopped_s = record->push_stopped_s;
    return stopped_s != 0 && now_s - stopped_s < RECORD_PUSH_STOP_SECONDS
               ? stopped_s + RECORD_PUSH_STOP_SECONDS
               : 0;
}

int64_t record_push(struct record *record, int64_t now_s)
{
    int64_t oldest_s, stopped_s = record_push_stopped(record, now_s);

    if (stopped_s != 0)
        return stopped_s;
    correct(record->pushes_s, RECORD_PUSHES, now_s);
    oldest_s = record->pushes_s[RECORD_PUSHES - 1];
    if (oldest_s != 0 && now_s - oldest_s < RECORD_PUSH_SECONDS)
        return oldest_s + RECORD_PUSH_SECONDS;

    memmove(record->pushes_s + 1, record->pushes_s,
            sizeof record->pushes_s - sizeof *record->pushes_s);
    record->pushes_s[0] = now_s;
    return 0;
}

void record_stop_push(struct record *record, int wrong, int64_t now_s)
{
    record->push_stopped_s = now_s;
    for (int i = 0; i < wrong; i++)
        record_count(record, now_s);
}

void record_forgive(struct record *record)
{
    record->push_stopped_s = 0;
    memset(record->wrong_s, 0, sizeof record->wrong_s);
    record->row = 0;
}

bool record_was_denied(const struct record *record, int64_t now_s)
{
    return record->denied_s != 0 && now_s >= record->denied_s &&
           now_s - record->denied_s < RECORD_DENIED_SECONDS;
}
