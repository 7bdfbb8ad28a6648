/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One PAM service while it is judged: what the parts of that have in common. */
#pragma once

#include "check-stack.h"
#include "pam-walk.h"

enum { JUDGE_VALUE_SIZE = CHECK_STACK_AFTER_SIZE };

/* The results are those of our module refusing, passing over, and letting in. */
struct judge {
    struct report *report;
    const struct check_stack *check;
    const struct facts_service *known; /* NULL: nothing is known about the service */
    const struct pam_stack *stack;
    struct settings *own; /* of a line with conf=; NULL: those of this call count */
    struct pam_walk_result *refused, *passed_over, *approved;
    bool has_own_settings; /* a line has settings that the account of the program can use */
    bool is_blamed;        /* something is to be said against the service */
    enum check_stack_trust trust;
};

/* Adds a finding about LINE of the service, NULL: about the service. REMEDY of NULL: nothing is to
 * be done. */
void judge_add(struct judge *judge, const struct pam_stack_line *line, enum report_level level,
               const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Whether LINE calls a module of ROLE; and the first line that does, NULL: there is none. */
bool judge_is(const struct pam_stack_line *line, enum facts_role role);
const struct pam_stack_line *judge_find(const struct pam_stack *stack, enum facts_role role);

/* Whether the service is sshd, which has factors of its own. */
bool judge_is_sshd(const struct judge *judge);

/* Whether WORD is known of the service. */
bool judge_knows(const struct judge *judge, enum facts_word word);

/* Writes the value of the last argument NAME, "after=", of LINE, one of our module; "": none. */
void judge_find_argument(const struct pam_stack_line *line, const char *name,
                         char value[JUDGE_VALUE_SIZE]);

/* The settings that count, after judge_settings(); NULL: they are unknown. */
const struct settings *judge_find_settings(const struct judge *judge);

/* Whether WHO, for whom our module returns PAM_IGNORE, gets in, and by another factor: HAS_FACTOR
 * says that there is one outside the stack. False: that is said. */
bool judge_lets_pass(struct judge *judge, const char *who, bool has_factor);

/* Adds what is to be said about the order of the first factor and our module. */
void judge_order(struct judge *judge);

/* Adds whether one login is asked for two codes, as where a line and the profile of pam-auth-update
 * call our module. */
void judge_twice(struct judge *judge);

/* Adds what is to be said about the arguments of our module's lines, and about the settings that
 * count: those that a line names stay in JUDGE->own, which the caller frees. */
void judge_settings(struct judge *judge);

/* Adds what is to be said about sessions that have proved a code, after judge_settings(). */
void judge_session(struct judge *judge);

/* Adds what is to be said about lines with "split=", after judge_settings(). */
void judge_split(struct judge *judge);

/* Adds what is to be said about the program that calls PAM for the service. */
void judge_host(struct judge *judge);

/* Adds whether proftpd, by its configuration PATH, lets in by something else than PAM. False: that
 * is not known. */
bool judge_proftpd(struct judge *judge, const char *path);

/* The account as which the program of the service KNOWN, which may be NULL, calls PAM for USER;
 * NULL: root, as far as is known. */
const char *judge_account(const struct facts_service *known, const char *user);

/* Whether NAME of run_as is an account, and without the user and the group of root. False, with
 * OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool judge_run_as(const char *name, struct verdict *why_not);

/* Whether the account NAME can use the settings of the file PATH, as the check program reads them
 * when it is not root: with the secret and the directory of enrollments that they name. Only root
 * can tell about another account. False, with OUTCOME_MISCONFIGURED in *WHY_NOT. */
bool judge_can_use(const char *name, const char *path, struct verdict *why_not);
