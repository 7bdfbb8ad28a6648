/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* twilio.so. */
#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/trusted.h"
#include "paths.h"

#define LIBRARY_NAME "twilio.so"

/* The path of twilio.so in the directory of the running program. */
static bool find_beside(char path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - sizeof LIBRARY_NAME);
    char *slash;

    if (length <= 0)
        return false;
    path[length] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL)
        return false;
    strcpy(slash + 1, LIBRARY_NAME);
    return true;
}

int library_open(struct verdict *why_not)
{
    char path[PATH_MAX];
    bool absent;
    int library;

    if (!find_beside(path)) {
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                       "cannot read /proc/self/exe: %s: mount /proc in this chroot or container",
                       strerror(errno));
        return -1;
    }
    library =
        trusted_open_file(AT_FDCWD, path, path, O_RDONLY, TRUSTED_READERS_ANY, &absent, why_not);
    if (library < 0 && absent)
        library = trusted_open_file(AT_FDCWD, PATHS_LIBRARY, PATHS_LIBRARY, O_RDONLY,
                                    TRUSTED_READERS_ANY, &absent, why_not);
    return library;
}

/* Saves a quarter of the time to load: meson.build says why. A file that is missing does no
 * harm. */
static void load_first(void)
{
    static const char *const names[] = { PATHS_LOADED_FIRST NULL };

    for (size_t i = 0; names[i] != NULL; i++)
        dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
}

/* Through its descriptor: the path may be below a directory that this account can't search. */
bool library_load(int library, const struct challenge_api **ret_api, struct verdict *why_not)
{
    char path[sizeof "/proc/self/fd/" + 3 * sizeof library];
    const struct challenge_api *api;
    void *handle;

    snprintf(path, sizeof path, "/proc/self/fd/%d", library);
    /* libcurl brings GnuTLS along, which no login uses: it need not initialise. */
    setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 1);
    load_first();
    /* Lazily: a login calls few of the libraries' functions. twilio.so itself is bound at once. */
    handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (handle == NULL)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, LIBRARY_NAME ": %s", dlerror());
    api = dlsym(handle, CHALLENGE_API_SYMBOL);
    if (api == NULL || strcmp(api->version, PATHS_VERSION) != 0)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              LIBRARY_NAME " does not have version " PATHS_VERSION
                                           ": install both from one package");

    *ret_api = api;
    return true;
}
