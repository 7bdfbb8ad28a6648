/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the check program can still do. */
#include "cage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../core/descriptor.h"
#include "../core/record.h"
#include "../core/usage.h"
#include "filter.h"
#include "links.h"

/* Linux 6.12. */
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define LANDLOCK_SCOPE_SIGNAL               (UINT64_C(1) << 1)
#endif

/* struct landlock_ruleset_attr of Linux 6.12. An older kernel takes it with zeros in what it does
 * not know. */
struct attributes {
    uint64_t files, network, scoped;
};

#define FILES(rights) ((LANDLOCK_ACCESS_FS_MAKE_SYM << (rights)) - 1)
#define SCOPED        (LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL)

/* What landlock(7) keeps from us, by the version of its interface. Not whom we connect to: a proxy,
 * a name server and a module of the name service may have any port. */
static const struct attributes attributes[] = {
    [1] = { .files = FILES(1) }, [2] = { .files = FILES(2) },
    [3] = { .files = FILES(3) }, [4] = { .files = FILES(3) },
    [5] = { .files = FILES(4) }, [6] = { .files = FILES(4), .scoped = SCOPED },
};

enum {
    NEWEST = sizeof attributes / sizeof *attributes - 1,
    READ_FILE = LANDLOCK_ACCESS_FS_READ_FILE,
    READ_DIRECTORY = LANDLOCK_ACCESS_FS_READ_DIR,
    WRITE_FILE = LANDLOCK_ACCESS_FS_WRITE_FILE,
};

/* Where libraries, the name service and TLS read. */
static const char *const directories[] = {
    "/etc",         "/gnu/store",
    "/lib",         "/lib64",
    "/nix/store",   "/proc",
    "/run",         "/sys/devices/system/cpu",
    "/usr",         "/var/cache/nscd",
    "/var/db/nscd", "/var/lib/ca-certificates",
    "/var/lib/sss", NULL,
};

static const char *const devices[] = { "/dev/null", "/dev/random", "/dev/urandom", NULL };

/* What may be a link that leads out of the directories above. */
static const char *const files[] = {
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/networks",
    "/etc/nsswitch.conf",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/tls/openssl.cnf",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/openssl.cnf",
    NULL,
};

/* Where the certificates lie that count without ca_file and ca_path. */
static const char system_certificates[] = "/etc/ssl/certs";

/* Whether ERROR tells of something that a caller of ours may have used up. */
static bool is_shortage(int error)
{
    return error == ENOMEM || error == EMFILE || error == ENFILE;
}

/* False with errno. */
static bool add_rule(int ruleset, int place, uint64_t rights)
{
    const struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = place };

    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0 ||
           errno == EBADFD; /* it lies in no file system */
}

/* Allows RIGHTS to what OPENED is, and below it, if that is of KIND: S_IFDIR and the like; closes
 * it. -1, with errno: what can't be opened is no loss. False with errno. */
static bool allow_place(int ruleset, int opened, mode_t kind, uint64_t rights)
{
    auto_close place = opened;
    struct stat status;

    if (place < 0)
        return !is_shortage(errno);
    return fstat(place, &status) != 0 || (status.st_mode & S_IFMT) != kind ||
           add_rule(ruleset, place, rights);
}

/* The same for what PATH leads to from DIRECTORY, through links. */
static bool allow(int ruleset, int directory, const char *path, mode_t kind, uint64_t rights)
{
    return allow_place(ruleset, openat(directory, path, O_PATH | O_CLOEXEC), kind, rights);
}

/* PATHS ends with NULL. */
static bool allow_each(int ruleset, const char *const *paths, mode_t kind, uint64_t rights)
{
    for (; *paths != NULL; paths++)
        if (!allow(ruleset, AT_FDCWD, *paths, kind, rights))
            return false;
    return true;
}

static bool allow_targets(int ruleset, DIR *directory)
{
    bool is_allowed = true;
    const char *name;

    rewinddir(directory);
    while (is_allowed && (name = links_next(directory)) != NULL)
        is_allowed = allow(ruleset, dirfd(directory), name, S_IFREG, READ_FILE);
    return is_allowed;
}

/* Allows the certificates in the directory PATH, and those that its links lead to. */
static bool allow_certificates(int ruleset, const char *path, const char *state_dir)
{
    DIR *directory = opendir(path);
    bool is_allowed;

    if (directory == NULL)
        return !is_shortage(errno);
    is_allowed = allow(ruleset, dirfd(directory), ".", S_IFDIR, READ_FILE | READ_DIRECTORY) &&
                 (links_stay(directory, state_dir) || allow_targets(ruleset, directory));
    closedir(directory);
    return is_allowed;
}

/* Allows the files of USER in state_dir. Inside none can be made. */
static bool allow_state(int ruleset, const char *state_dir, const char *user)
{
    return allow(ruleset, AT_FDCWD, state_dir, S_IFDIR, READ_DIRECTORY) &&
           allow_place(ruleset, statefile_locate(&record_file, state_dir, user), S_IFREG,
                       READ_FILE | WRITE_FILE) &&
           allow_place(ruleset, statefile_locate(&usage_file, state_dir, user), S_IFREG,
                       READ_FILE | WRITE_FILE);
}

static bool allow_all(int ruleset, const struct settings *settings, const char *user)
{
    const char *certificates = settings->ca_path;

    if (settings->ca_file == NULL && settings->ca_path == NULL)
        certificates = system_certificates;
    return allow_each(ruleset, directories, S_IFDIR, READ_FILE | READ_DIRECTORY) &&
           allow_each(ruleset, devices, S_IFCHR, READ_FILE) &&
           allow_each(ruleset, files, S_IFREG, READ_FILE) &&
           (settings->ca_file == NULL ||
            allow(ruleset, AT_FDCWD, settings->ca_file, S_IFREG, READ_FILE)) &&
           (certificates == NULL ||
            allow_certificates(ruleset, certificates, settings->state_dir)) &&
           (user == NULL || allow_state(ruleset, settings->state_dir, user));
}

/* False with errno. */
static bool landlock(const struct settings *settings, const char *user)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    const struct attributes *kept;
    auto_close ruleset = -1;

    if (version < 1)
        return true; /* not there, or not for this container */
    kept = &attributes[version < NEWEST ? version : NEWEST];
    ruleset = (int)syscall(SYS_landlock_create_ruleset, kept, sizeof *kept, 0);
    return ruleset >= 0 && allow_all(ruleset, settings, user) &&
           syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

bool cage_shut(const struct settings *settings, const char *user, struct verdict *why_not)
{
    if (!landlock(settings, user))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "cannot apply the Landlock sandbox: %s", strerror(errno));
    if (!filter_install())
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot apply the seccomp filter: %s",
                              strerror(errno));
    return true;
}
