/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Seeds in clear. */
#include "seeds.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../core/secret.h"
#include "../../core/trusted.h"
#include "../desk/bounded.h"
#include "../desk/terminal.h"
#include "../enroll/seed.h"

enum { PATH_SIZE = 1300, REMEDY_SIZE = 2 * TERMINAL_WORD_SIZE + 100, FILE_SIZE_MAX = 64 * 1024 };

/* Where the documents of pam_oath put its file. */
static const char *const oath_files[] = { "/etc/users.oath", "/etc/security/users.oath",
                                          "/etc/liboath/users.oath", NULL };

/* It is for everything that runs as the user. */
static void add_google(struct report *report, struct bounded *child, const char *name)
{
    const struct passwd *account = getpwnam(name);
    char path[PATH_SIZE], remedy[REMEDY_SIZE];
    struct stat status;

    if (account == NULL ||
        (size_t)snprintf(path, sizeof path, "%s/.google_authenticator", account->pw_dir) >=
            sizeof path ||
        !bounded_stat(child, path, AT_SYMLINK_NOFOLLOW, &status))
        return;
    snprintf(remedy, sizeof remedy, "once no service uses pam_google_authenticator for %s: rm %s",
             name, terminal_word(path).text);
    report_add(report, REPORT_WARNING, "seeds", remedy,
               "%s of %s may hold the seed of the factor: whatever runs as %s can make codes", path,
               name, name);
}

static void add_oath(struct report *report, const char *path, const char *text, const char *name)
{
    const char *why_not;
    struct seed seed;

    if (seed_parse(text, name, &seed, &why_not) && seed.is_shared) {
        char remedy[REMEDY_SIZE];
        snprintf(remedy, sizeof remedy,
                 "once no service uses pam_oath for %s: remove that line of the file", name);
        report_add(report, REPORT_WARNING, "seeds", remedy,
                   "%s may hold the seed of the factor of %s", path, name);
    }
    explicit_bzero(&seed, sizeof seed);
}

void seeds_add(struct report *report, char *const *names, size_t count_max)
{
    auto_bounded child = BOUNDED_NONE;

    for (size_t i = 0; i < count_max && names[i] != NULL; i++)
        add_google(report, &child, names[i]);
    for (size_t file = 0; oath_files[file] != NULL; file++) {
        const char *path = oath_files[file];
        auto_secret char *text = NULL;
        struct verdict why_not;
        if (trusted_read_file(AT_FDCWD, path, path, TRUSTED_READERS_ANY, FILE_SIZE_MAX, &text,
                              &why_not) != TRUSTED_READ)
            continue;
        for (size_t i = 0; i < count_max && names[i] != NULL; i++)
            add_oath(report, path, text, names[i]);
    }
}
