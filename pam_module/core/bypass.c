/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* For a while no code is asked of a user. */
#include "bypass.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keys.h"
#include "userfile.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

enum { DIGITS_MAX = 12, DECIMAL = 10 };

/* The file as it is: numbers as texts, since those of the syntax end at 9 digits. */
struct texts {
    char *made, *boottime, *boot_id, *until, *reason;
};

static bool is_number(const char *text)
{
    return strspn(text, "0123456789") == strlen(text);
}

static bool is_boot_id(const char *text)
{
    return strspn(text, "0123456789abcdef-") == strlen(text);
}

#define SECONDS(member)                                                                            \
    .name = #member, .type = KEY_TEXT, .offset = offsetof(struct texts, member),                   \
    .mandatory = true, .minimum = 1, .maximum = DIGITS_MAX, .is_valid = is_number,                 \
    .rule = "must be a number of seconds"

static const struct key keys[] = {
    { SECONDS(made) },
    { SECONDS(boottime) },
    { .name = "boot_id",
      .type = KEY_TEXT,
      .offset = offsetof(struct texts, boot_id),
      .mandatory = true,
      .minimum = 1,
      .maximum = BYPASS_BOOT_ID_SIZE - 1,
      .is_valid = is_boot_id,
      .rule = "must be as in " BOOT_ID_PATH },
    { SECONDS(until) },
    { .name = "reason",
      .type = KEY_TEXT,
      .offset = offsetof(struct texts, reason),
      .mandatory = true,
      .minimum = 1,
      .maximum = BYPASS_REASON_MAX,
      .rule = "must be a text of 1 to 200 bytes" },
};

enum { KEYS = sizeof keys / sizeof *keys };

static bool read_boot_id(char boot_id[BYPASS_BOOT_ID_SIZE])
{
    int file = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, boot_id, BYPASS_BOOT_ID_SIZE - 1) : -1;

    if (file >= 0)
        close(file);
    if (size != BYPASS_BOOT_ID_SIZE - 1)
        return false;
    boot_id[size] = '\0';
    return is_boot_id(boot_id);
}

bool bypass_now(struct bypass_moment *ret_now)
{
    struct timespec since_boot, now;

    if (clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    ret_now->time_s = now.tv_sec;
    ret_now->boottime_s = since_boot.tv_sec;
    return read_boot_id(ret_now->boot_id);
}

int64_t bypass_left(const struct bypass *bypass, const struct bypass_moment *now)
{
    /* Since another boot at least the time has gone by for which the machine has been up. */
    bool is_same_boot = strcmp(now->boot_id, bypass->made.boot_id) == 0;
    int64_t gone_s = now->boottime_s - (is_same_boot ? bypass->made.boottime_s : 0);
    int64_t left_s = bypass->until_s - now->time_s;
    int64_t certain_s = bypass->until_s - bypass->made.time_s - gone_s;

    if (now->time_s < bypass->made.time_s || gone_s < 0 || left_s < 0 || certain_s < 0)
        return 0;
    return left_s < certain_s ? left_s : certain_s;
}

static struct bypass *make(const struct texts *texts)
{
    struct bypass *bypass = calloc(1, sizeof *bypass);

    if (bypass == NULL)
        return NULL;
    bypass->made.time_s = strtoll(texts->made, NULL, DECIMAL);
    bypass->made.boottime_s = strtoll(texts->boottime, NULL, DECIMAL);
    strcpy(bypass->made.boot_id, texts->boot_id);
    bypass->until_s = strtoll(texts->until, NULL, DECIMAL);
    bypass->reason = strdup(texts->reason);
    if (bypass->reason == NULL)
        bypass_free(&bypass);
    return bypass;
}

bool bypass_parse(const char *text, const char *shown, struct bypass **ret_bypass,
                  struct verdict *why_not)
{
    struct texts texts = { 0 };
    auto_bypass *bypass = NULL;
    bool is_parsed = keys_parse(text, shown, keys, KEYS, &texts, why_not);

    if (is_parsed) {
        bypass = make(&texts);
        if (bypass == NULL)
            verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: no memory", shown);
    }
    keys_free(keys, KEYS, &texts);
    if (bypass == NULL)
        return false;
    if (bypass->until_s <= bypass->made.time_s ||
        bypass->until_s - bypass->made.time_s > BYPASS_SECONDS_MAX)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "%s: until must be after made, by 24 hours at most", shown);

    *ret_bypass = bypass;
    bypass = NULL;
    return true;
}

enum secret_read bypass_read(const char *users_dir, const char *name, struct bypass **ret_bypass,
                             struct verdict *why_not)
{
    auto_secret char *text = NULL;
    char shown[USERFILE_SHOWN_SIZE];
    enum secret_read read = userfile_read_in(users_dir, name, USERFILE_BYPASS, SECRET_READERS_ANY,
                                             &text, shown, why_not);

    if (read == SECRET_READ && !bypass_parse(text, shown, ret_bypass, why_not))
        return SECRET_REFUSED;
    return read;
}

void bypass_free(struct bypass **bypass)
{
    if (*bypass != NULL)
        free((*bypass)->reason);
    free(*bypass);
    *bypass = NULL;
}
