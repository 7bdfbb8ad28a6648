/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* When, in a login, a child of the PAM application's own changes. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct moment {
    const char *name;
    /* PENDING: before the login, and the host has not had its signal. */
    enum { MOMENT_BEFORE, MOMENT_PENDING, MOMENT_DURING } when;
    enum { MOMENT_NOTHING, MOMENT_END, MOMENT_STOP } change;
    pid_t (*before)(const char *fifo);   /* the child; 0: there is none, or not yet */
    void (*meanwhile)(const char *fifo); /* in the conversation; NULL: nothing */
};

/* The child that this login is about; 0: none. */
extern pid_t moment_child;

/* NULL: there is none of that name. */
const struct moment *moment_find(const char *name);

/* Does what comes before the login. The check program opens FIFO right before its verdict. */
void moment_begin(const struct moment *moment, const char *fifo);

/* Waits until its child has changed. */
void moment_await(const struct moment *moment);

/* A child that sleeps. */
pid_t moment_start_sleeper(const char *fifo);

/* Ends this program: WHAT can't be done, as errno tells. */
_Noreturn void moment_give_up(const char *what);
