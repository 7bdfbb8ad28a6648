/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
#include "descriptor.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "clock.h"

void descriptor_close(int *descriptor)
{
    int error = errno;

    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
    errno = error;
}

/* What poll(2) takes: an int, which cuts a longer time. */
static int timeout_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_ms();

    if (deadline_ms < 0)
        return -1;
    if (left < 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

int descriptor_wait(int descriptor, int64_t deadline_ms)
{
    struct pollfd poller = { .fd = descriptor, .events = POLLIN };

    for (;;) {
        int timeout = timeout_ms(deadline_ms);
        int ready = poll(&poller, 1, timeout);

        if (ready > 0 || (ready == 0 && timeout < INT_MAX))
            return ready;
        if (ready < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
    }
}
