/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A file of text, with any owner. */
#include "text-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void text_file_free(char **text)
{
    free(*text);
    *text = NULL;
}

static bool refuse(int reason)
{
    errno = reason;
    return false;
}

bool text_file_read_descriptor(int descriptor, char **ret_text)
{
    auto_text char *text = malloc(TEXT_FILE_SIZE_MAX + 1);
    size_t length = 0;
    ssize_t count;

    if (text == NULL)
        return refuse(ENOMEM);
    while ((count = read(descriptor, text + length, TEXT_FILE_SIZE_MAX + 1 - length)) != 0) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        length += (size_t)count;
        if (length > TEXT_FILE_SIZE_MAX)
            return refuse(EFBIG);
    }
    text[length] = '\0';
    if (strlen(text) != length)
        return refuse(EILSEQ);

    *ret_text = strdup(text);
    return *ret_text != NULL;
}

bool text_file_read(const char *path, char **ret_text)
{
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat status = { 0 };
    bool is_read = false;
    int reason;

    if (descriptor < 0)
        return false;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode))
        is_read = text_file_read_descriptor(descriptor, ret_text);
    else
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    reason = errno;
    close(descriptor);
    errno = reason;
    return is_read;
}

void text_file_each(const char *pattern, void (*act)(const char *path, char *line, void *context),
                    void *context)
{
    glob_t files = { 0 };

    if (glob(pattern, GLOB_BRACE, NULL, &files) != 0)
        files.gl_pathc = 0;
    for (size_t i = 0; i < files.gl_pathc; i++) {
        auto_text char *text = NULL;
        char *rest, *line;
        if (!text_file_read(files.gl_pathv[i], &text))
            continue;
        for (rest = text; (line = strsep(&rest, "\n")) != NULL;)
            act(files.gl_pathv[i], line + strspn(line, " \t"), context);
    }
    globfree(&files);
}
