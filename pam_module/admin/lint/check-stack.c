/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether a PAM service can be passed without the code. */
#include "check-stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../desk/terminal.h"
#include "judge.h"

enum { WORDS_SIZE = 256, REMEDY_SIZE = sizeof(struct terminal_command) + 32 };

#define OUTAGE PAM_CODE_SET(PAM_CODE_AUTHINFO_UNAVAIL)

/* A line by which our module is bypassed. */
static void judge_way_round(struct judge *judge, const struct pam_stack_line *line, bool is_bare)
{
    const char *who = is_bare && judge_find(judge->stack, FACTS_FACTOR) != NULL
                          ? "not authenticated at all"
                          : "not asked for a code";

    if (line->kind == PAM_STACK_MODULE && line->module->role == FACTS_ROOT)
        judge_add(judge, line, REPORT_NOTE, NULL, "root needs no code (%s)", line->name);
    else if (line->kind == PAM_STACK_MODULE && line->module->role == FACTS_CONDITION)
        judge_add(judge, line, REPORT_WARNING, "check that this is intended",
                  "an exemption by \"%s %s\": users whom it accepts are %s", line->name,
                  line->arguments, who);
    else
        judge_add(judge, line, REPORT_WRONG,
                  "change its control so that the module's line is always reached",
                  "\"%s %s\" bypasses the module: users whom it accepts are %s", line->word,
                  line->name, who);
}

static void print_codes(pam_codes codes, char words[WORDS_SIZE])
{
    *words = '\0';
    for (int code = 0; code < PAM_CODES; code++)
        if ((codes & PAM_CODE_SET(code)) != 0)
            terminal_add_word(words, WORDS_SIZE, ", ", pam_code_word((enum pam_code)code));
}

/* The line by which a refusal that libpam keeps in mind is forgotten; NULL: the module's own
 * control ignores it. */
static const struct pam_stack_line *find_reset(const struct pam_stack *stack,
                                               const struct pam_stack_line *ours, pam_codes codes)
{
    const struct pam_stack_line *end = stack->lines + stack->count;

    for (int code = 0; code < PAM_CODES; code++)
        if ((codes & PAM_CODE_SET(code)) != 0 && ours->control.actions[code] != PAM_ACTION_BAD &&
            ours->control.actions[code] != PAM_ACTION_DIE)
            return NULL;
    for (const struct pam_stack_line *line = ours + 1; line < end; line++)
        for (int code = 0; code < PAM_CODES; code++)
            if (line->control.actions[code] == PAM_ACTION_RESET)
                return line;
    return NULL;
}

/* A line of our module that lets in while the service is unavailable. Who can start the service
 * himself can also bring that about on this host, in ways that nobody has thought of. */
static void judge_outage(struct judge *judge, const struct pam_stack_line *line)
{
    bool is_local = judge_knows(judge, FACTS_LOCAL);

    judge_add(judge, line, is_local ? REPORT_WRONG : REPORT_WARNING,
              is_local ? "use \"required\": the recipe for an outage is for sshd and the console"
                       : "\"required\" refuses every login then",
              "no code is needed while Twilio cannot be reached%s",
              is_local ? ", and a local user can cause that"
                       : ", and an attacker who can cut this host off can cause that");
}

/* A line of our module after whose refusal the stack may still say yes to CODES. */
static void judge_refusal(struct judge *judge, const struct pam_stack_line *line, pam_codes codes)
{
    const struct pam_stack_line *reset = find_reset(judge->stack, line, codes);
    char words[WORDS_SIZE];

    print_codes(codes, words);
    if (codes == OUTAGE)
        judge_outage(judge, line);
    else if (reset != NULL)
        judge_add(judge, reset, REPORT_WRONG, "remove \"reset\"",
                  "\"%s %s\" makes libpam forget that the module refused", reset->word,
                  reset->name);
    else
        judge_add(judge, line, REPORT_WRONG, "use \"required\"",
                  "the control \"%s\" lets in although the module refuses (%s)", line->word, words);
}

