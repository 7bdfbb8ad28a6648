/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether a PAM service can be passed without the code. */
#include "check-stack.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pam-walk.h"
#include "paths.h"

enum { WORDS_SIZE = 256, REMEDY_SIZE = 512 };

#define OUTAGE   PAM_CODE_SET(PAM_CODE_AUTHINFO_UNAVAIL)
#define COST     "anybody can use up a user's challenges, of which Twilio allows 50 an hour"
#define ADD_LINE "add \"auth required pam_twilio_verify.so\" after the first factor"

/* One service while it is judged. The results are those of our module refusing, passing over, and
 * letting in. */
struct judge {
    struct report *report;
    const struct check_stack *check;
    const struct facts_service *known; /* NULL: nothing is known about the service */
    const struct pam_stack *stack;
    struct settings *own; /* of a line with conf=; NULL: those of this call count */
    struct pam_walk_result *refused, *passed_over, *approved;
    bool is_blamed; /* something is to be said against the service */
};

static bool is_ours(const struct pam_stack_line *line)
{
    return line->kind == PAM_STACK_MODULE && line->module->role == FACTS_SECOND;
}

static const struct pam_stack_line *find_ours(const struct pam_stack *stack)
{
    for (size_t i = 0; i < stack->count; i++)
        if (is_ours(&stack->lines[i]))
            return &stack->lines[i];
    return NULL;
}

static const struct pam_stack_line *find_factor(const struct pam_stack *stack)
{
    for (size_t i = 0; i < stack->count; i++)
        if (stack->lines[i].kind == PAM_STACK_MODULE &&
            stack->lines[i].module->role == FACTS_FACTOR)
            return &stack->lines[i];
    return NULL;
}

static bool is_sshd(const struct check_stack *check)
{
    return strcmp(check->service, "sshd") == 0;
}

#define ADD(judge, level, remedy, ...)                                                             \
    ((judge)->is_blamed |= (level) >= REPORT_WARNING,                                              \
     report_add((judge)->report, (level), (judge)->check->service, (remedy), __VA_ARGS__))

/* A line by which our module is gone past. */
static void judge_way_round(struct judge *judge, const struct pam_stack_line *line, bool is_bare)
{
    const char *who = is_bare && find_factor(judge->stack) != NULL ? "asked for nothing at all"
                                                                   : "not asked for a code";

    if (line->kind == PAM_STACK_MODULE && line->module->role == FACTS_ROOT)
        ADD(judge, REPORT_NOTE, NULL, "%s:%u: root needs no code (%s)", line->path, line->number,
            line->name);
    else if (line->kind == PAM_STACK_MODULE && line->module->role == FACTS_CONDITION)
        ADD(judge, REPORT_WARNING, "mind who can come under it",
            "%s:%u: an exemption: whom \"%s %s\" lets past is %s", line->path, line->number,
            line->name, line->arguments, who);
    else
        ADD(judge, REPORT_WRONG,
            "let it skip less, or end less, so that the module's line is always reached",
            "%s:%u: \"%s %s\" goes past the module: whom it lets in is %s", line->path,
            line->number, line->word, line->name, who);
}

