/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Any bytes as the file of what a host remembers, with the right checksum or as they are; then what a
 * login does with it, at any time. The first byte chooses, the next eight are the time. */
#include <sys/mman.h>
#include <unistd.h>

#include "core/record.h"
#include "core/siphash.h"
#include "fuzz.h"

enum { BYTES_FIRST = 9 };

static const uint64_t HASH = 7;

/* What each version checked. */
static const size_t CHECKED[] = { offsetof(struct record, denied_s),
                                  offsetof(struct record, wrong_s),
                                  offsetof(struct record, checksum) };

/* As whoever can write the file would do it, in the version 1 to 3. */
static void sign(struct record *record, unsigned version)
{
    static const uint8_t key[SIPHASH_KEY_SIZE];
    size_t checked = CHECKED[version - 1];
    uint64_t sum;

    memcpy(record->magic, "ptvused", 7);
    record->magic[7] = (char)('0' + version);
    sum = siphash(key, record, checked);
    memcpy((char *)record + checked, &sum, sizeof sum);
}

static void use(struct record *state, int64_t now_s)
{
    int64_t opens_s;

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
    opens_s = record_create(state, now_s);
    fuzz_demand(opens_s == 0 || (opens_s > now_s && opens_s <= now_s + 24 * 60 * 60),
                "the limit opens within a day");
    record_was_denied(state, now_s);
    opens_s = record_opens(state, now_s);
    fuzz_demand(opens_s == 0 || opens_s == RECORD_NEVER ||
                    (opens_s > now_s && opens_s <= now_s + 24 * 60 * 60),
                "the limit of wrong codes opens within a day");
    if (opens_s == 0) {
        int count = record_wrong(state);
        record_count(state, now_s);
        fuzz_demand(record_wrong(state) == count + 1, "a wrong code is counted");
        record_take_back(state, now_s);
        fuzz_demand(record_wrong(state) == count, "and can be taken back");
    }
    opens_s = record_delay(state, now_s);
    fuzz_demand(record_try(state, now_s) == opens_s, "a delay is the same for who only asks");
    opens_s = record_delay(state, now_s);
    fuzz_demand(opens_s == 0 || (opens_s > now_s && opens_s <= now_s + RECORD_DELAY_MAX_SECONDS),
                "a delay ends within an hour");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record state = { 0 };
    struct verdict why_not = { 0 };
    int64_t now_s;
    unsigned version;
    int file;

    if (size < BYTES_FIRST)
        return 0;
    memcpy(&now_s, data + 1, sizeof now_s);
    now_s &= ((int64_t)1 << 39) - 1;
    size = size - BYTES_FIRST < sizeof state ? size - BYTES_FIRST : sizeof state;
    memcpy(&state, data + BYTES_FIRST, size);
    version = data[0] & 2 ? 1 : data[0] & 4 ? 2 : 3;
    if (data[0] & 1)
        sign(&state, version);

    file = memfd_create("state", MFD_CLOEXEC);
    size = CHECKED[version - 1] + sizeof state.checksum;
    fuzz_demand(file >= 0 && pwrite(file, &state, size, 0) == (ssize_t)size, "there is a file");
    if (record_lock(file, &state, &why_not) == RECORD_LOCKED) {
        use(&state, now_s);
        fuzz_demand(record_write(file, &state, false, &why_not), "what was used is written");
        record_unlock(file);
        fuzz_demand(record_lock(file, &state, &why_not) == RECORD_LOCKED, "and can be read again");
    } else {
        fuzz_demand(why_not.outcome == OUTCOME_MISCONFIGURED && why_not.reason[0] != '\0',
                    "a refusal tells why");
    }
    close(file);
    return 0;
}
