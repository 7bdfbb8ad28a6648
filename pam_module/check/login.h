/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The steps of one login: ask, create a challenge while the user types, verify, verdict. The
 * dialogue, the network and the disk are ports. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../core/dialogue.h"
#include "../core/enrollment.h"
#include "../core/ledger.h"
#include "../core/settings.h"
#include "../core/verdict.h"
#include "../twilio/challenge.h"

/* Who wants to be let in. */
struct login_request {
    const struct settings *settings;
    const struct enrollment
        *enrollment;     /* NULL: not enrolled, to be denied with the same prompts */
    const char *message; /* what the phone shows of a push: challenge_push */
};

enum login_answer {
    LOGIN_ANSWER,    /* a line was taken */
    LOGIN_NO_ANSWER, /* none is there yet */
    LOGIN_GONE,      /* none will come any more */
};

/* What a login needs of the world. */
struct login_ports {
    void *context;         /* the functions' own */
    struct ledger *ledger; /* of those that remember; tests have a world of their own there */
    int descriptor;        /* readable when answer() has something to tell; -1: never */

    /* Asks the user TEXT (false: nobody is there), shows it, or writes it to the log: now, since
     * the user may leave. */
    bool (*say)(void *context, enum dialogue_kind kind, const char *text);
    /* Takes the next answer, any bytes; with WAIT it waits for it and LOGIN_NO_ANSWER is not
     * possible. ANSWER is changed only on LOGIN_ANSWER. */
    enum login_answer (*answer)(void *context, bool wait, char answer[DIALOGUE_LINE_SIZE]);
    /* Makes the API ready, once, after the prompt is out. False, with the verdict in *WHY_NOT. */
    bool (*load)(void *context, const struct challenge_api **ret_api,
                 struct challenge_service **ret_service, struct verdict *why_not);
    /* Says when this login must have ended, whatever hangs, by clock_ms(); HTTP_FOREVER: the user
     * is typing, or this host is at work and not Twilio. */
    void (*deadline)(void *context, int64_t deadline_ms);
    int64_t (*clock_ms)(void *context); /* clock_ms(), or a test's */
    void (*pause)(void *context, int64_t pause_ms);

    /* What this host remembers (ledger.h). CODE is about to be sent: notes it, so that no other
     * login sends it; release() takes that back. CLAIM_REFUSED: the login is over; the verdict
     * tells. */
    enum claim (*claim)(struct ledger *ledger, const char *code, struct ledger_counts *ret_counts,
                        struct verdict *why_not);
    /* Nobody has judged the code that was claimed. */
    void (*take_back)(struct ledger *ledger);
    /* What is known before the first question; where too many codes were wrong, with the verdict in
     * *WHY_NOT. */
    void (*look)(struct ledger *ledger, struct ledger_look *ret_look, struct verdict *why_not);
    void (*release)(struct ledger *ledger, const char *code);
    /* Another challenge is about to be created. 0; or, with the verdict in *WHY_NOT, after how many
     * seconds that is possible; -1: never, as things are. */
    int64_t (*count)(struct ledger *ledger, struct verdict *why_not);
    /* A push, as ledger_push(), ledger_stop_push() and ledger_guess() have it. */
    int64_t (*push)(void *context, struct verdict *why_not);
    bool (*stop_push)(struct ledger *ledger);
    enum ledger_guess (*guess)(struct ledger *ledger, const char *typed, int number,
                               struct verdict *why_not);
    /* Uses up the recovery code CODE. How many remain; -1: it does not count. */
    int (*recover)(void *context, const char *code);
    /* Whether a right recovery code would count now. */
    bool (*can_recover)(void *context);
    /* Notes how the login ended. */
    void (*note_end)(struct ledger *ledger, enum ledger_end end);
};

/* Runs one login to its verdict. OUTCOME_APPROVED only if Twilio approved, for this enrollment and
 * for a challenge that was made here, a code that was answered here, or a push whose number was; or
 * if recover() used up a recovery code that was. */
void login_run(const struct login_request *request, const struct login_ports *ports,
               struct verdict *ret_verdict);
