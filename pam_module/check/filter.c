/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The system calls of a login. */
#include "filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

/* Made by filter-table.c. */
static const struct sock_filter instructions[] = {
#include "filter-table.h"
};

/* Asked for no filter at all, a kernel that has filters answers EFAULT. */
bool filter_install(void)
{
    const struct sock_fprog program = {
        .len = sizeof instructions / sizeof *instructions,
        .filter = (struct sock_filter *)instructions,
    };
    int error;

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        return true;

    error = errno;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1 && errno != EFAULT)
        return true; /* not there, or not for this container */
    errno = error;
    return false;
}
