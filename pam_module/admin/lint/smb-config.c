/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What smb.conf says about passwords. */
#include "smb-config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text-file.h"

enum { NAME_SIZE = 64 };

/* Samba does not care for blanks in a name, nor for capitals. */
static void copy_name(const char *text, char name[NAME_SIZE])
{
    size_t length = 0;

    for (; *text != '\0' && *text != '=' && length < NAME_SIZE - 1; text++)
        if (!isspace((unsigned char)*text))
            name[length++] = (char)tolower((unsigned char)*text);
    name[length] = '\0';
}

/* "no", "false", "0", "off" */
static bool is_no(const char *value)
{
    static const char *const words[] = { "no", "false", "0", "off" };

    value += strspn(value, " \t=");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if (strncasecmp(value, words[i], length) == 0 && !isalnum((unsigned char)value[length]))
            return true;
    }
    return false;
}

bool smb_config_read(const char *path, bool *ret_encrypts, char why_not[SMB_CONFIG_WHY_NOT_SIZE])
{
    auto_text char *text = NULL;
    bool is_global = true, encrypts = true;
    char *rest, *line;

    if (!text_file_read(path, &text)) {
        snprintf(why_not, SMB_CONFIG_WHY_NOT_SIZE, "%.300s: %s", path, strerror(errno));
        return false;
    }
    for (rest = text; (line = text_file_line(&rest)) != NULL;) {
        char name[NAME_SIZE];
        line += strspn(line, " \t");
        copy_name(line, name);
        if (*line == '[')
            is_global = strcmp(name, "[global]") == 0;
        else if (is_global && strcmp(name, "encryptpasswords") == 0)
            encrypts = !is_no(line + strcspn(line, "="));
    }

    *ret_encrypts = encrypts;
    return true;
}
