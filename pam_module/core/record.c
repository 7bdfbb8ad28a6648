/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers of one user's logins. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "secret.h"
#include "siphash.h"

#define MAGIC  "ptvused3"
#define SUFFIX ".used"

enum { NAME_SIZE = 256, SHOWN_SIZE = 2 * NAME_SIZE, HOUR = 3600, DAY = 24 * HOUR };

enum { TRIES_MAX = 1000 }; /* are counted: far more than lengthen the delay */

/* The lock is held for a moment, by whoever; it is waited for that often and that long. */
enum { LOCK_TRIES = 500, LOCK_PAUSE_NS = 2000000 };

/* Opens the folder, and prints the names of the file. */
static int open_folder(const char *path, const char *name, char file[NAME_SIZE],
                       char shown[SHOWN_SIZE], struct verdict *why_not)
{
    int folder = secret_open_folder(path, why_not);

    snprintf(file, NAME_SIZE, "%s" SUFFIX, name);
    snprintf(shown, SHOWN_SIZE, "%s/%s", path, file);
    return folder;
}

int record_open(const char *path, const char *name, bool make, struct verdict *why_not)
{
    char file_name[NAME_SIZE], shown[SHOWN_SIZE];
    int folder = open_folder(path, name, file_name, shown, why_not);
    bool absent;
    int file;

    if (folder < 0)
        return -1;
    file = secret_open_file(folder, file_name, shown, O_RDWR | (make ? O_CREAT : 0),
                            SECRET_READERS_OWNER, &absent, why_not);
    close(folder);
    return file;
}

int record_locate(const char *path, const char *name)
{
    char file_name[NAME_SIZE], shown[SHOWN_SIZE];
    struct verdict why_not;
    int folder = open_folder(path, name, file_name, shown, &why_not);
    int file = folder >= 0 ? openat(folder, file_name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
    int error = errno;

    if (folder >= 0)
        close(folder);
    errno = error;
    return file;
}

bool record_is_absent(const char *path, const char *name)
{
    char file_name[NAME_SIZE], shown[SHOWN_SIZE];
    struct verdict why_not;
    struct stat status;
    int folder = open_folder(path, name, file_name, shown, &why_not);
    bool is_absent;

    if (folder < 0)
        return false;
    is_absent = fstatat(folder, file_name, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
    close(folder);
    return is_absent;
}

bool record_remove(const char *path, const char *name, struct verdict *why_not)
{
    char file_name[NAME_SIZE], shown[SHOWN_SIZE];
    int folder = open_folder(path, name, file_name, shown, why_not);
    bool is_removed;

    if (folder < 0)
        return false;
    is_removed = unlinkat(folder, file_name, 0) == 0 || errno == ENOENT ||
                 verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot remove %s: %s", shown,
                                strerror(errno));
    close(folder);
    return is_removed;
}

bool record_identify(int file, char identity[RECORD_IDENTITY_SIZE])
{
    struct statx status;

    if (statx(file, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) != 0)
        return false;
    if (!(status.stx_mask & STATX_BTIME))
        status.stx_btime = (struct statx_timestamp){ 0 };
    snprintf(identity, RECORD_IDENTITY_SIZE, "%llu:%lld.%u", (unsigned long long)status.stx_ino,
             (long long)status.stx_btime.tv_sec, (unsigned)status.stx_btime.tv_nsec);
    return true;
}

/* Against what a crash leaves behind, not against somebody who may write the file. */
static uint64_t checksum(const struct record *record, size_t size)
{
    static const uint8_t key[SIPHASH_KEY_SIZE];

    return siphash(key, record, size);
}

static enum record_locked refuse(enum record_locked result, const char *problem,
                                 struct verdict *why_not)
{
    verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "the user's file in state_dir %s", problem);
    return result;
}

static enum record_locked lock(int file, struct verdict *why_not)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(file, LOCK_EX | LOCK_NB) == 0)
            return RECORD_LOCKED;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return refuse(RECORD_UNUSABLE, strerror(errno), why_not);
        nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL);
    }
    return refuse(RECORD_BUSY, "is locked by another process", why_not);
}

static bool is_time(int64_t time_s)
{
    return time_s >= 0 && time_s < (int64_t)1 << 40;
}

/* Whoever writes the file must not be able to make us count beyond what we can. */
static bool is_sane(const struct record *record)
{
    for (size_t i = 0; i < RECORD_CLAIMS; i++)
        if (!is_time(record->claims[i].boottime_s))
            return false;
    for (size_t i = 0; i < RECORD_CREATIONS_DAY; i++)
        if (!is_time(record->creations_s[i]))
            return false;
    for (size_t i = 0; i < RECORD_WRONG_DAY; i++)
        if (!is_time(record->wrong_s[i]))
            return false;
    if (record->row < 0 || record->row > RECORD_WRONG_ROW)
        return false;
    return is_time(record->tried_s) && is_time(record->denied_s) && record->tries >= 0 &&
           record->tries <= TRIES_MAX;
}

