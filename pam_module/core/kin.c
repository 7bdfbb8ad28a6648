/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A process and its parent. */
#include "kin.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptor.h"

enum { TEXT_SIZE = 4096, PATH_SIZE = 48, START_FIELD = 22, STATE_FIELD = 3 };

/* The beginning of a file, which is all that is needed. */
static bool read_text(int directory, const char *name, char text[TEXT_SIZE])
{
    auto_close file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, TEXT_SIZE - 1) : -1;

    text[size > 0 ? size : 0] = '\0';
    return size > 0;
}

/* The program's name, which may hold blanks and brackets, is field 2; field 4 is the parent. */
static bool parse_stat(const char *text, struct kin *kin)
{
    const char *field = strrchr(text, ')');
    char *end;

    if (field == NULL || strncmp(field, ") ", 2) != 0)
        return false;
    field += 2;
    for (int number = STATE_FIELD; number < START_FIELD; number++) {
        if (number == STATE_FIELD + 1)
            kin->parent = (pid_t)strtol(field, NULL, 10);
        field = strchr(field, ' ');
        if (field++ == NULL)
            return false;
    }
    kin->start = strtoll(field, &end, 10);
    return end != field && *end == ' ' && kin->start > 0 && kin->parent >= 0;
}

static bool parse_status(const char *text, struct kin *kin)
{
    static const char key[] = "\nUid:\t"; /* the real user, the effective one */
    const char *line = strstr(text, key);
    const char *effective = line != NULL ? strchr(line + strlen(key), '\t') : NULL;
    char *end;

    if (effective == NULL)
        return false;
    kin->user = (uid_t)strtoul(effective, &end, 10);
    return end != effective && *end == '\t';
}

/* Where /proc is another pid namespace's, the same number is another process there. */
static bool is_own_proc(void)
{
    char text[PATH_SIZE];
    ssize_t size = readlink("/proc/self", text, sizeof text - 1);

    text[size > 0 ? size : 0] = '\0';
    return strtol(text, NULL, 10) == getpid();
}

/* The directory is one process's: when that has ended nothing can be read there any more. */
bool kin_read(pid_t pid, struct kin *ret_kin)
{
    struct kin kin = { .pid = pid };
    char path[PATH_SIZE], stat_text[TEXT_SIZE], status_text[TEXT_SIZE];
    auto_close directory = -1;

    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    directory = is_own_proc() ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (directory < 0 || !read_text(directory, "stat", stat_text) ||
        !read_text(directory, "status", status_text) || !parse_stat(stat_text, &kin) ||
        !parse_status(status_text, &kin))
        return false;
    *ret_kin = kin;
    return true;
}

bool kin_are_one_program(pid_t pid, pid_t other_pid)
{
    char path[PATH_SIZE], other_path[PATH_SIZE];
    struct stat program, other;

    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    snprintf(other_path, sizeof other_path, "/proc/%d/exe", (int)other_pid);
    return stat(path, &program) == 0 && stat(other_path, &other) == 0 &&
           program.st_dev == other.st_dev && program.st_ino == other.st_ino;
}
