/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
#include "secret.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "trusted.h"

enum { LINE_MAX_SIZE = 256 };

void secret_free(char **text)
{
    if (*text != NULL)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

bool secret_read_line(const char *path, char **ret_secret, struct verdict *why_not)
{
    auto_secret char *text = NULL;
    size_t length;

    if (trusted_read_file(AT_FDCWD, path, path, TRUSTED_READERS_OWNER, LINE_MAX_SIZE + 2, &text,
                          why_not) != TRUSTED_READ)
        return false;

    length = strcspn(text, "\n");
    if (text[length] == '\n' && text[length + 1] != '\0')
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s has more than one line: it must hold only the secret", path);
    text[length] = '\0';
    if (length == 0 || length > LINE_MAX_SIZE)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s must hold 1 to %d characters",
                              path, LINE_MAX_SIZE);
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                                  "%s holds a blank, or a character that no key has", path);

    *ret_secret = text;
    text = NULL;
    return true;
}
