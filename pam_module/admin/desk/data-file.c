/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The files that are installed beside the tool. */
#include "data-file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "paths.h"

void data_file_find(const char *name, char path[PATH_MAX])
{
    size_t room = PATH_MAX - strlen(name) - 1;
    ssize_t length = readlink("/proc/self/exe", path, room);
    char *slash;

    path[length > 0 && (size_t)length < room ? length : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash != NULL)
        snprintf(slash + 1, strlen(name) + 1, "%s", name);
    if (slash == NULL || access(path, F_OK) != 0)
        snprintf(path, PATH_MAX, PATHS_DATA "/%s", name);
}
