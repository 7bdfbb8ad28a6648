/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What root keeps of one user. */
#include "userfile.h"

#include <stdio.h>
#include <string.h>

#include "descriptor.h"

enum { FILE_SIZE_MAX = 16 * 1024 };

enum trusted_read userfile_read(int directory, const char *users_dir, const char *name,
                                const char *suffix, enum trusted_readers readers, char **ret_text,
                                char shown[USERFILE_SHOWN_SIZE], struct verdict *why_not)
{
    char file[USERFILE_NAME_SIZE];
    const char *last = strrchr(users_dir, '/');
    int length = snprintf(file, sizeof file, "%s%s", name, suffix);

    snprintf(shown, USERFILE_SHOWN_SIZE, "%.60s/%s", last != NULL ? last + 1 : users_dir, file);
    if (length < 0 || (size_t)length >= sizeof file) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: the name is too long", shown);
        return TRUSTED_ABSENT;
    }
    return trusted_read_file(directory, file, shown, readers, FILE_SIZE_MAX, ret_text, why_not);
}

enum trusted_read userfile_read_in(const char *users_dir, const char *name, const char *suffix,
                                   enum trusted_readers readers, char **ret_text,
                                   char shown[USERFILE_SHOWN_SIZE], struct verdict *why_not)
{
    auto_close directory = trusted_open_directory(users_dir, why_not);

    if (directory < 0)
        return TRUSTED_REFUSED;
    return userfile_read(directory, users_dir, name, suffix, readers, ret_text, shown, why_not);
}
