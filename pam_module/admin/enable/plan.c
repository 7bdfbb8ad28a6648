/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The files that a call changes. */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../desk/child.h"

#define DIFF "/usr/bin/diff"

enum { DIFF_DIFFERS = 1 };

void plan_add(struct plan *plan, struct config_file *file)
{
    struct config_file *added = &plan->files[plan->count];

    *added = *file;
    *file = (struct config_file){ 0 };
    if (added->new != NULL)
        plan->overlay[plan->count] = (struct overlay){ added->path, added->new };
    plan->count++;
}

/* A descriptor from which TEXT, NULL for none, can be read. -1, with errno set. */
static int open_text(const char *text)
{
    ssize_t length = text != NULL ? (ssize_t)strlen(text) : 0;
    int file = memfd_create("text", MFD_CLOEXEC);

    if (file < 0 || write(file, text != NULL ? text : "", (size_t)length) == length)
        return file;
    close(file);
    return -1;
}

static bool print_file(const struct config_file *file, struct verdict *why_not)
{
    const char *const arguments[] = { DIFF,        "-u",
                                      "--label",   file->old != NULL ? file->path : "/dev/null",
                                      "--label",   file->new != NULL ? file->path : "/dev/null",
                                      "/dev/fd/3", "/dev/fd/4",
                                      NULL };
    int texts[] = { open_text(file->old), open_text(file->new) };
    bool is_printed;

    fflush(stdout);
    is_printed = texts[0] >= 0 && texts[1] >= 0 && child_run(arguments, -1, texts) == DIFF_DIFFERS;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i] >= 0)
            close(texts[i]);
    return is_printed || verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                                        "%s: " DIFF " cannot show the change", file->path);
}

bool plan_print(const struct plan *plan, struct verdict *why_not)
{
    for (size_t i = 0; i < plan->count; i++)
        if (!print_file(&plan->files[i], why_not))
            return false;
    return true;
}

/* Takes back the first COUNT changes. */
static void take_back(const struct plan *plan, size_t count, struct verdict *why_not)
{
    while (count-- > 0) {
        const struct config_file *file = &plan->files[count];
        struct config_file back = { file->path, file->new, file->old };
        struct verdict reason;
        if (!config_file_write(&back, &reason))
            verdict_add(why_not, "; and %s is changed: %s", file->path, reason.reason);
    }
}

bool plan_write(const struct plan *plan, struct verdict *why_not)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (config_file_write(&plan->files[i], why_not))
            continue;
        take_back(plan, i, why_not);
        return false;
    }
    return true;
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        config_file_free(&plan->files[i]);
    *plan = (struct plan){ 0 };
}
