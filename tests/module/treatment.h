/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* How a PAM application treats SIGCHLD. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

typedef void treatment_handler(int number, siginfo_t *info, void *context);

struct treatment {
    const char *name;
    treatment_handler *handle; /* NULL: DISPOSITION */
    void (*disposition)(int);  /* SIG_DFL, SIG_IGN */
    int flags;
    bool blocks;                /* SIGCHLD, in every thread */
    pid_t (*collect)(void);     /* takes one signal; 0: there is none */
    void *(*watch)(void *none); /* a thread that takes the signals and waits for children */
    bool is_unseen;             /* nobody but the kernel sees the signals */
};

enum { TREATMENT_SEEN_MAX = 64 };

/* The children that SIGCHLD was about, as a handler or a thread saw them; children-host.c adds what
 * it collects. */
extern volatile pid_t treatment_seen[TREATMENT_SEEN_MAX];
extern volatile sig_atomic_t treatment_seen_count;

/* NULL: there is none of that name. */
const struct treatment *treatment_find(const char *name);

/* For the rest of this process. False: a thread can't be started. */
bool treatment_begin(const struct treatment *treatment);

/* Adds CHILD to what was seen. */
void treatment_note(pid_t child);

/* The child of a pending SIGCHLD, which is taken off; 0: there is none. */
pid_t treatment_take_pending(void);
