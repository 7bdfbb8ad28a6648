/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* For a while no code is asked of a user. */
#include "bypass.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "descriptor.h"
#include "keys.h"
#include "secret.h"
#include "userfile.h"

enum { UNTIL_MAX = 999999999 };

static const struct key keys[] = {
    { KEY_MEMBER(bypass, boot_id), KEY_SIZED(BOOT_ID_SIZE - 1, BOOT_ID_SIZE - 1), .mandatory = true,
      .is_valid = boot_is_id, .rule = "must be a boot id, as in /proc/sys/kernel/random/boot_id" },
    { KEY_MEMBER(bypass, until), .type = KEY_NUMBER, .minimum = 1, .maximum = UNTIL_MAX,
      .rule = "must be a number of seconds since the boot" },
    { KEY_MEMBER(bypass, reason), KEY_SIZED(1, BYPASS_REASON_MAX), .mandatory = true,
      .rule = "must be a text of 1 to 200 bytes" },
};

static const struct keys format = KEYS_OF(bypass, keys);

bool bypass_counts(const struct bypass *bypass, const struct boot_moment *now,
                   int *ret_left_seconds, struct verdict *why_not)
{
    int64_t left = bypass->until - now->seconds;

    if (strcmp(bypass->boot_id, now->id) != 0)
        return verdict_refuse(why_not, OUTCOME_DENIED,
                              "the bypass has ended: this host was restarted since");
    if (left <= 0)
        return verdict_refuse(why_not, OUTCOME_DENIED, "the bypass has ended");
    if (left > BYPASS_SECONDS_MAX)
        return verdict_refuse(why_not, OUTCOME_DENIED, "the bypass is for more than 24 hours");

    *ret_left_seconds = (int)left;
    return true;
}

bool bypass_parse(const char *text, const char *shown, struct bypass **ret_bypass,
                  struct verdict *why_not)
{
    struct bypass *bypass = keys_parse(&format, text, shown, why_not);

    if (bypass != NULL)
        *ret_bypass = bypass;
    return bypass != NULL;
}

const char *bypass_print_directory(const char *runtime_dir, char path[BYPASS_PATH_SIZE])
{
    snprintf(path, BYPASS_PATH_SIZE, "%s/" BYPASS_DIRECTORY, runtime_dir);
    return path;
}

int bypass_open_directory(const char *runtime_dir, bool *ret_absent, struct verdict *why_not)
{
    return trusted_open_below(runtime_dir, BYPASS_DIRECTORY, ret_absent, why_not);
}

enum trusted_read bypass_read(const char *runtime_dir, const char *name, struct bypass **ret_bypass,
                              struct verdict *why_not)
{
    auto_secret char *text = NULL;
    char shown[USERFILE_SHOWN_SIZE];
    bool is_absent;
    auto_close directory = bypass_open_directory(runtime_dir, &is_absent, why_not);
    enum trusted_read read;

    if (directory < 0)
        return is_absent ? TRUSTED_ABSENT : TRUSTED_REFUSED;
    read = userfile_read(directory, BYPASS_DIRECTORY, name, "", TRUSTED_READERS_ANY, &text, shown,
                         why_not);
    if (read == TRUSTED_READ && !bypass_parse(text, shown, ret_bypass, why_not))
        return TRUSTED_REFUSED;
    return read;
}

void bypass_free(struct bypass **bypass)
{
    keys_free(&format, *bypass);
    *bypass = NULL;
}
