/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "enroll --import FILE". */
#include "import.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../../core/secret.h"
#include "../desk/bounded.h"
#include "../desk/terminal.h"

enum { SIZE_MAX_READ = 64 * 1024, ANSWER_SIZE = 16 };

/* What a child says of a path. */
struct found {
    bool is_good;
    int directory, place; /* its descriptors */
    struct verdict why_not;
};

static bool refuse(struct verdict *why_not, const char *path, int error)
{
    const char *reason = strerror(error);

    if (error == ELOOP)
        reason = "symbolic links are not followed: name the file by its own path, or use "
                 "--import - and standard input";
    if (error == ENOSYS)
        reason = "openat2(2) is refused (it needs Linux 5.6, and in a container a seccomp profile "
                 "that allows it): use --import - and standard input";
    if (error == ETIMEDOUT)
        reason = "the file system does not answer: use --import - and standard input";
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path, reason);
}

/* The directory of PATH, to which no link leads: a user could change where it points. */
static int open_directory(const char *path, const char *name)
{
    const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                                  .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    char directory[PATH_MAX];
    int opened;

    snprintf(directory, sizeof directory, "%s%.*s", name == path ? "." : "", (int)(name - path),
             path);
    opened = (int)syscall(SYS_openat2, AT_FDCWD, directory, &how, sizeof how);
    if (opened < 0 && errno == EPERM) /* of seccomp, by older container engines */
        errno = ENOSYS;
    return opened;
}

/* PLACE is what the path meant when it was opened without opening the file: so no program of the
 * user's can make us wait, not even at close(2). */
static bool judge(int place, const char *path, const char *user, struct verdict *why_not)
{
    const struct passwd *account = getpwnam(user);
    struct stat status;
    struct statfs system;

    if (fstat(place, &status) != 0 || fstatfs(place, &system) != 0)
        return refuse(why_not, path, errno);
    if (S_ISLNK(status.st_mode))
        return refuse(why_not, path, ELOOP);
    if (!S_ISREG(status.st_mode))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s is not a regular file", path);
    if (system.f_type == FUSE_SUPER_MAGIC)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s is in a file system that is served by a program (FUSE): use "
                              "--import - and standard input",
                              path);
    if (status.st_uid != 0 && status.st_uid != geteuid() &&
        (account == NULL || status.st_uid != account->pw_uid))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s belongs neither to root nor to %s: its owner knows the seed; "
                              "make a new factor",
                              path, user);
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s is accessible to others, who may know the seed: make a new "
                              "factor, or chmod go= it",
                              path);
    return true;
}

/* The child. It keeps open what it has found until it is ended. */
static void find(int socket, const char *path, const char *name, const char *user)
{
    struct found found = { .directory = open_directory(path, name), .place = -1 };

    if (found.directory >= 0)
        found.place = openat(found.directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    found.is_good = found.place >= 0 ? judge(found.place, path, user, &found.why_not)
                                     : refuse(&found.why_not, path, errno);
    if (send(socket, &found, sizeof found, MSG_NOSIGNAL) == sizeof found)
        pause();
    _exit(0);
}

/* Opens what CHILD has open as DESCRIPTOR, whatever its path means now. */
static int open_of(const struct bounded *child, int descriptor, int flags)
{
    char path[48];

    snprintf(path, sizeof path, "/proc/%d/fd/%d", child->pid, descriptor);
    return open(path, flags | O_CLOEXEC);
}

/* USER may change the path all the time: a child walks along it. */
static bool open_file(struct import *import, const char *user, struct verdict *why_not)
{
    auto_bounded child = BOUNDED_NONE;
    struct found found;

    if (bounded_fork(&child) == 0)
        find(child.socket, import->path, import->name, user);
    if (child.socket < 0 || !bounded_receive(&child, &found, sizeof found))
        return refuse(why_not, import->path, errno);
    if (!found.is_good) {
        *why_not = found.why_not;
        return false;
    }
    import->directory = open_of(&child, found.directory, O_PATH | O_DIRECTORY);
    import->file = open_of(&child, found.place, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    return (import->directory >= 0 && import->file >= 0) || refuse(why_not, import->path, errno);
}

static bool read_text(int descriptor, const char *path, char **ret_text, struct verdict *why_not)
{
    auto_secret char *text = calloc(1, SIZE_MAX_READ + 2);
    size_t length = 0;
    ssize_t count = 1;

    while (text != NULL && count != 0 && length <= SIZE_MAX_READ) {
        count = read(descriptor, text + length, SIZE_MAX_READ + 1 - length);
        if (count < 0 && errno != EINTR)
            return refuse(why_not, path, errno);
        length += count > 0 ? (size_t)count : 0;
    }
    if (text == NULL)
        return refuse(why_not, path, ENOMEM);
    if (length > SIZE_MAX_READ || strlen(text) != length) {
        explicit_bzero(text, SIZE_MAX_READ + 2);
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s has more than %d bytes, or NUL",
                              path, SIZE_MAX_READ);
    }
    *ret_text = text;
    text = NULL;
    return true;
}

static bool read_seed(struct import *import, const char *user, struct verdict *why_not)
{
    bool is_input = strcmp(import->path, "-") == 0;
    auto_secret char *text = NULL;
    const char *reason;

    if (!is_input && !open_file(import, user, why_not))
        return false;
    return read_text(is_input ? STDIN_FILENO : import->file, import->path, &text, why_not) &&
           (seed_parse(text, user, &import->seed, &reason) ||
            verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", import->path, reason));
}

bool import_open(const char *path, const char *user, int code_length, struct import *ret_import)
{
    const char *slash = strrchr(path, '/');
    struct verdict why_not;

    *ret_import = (struct import){
        .path = path, .name = slash != NULL ? slash + 1 : path, .directory = -1, .file = -1
    };
    if (!read_seed(ret_import, user, &why_not))
        terminal_say("%s", why_not.reason);
    else if (ret_import->seed.config.code_length != code_length)
        terminal_say("%s: its codes have %d digits, login.code_length is %d", path,
                     ret_import->seed.config.code_length, code_length);
    else
        return true;
    import_close(ret_import);
    return false;
}

/* Deletes the very file that was read. */
static bool remove_file(const struct import *import, struct verdict *why_not)
{
    struct stat here, there;

    if (fstat(import->file, &here) != 0 ||
        fstatat(import->directory, import->name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return refuse(why_not, import->path, errno);
    if (here.st_dev != there.st_dev || here.st_ino != there.st_ino)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s is another file now",
                              import->path);
    return unlinkat(import->directory, import->name, 0) == 0 ||
           refuse(why_not, import->path, errno);
}

void import_offer_removal(const struct import *import, const char *user)
{
    char answer[ANSWER_SIZE];
    struct verdict why_not;

    if (import->file < 0)
        return;
    terminal_say("%s still holds the seed: anything that can read it can make codes. Keep it only "
                 "while the module that it was made for is in use",
                 import->path);
    if (import->seed.is_shared) {
        terminal_say("later remove the line of %s from it", user);
    } else if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        terminal_say("later: rm %s", terminal_word(import->path).text);
    } else if (terminal_ask("Delete it now? [y/N] ", answer, sizeof answer) && *answer == 'y') {
        if (remove_file(import, &why_not))
            terminal_say("deleted");
        else
            terminal_say("%s", why_not.reason);
    }
}

void import_close(struct import *import)
{
    explicit_bzero(&import->seed, sizeof import->seed);
    if (import->file >= 0)
        close(import->file);
    if (import->directory >= 0)
        close(import->directory);
}
