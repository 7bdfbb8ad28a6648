/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The links in a directory of certificates. */
#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../core/boot.h"
#include "../core/descriptor.h"
#include "../core/statefile.h"

enum {
    PACKAGES = 2,
    SETTLED_S = 2, /* the coarsest clock of a file system */
};

/* Where Debian's links lead, in two steps. */
static const char *const packages[PACKAGES] = {
    "/usr/share/ca-certificates/mozilla/",
    "/usr/local/share/ca-certificates/",
};

/* What a directory was when it was read: changes with each of its entries. */
struct place {
    uint64_t device, inode;
    int64_t changed_s, changed_ns;
};

/* In which the links stay. Until the next boot, since in an image of a file system, which that may
 * replace, all times may be the same. */
struct moment {
    char boot_id[BOOT_ID_SIZE + 3];
    struct place directory, packages[PACKAGES];
};

struct memory {
    char magic[STATEFILE_MAGIC_SIZE];
    struct moment moment;
    uint64_t checksum;
};

static const struct statefile memory_file = { ".links", "ptvlink1", sizeof(struct memory) };

static bool is_hash(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.';
}

const char *links_next(DIR *directory)
{
    const struct dirent *entry;

    while ((entry = readdir(directory)) != NULL)
        if (is_hash(entry->d_name) && entry->d_type != DT_REG)
            return entry->d_name;
    return NULL;
}

/* -1 where PATH is not there, or is reached through a link. */
static int open_package(const char *path)
{
    const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                                  .resolve = RESOLVE_NO_SYMLINKS };

    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* False: it has just changed, and may change again without another time. */
static bool look_at(int directory, struct place *ret_place)
{
    struct stat status;

    if (fstat(directory, &status) != 0)
        return false;
    *ret_place = (struct place){ status.st_dev, status.st_ino, status.st_ctim.tv_sec,
                                 status.st_ctim.tv_nsec };
    return status.st_ctim.tv_sec < time(NULL) - SETTLED_S;
}

/* False: this moment is none to remember. */
static bool look(int directory, struct moment *ret_moment)
{
    struct boot_moment now;
    bool is_settled = boot_now(&now) && look_at(directory, &ret_moment->directory);

    if (!is_settled)
        return false;
    memcpy(ret_moment->boot_id, now.id, BOOT_ID_SIZE);
    for (int i = 0; i < PACKAGES; i++) {
        auto_close package = open_package(packages[i]);
        if (package >= 0)
            is_settled &= look_at(package, &ret_moment->packages[i]);
    }
    return is_settled;
}

static int open_memory(const char *state_dir, int flags)
{
    struct verdict why_not;
    bool is_absent;

    return statefile_open(&memory_file, state_dir, "certificates", flags, &is_absent, &why_not);
}

static bool is_remembered(const struct moment *moment, const char *state_dir)
{
    auto_close file = open_memory(state_dir, O_RDONLY);
    struct memory memory;

    return file >= 0 && statefile_read(&memory_file, file, &memory) &&
           memcmp(&memory.moment, moment, sizeof *moment) == 0;
}

/* Without a lock, which a login that somebody has stopped would hold for ever: what two have
 * written at once is read as damaged. */
static void remember(const struct moment *moment, const char *state_dir)
{
    auto_close file = open_memory(state_dir, O_RDWR | O_CREAT);
    struct memory memory = { .moment = *moment };
    struct verdict why_not;

    if (file >= 0)
        statefile_write(&memory_file, file, &memory, false, &why_not);
}

/* Whether PATH is reached without a link and holds none: it lies in /usr then, and so do its
 * files. */
static bool is_plain(const char *path)
{
    int package = open_package(path);
    DIR *directory = package >= 0 ? fdopendir(package) : NULL;
    const struct dirent *entry;
    bool is_plain = directory != NULL;

    if (directory == NULL) {
        descriptor_close(&package);
        return false;
    }
    while (is_plain && (entry = readdir(directory)) != NULL)
        is_plain = entry->d_type == DT_REG || entry->d_type == DT_DIR;
    closedir(directory);
    return is_plain;
}

/* Whether TARGET is a name in one of the packages that ARE_PLAIN. */
static bool is_packaged(const char *target, const bool are_plain[PACKAGES])
{
    for (int i = 0; i < PACKAGES; i++) {
        size_t size = strlen(packages[i]);
        if (are_plain[i] && strncmp(target, packages[i], size) == 0 &&
            strchr(target + size, '/') == NULL)
            return true;
    }
    return false;
}

/* Whether the link NAME leads, in two steps at most, to a file of DIRECTORY or of a package. */
static bool stays(int directory, const char *name, const bool are_plain[PACKAGES])
{
    char target[PATH_MAX], beside[NAME_MAX + 1];

    for (int step = 0; step < 2; step++) {
        ssize_t size = readlinkat(directory, name, target, sizeof target - 1);
        if (size < 0)
            return step > 0 && errno == EINVAL; /* no link */
        target[size] = '\0';
        if (strchr(target, '/') != NULL)
            return is_packaged(target, are_plain);
        if (size > NAME_MAX)
            return false;
        name = memcpy(beside, target, (size_t)size + 1);
    }
    return false;
}

static bool all_stay(DIR *directory)
{
    bool are_plain[PACKAGES];
    const char *name;

    for (int i = 0; i < PACKAGES; i++)
        are_plain[i] = is_plain(packages[i]);
    while ((name = links_next(directory)) != NULL)
        if (!stays(dirfd(directory), name, are_plain))
            return false;
    return true;
}

bool links_stay(DIR *directory, const char *state_dir)
{
    struct moment moment = { 0 };
    bool is_settled = look(dirfd(directory), &moment);

    if (is_settled && is_remembered(&moment, state_dir))
        return true;
    if (!all_stay(directory))
        return false;
    if (is_settled)
        remember(&moment, state_dir);
    return true;
}
