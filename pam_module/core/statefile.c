/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A file of one user in state_dir. */
#include "statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "descriptor.h"
#include "siphash.h"
#include "trusted.h"

enum { NAME_SIZE = 256, SHOWN_SIZE = 2 * NAME_SIZE };

/* The lock is held for a moment; it is waited for that often and that long. */
enum { LOCK_TRIES = 500, LOCK_PAUSE_NS = 2000000 };

enum { READ_TRIES = 10 };

/* Opens the directory, and prints the names of the file. */
static int open_directory(const struct statefile *kind, const char *path, const char *name,
                          char file[NAME_SIZE], char shown[SHOWN_SIZE], struct verdict *why_not)
{
    int directory = trusted_open_directory(path, why_not);

    snprintf(file, NAME_SIZE, "%s%s", name, kind->suffix);
    snprintf(shown, SHOWN_SIZE, "%s/%s", path, file);
    return directory;
}

int statefile_open(const struct statefile *kind, const char *path, const char *name, int flags,
                   bool *ret_absent, struct verdict *why_not)
{
    char file_name[NAME_SIZE], shown[SHOWN_SIZE];
    auto_close directory = open_directory(kind, path, name, file_name, shown, why_not);

    *ret_absent = false;
    if (directory < 0)
        return -1;
    return trusted_open_file(directory, file_name, shown, flags, TRUSTED_READERS_OWNER, ret_absent,
                             why_not);
}

int statefile_locate(const struct statefile *kind, const char *path, const char *name)
{
    char file_name[NAME_SIZE], shown[SHOWN_SIZE];
    struct verdict why_not;
    auto_close directory = open_directory(kind, path, name, file_name, shown, &why_not);

    return directory >= 0 ? openat(directory, file_name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
}

bool statefile_remove(const struct statefile *kind, const char *path, const char *name,
                      struct verdict *why_not)
{
    char file_name[NAME_SIZE], shown[SHOWN_SIZE];
    auto_close directory = open_directory(kind, path, name, file_name, shown, why_not);

    if (directory < 0)
        return false;
    return unlinkat(directory, file_name, 0) == 0 || errno == ENOENT ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot remove %s: %s", shown,
                          strerror(errno));
}

bool statefile_identify(int file, char identity[STATEFILE_IDENTITY_SIZE])
{
    struct statx status;

    if (statx(file, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) != 0)
        return false;
    if (!(status.stx_mask & STATX_BTIME))
        status.stx_btime = (struct statx_timestamp){ 0 };
    snprintf(identity, STATEFILE_IDENTITY_SIZE, "%llu:%lld.%u", (unsigned long long)status.stx_ino,
             (long long)status.stx_btime.tv_sec, (unsigned)status.stx_btime.tv_nsec);
    return true;
}

static enum statefile_locked refuse(enum statefile_locked result, const char *problem,
                                    struct verdict *why_not)
{
    verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "the user's file in state_dir %s", problem);
    return result;
}

enum statefile_locked statefile_refuse_damaged(struct verdict *why_not)
{
    return refuse(STATEFILE_UNUSABLE, "is damaged: remove it", why_not);
}

enum statefile_locked statefile_lock(int file, struct verdict *why_not)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(file, LOCK_EX | LOCK_NB) == 0)
            return STATEFILE_LOCKED;
        if (errno != EWOULDBLOCK && errno != EINTR) {
            verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                           "cannot lock the user's file in state_dir: %s", strerror(errno));
            return STATEFILE_UNUSABLE;
        }
        nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL);
    }
    return refuse(STATEFILE_BUSY, "is locked by another process", why_not);
}

void statefile_unlock(int file)
{
    flock(file, LOCK_UN);
}

/* Against what a crash leaves behind, not against somebody who may write the file. */
static uint64_t checksum(const struct statefile *kind, const void *record)
{
    static const uint8_t key[SIPHASH_KEY_SIZE];

    return siphash(key, record, kind->size - sizeof(uint64_t));
}

static bool is_whole(const struct statefile *kind, const void *record)
{
    uint64_t sum = checksum(kind, record);

    return memcmp((const char *)record + kind->size - sizeof sum, &sum, sizeof sum) == 0;
}

bool statefile_read(const struct statefile *kind, int file, void *ret_record)
{
    for (int i = 0; i < READ_TRIES; i++) {
        ssize_t size = pread(file, ret_record, kind->size, 0);
        if (size == 0) {
            memset(ret_record, 0, kind->size);
            return true;
        }
        if (size != (ssize_t)kind->size ||
            memcmp(ret_record, kind->magic, STATEFILE_MAGIC_SIZE) != 0)
            return false;
        if (is_whole(kind, ret_record))
            return true;
        nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL);
    }
    return false;
}

bool statefile_write(const struct statefile *kind, int file, void *record, bool for_good,
                     struct verdict *why_not)
{
    uint64_t sum;

    memcpy(record, kind->magic, STATEFILE_MAGIC_SIZE);
    sum = checksum(kind, record);
    memcpy((char *)record + kind->size - sizeof sum, &sum, sizeof sum);
    errno = ENOSPC; /* of a short write */
    if (pwrite(file, record, kind->size, 0) == (ssize_t)kind->size &&
        (!for_good || fsync(file) == 0))
        return true;
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "cannot write the user's file in state_dir: %s", strerror(errno));
}

bool statefile_is_time(int64_t time_s)
{
    return time_s >= 0 && time_s < (int64_t)1 << 40;
}
