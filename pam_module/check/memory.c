/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers between the logins of one user. */
#include "memory.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../core/text.h"

/* The file, locked, and what it says. */
struct record {
    int file;
    struct state state;
};

void memory_begin(struct memory *memory, const char *state_dir, const char *user,
                  const struct recovery *recovery, const char *secret)
{
    static const uint8_t purposes[2][SIPHASH_KEY_SIZE] = { "claims, half 1", "claims, half 2" };

    *memory = (struct memory){ .state_dir = state_dir, .user = user, .recovery = recovery };
    for (size_t i = 0; i < 2; i++) {
        uint64_t half = siphash(purposes[i], secret, strlen(secret));
        memcpy(memory->key + i * sizeof half, &half, sizeof half);
    }
}

static int64_t now_s(clockid_t clock)
{
    struct timespec now = { 0 };

    clock_gettime(clock, &now);
    return now.tv_sec;
}

static void forget(struct memory *memory, const struct verdict *why)
{
    verdict_refuse(&memory->note, why->outcome, "codes can't be remembered: %s", why->reason);
}

/* The caller closes with close_record(). On STATE_BUSY *WHY_NOT tells, on STATE_UNUSABLE the note. */
static enum state_locked open_record(struct memory *memory, struct record *ret_record,
                                     struct verdict *why_not)
{
    enum state_locked locked = STATE_UNUSABLE;

    ret_record->file = state_open(memory->state_dir, memory->user, true, why_not);
    if (ret_record->file >= 0)
        locked = state_lock(ret_record->file, &ret_record->state, why_not);
    if (locked == STATE_UNUSABLE)
        forget(memory, why_not);
    if (locked != STATE_LOCKED && ret_record->file >= 0)
        close(ret_record->file);
    return locked;
}

/* False: the note tells. */
static bool write_record(struct memory *memory, struct record *record, bool for_good)
{
    struct verdict why_not;

    if (state_write(record->file, &record->state, for_good, &why_not))
        return true;
    forget(memory, &why_not);
    return false;
}

static void close_record(const struct record *record)
{
    state_unlock(record->file);
    close(record->file);
}

/* Of user and code, so that no two of either have one in common; never 0. */
static uint64_t hash(const struct memory *memory, const char *code)
{
    char text[512];
    int length = snprintf(text, sizeof text, "%s/%s", memory->user, code);
    uint64_t hash = siphash(memory->key, text, (size_t)length);

    explicit_bzero(text, sizeof text);
    return hash != 0 ? hash : 1;
}

enum state_claimed memory_claim(struct memory *memory, const char *code, struct verdict *why_not)
{
    struct record record;
    enum state_claimed claimed;

    switch (open_record(memory, &record, why_not)) {
    case STATE_UNUSABLE:
        return STATE_CLAIMED;
    case STATE_BUSY:
        return STATE_CLAIMS_FULL;
    case STATE_LOCKED:
        break;
    }
    claimed = state_claim(&record.state, hash(memory, code), now_s(CLOCK_BOOTTIME));
    if (claimed == STATE_CLAIMED)
        write_record(memory, &record, false);
    close_record(&record);
    if (claimed == STATE_CLAIMS_FULL)
        verdict_refuse(why_not, OUTCOME_DENIED, "%d codes were used on this host in %d s",
                       STATE_CLAIMS, STATE_CLAIM_SECONDS);
    return claimed;
}

void memory_release(struct memory *memory, const char *code)
{
    struct record record;
    struct verdict why_not;

    if (open_record(memory, &record, &why_not) != STATE_LOCKED)
        return;
    state_release(&record.state, hash(memory, code));
    write_record(memory, &record, false);
    close_record(&record);
}

int64_t memory_count(struct memory *memory, struct verdict *why_not)
{
    struct record record;
    char when[TEXT_TIME_SIZE];
    int64_t now = now_s(CLOCK_REALTIME), opens_s;

    switch (open_record(memory, &record, why_not)) {
    case STATE_UNUSABLE:
        return 0;
    case STATE_BUSY:
        return -1;
    case STATE_LOCKED:
        break;
    }
    opens_s = state_create(&record.state, now);
    write_record(memory, &record, false);
    close_record(&record);
    if (opens_s == 0)
        return 0;
    verdict_refuse(
        why_not, OUTCOME_EXHAUSTED,
        "this host's limit for %s, %d challenges an hour and %d a day, opens again at %s",
        memory->user, STATE_CREATIONS_HOUR, STATE_CREATIONS_DAY, text_print_time(opens_s, when));
    return opens_s - now;
}

