/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Any bytes as one of the two files of what a host remembers, with the right checksum or as they
 * are; then what a login does with it, at any time. The first byte chooses, the next eight are the
 * time. */
#include <sys/mman.h>
#include <unistd.h>

#include "core/record.h"
#include "core/siphash.h"
#include "core/usage.h"
#include "fuzz.h"

enum { BYTES_FIRST = 9, BYTES_MAX = 4096, DAY = 24 * 60 * 60 };

static const uint64_t HASH = 7;

/* The file of the codes of the app, and that of the recovery codes in both layouts. */
static const struct statefile *const files[] = {
    &record_file,
    &usage_file,
    &(const struct statefile){ ".used", "ptvused1", 1856 },
};

static void claim(struct record *state, int64_t now_s)
{
    switch (record_claim(state, HASH, now_s)) {
    case CLAIM_MADE:
        fuzz_demand(record_claim(state, HASH, now_s) == CLAIM_TAKEN,
                    "what is claimed stays claimed");
        break;
    case CLAIM_TAKEN:
        record_release(state, HASH);
        fuzz_demand(record_claim(state, HASH, now_s) == CLAIM_MADE, "what is released is free");
        break;
    case CLAIM_UNRECORDED:
    case CLAIM_REFUSED:
        break;
    }
}

static void count(struct record *state, int64_t now_s)
{
    int wrong = record_wrong(state);
    int64_t untold = state->untold;

    record_count(state, now_s);
    fuzz_demand(record_wrong(state) == wrong + 1, "a wrong code is counted");
    fuzz_demand(state->untold > 0 && state->untold_s != 0, "and will be told");
    record_take_back(state, now_s);
    fuzz_demand(record_wrong(state) == wrong && state->untold <= untold, "and can be taken back");
    record_tell(state, INT64_MAX, now_s);
    fuzz_demand(state->untold == 0 && state->untold_s == 0, "everything can be told");
}

static void use_record(struct record *state, int64_t now_s)
{
    int64_t opens_s;

    claim(state, now_s);
    opens_s = record_create(state, now_s);
    fuzz_demand(opens_s == 0 || (opens_s > now_s && opens_s <= now_s + DAY),
                "the limit opens within a day");
    record_was_denied(state, now_s);
    opens_s = record_opens(state, now_s);
    fuzz_demand(opens_s == 0 || opens_s == RECORD_NEVER ||
                    (opens_s > now_s && opens_s <= now_s + DAY),
                "the limit of wrong codes opens within a day");
    fuzz_demand(now_s <= 0 || !record_is_ahead(state, now_s), "nothing comes from the future");
    if (opens_s == 0)
        count(state, now_s);
}

static void use_usage(struct usage *state, int64_t now_s)
{
    int64_t opens_s = usage_delay(state, now_s);

    fuzz_demand(usage_try(state, now_s) == opens_s, "a delay is the same for who only asks");
    opens_s = usage_delay(state, now_s);
    fuzz_demand(opens_s == 0 || (opens_s > now_s && opens_s <= now_s + USAGE_DELAY_MAX_SECONDS),
                "a delay ends within an hour");
}

/* Uses FILE, and writes it. False, with *WHY_NOT: it can't be read. */
static bool use(const struct statefile *kind, int file, int64_t now_s, struct verdict *why_not)
{
    bool is_record = kind == &record_file;
    struct record record;
    struct usage usage;

    if ((is_record ? record_lock(file, &record, why_not) : usage_lock(file, &usage, why_not)) !=
        STATEFILE_LOCKED)
        return false;
    if (is_record)
        use_record(&record, now_s);
    else
        use_usage(&usage, now_s);
    fuzz_demand(is_record ? statefile_write(&record_file, file, &record, false, why_not)
                          : statefile_write(&usage_file, file, &usage, false, why_not),
                "what was used is written");
    statefile_unlock(file);
    fuzz_demand(is_record ? record_read(file, &record) : usage_read(file, &usage),
                "and can be read again");
    return true;
}

/* As whoever can write the file would do it. */
static void sign(const struct statefile *kind, char bytes[BYTES_MAX])
{
    static const uint8_t key[SIPHASH_KEY_SIZE];
    uint64_t sum;

    memcpy(bytes, kind->magic, STATEFILE_MAGIC_SIZE);
    sum = siphash(key, bytes, kind->size - sizeof sum);
    memcpy(bytes + kind->size - sizeof sum, &sum, sizeof sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char bytes[BYTES_MAX] = "";
    struct verdict why_not = { 0 };
    const struct statefile *kind;
    int64_t now_s;
    int file;

    if (size < BYTES_FIRST)
        return 0;
    kind = files[data[0] / 2 % (sizeof files / sizeof *files)];
    memcpy(&now_s, data + 1, sizeof now_s);
    now_s &= ((int64_t)1 << 39) - 1;
    size = size - BYTES_FIRST < kind->size ? size - BYTES_FIRST : kind->size;
    memcpy(bytes, data + BYTES_FIRST, size);
    if (data[0] & 1)
        sign(kind, bytes);

    file = memfd_create("state", MFD_CLOEXEC);
    fuzz_demand(file >= 0 && pwrite(file, bytes, kind->size, 0) == (ssize_t)kind->size,
                "there is a file");
    if (!use(kind, file, now_s, &why_not))
        fuzz_demand(why_not.outcome == OUTCOME_MISCONFIGURED && why_not.reason[0] != '\0',
                    "a refusal tells why");
    close(file);
    return 0;
}
