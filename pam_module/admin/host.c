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
#include <sys/wait.h>
#include <unistd.h>

#include "../check/privileges.h"
#include "../core/bypass.h"
#include "../core/secret.h"
#include "../twilio/http.h"
#include "programs.h"

enum { REMEDY_SIZE = 1200 };

static void add_secret(struct report *report, const char *subject, const char *path)
{
    auto_secret char *secret = NULL;
    struct verdict why_not;

    programs_add_folders(report, subject, path);
    if (secret_read_line(path, &secret, &why_not))
        report_add(report, REPORT_OK, subject, NULL, "%s: one line, for root alone", path);
    else
        report_add(report, REPORT_WRONG, subject,
                   "put the secret there: install -m 0600 /dev/stdin PATH", "%s", why_not.reason);
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
        report_add(report, REPORT_WRONG, "run_as", "name an account of its own",
                   "the account %s is root's, by user or group", settings->run_as);
    else {
        report_add(report, REPORT_OK, "run_as", NULL, "%s, uid %u", settings->run_as,
                   (unsigned)account->pw_uid);
        return account;
    }
    return NULL;
}

/* A certificate as OpenSSL looks for it in a folder: 8 digits, a dot, a number. */
static bool is_hashed(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
           isdigit((unsigned char)name[9]);
}

static bool refuse(struct verdict *why_not, const char *path, const char *problem)
{
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path, problem);
}

static bool read_file(const char *path, struct verdict *why_not)
{
    char bytes[1];
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_read = file >= 0 && read(file, bytes, sizeof bytes) >= 0;

    if (!is_read)
        refuse(why_not, path, strerror(errno));
    if (file >= 0)
        close(file);
    return is_read;
}

static bool read_folder(const char *path, struct verdict *why_not)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;
    char shown[1024];
    int count = 0;
    bool is_read = true;

    if (stream == NULL)
        return refuse(why_not, path, strerror(errno));
    while (is_read && (entry = readdir(stream)) != NULL) {
        if (!is_hashed(entry->d_name))
            continue;
        snprintf(shown, sizeof shown, "%s/%s", path, entry->d_name);
        is_read = read_file(shown, why_not);
        count++;
    }
    closedir(stream);
    if (is_read && count == 0)
        return refuse(why_not, path,
                      "no certificate has the name that OpenSSL looks for: "
                      "\"openssl rehash\" it");
    return is_read;
}

static bool write_folder(const char *path, struct verdict *why_not)
{
    return access(path, R_OK | W_OK | X_OK) == 0 || refuse(why_not, path, strerror(errno));
}

/* Modes do not tell it, of all the folders above and the modules of the kernel: becomes RUN_AS in a
 * process of its own, and tries. */
static bool try_as(const char *run_as, bool (*act)(const char *path, struct verdict *why_not),
                   const char *path, struct verdict *why_not)
{
    struct verdict verdict = { 0 };
    int ends[2], status = -1;
    ssize_t size = -1;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return refuse(why_not, path, strerror(errno));
    fflush(NULL);
    child = fork();
    if (child == 0) {
        if (privileges_drop(run_as, &verdict) && act(path, &verdict))
            _exit(0);
        _exit(write(ends[1], &verdict, sizeof verdict) == sizeof verdict ? 1 : 2);
    }

    close(ends[1]);
    if (child > 0) {
        size = read(ends[0], &verdict, sizeof verdict);
        waitpid(child, &status, 0);
    }
    close(ends[0]);
    if (size == 0 && status == 0)
        return true;
    if (size != sizeof verdict)
        return refuse(why_not, path, "it could not be tried");
    *why_not = verdict;
    return false;
}

static void add_state(struct report *report, const struct settings *settings,
                      const struct passwd *account)
{
    const char *path = settings->state_dir;
    const char *problem = NULL;
    char remedy[REMEDY_SIZE];
    struct verdict why_not;
    struct stat status;

    if (lstat(path, &status) != 0)
        problem = strerror(errno);
    else if (!S_ISDIR(status.st_mode))
        problem = "no folder";
    else if (account != NULL && geteuid() == 0 && status.st_uid != account->pw_uid)
        problem = "not owned by the account of run_as";
    else if (status.st_mode & (S_IRWXG | S_IRWXO) || (status.st_mode & S_IRWXU) != S_IRWXU)
        problem = "its mode is not 0700";

    snprintf(remedy, sizeof remedy, "install -d -m 0700 -o %s %s", settings->run_as, path);
    if (problem != NULL)
        report_add(report, REPORT_WRONG, "state_dir", remedy, "%s: %s", path, problem);
    else if (account != NULL && !try_as(settings->run_as, write_folder, path, &why_not))
        report_add(report, REPORT_WRONG, "state_dir",
                   "let that account pass through the folders above", "%s can't write there: %s",
                   settings->run_as, why_not.reason);
    else
        report_add(report, REPORT_OK, "state_dir", NULL, "%s: for %s alone", path,
                   settings->run_as);
}

/* Where it is missing, the first bypass makes it. */
static void add_runtime(struct report *report, const struct settings *settings)
{
    struct verdict why_not;
    bool is_absent;
    int folder = bypass_open_folder(settings->runtime_dir, &is_absent, &why_not);

    if (folder >= 0)
        close(folder);
    else if (!is_absent)
        report_add(report, REPORT_WARNING, "runtime_dir", NULL, "no bypass counts: %s",
                   why_not.reason);
    programs_add_folders(report, "runtime_dir", settings->runtime_dir);
}

static void add_certificates(struct report *report, const struct settings *settings)
{
    const char *paths[2];
    bool is_ours = settings->ca_file != NULL || settings->ca_path != NULL;
    struct verdict why_not;

    http_certificates(settings, &paths[0], &paths[1]);
    for (int i = 0; i < 2; i++) {
        const char *subject = !is_ours ? "certificates" : i == 0 ? "ca_file" : "ca_path";
        if (paths[i] == NULL)
            continue;
        if (try_as(settings->run_as, i == 1 ? read_folder : read_file, paths[i], &why_not))
            report_add(report, REPORT_OK, subject, NULL, "%s can be read by %s", paths[i],
                       settings->run_as);
        else
            report_add(report, REPORT_WRONG, subject,
                       is_ours ? "let that account read it, and pass through the folders above"
                               : "install the package ca-certificates",
                       "%s can't be read by %s: %s", paths[i], settings->run_as, why_not.reason);
    }
}

void host_add(struct report *report, const struct settings *settings)
{
    const struct passwd *account;

    add_secret(report, "API secret", settings->api_key_file);
    if (settings->admin_api_key_file != NULL)
        add_secret(report, "admin's secret", settings->admin_api_key_file);
    account = add_account(report, settings);
    add_state(report, settings, account);
    add_runtime(report, settings);
    if (account != NULL)
        add_certificates(report, settings);
}
