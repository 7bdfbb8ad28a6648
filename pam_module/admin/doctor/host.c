/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What lies on this host for a login. */
#include "host.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../check/privileges.h"
#include "../../core/bypass.h"
#include "../../core/descriptor.h"
#include "../../core/secret.h"
#include "../../twilio/transfer.h"
#include "../desk/bounded.h"
#include "../desk/terminal.h"
#include "programs.h"

enum { REMEDY_SIZE = 3 * TERMINAL_WORD_SIZE };

/* REMEDY is for one that is not there. */
static void add_secret(struct report *report, const char *subject, const char *path,
                       const char *remedy)
{
    auto_secret char *secret = NULL;
    struct verdict why_not;

    programs_add_directories(report, subject, path);
    if (secret_read_line(path, &secret, &why_not)) {
        report_add(report, REPORT_OK, subject, NULL, "%s: one line, for root alone", path);
        return;
    }
    report_add(report, REPORT_WRONG, subject, access(path, F_OK) == 0 ? NULL : remedy, "%s",
               why_not.reason);
}

/* The account of run_as. NULL: it can't be used, which is told. */
static const struct passwd *add_account(struct report *report, const struct settings *settings)
{
    const struct passwd *account = getpwnam(settings->run_as);
    char remedy[REMEDY_SIZE];

    snprintf(remedy, sizeof remedy,
             "useradd --system --home-dir /nonexistent --no-create-home --shell "
             "/usr/sbin/nologin %s",
             settings->run_as);
    if (account == NULL)
        report_add(report, REPORT_WRONG, "run_as", remedy, "there is no account %s",
                   settings->run_as);
    else if (account->pw_uid == 0 || account->pw_gid == 0)
        report_add(report, REPORT_WRONG, "run_as", "use an account of its own",
                   "the account %s has the user or the group of root", settings->run_as);
    else {
        report_add(report, REPORT_OK, "run_as", NULL, "%s, uid %u", settings->run_as,
                   (unsigned)account->pw_uid);
        return account;
    }
    return NULL;
}

/* A certificate as OpenSSL looks for it in a directory: 8 digits, a dot, a number. */
static bool is_hashed(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
           isdigit((unsigned char)name[9]);
}

/* Leaves errno as it is. */
static bool refuse(struct verdict *why_not, const char *path)
{
    int error = errno;

    verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path, strerror(error));
    errno = error;
    return false;
}

static bool read_file(const char *path, struct verdict *why_not)
{
    char bytes[1];
    auto_close file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    return (file >= 0 && read(file, bytes, sizeof bytes) >= 0) || refuse(why_not, path);
}

static bool read_directory(const char *path, struct verdict *why_not)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;
    char shown[1024];
    int count = 0;
    bool is_read = true;

    if (stream == NULL)
        return refuse(why_not, path);
    while (is_read && (entry = readdir(stream)) != NULL) {
        if (!is_hashed(entry->d_name))
            continue;
        snprintf(shown, sizeof shown, "%s/%s", path, entry->d_name);
        is_read = read_file(shown, why_not);
        count++;
    }
    closedir(stream);
    errno = is_read ? 0 : errno;
    if (is_read && count == 0)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s: no certificate has the name that OpenSSL looks for: openssl "
                              "rehash %s",
                              path, terminal_word(path).text);
    return is_read;
}

static bool write_directory(const char *path, struct verdict *why_not)
{
    return access(path, R_OK | W_OK | X_OK) == 0 || refuse(why_not, path);
}

struct attempt {
    const char *run_as, *path;
    bool (*act)(const char *path, struct verdict *why_not);
};

static bool become_and_act(const void *context, struct verdict *why_not)
{
    const struct attempt *attempt = context;
    bool is_dropped = privileges_drop(attempt->run_as, why_not);

    errno = 0;
    return is_dropped && attempt->act(attempt->path, why_not);
}

