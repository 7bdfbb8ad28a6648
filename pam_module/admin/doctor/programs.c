/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What has to be installed for a login. */
#include "programs.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/descriptor.h"
#include "../../core/trusted.h"
#include "../desk/terminal.h"
#include "paths.h"

#define MODULE_NAME  "pam_twilio_verify.so"
#define LIBRARY_NAME "twilio.so"
#define INSTALL      "install the packages libpam-twilio-verify and twilio-verify again"

enum { REMEDY_SIZE = 2 * PATH_MAX + TERMINAL_WORD_SIZE };

static bool is_foreign(const struct stat *directory)
{
    return directory->st_uid != 0 && directory->st_uid != geteuid();
}

static bool is_open(const struct stat *directory)
{
    return directory->st_mode & (S_IWGRP | S_IWOTH) && !(directory->st_mode & S_ISVTX);
}

void programs_add_directories(struct report *report, const char *subject, const char *path)
{
    char directory[PATH_MAX], remedy[REMEDY_SIZE];
    struct stat status;
    char *slash;

    snprintf(directory, sizeof directory, "%s", path);
    while ((slash = strrchr(directory, '/')) != NULL && slash != directory) {
        *slash = '\0';
        if (stat(directory, &status) != 0 || (!is_foreign(&status) && !is_open(&status)))
            continue;
        if (is_foreign(&status))
            snprintf(remedy, sizeof remedy,
                     "chown root %s, or move %s to a directory that root owns",
                     terminal_word(directory).text, path);
        else
            snprintf(remedy, sizeof remedy, "%s", terminal_command("chmod go-w", directory).text);
        report_add(report, REPORT_WARNING, subject, remedy,
                   "directory %s is writable by non-root users, who can replace what is in it",
                   directory);
    }
}

/* Whether PATH is there, root's, and writable by nobody else. *RET_ABSENT: it is just not there. */
static bool is_installed(const char *path, bool *ret_absent, struct stat *ret_status,
                         struct verdict *why_not)
{
    auto_close file =
        trusted_open_file(AT_FDCWD, path, path, O_RDONLY, TRUSTED_READERS_ANY, ret_absent, why_not);

    if (file < 0)
        return false;
    return fstat(file, ret_status) == 0 ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path, strerror(errno));
}

static void add(struct report *report, const char *subject, const char *path, bool is_program)
{
    struct verdict why_not;
    struct stat status;
    bool is_absent;

    if (!is_installed(path, &is_absent, &status, &why_not))
        report_add(report, REPORT_WRONG, subject, is_absent ? INSTALL : NULL, "%s", why_not.reason);
    else if (is_program && !(status.st_mode & S_IXUSR)) /* 0711, as it is installed */
        report_add(report, REPORT_WRONG, subject, terminal_command("chmod 0711", path).text,
                   "%s is not executable", path);
    else if (status.st_mode & (S_ISUID | S_ISGID))
        report_add(report, REPORT_WRONG, subject, terminal_command("chmod ug-s", path).text,
                   "%s is set-user-ID or set-group-ID", path);
    else
        report_add(report, REPORT_OK, subject, NULL, "%s", path);
    if (!is_absent)
        programs_add_directories(report, subject, path);
}

static bool is_there(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

/* Whether libpam finds its own modules in DIRECTORY. */
static bool holds_modules(const char *directory)
{
    char path[PATH_MAX + sizeof "/pam_unix.so"];

    snprintf(path, sizeof path, "%s/pam_unix.so", directory);
    return is_there(path);
}

/* The directory "security" beside libpam, as ld.so(8) finds it. */
static bool find_beside_libpam(char directory[PATH_MAX])
{
    void *libpam = dlopen("libpam.so.0", RTLD_LAZY | RTLD_LOCAL);
    const struct link_map *map = NULL;
    const char *slash = NULL;

    if (libpam != NULL && dlinfo(libpam, RTLD_DI_LINKMAP, &map) == 0)
        slash = strrchr(map->l_name, '/');
    if (slash != NULL)
        snprintf(directory, PATH_MAX, "%.*s/security", (int)(slash - map->l_name), map->l_name);
    if (libpam != NULL)
        dlclose(libpam);
    return slash != NULL && holds_modules(directory);
}

/* The directory in which libpam looks for a module that is named without a path. False: not
 * known. */
static bool find_modules(char directory[PATH_MAX])
{
    static const char *const usual[] = { "/usr/lib64/security", "/lib64/security",
                                         "/usr/lib/security", "/lib/security" };

    if (find_beside_libpam(directory))
        return true;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (holds_modules(usual[i])) {
            snprintf(directory, PATH_MAX, "%s", usual[i]);
            return true;
        }
    return false;
}

/* MODULE, or where that is NULL the one that libpam finds. */
static void add_module(struct report *report, const char *module)
{
    char directory[PATH_MAX], path[PATH_MAX + sizeof MODULE_NAME], remedy[REMEDY_SIZE];

    if (module == NULL && find_modules(directory))
        snprintf(path, sizeof path, "%s/" MODULE_NAME, directory);
    else
        snprintf(path, sizeof path, "%s", module != NULL ? module : PATHS_MODULE);
    if (module != NULL || is_there(path) || !is_there(PATHS_MODULE)) {
        add(report, "module", path, false);
        return;
    }
    snprintf(remedy, sizeof remedy,
             "build it with meson's option -Dsecuredir=%s, and install it again", directory);
    report_add(report, REPORT_WRONG, "module", remedy,
               "the module is " PATHS_MODULE ", but libpam looks for modules in %s: a service that "
               "calls it refuses everybody",
               directory);
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
    add_module(report, module);
    add(report, "check program", check, true);
    add(report, LIBRARY_NAME, library, false);
}
