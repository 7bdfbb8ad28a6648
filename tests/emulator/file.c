/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Reads small text files. */
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_SIZE_MAX = 64 * 1024 };

char *file_read(const char *option, const char *path, struct reason *why_not)
{
    FILE *stream = fopen(path, "re");
    char *text = stream == NULL ? NULL : malloc(FILE_SIZE_MAX + 1);
    size_t size = text == NULL ? 0 : fread(text, 1, FILE_SIZE_MAX + 1, stream);

    if (text == NULL || ferror(stream)) {
        reason_refuse(why_not, "%s %s: %s", option, path, strerror(errno));
    } else if (size > FILE_SIZE_MAX || memchr(text, '\0', size) != NULL) {
        reason_refuse(why_not, "%s %s: must be text of at most 64 KiB", option, path);
    } else {
        text[size] = '\0';
        fclose(stream);
        return text;
    }

    free(text);
    if (stream != NULL)
        fclose(stream);
    return NULL;
}

char *file_read_line(const char *option, const char *path, struct reason *why_not)
{
    char *text = file_read(option, path, why_not);
    size_t length = text == NULL ? 0 : strcspn(text, "\n");

    if (text == NULL)
        return NULL;
    if (length == 0 || text[length + (text[length] == '\n')] != '\0') {
        reason_refuse(why_not, "%s %s: must hold one line", option, path);
        explicit_bzero(text, strlen(text));
        free(text);
        return NULL;
    }

    text[length] = '\0';
    return text;
}
