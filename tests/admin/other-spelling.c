/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* LD_PRELOAD: a directory that takes a name in capitals for the account in small letters. */
#include <ctype.h>
#include <dlfcn.h>
#include <pwd.h>
#include <stdio.h>

__attribute__((visibility("default"))) struct passwd *getpwnam(const char *name)
{
    struct passwd *(*real)(const char *) =
        (struct passwd * (*)(const char *)) dlsym(RTLD_NEXT, "getpwnam");
    char small[256];

    snprintf(small, sizeof small, "%s", name);
    for (char *letter = small; *letter != '\0'; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    return real(small);
}