/* The used codes of the set that is valid, in the file that it was made for. NULL: the note tells. */
static struct state_set *find_set(struct memory *memory, struct record *record)
{
    char identity[STATE_IDENTITY_SIZE];
    struct state_set *set = state_find(&record->state, memory->recovery->set);

    if (set != NULL && state_identify(record->file, identity) &&
        strcmp(identity, memory->recovery->state) == 0)
        return set;
    verdict_refuse(&memory->note, OUTCOME_DENIED,
                   "which recovery codes are used is lost with another file in state_dir: make new "
                   "ones, twilio-verify recovery-codes %s",
                   memory->user);
    return NULL;
}

/* Counts the try as a wrong one, before anything is hashed. False: not now; the note tells. */
static bool begin_try(struct memory *memory)
{
    struct record record;
    int64_t opens_s;
    bool is_written;

    if (open_record(memory, &record, &memory->note) != STATE_LOCKED)
        return false;
    opens_s = state_try(&record.state, now_s(CLOCK_REALTIME));
    is_written = write_record(memory, &record, false);
    close_record(&record);
    if (opens_s != 0) {
        char when[TEXT_TIME_SIZE];
        return verdict_refuse(&memory->note, OUTCOME_DENIED,
                              "after %d wrong recovery codes none is tried until %s",
                              (int)record.state.tries, text_print_time(opens_s, when));
    }
    return is_written;
}

/* The code NUMBER of the set is right: uses it up. How many remain, -1: it was used. */
static int use_up(struct memory *memory, struct record *record, int number)
{
    struct state_set *set = find_set(memory, record);
    uint64_t bit = (uint64_t)1 << number;

    if (set == NULL)
        return -1;
    if (set->used & bit) {
        verdict_refuse(&memory->note, OUTCOME_DENIED, "the recovery code was used before");
        return -1;
    }
    set->used |= bit;
    record->state.tries = 0;
    /* Nobody is let in before it is on the disk: a crash gives none back. */
    if (!write_record(memory, record, true))
        return -1;
    return state_left(set, recovery_count(memory->recovery));
}

int memory_recover(struct memory *memory, const char *code)
{
    struct record record;
    int number, remain;

    if (memory->recovery != NULL && !begin_try(memory))
        return -1;
    /* Who has no codes waits as long. */
    number = recovery_match(memory->recovery, code);
    if (number == RECOVERY_NOT_HASHED)
        verdict_refuse(&memory->note, OUTCOME_MISCONFIGURED,
                       "a recovery code can't be hashed: no memory, or a wrong salt");
    if (number < 0 || open_record(memory, &record, &memory->note) != STATE_LOCKED)
        return -1;
    remain = use_up(memory, &record, number);
    close_record(&record);
    return remain;
}

bool memory_can_recover(struct memory *memory)
{
    struct record record;
    const struct state_set *set;
    bool can;

    if (memory->recovery == NULL || open_record(memory, &record, &memory->note) != STATE_LOCKED)
        return false;
    set = find_set(memory, &record);
    can = set != NULL && state_left(set, recovery_count(memory->recovery)) > 0 &&
          state_delay(&record.state, now_s(CLOCK_REALTIME)) == 0;
    close_record(&record);
    return can;
}

bool memory_was_denied(struct memory *memory)
{
    struct record record;
    struct verdict why_not;
    bool was_denied;

    if (open_record(memory, &record, &why_not) != STATE_LOCKED)
        return false;
    was_denied = state_was_denied(&record.state, now_s(CLOCK_REALTIME));
    close_record(&record);
    return was_denied;
}

void memory_note_end(struct memory *memory, bool is_denied)
{
    struct record record;
    struct verdict why_not;
    int64_t denied_s = is_denied ? now_s(CLOCK_REALTIME) : 0;

    if (open_record(memory, &record, &why_not) != STATE_LOCKED)
        return;
    if (record.state.denied_s != denied_s) {
        record.state.denied_s = denied_s;
        write_record(memory, &record, false);
    }
    close_record(&record);
}

void memory_end(struct memory *memory)
{
    explicit_bzero(memory->key, sizeof memory->key);
}
