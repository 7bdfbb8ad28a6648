/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Files as they will be: what is judged before it is written. */
#pragma once

#include <stdbool.h>

struct overlay {
    const char *path; /* absolute, without links where the file exists; NULL ends an array */
    const char *text; /* what the file will contain */
};

/* Whether OVERLAY, an array or NULL, has the file PATH. */
bool overlay_has(const struct overlay *overlay, const char *path);

/* As text_file_read(), with the text of OVERLAY, an array or NULL, in place of the file that it
 * has. */
bool overlay_read(const struct overlay *overlay, const char *path, char **ret_text);
