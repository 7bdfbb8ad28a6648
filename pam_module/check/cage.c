/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program can still do. */
#include "cage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"

#define COUNT(array) (sizeof array / sizeof *array)

/* Rights of landlock(7) that are kept from us, by the version of its interface. */
static const uint64_t handled[] = {
    [1] = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1, [2] = (LANDLOCK_ACCESS_FS_MAKE_SYM << 2) - 1,
    [3] = (LANDLOCK_ACCESS_FS_MAKE_SYM << 3) - 1, [4] = (LANDLOCK_ACCESS_FS_MAKE_SYM << 3) - 1,
    [5] = (LANDLOCK_ACCESS_FS_MAKE_SYM << 4) - 1,
};

enum { READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };

/* Where libraries, the name service and TLS read. What is not there is no loss. */
static const char *const readable[] = {
    "/etc",
    "/lib",
    "/lib64",
    "/nix/store",
    "/proc",
    "/run",
    "/sys/devices/system/cpu",
    "/usr",
    "/var/cache/nscd",
    "/var/db/nscd",
    "/var/lib/ca-certificates",
    "/var/lib/sss",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
};

/* False with errno. What is not there, or not for this account, is no loss. */
static bool allow(int ruleset, const char *path, uint64_t rights)
{
    int place = path != NULL ? open(path, O_PATH | O_CLOEXEC) : -1;
    struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = place };
    struct stat status;
    bool is_allowed;
    int error;

    if (place < 0)
        return path == NULL || errno == ENOENT || errno == ENOTDIR || errno == EACCES ||
               errno == ELOOP;
    /* A file takes none of a folder's rights. */
    if (fstat(place, &status) == 0 && !S_ISDIR(status.st_mode))
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    is_allowed = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    error = errno;
    close(place);
    errno = error;
    return is_allowed;
}

static bool allow_all(int ruleset, uint64_t every_right, const struct settings *settings)
{
    for (size_t i = 0; i < COUNT(readable); i++)
        if (!allow(ruleset, readable[i], READ))
            return false;
    return allow(ruleset, settings->ca_file, READ) && allow(ruleset, settings->ca_path, READ) &&
           allow(ruleset, settings->state_dir, every_right & ~LANDLOCK_ACCESS_FS_EXECUTE);
}

/* False with errno. */
static bool landlock(const struct settings *settings)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    size_t newest = COUNT(handled) - 1;
    struct landlock_ruleset_attr attributes;
    int ruleset, error;
    bool is_shut;

    if (version < 1)
        return true; /* not there, or not for this container */
    attributes = (struct landlock_ruleset_attr){
        .handled_access_fs = handled[(size_t)version < newest ? (size_t)version : newest],
    };
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (ruleset < 0)
        return false;

    is_shut = allow_all(ruleset, attributes.handled_access_fs, settings) &&
              syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    error = errno;
    close(ruleset);
    errno = error;
    return is_shut;
}

bool cage_shut(const struct settings *settings, struct verdict *why_not)
{
    if (!landlock(settings))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "the kernel has landlock, but does not shut this process in: %s",
                              strerror(errno));
    if (!filter_install())
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "the kernel has seccomp, but does not shut this process in: %s",
                              strerror(errno));
    return true;
}