/* Modes do not tell it, of all the directories above and the modules of the kernel: becomes RUN_AS
 * in a process of its own, and tries. False with errno, which may be 0. */
static bool try_as(const char *run_as, bool (*act)(const char *path, struct verdict *why_not),
                   const char *path, struct verdict *why_not)
{
    return bounded_try(become_and_act, &(struct attempt){ run_as, path, act }, why_not);
}

static void add_state(struct report *report, const struct settings *settings,
                      const struct passwd *account)
{
    const char *path = settings->state_dir;
    const char *problem = NULL, *before = "";
    char remedy[REMEDY_SIZE];
    struct verdict why_not;
    struct stat status;

    if (lstat(path, &status) != 0)
        problem = strerror(errno);
    else if (!S_ISDIR(status.st_mode)) {
        problem = "not a directory, or a symbolic link";
        before = "remove it; ";
    } else if (account != NULL && geteuid() == 0 && status.st_uid != account->pw_uid)
        problem = "not owned by the account of run_as";
    else if (status.st_mode & (S_IRWXG | S_IRWXO) || (status.st_mode & S_IRWXU) != S_IRWXU)
        problem = "its mode is not 0700";

    snprintf(remedy, sizeof remedy, "%sinstall -d -m 0700 -o %s %s", before,
             terminal_word(settings->run_as).text, terminal_word(path).text);
    if (problem != NULL)
        report_add(report, REPORT_WRONG, "state_dir", remedy, "%s: %s", path, problem);
    else if (account != NULL && !try_as(settings->run_as, write_directory, path, &why_not))
        report_add(report, REPORT_WRONG, "state_dir",
                   errno == EACCES ? "give that account search permission on the parent directories"
                   : errno == EROFS ? "mount that file system writable"
                                    : NULL,
                   "%s cannot write there: %s", settings->run_as, why_not.reason);
    else
        report_add(report, REPORT_OK, "state_dir", NULL, "%s: only %s can use it", path,
                   settings->run_as);
}

/* Where it is missing, the first bypass makes it. */
static void add_runtime(struct report *report, const struct settings *settings)
{
    struct verdict why_not;
    bool is_absent;
    auto_close directory = bypass_open_directory(settings->runtime_dir, &is_absent, &why_not);

    if (directory < 0 && !is_absent)
        report_add(report, REPORT_WARNING, "runtime_dir", NULL, "no bypass works: %s",
                   why_not.reason);
    programs_add_directories(report, "runtime_dir", settings->runtime_dir);
}

static void add_certificates(struct report *report, const struct settings *settings)
{
    const char *paths[2];
    bool is_ours = settings->ca_file != NULL || settings->ca_path != NULL;
    struct verdict why_not;

    transfer_certificates(settings, &paths[0], &paths[1]);
    for (int i = 0; i < 2; i++) {
        const char *subject = !is_ours ? "certificates" : i == 0 ? "ca_file" : "ca_path";
        if (paths[i] == NULL)
            continue;
        if (try_as(settings->run_as, i == 1 ? read_directory : read_file, paths[i], &why_not))
            report_add(report, REPORT_OK, subject, NULL, "%s can be read by %s", paths[i],
                       settings->run_as);
        else
            report_add(report, REPORT_WRONG, subject,
                       errno == ENOENT && !is_ours ? "install the package ca-certificates"
                       : errno == EACCES
                           ? "let that account read it and search the parent directories"
                           : NULL,
                       "%s cannot be read by %s: %s", paths[i], settings->run_as, why_not.reason);
    }
}

void host_add(struct report *report, const struct settings *settings)
{
    const struct passwd *account;

    add_secret(report, "API secret", settings->api_key_file, "twilio-verify setup");
    if (settings->admin_api_key_file != NULL)
        add_secret(report, "admin's secret", settings->admin_api_key_file,
                   "write it there, or leave out the group admin");
    account = add_account(report, settings);
    add_state(report, settings, account);
    add_runtime(report, settings);
    if (account != NULL)
        add_certificates(report, settings);
}
