/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Which boot of the machine this is. */
#include "boot.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "descriptor.h"

bool boot_is_id(const char *text)
{
    return strlen(text) == BOOT_ID_SIZE - 1 &&
           strspn(text, "0123456789abcdef-") == BOOT_ID_SIZE - 1;
}

static bool read_id(char id[BOOT_ID_SIZE])
{
    auto_close file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, id, BOOT_ID_SIZE - 1) : -1;

    id[size > 0 ? size : 0] = '\0';
    return boot_is_id(id);
}

bool boot_now(struct boot_moment *ret_now)
{
    struct boot_moment now;
    struct timespec clock;

    if (clock_gettime(CLOCK_BOOTTIME, &clock) != 0 || !read_id(now.id))
        return false;
    now.seconds = clock.tv_sec;
    *ret_now = now;
    return true;
}
