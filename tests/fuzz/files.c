/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Files out of the input. */
#include "files.h"

#include <errno.h>
#include <glob.h>

#include "admin/lint/text-file.h"

enum { FILES_MAX = 8, PATH_SIZE = 32 };

static struct {
    const char *name;
    char *text;
} files[FILES_MAX];
static size_t count, reads;

bool __wrap_text_file_read(const char *path, char **ret_text);
int __wrap_glob(const char *pattern, int flags, int (*on_error)(const char *, int),
                glob_t *ret_files);

void files_take(struct fuzz_input *input, const char *const *names)
{
    for (count = reads = 0; names[count] != NULL; count++) {
        files[count].name = names[count];
        files[count].text = fuzz_take_part(input);
    }
}

size_t files_forget(void)
{
    while (count > 0)
        free(files[--count].text);
    return reads;
}

static bool refuse(int reason)
{
    errno = reason;
    return false;
}

bool __wrap_text_file_read(const char *path, char **ret_text)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;

    reads++;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].name, name) != 0)
            continue;
        if (strncmp(files[i].text, "absent", 6) == 0)
            return refuse(ENOENT);
        if (strncmp(files[i].text, "forbidden", 9) == 0)
            return refuse(EACCES);
        *ret_text = strdup(files[i].text);
        return true;
    }
    return refuse(ENOENT);
}

/* Every pattern with a star stands for two of them, every other for itself. */
int __wrap_glob(const char *pattern, int flags, int (*on_error)(const char *, int),
                glob_t *ret_files)
{
    static char first[PATH_SIZE], second[PATH_SIZE];
    static char *both[] = { first, second };
    static char *one[1];

    (void)flags;
    (void)on_error;
    one[0] = (char *)pattern;
    snprintf(first, sizeof first, "/%s", files[0].name);
    snprintf(second, sizeof second, "/%s", files[1].name);
    ret_files->gl_pathv = strchr(pattern, '*') != NULL ? both : one;
    ret_files->gl_pathc = ret_files->gl_pathv == both ? 2 : 1;
    return 0;
}

void __wrap_globfree(glob_t *used);

void __wrap_globfree(glob_t *used)
{
    used->gl_pathc = 0;
}