static void judge_lines(struct judge *judge)
{
    for (size_t i = 0; i < judge->stack->count; i++) {
        const struct pam_stack_line *line = &judge->stack->lines[i];
        const struct pam_walk_line *found = &judge->refused->lines[i];
        if (judge_is(line, FACTS_SECOND) && (found->to_success & FACTS_REFUSALS) != 0)
            judge_refusal(judge, line, found->to_success & FACTS_REFUSALS);
        if (found->is_way_round && !judge_is(line, FACTS_SECOND))
            judge_way_round(judge, line, found->is_way_round_bare);
    }
}

/* A right code has to be of use. */
static void judge_approval(struct judge *judge)
{
    const struct pam_stack_line *ours = judge_find(judge->stack, FACTS_SECOND);
    bool is_reached = false;

    for (size_t i = 0; i < judge->stack->count; i++) {
        if (!judge_is(&judge->stack->lines[i], FACTS_SECOND))
            continue;
        if (judge->approved->lines[i].to_success != 0)
            return;
        is_reached |= judge->approved->lines[i].is_reached;
    }
    judge_add(judge, ours, REPORT_WRONG, "look at the controls of the lines around it",
              is_reached ? "a right code lets nobody in" : "the module is never called");
}

static void judge_stack(struct judge *judge)
{
    const struct pam_stack_line *ours = judge_find(judge->stack, FACTS_SECOND);
    const struct pam_stack_line *factor = judge_find(judge->stack, FACTS_FACTOR);

    judge_approval(judge);
    judge_lines(judge);
    judge_order(judge);
    judge_twice(judge);
    judge_settings(judge);
    judge_session(judge);
    judge_split(judge);
    judge_host(judge);
    if (judge->is_blamed)
        return;
    if (factor != NULL && judge_find(judge->stack, FACTS_SPLIT) != NULL)
        judge_add(judge, NULL, REPORT_OK, NULL,
                  "asks for a code in the same field as %s (%s:%u): no push and no recovery code "
                  "fits there",
                  factor->name, ours->path, ours->number);
    else if (factor != NULL)
        judge_add(judge, NULL, REPORT_OK, NULL, "asks for a code after %s (%s:%u)", factor->name,
                  ours->path, ours->number);
    else
        judge_add(judge, NULL, REPORT_OK, NULL, "asks for a code (%s:%u)", ours->path,
                  ours->number);
}

static void search(struct judge *judge)
{
    bool is_done =
        pam_walk_search(judge->stack, FACTS_REFUSALS, &judge->refused) &&
        pam_walk_search(judge->stack, PAM_CODE_SET(PAM_CODE_IGNORE), &judge->passed_over) &&
        pam_walk_search(judge->stack, PAM_CODE_SET(PAM_CODE_SUCCESS), &judge->approved);

    if (is_done)
        judge_stack(judge);
    else
        judge_add(judge, NULL, REPORT_WRONG, "write fewer lines with jumps",
                  "has too many paths through its lines to check");
    settings_free(&judge->own);
    free(judge->refused);
    free(judge->passed_over);
    free(judge->approved);
}

/* Whether the lines of the file are other services'. */
static bool is_shared(const char *service)
{
    return strncmp(service, "common-", strlen("common-")) == 0 || strcmp(service, "other") == 0;
}

static void print_absence_remedy(const struct judge *judge, enum pam_stack_read read,
                                 char remedy[REMEDY_SIZE])
{
    const char *service = judge->check->service;

    if (read == PAM_STACK_ABSENT)
        snprintf(remedy, REMEDY_SIZE, "check the name");
    else if (is_shared(service))
        snprintf(remedy, REMEDY_SIZE,
                 "for all services that include common-auth use pam-auth-update(8)");
    else
        snprintf(remedy, REMEDY_SIZE, "%s%s",
                 terminal_command("twilio-verify enable", service).text,
                 judge_is_sshd(judge) ? " --first-factor password" : "");
}