static void print_codes(pam_codes codes, char words[WORDS_SIZE])
{
    size_t used = 0;

    words[0] = '\0';
    for (int code = 0; code < PAM_CODES; code++)
        if ((codes & PAM_CODE_SET(code)) != 0 && used < WORDS_SIZE)
            used += (size_t)snprintf(words + used, WORDS_SIZE - used, "%s%s", used > 0 ? ", " : "",
                                     pam_code_word((enum pam_code)code));
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

static bool is_known_as(const struct judge *judge, enum facts_word word)
{
    return judge->known != NULL && (judge->known->words & word);
}

/* A line of our module that lets in while the service is unavailable. Who can start the service
 * himself can also bring that about on this host, in ways that nobody has thought of. */
static void judge_outage(struct judge *judge, const struct pam_stack_line *line)
{
    bool is_local = is_known_as(judge, FACTS_LOCAL);

    ADD(judge, is_local ? REPORT_WRONG : REPORT_WARNING,
        is_local ? "use \"required\": the recipe for an outage is for sshd and the console"
                 : "\"required\" lets nobody in then",
        "%s:%u: while Twilio can't be reached no code is needed%s", line->path, line->number,
        is_local ? ", and a user of this host can bring that about"
                 : ", also by whoever can cut this host off");
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
        ADD(judge, REPORT_WRONG, "take \"reset\" out",
            "%s:%u: \"%s %s\" makes libpam forget that the module refused", reset->path,
            reset->number, reset->word, reset->name);
    else
        ADD(judge, REPORT_WRONG, "use \"required\"",
            "%s:%u: the control \"%s\" lets in although the module refuses (%s)", line->path,
            line->number, line->word, words);
}

static void judge_lines(struct judge *judge)
{
    for (size_t i = 0; i < judge->stack->count; i++) {
        const struct pam_stack_line *line = &judge->stack->lines[i];
        const struct pam_walk_line *found = &judge->refused->lines[i];
        if (is_ours(line) && (found->to_success & FACTS_REFUSALS) != 0)
            judge_refusal(judge, line, found->to_success & FACTS_REFUSALS);
        if (found->is_way_round && !is_ours(line))
            judge_way_round(judge, line, found->is_way_round_bare);
    }
}

/* A right code has to be of use. */
static void judge_approval(struct judge *judge)
{
    const struct pam_stack_line *ours = find_ours(judge->stack);
    bool is_reached = false;

    for (size_t i = 0; i < judge->stack->count; i++) {
        if (!is_ours(&judge->stack->lines[i]))
            continue;
        if (judge->approved->lines[i].to_success != 0)
            return;
        is_reached |= judge->approved->lines[i].is_reached;
    }
    ADD(judge, REPORT_WRONG, "look at the controls of the lines around it",
        is_reached ? "%s:%u: nobody gets in by a right code" : "%s:%u: the module is never called",
        ours->path, ours->number);
}

/* The first line of our module that is reached before any factor was shown; NULL: there is none. */
static const struct pam_stack_line *find_bare(const struct pam_stack *stack,
                                              const struct pam_walk_result *refused)
{
    for (size_t i = 0; i < stack->count; i++)
        if (is_ours(&stack->lines[i]) && refused->lines[i].is_reached_bare)
            return &stack->lines[i];
    return NULL;
}

/* The line "substack" in whose file FACTOR stands, while OURS stands outside; NULL: there is none. */
static const struct pam_stack_line *find_substack(const struct pam_stack *stack,
                                                  const struct pam_stack_line *factor,
                                                  const struct pam_stack_line *ours)
{
    for (const struct pam_stack_line *line = factor; line >= stack->lines; line--)
        if (line->kind == PAM_STACK_SUBSTACK && line->level == ours->level)
            return line;
    return NULL;
}

/* Whether the stack asks for a code after its first factor alone where each substack is an include:
 * not if a line "sufficient" in there would end the stack. */
static bool is_mended_by_include(const struct judge *judge)
{
    struct pam_stack_source source = judge->check->source;
    struct pam_walk_result *refused = NULL, *approved = NULL;
    char why_not[PAM_STACK_WHY_NOT_SIZE];
    auto_stack *stack = NULL;
    bool is_mended;

    source.is_flat = true;
    is_mended = pam_stack_read(&source, judge->check->service, &stack, why_not) == PAM_STACK_READ &&
                pam_walk_search(stack, FACTS_REFUSALS, &refused) &&
                pam_walk_search(stack, PAM_CODE_SET(PAM_CODE_SUCCESS), &approved) &&
                !refused->is_success && find_bare(stack, refused) == NULL && approved->is_success;
    free(refused);
    free(approved);
    return is_mended;
}

/* Whether FACTOR refuses for good, and lets pass only by PAM_IGNORE. */
static bool is_passed_by_ignore(const struct pam_stack_line *factor,
                                const struct pam_stack_line *ours)
{
    return (factor->codes & PAM_CODE_SET(PAM_CODE_IGNORE)) != 0 && factor->level == ours->level &&
           factor->control.actions[PAM_CODE_AUTH_ERR] == PAM_ACTION_DIE &&
           factor->control.actions[PAM_CODE_IGNORE] == PAM_ACTION_IGNORE;
}

/* What to write so that OURS is reached by who has passed FACTOR alone. */
static void print_order_remedy(const struct judge *judge, const struct pam_stack_line *factor,
                               const struct pam_stack_line *ours, char remedy[REMEDY_SIZE])
{
    const struct pam_stack_line *substack = find_substack(judge->stack, factor, ours);

    if (is_passed_by_ignore(factor, ours) && *factor->module->unless != '\0')
        snprintf(remedy, REMEDY_SIZE, "remove its arguments that let pass: %s",
                 factor->module->unless);
    else if (is_passed_by_ignore(factor, ours))
        snprintf(remedy, REMEDY_SIZE, "write \"ignore=die\", or, if it never does, say so in %s",
                 PATHS_OWN_FACTS);
    else if (substack != NULL && is_mended_by_include(judge))
        snprintf(remedy, REMEDY_SIZE, "write \"@include %s\" in place of \"substack\" (%s:%u)",
                 substack->name, substack->path, substack->number);
    else if (substack != NULL)
        snprintf(
            remedy, REMEDY_SIZE,
            "a refusal in a substack ends the substack alone: put the lines of %s into %s, with "
            "\"requisite\" for %s",
            substack->name, substack->path, factor->name);
    else if (strcasecmp(factor->word, "required") == 0)
        snprintf(remedy, REMEDY_SIZE, "write \"requisite\" for %s", factor->name);
    else
        snprintf(remedy, REMEDY_SIZE, "let a refusal end the stack there, as \"requisite\" does");
}

/* Twilio allows so many challenges for a user: who gets to the question can use them up. */
static void judge_order(struct judge *judge)
{
    const struct pam_stack_line *factor = find_factor(judge->stack);
    const struct pam_stack_line *ours = find_bare(judge->stack, judge->refused);
    char remedy[REMEDY_SIZE];
    const char *what;

    if (ours == NULL || (factor == NULL && is_sshd(judge->check)))
        return;
    if (factor == NULL) {
        ADD(judge, REPORT_WARNING, "put a first factor before it",
            "%s:%u: the code is the only factor: " COST, ours->path, ours->number);
        return;
    }
    if (factor > ours && !judge->approved->is_success_ours) {
        ADD(judge, REPORT_WARNING, "move the module's line below it",
            "%s:%u: the module stands before %s (%s:%u): " COST, ours->path, ours->number,
            factor->name, factor->path, factor->number);
        return;
    }
    print_order_remedy(judge, factor, ours, remedy);
    what = is_passed_by_ignore(factor, ours) ? "returned PAM_IGNORE" : "refused";
    if (judge->approved->is_success_ours)
        ADD(judge, REPORT_WRONG, remedy, "%s:%u: the code alone logs in, also after %s %s (%s:%u)",
            ours->path, ours->number, factor->name, what, factor->path, factor->number);
    else
        ADD(judge, REPORT_WARNING, remedy, "%s:%u: the module asks also after %s %s (%s:%u): " COST,
            ours->path, ours->number, factor->name, what, factor->path, factor->number);
}

/* Whom the settings exempt gets in by what else the stack asks for. */
static void judge_settings(struct judge *judge)
{
    const struct settings *settings = judge->own != NULL ? judge->own : judge->check->settings;
    bool is_exempt = settings != NULL && settings_exempts(settings, judge->check->service);
    bool is_unmapped =
        settings != NULL && settings->unmapped_user == SETTINGS_UNMAPPED_IGNORE && !is_exempt;
    const char *who = is_exempt ? "exempt_services names it: everybody"
                                : "unmapped_user is \"ignore\": who is not enrolled";

    if (!is_exempt && !is_unmapped)
        return;
    if (!judge->passed_over->is_success)
        ADD(judge, REPORT_WRONG, "add \"auth required pam_permit.so\" below the module's line",
            "%s is asked for no code and refused: no other line says yes", who);
    else if (judge->passed_over->is_success_bare && !is_sshd(judge->check))
        ADD(judge, REPORT_WRONG, "put a first factor into the stack", "%s gets in with nothing",
            who);
    else
        ADD(judge, REPORT_WARNING, "mind whom that lets in", "%s gets in without a code", who);
}

/* Lockers run PAM as the user, who can't read the settings. */
static void judge_locker(struct judge *judge)
{
    if (is_known_as(judge, FACTS_USER))
        ADD(judge, REPORT_WARNING, "leave the module out of it",
            "a screen locker, which can't read the settings: it refuses everybody");
}

/* Settings of a line's own, at PATH, count for whom it exempts. */
static void take_settings(struct judge *judge, const struct pam_stack_line *line, const char *path)
{
    struct verdict why_not;

    settings_free(&judge->own);
    if (settings_read(path, &judge->own, &why_not))
        ADD(judge, REPORT_NOTE, NULL, "%s:%u: has settings of its own: %s", line->path,
            line->number, path);
    else
        ADD(judge, REPORT_WRONG, "mend them: the module refuses everybody",
            "%s:%u: has settings of its own: %s", line->path, line->number, why_not.reason);
}

/* As the module reads its arguments. */
static void judge_arguments(struct judge *judge, const struct pam_stack_line *line)
{
    static const char conf[] = "conf=", helper[] = "helper=/";
    const char *word = line->arguments + strspn(line->arguments, " \t");

    for (size_t length; *word != '\0'; word += length + strspn(word + length, " \t")) {
        char argument[PATH_MAX];
        length = strcspn(word, " \t");
        snprintf(argument, sizeof argument, "%.*s", (int)length, word);
        if (strncmp(argument, conf, strlen(conf)) == 0 && argument[strlen(conf)] == '/')
            take_settings(judge, line, argument + strlen(conf));
        else if (strcmp(argument, "debug") != 0 && strncmp(argument, helper, strlen(helper)) != 0)
            ADD(judge, REPORT_WRONG,
                "only debug, and conf= and helper= with an absolute path, are known",
                "%s:%u: the module refuses everybody for the argument \"%s\"", line->path,
                line->number, argument);
    }
}

static void judge_all_arguments(struct judge *judge)
{
    for (size_t i = 0; i < judge->stack->count; i++)
        if (is_ours(&judge->stack->lines[i]))
            judge_arguments(judge, &judge->stack->lines[i]);
}

static void judge_stack(struct judge *judge)
{
    const struct pam_stack_line *ours = find_ours(judge->stack);
    const struct pam_stack_line *factor = find_factor(judge->stack);

    judge_approval(judge);
    judge_lines(judge);
    judge_order(judge);
    judge_all_arguments(judge);
    judge_settings(judge);
    judge_locker(judge);
    if (judge->is_blamed)
        return;
    if (factor != NULL)
        ADD(judge, REPORT_OK, NULL, "asks for a code after %s (%s:%u)", factor->name, ours->path,
            ours->number);
    else
        ADD(judge, REPORT_OK, NULL, "asks for a code (%s:%u)", ours->path, ours->number);
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
        ADD(judge, REPORT_WRONG, "write fewer lines with jumps",
            "has more ways through its lines than can be followed: nothing is known about it");
    settings_free(&judge->own);
    free(judge->refused);
    free(judge->passed_over);
    free(judge->approved);
}

static struct check_stack_answer answer(const struct pam_stack *stack)
{
    return (struct check_stack_answer){
        .is_known = true,
        .is_called = find_ours(stack) != NULL,
        .is_other = stack->is_other,
        .has_factor = find_factor(stack) != NULL,
    };
}

struct check_stack_answer check_stack_ask(const struct check_stack *check)
{
    char why_not[PAM_STACK_WHY_NOT_SIZE];
    auto_stack *stack = NULL;

    if (pam_stack_read(&check->source, check->service, &stack, why_not) == PAM_STACK_REFUSED)
        return (struct check_stack_answer){ .is_known = false };
    return answer(stack);
}

struct check_stack_answer check_stack_add(struct report *report, const struct check_stack *check)
{
    struct judge judge = { .report = report,
                           .check = check,
                           .known = facts_find_service(check->source.facts, check->service) };
    const char *const *folders = check->source.folders;
    char why_not[PAM_STACK_WHY_NOT_SIZE] = "";
    auto_stack *stack = NULL;
    enum pam_stack_read read = pam_stack_read(&check->source, check->service, &stack, why_not);

    if (read == PAM_STACK_REFUSED) {
        ADD(&judge, REPORT_WRONG, "mend it: libpam may refuse every login", "%s", why_not);
        return (struct check_stack_answer){ .is_known = false };
    }
    if (read == PAM_STACK_ABSENT && !check->is_named)
        return (struct check_stack_answer){ .is_known = false };

    judge.stack = stack;
    if (read == PAM_STACK_ABSENT)
        ADD(&judge, REPORT_NOTE, NULL, "has no file in %s%s%s: the lines of \"other\" count",
            folders[0], folders[1] != NULL ? " or " : "", folders[1] != NULL ? folders[1] : "");
    if (find_ours(stack) == NULL)
        ADD(&judge, check->level_of_absence, ADD_LINE,
            "leads past the second factor: no line of auth calls the module");
    else
        search(&judge);
    return answer(stack);
}
