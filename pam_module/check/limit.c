/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The clock that ends a login. */
#include "limit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "../core/dialogue.h"
#include "../twilio/http.h"

enum { GRACE_MS = 400, TICK_MS = 100 };

static struct {
    int64_t began_ms, ends_ms; /* BEGAN_MS 0: there is no limit now */
    int64_t limited_ms;        /* under limits that are over */
    int limits;
    volatile sig_atomic_t ticks;
} limit;

bool limit_is_held_up(void)
{
    int64_t now_ms = limit.began_ms != 0 ? dialogue_clock_ms() - limit.began_ms : 0;
    int64_t expected = (limit.limited_ms + now_ms) / TICK_MS;

    /* Each limit may lack the tick that it ended before; on a busy host many come late. */
    return 2 * ((int64_t)limit.ticks + limit.limits) < expected;
}

/* Only the kernel's signal counts: whoever took over the account that we are may signal us, and must
 * not choose the verdict. */
static void on_tick(int signal, siginfo_t *info, void *context)
{
    static const char unavailable[] = "unavailable: no end in time\n";
    static const char held_up[] = "misconfigured: " LIMIT_HELD_UP "\n";
    ssize_t written;

    (void)signal;
    (void)context;
    if (info->si_code != SI_KERNEL)
        return;
    limit.ticks++;
    if (dialogue_clock_ms() < limit.ends_ms)
        return;
    written = limit_is_held_up() ? write(STDOUT_FILENO, held_up, sizeof held_up - 1)
                                 : write(STDOUT_FILENO, unavailable, sizeof unavailable - 1);
    (void)written;
    _exit(0);
}

/* Somebody has stopped us, maybe until the limit was over: nobody who means well does. */
static void on_continued(int signal)
{
    (void)signal;
    _exit(EXIT_FAILURE);
}

void limit_begin(void)
{
    const struct sigaction tick = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART };

    sigaction(SIGALRM, &tick, NULL);
    signal(SIGCONT, on_continued);
}

void limit_set(int64_t deadline_ms)
{
    const struct timeval tick = { .tv_usec = TICK_MS * 1000L };
    const struct itimerval none = { 0 }, ticking = { tick, tick };
    int64_t now_ms = dialogue_clock_ms();

    setitimer(ITIMER_REAL, &none, NULL);
    if (limit.began_ms != 0)
        limit.limited_ms += now_ms - limit.began_ms;
    limit.began_ms = 0;
    if (deadline_ms == HTTP_FOREVER)
        return;
    limit.began_ms = now_ms;
    limit.ends_ms = (deadline_ms > now_ms ? deadline_ms : now_ms) + GRACE_MS;
    limit.limits++;
    setitimer(ITIMER_REAL, &ticking, NULL);
}
