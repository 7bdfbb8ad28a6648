/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The timer that ends a login. */
#include "deadline.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "../core/clock.h"
#include "../twilio/cause.h"
#include "../twilio/http.h"
#include "closing.h"

/* Time for the login itself to say what it found, on a busy host. */
enum { GRACE_MS = 700 };

/* Only the kernel's signal counts: a process of our own account may signal us too, and must
 * not choose the verdict. */
static void on_alarm(int signal, siginfo_t *info, void *context)
{
    static const struct verdict verdict = { OUTCOME_MISCONFIGURED, CAUSE_NO_TIME_TEXT };

    (void)signal;
    (void)context;
    if (info->si_code == SI_KERNEL)
        closing_say(&verdict);
}

/* Somebody stopped this process, maybe until its time was over. Only an attacker does that. */
static void on_continued(int signal)
{
    (void)signal;
    _exit(EXIT_FAILURE);
}

void deadline_begin(void)
{
    const struct sigaction alarm = { .sa_sigaction = on_alarm,
                                     .sa_flags = SA_SIGINFO | SA_RESTART };

    sigaction(SIGALRM, &alarm, NULL);
    signal(SIGCONT, on_continued);
}

void deadline_set(int64_t deadline_ms)
{
    struct itimerval timer = { 0 };
    int64_t now_ms = clock_ms(), left_ms = GRACE_MS;

    if (deadline_ms != HTTP_FOREVER) {
        left_ms += deadline_ms > now_ms ? deadline_ms - now_ms : 0;
        timer.it_value.tv_sec = left_ms / 1000;
        timer.it_value.tv_usec = left_ms % 1000 * 1000;
    }
    setitimer(ITIMER_REAL, &timer, NULL);
}
