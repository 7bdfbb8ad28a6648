/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* That a process has seen a code of the app approved. */
#include "proof.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptor.h"
#include "enrollment.h"
#include "keys.h"
#include "secret.h"

enum {
    FILE_SIZE = 1024,
    PATH_SIZE = 1100,
    NAME_SIZE = 32,
    NUMBER_MAX = 999999999,
    DIGITS_MAX = 19
};

static const char *const suffixes[] = { [PROOF_PROVED] = ".proved", [PROOF_SESSION] = ".session" };
static const char new_suffix[] = ".new";

static bool is_decimal(const char *text)
{
    return strspn(text, "0123456789") == strlen(text);
}

#define MEMBER(name_) KEY_MEMBER(proof, name_)
#define DECIMAL                                                                                    \
    .is_valid = is_decimal, .rule = "must be a decimal number", .mandatory = true,                 \
    KEY_SIZED(1, DIGITS_MAX)

static const struct key keys[] = {
    { MEMBER(boot_id), KEY_SIZED(BOOT_ID_SIZE - 1, BOOT_ID_SIZE - 1), .mandatory = true,
      .is_valid = boot_is_id, .rule = "must be as in /proc/sys/kernel/random/boot_id" },
    { MEMBER(start), DECIMAL },
    { MEMBER(user), KEY_SIZED(1, 250), .mandatory = true, .is_valid = enrollment_is_name,
      .rule = "must be the name of an enrollment" },
    { MEMBER(uid), DECIMAL },
    { MEMBER(factor_sid), KEY_SID("YF"), .mandatory = true },
    { MEMBER(seconds), .type = KEY_NUMBER, .number = -1, .minimum = 0, .maximum = NUMBER_MAX,
      .rule = "must be a number of seconds since the boot" },
    { MEMBER(other), .type = KEY_NUMBER, .minimum = 0, .maximum = NUMBER_MAX,
      .rule = "must be a pid, or 0" },
};

static const struct keys format = KEYS_OF(proof, keys);

bool proof_parse(const char *text, const char *shown, struct proof **ret_proof,
                 struct verdict *why_not)
{
    struct proof *proof = keys_parse(&format, text, shown, why_not);

    if (proof != NULL)
        *ret_proof = proof;
    return proof != NULL;
}

/* A directory that nobody has made since the boot. The umask may be anything. */
static bool make(const char *path, mode_t mode, struct verdict *why_not)
{
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST ||
               verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot make the directory %s: %s",
                              path, strerror(errno));
    return chmod(path, mode) == 0 ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "chmod %04o %s: %s", (unsigned)mode, path,
                          strerror(errno));
}

int proof_open_directory(const char *runtime_dir, bool is_made, bool *ret_absent,
                         struct verdict *why_not)
{
    char path[PATH_SIZE];

    *ret_absent = false;
    snprintf(path, sizeof path, "%s/" PROOF_DIRECTORY, runtime_dir);
    if (is_made && (!make(runtime_dir, 0755, why_not) || !make(path, 0700, why_not)))
        return -1;
    return trusted_open_below(runtime_dir, PROOF_DIRECTORY, ret_absent, why_not);
}

static const char *print_name(pid_t pid, const char *suffix, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%d%s", (int)pid, suffix);
    return name;
}

enum trusted_read proof_read(int directory, pid_t pid, enum proof_kind kind,
                             struct proof **ret_proof, struct verdict *why_not)
{
    auto_secret char *text = NULL;
    char name[NAME_SIZE], shown[sizeof PROOF_DIRECTORY + NAME_SIZE];
    enum trusted_read read;

    snprintf(shown, sizeof shown, PROOF_DIRECTORY "/%s", print_name(pid, suffixes[kind], name));
    read =
        trusted_read_file(directory, name, shown, TRUSTED_READERS_OWNER, FILE_SIZE, &text, why_not);
    if (read == TRUSTED_READ && !proof_parse(text, shown, ret_proof, why_not))
        return TRUSTED_REFUSED;
    return read;
}

