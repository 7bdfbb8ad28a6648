/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The lines of sudoers(5), with all that is included. */
#pragma once

#include <stdbool.h>

enum { SUDOERS_WHY_NOT_SIZE = 512 };

/* A line without its comment, what a backslash continues put together. */
struct sudoers_line {
    const char *path;
    unsigned number; /* of where it begins */
    const char *text;
};

typedef void (*sudoers_found)(const struct sudoers_line *line, void *context);

/* Calls FOUND for each line of the file PATH, and of what it includes, in sudo's order. False: a
 * file can't be read, includes go too deep, or there are too many; WHY_NOT is filled. */
bool sudoers_read(const char *path, sudoers_found found, void *context,
                  char why_not[SUDOERS_WHY_NOT_SIZE]);
