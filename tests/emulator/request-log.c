/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Writes the log. */
#include "request-log.h"

#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

enum { LOG_WORD_MAX = 300 };

static void request_log_escape(const char *text, char ret_word[LOG_WORD_MAX])
{
    size_t used = 0;

    for (; *text != '\0' && used < LOG_WORD_MAX - 4; text++) {
        if (*text > ' ' && *text < 0x7f)
            ret_word[used++] = *text;
        else
            used += (size_t)sprintf(ret_word + used, "%%%02X", (unsigned char)*text);
    }
    ret_word[used] = '\0';
}

void request_log_write(int log, const char *method, const char *path, unsigned status, int code)
{
    char method_word[LOG_WORD_MAX], path_word[LOG_WORD_MAX];
    char status_word[16] = "-", code_word[16] = "-";

    if (log < 0)
        return;

    request_log_escape(method, method_word);
    request_log_escape(path, path_word);
    if (status != 0)
        snprintf(status_word, sizeof(status_word), "%u", status);
    if (code != 0)
        snprintf(code_word, sizeof(code_word), "%d", code);
    dprintf(log, "%s %s %s %s\n", method_word, path_word, status_word, code_word);
}