static bool print(const struct proof *proof, char text[FILE_SIZE])
{
    int length = snprintf(text, FILE_SIZE,
                          "boot_id = \"%s\";\nstart = \"%s\";\nuser = \"%s\";\nuid = \"%s\";\n"
                          "factor_sid = \"%s\";\nseconds = %d;\nother = %d;\n",
                          proof->boot_id, proof->start, proof->user, proof->uid, proof->factor_sid,
                          proof->seconds, proof->other);

    /* A name that libconfig would read as something else. */
    return length > 0 && length < FILE_SIZE && strpbrk(proof->user, "\"\\") == NULL;
}

static bool write_file(int directory, const char *name, const char *text)
{
    auto_close file =
        openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    size_t size = strlen(text);

    return file >= 0 && write(file, text, size) == (ssize_t)size;
}

bool proof_write(int directory, pid_t pid, const struct proof *proof, struct verdict *why_not)
{
    char name[NAME_SIZE], text[FILE_SIZE];

    if (!print(proof, text))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "the name %s cannot be written to a record of a session",
                              proof->user);
    print_name(pid, new_suffix, name);
    unlinkat(directory, name, 0);
    return write_file(directory, name, text) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "writing " PROOF_DIRECTORY "/%s: %s",
                          name, strerror(errno));
}

bool proof_commit(int directory, pid_t pid, enum proof_kind kind, struct verdict *why_not)
{
    char from[NAME_SIZE], to[NAME_SIZE];

    return renameat(directory, print_name(pid, new_suffix, from), directory,
                    print_name(pid, suffixes[kind], to)) == 0 ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "writing " PROOF_DIRECTORY "/%s: %s", to,
                          strerror(errno));
}

void proof_remove(int directory, pid_t pid, enum proof_kind kind)
{
    char name[NAME_SIZE];

    unlinkat(directory, print_name(pid, suffixes[kind], name), 0);
}

bool proof_is_of(const struct proof *proof, const struct kin *kin, const struct boot_moment *now)
{
    char start[NAME_SIZE];

    snprintf(start, sizeof start, "%lld", (long long)kin->start);
    return strcmp(proof->start, start) == 0 && strcmp(proof->boot_id, now->id) == 0;
}

int64_t proof_age_seconds(const struct proof *proof, const struct boot_moment *now)
{
    return now->seconds >= proof->seconds ? now->seconds - proof->seconds : -1;
}

/* Whether the file of PID counts: *RET_PROOF is the caller's then. */
static bool read_living(int directory, pid_t pid, enum proof_kind kind,
                        const struct boot_moment *now, struct proof **ret_proof)
{
    struct verdict why_not;
    struct kin kin;

    return proof_read(directory, pid, kind, ret_proof, &why_not) == TRUSTED_READ &&
           kin_read(pid, &kin) && proof_is_of(*ret_proof, &kin, now) &&
           (kind == PROOF_SESSION || proof_age_seconds(*ret_proof, now) <= PROOF_OPENS_SECONDS);
}

/* The pid and the kind of the file NAME. False: it is none of ours. */
static bool read_name(const char *name, pid_t *ret_pid, enum proof_kind *ret_kind)
{
    char *suffix;
    long pid = strtol(name, &suffix, 10);

    if (*name < '1' || *name > '9' || pid > NUMBER_MAX)
        return false;
    *ret_pid = (pid_t)pid;
    *ret_kind = strcmp(suffix, suffixes[PROOF_SESSION]) == 0 ? PROOF_SESSION : PROOF_PROVED;
    return strcmp(suffix, suffixes[*ret_kind]) == 0;
}

void proof_walk(int directory, const struct boot_moment *now,
                void (*found)(void *context, pid_t pid, enum proof_kind kind,
                              const struct proof *proof),
                void *context)
{
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *entry;

    if (stream == NULL && copy >= 0)
        close(copy);
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        auto_proof *proof = NULL;
        enum proof_kind kind;
        pid_t pid;
        if (!read_name(entry->d_name, &pid, &kind))
            continue;
        if (!read_living(directory, pid, kind, now, &proof))
            unlinkat(directory, entry->d_name, 0);
        else if (found != NULL)
            found(context, pid, kind, proof);
    }
    if (stream != NULL)
        closedir(stream);
}

void proof_free(struct proof **proof)
{
    keys_free(&format, *proof);
    *proof = NULL;
}