/* No line of auth calls the module. */
static void judge_absence(struct judge *judge, enum pam_stack_read read)
{
    bool is_silent = read == PAM_STACK_READ && judge->stack->is_other;
    const char *account = judge_account(judge->known, "the user");
    char remedy[REMEDY_SIZE];

    print_absence_remedy(judge, read, remedy);

    if (account != NULL)
        judge_add(
            judge, NULL, REPORT_NOTE, NULL,
            "does not ask for a code: its program runs as %s, and could not read the settings",
            account);
    else if (judge->known != NULL && judge->known->samba != NULL)
        judge_add(
            judge, NULL, judge->check->level_of_absence, NULL,
            "lets in without a code: Samba checks passwords itself, and a line of PAM changes "
            "nothing");
    else if (is_silent && !judge_knows(judge, FACTS_LOGIN))
        judge_add(judge, NULL, REPORT_NOTE, NULL,
                  "has no auth line: its program asks for nothing, or the lines of \"other\" "
                  "apply, which do not call the module");
    else
        judge_add(judge, NULL, judge->check->level_of_absence, remedy,
                  "does not ask for a code: no auth line calls the module");
}

/* What all lines of our module say in "after="; "": they do not say the same. */
static void find_after(const struct pam_stack *stack, char after[CHECK_STACK_AFTER_SIZE])
{
    const struct pam_stack_line *first = judge_find(stack, FACTS_SECOND);

    *after = '\0';
    for (size_t i = 0; i < stack->count; i++) {
        char other[CHECK_STACK_AFTER_SIZE];
        if (!judge_is(&stack->lines[i], FACTS_SECOND))
            continue;
        judge_find_argument(&stack->lines[i], "after=", other);
        if (&stack->lines[i] == first)
            memcpy(after, other, sizeof other);
        else if (strcmp(after, other) != 0)
            *after = '\0';
    }
}

static struct check_stack_answer answer(const struct pam_stack *stack,
                                        const struct check_stack *check)
{
    const struct pam_stack_line *ours = judge_find(stack, FACTS_SECOND);
    struct check_stack_answer answer = {
        .is_known = true,
        .is_called = ours != NULL,
        .is_new = ours != NULL && overlay_has(check->source.overlay, ours->path),
        .is_other = stack->is_other,
        .has_factor = judge_find(stack, FACTS_FACTOR) != NULL,
        .has_split = judge_find(stack, FACTS_SPLIT) != NULL,
    };

    find_after(stack, answer.after);
    return answer;
}

struct check_stack_answer check_stack_ask(const struct check_stack *check)
{
    struct verdict why_not;
    auto_stack *stack = NULL;

    if (pam_stack_read(&check->source, check->service, &stack, &why_not) == PAM_STACK_REFUSED)
        return (struct check_stack_answer){ .is_known = false };
    return answer(stack, check);
}

static void note_absence(struct judge *judge)
{
    const char *const *directories = judge->check->source.directories;

    judge_add(judge, NULL, REPORT_NOTE, NULL, "has no file in %s%s%s: the lines of \"other\" apply",
              directories[0], directories[1] != NULL ? " or " : "",
              directories[1] != NULL ? directories[1] : "");
}

static void judge_service(struct judge *judge, enum pam_stack_read read)
{
    if (read == PAM_STACK_ABSENT)
        note_absence(judge);
    if (judge_knows(judge, FACTS_SYSTEM))
        judge_add(judge, NULL, REPORT_NOTE, NULL,
                  "only root or the system starts it: nobody can be asked for a code");
    else if (judge_find(judge->stack, FACTS_SECOND) == NULL &&
             judge_find(judge->stack, FACTS_SPLIT) != NULL)
        judge_split(judge);
    else if (judge_find(judge->stack, FACTS_SECOND) == NULL)
        judge_absence(judge, read);
    else
        search(judge);
}

struct check_stack_answer check_stack_add(struct report *report, const struct check_stack *check)
{
    struct judge judge = { .report = report,
                           .check = check,
                           .known = facts_find_service(check->source.facts, check->service) };
    struct verdict why_not;
    struct check_stack_answer found = { .is_known = false };
    auto_stack *stack = NULL;
    enum pam_stack_read read = pam_stack_read(&check->source, check->service, &stack, &why_not);

    if (read == PAM_STACK_REFUSED)
        judge_add(&judge, NULL, REPORT_WRONG, "correct it: libpam may refuse every login", "%s",
                  why_not.reason);
    if (read == PAM_STACK_REFUSED || (read == PAM_STACK_ABSENT && !check->is_named))
        return found;

    judge.stack = stack;
    judge_service(&judge, read);
    found = answer(stack, check);
    found.trust = judge.trust;
    return found;
}