/* Makes of SIZE bytes, of this version or of one before, what a file of today says: all that was there
 * stands where it stood, and the checksum behind it. False: it is damaged. */
static bool take(struct record *record, size_t size)
{
    static const struct {
        const char *magic;
        size_t checked;
    } versions[] = {
        { "ptvused1", offsetof(struct record, denied_s) },
        { "ptvused2", offsetof(struct record, wrong_s) },
        { MAGIC, offsetof(struct record, checksum) },
    };

    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        size_t checked = versions[i].checked;
        uint64_t sum;

        if (size != checked + sizeof sum ||
            memcmp(record->magic, versions[i].magic, sizeof record->magic) != 0)
            continue;
        memcpy(&sum, (char *)record + checked, sizeof sum);
        if (checksum(record, checked) != sum)
            return false;
        if (checked < offsetof(struct record, checksum))
            memset((char *)record + checked, 0, sizeof *record - checked);
        memcpy(record->magic, MAGIC, sizeof record->magic);
        return true;
    }
    return false;
}

enum record_locked record_lock(int file, struct record *ret_record, struct verdict *why_not)
{
    enum record_locked locked = lock(file, why_not);
    ssize_t size;

    if (locked != RECORD_LOCKED)
        return locked;
    size = pread(file, ret_record, sizeof *ret_record, 0);
    if (size == 0) {
        *ret_record = (struct record){ .magic = MAGIC };
        return RECORD_LOCKED;
    }
    if (size > 0 && take(ret_record, (size_t)size) && is_sane(ret_record))
        return RECORD_LOCKED;

    record_unlock(file);
    return refuse(RECORD_UNUSABLE, size < 0 ? strerror(errno) : "is damaged: remove it", why_not);
}

bool record_write(int file, struct record *record, bool for_good, struct verdict *why_not)
{
    record->checksum = checksum(record, offsetof(struct record, checksum));
    errno = ENOSPC; /* of a short write */
    if (pwrite(file, record, sizeof *record, 0) == sizeof *record &&
        (!for_good || fsync(file) == 0))
        return true;
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "cannot write the user's file in state_dir: %s", strerror(errno));
}

void record_unlock(int file)
{
    flock(file, LOCK_UN);
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

int64_t record_create(struct record *record, int64_t now_s)
{
    int64_t hour_s, day_s;

    /* The clock was set back: the limit must not hold for longer than it says. */
    for (size_t i = 0; i < RECORD_CREATIONS_DAY; i++)
        if (record->creations_s[i] > now_s)
            record->creations_s[i] = now_s;

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

int64_t record_opens(struct record *record, int64_t now_s)
{
    bool has_ended = false; /* what follows the first gap is no older entry, whoever wrote it */

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
    record->row++;
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
}

void record_forgive(struct record *record)
{
    memset(record->wrong_s, 0, sizeof record->wrong_s);
    record->row = 0;
}

static int64_t delay_s(int64_t tries)
{
    int64_t delay = RECORD_DELAY_SECONDS;

    if (tries < RECORD_TRIES)
        return 0;
    for (int64_t i = RECORD_TRIES; i < tries && delay < RECORD_DELAY_MAX_SECONDS; i++)
        delay *= 2;
    return delay < RECORD_DELAY_MAX_SECONDS ? delay : RECORD_DELAY_MAX_SECONDS;
}

int64_t record_delay(struct record *record, int64_t now_s)
{
    /* The clock was set back. */
    if (record->tried_s > now_s)
        record->tried_s = now_s;
    if (now_s - record->tried_s >= DAY)
        record->tries = 0;
    if (now_s - record->tried_s < delay_s(record->tries))
        return record->tried_s + delay_s(record->tries);
    return 0;
}

int64_t record_try(struct record *record, int64_t now_s)
{
    int64_t opens_s = record_delay(record, now_s);

    if (opens_s != 0)
        return opens_s;
    record->tried_s = now_s;
    record->tries += record->tries < TRIES_MAX;
    return 0;
}

bool record_was_denied(const struct record *record, int64_t now_s)
{
    return record->denied_s != 0 && now_s >= record->denied_s &&
           now_s - record->denied_s < RECORD_DENIED_SECONDS;
}

struct record_set *record_find(struct record *record, const char id[RECORD_SET_SIZE])
{
    for (size_t i = 0; i < RECORD_SETS; i++)
        if (memcmp(record->sets[i].id, id, RECORD_SET_SIZE) == 0)
            return &record->sets[i];
    return NULL;
}

int record_left(const struct record_set *set, size_t count)
{
    return (int)count - __builtin_popcountll(set->used & (((uint64_t)1 << count) - 1));
}
