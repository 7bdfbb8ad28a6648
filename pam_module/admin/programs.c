/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What has to be installed for a login. */
#include "programs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/secret.h"
#include "paths.h"

#define LIBRARY_NAME "twilio.so"
#define INSTALL      "install the packages libpam-twilio-verify and twilio-verify again"

static bool is_replaceable(const struct stat *folder)
{
    bool is_foreign = folder->st_uid != 0 && folder->st_uid != geteuid();
    bool is_open = folder->st_mode & (S_IWGRP | S_IWOTH) && !(folder->st_mode & S_ISVTX);

    return is_foreign || is_open;
}

void programs_add_folders(struct report *report, const char *subject, const char *path)
{
    char folder[PATH_MAX], remedy[2 * PATH_MAX + 64];
    struct stat status;
    char *slash;

    snprintf(folder, sizeof folder, "%s", path);
    while ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
        *slash = '\0';
        if (stat(folder, &status) != 0 || !is_replaceable(&status))
            continue;
        snprintf(remedy, sizeof remedy, "chown root %s; chmod go-w %s", folder, folder);
        report_add(report, REPORT_WARNING, subject, remedy,
                   "others than root can write to the folder %s, and so replace what is in it",
                   folder);
    }
}

/* Whether PATH is there, root's, and writable by nobody else. *RET_ABSENT: it is just not there. */
static bool is_installed(const char *path, bool *ret_absent, struct stat *ret_status,
                         struct verdict *why_not)
{
    int file =
        secret_open_file(AT_FDCWD, path, path, O_RDONLY, SECRET_READERS_ANY, ret_absent, why_not);
    bool is_known;

    if (file < 0)
        return false;
    is_known = fstat(file, ret_status) == 0;
    close(file);
    return is_known ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path, strerror(errno));
}

static void add(struct report *report, const char *subject, const char *path, bool is_program)
{
    struct verdict why_not;
    struct stat status;
    bool is_absent;

    if (!is_installed(path, &is_absent, &status, &why_not))
        report_add(report, REPORT_WRONG, subject, is_absent ? INSTALL : NULL, "%s", why_not.reason);
    else if (is_program && !(status.st_mode & S_IXUSR))
        report_add(report, REPORT_WRONG, subject, "chmod 0755 it", "%s can't be executed", path);
    else if (status.st_mode & (S_ISUID | S_ISGID))
        report_add(report, REPORT_WRONG, subject, "chmod ug-s it",
                   "%s is set-user-ID or set-group-ID", path);
    else
        report_add(report, REPORT_OK, subject, NULL, "%s", path);
    if (!is_absent)
        programs_add_folders(report, subject, path);
}

/* As the check program does it: the one beside it, and where there is none the one that was
 * installed. */
static void find_library(const char *check, char path[PATH_MAX])
{
    const char *slash = strrchr(check, '/');
    struct stat status;

    snprintf(path, PATH_MAX, "%.*s/%s", (int)(slash - check), check, LIBRARY_NAME);
    if (lstat(path, &status) != 0 && errno == ENOENT)
        snprintf(path, PATH_MAX, "%s", PATHS_LIBRARY);
}

void programs_add(struct report *report, const char *module, const char *check)
{
    char library[PATH_MAX];

    find_library(check, library);
    add(report, "module", module, false);
    add(report, "check program", check, true);
    add(report, LIBRARY_NAME, library, false);
}
