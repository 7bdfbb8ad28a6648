/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The system's certificates to trust. */
#include "certificates.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../core/descriptor.h"

enum { ENTRIES_SIZE = 1024 };

/* Whether NAME is one that OpenSSL looks for: 8 digits, a dot, a number. */
static bool is_hash(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
           isdigit((unsigned char)name[9]);
}

/* Not by readdir(3), which reads much of the directory at once. */
bool certificates_find(const char *directory, char ret_path[PATH_MAX])
{
    _Alignas(struct dirent64) char entries[ENTRIES_SIZE];
    auto_close descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool found = false;
    ssize_t size;

    while (!found && (size = getdents64(descriptor, entries, sizeof entries)) > 0)
        for (ssize_t at = 0; !found && at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            found = is_hash(entry->d_name);
            if (found)
                snprintf(ret_path, PATH_MAX, "%s/%s", directory, entry->d_name);
            at += entry->d_reclen;
        }
    return found;
}

static bool is_readable(const char *path)
{
    auto_close descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    return descriptor >= 0;
}

bool certificates_are_readable(const char *file, const char *directory)
{
    char path[PATH_MAX];

    return (file == NULL || is_readable(file)) &&
           (directory == NULL ||
            (is_readable(directory) && (!certificates_find(directory, path) || is_readable(path))));
}
