/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Files as they will be. */
#include "overlay.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "text-file.h"

static const char *find_text(const struct overlay *overlay, const char *path)
{
    char resolved[PATH_MAX];
    const char *real = overlay != NULL ? realpath(path, resolved) : NULL;

    for (; overlay != NULL && overlay->path != NULL; overlay++)
        if (strcmp(overlay->path, path) == 0 || (real != NULL && strcmp(overlay->path, real) == 0))
            return overlay->text;
    return NULL;
}

bool overlay_has(const struct overlay *overlay, const char *path)
{
    return find_text(overlay, path) != NULL;
}

bool overlay_read(const struct overlay *overlay, const char *path, char **ret_text)
{
    const char *text = find_text(overlay, path);

    if (text == NULL)
        return text_file_read(path, ret_text);
    *ret_text = strdup(text);
    return *ret_text != NULL;
}
