/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A PAM stack as the tool reads it: the files "service", "other", "one" and "two", each up to a
 * line "%"; then bytes that choose what each module returns on a walk. What one walk finds the
 * search through all of them must have found. */
#include <unistd.h>

#include "admin/lint/pam-walk.h"
#include "core/text.h"
#include "files.h"
#include "fuzz.h"

enum { WALKS_MAX = 8 };

static const pam_codes seconds =
    FACTS_REFUSALS | PAM_CODE_SET(PAM_CODE_SUCCESS) | PAM_CODE_SET(PAM_CODE_IGNORE);

/* One walk, and what it showed. */
struct walk {
    struct fuzz_input *input;
    const struct pam_stack *stack;
    const struct pam_walk_result *all;
    enum pam_code given[PAM_STACK_LINES_MAX];
    size_t called[PAM_STACK_LINES_MAX];
    size_t count;
    bool is_bare;
};

static enum pam_code choose(struct fuzz_input *input, pam_codes codes)
{
    unsigned left = input->left > 0 ? *input->data : 0;
    int code = PAM_CODE_SUCCESS;

    if (input->left > 0) {
        input->data++;
        input->left--;
    }
    left %= (unsigned)__builtin_popcount(codes);
    for (;; code++)
        if ((codes & PAM_CODE_SET(code)) != 0 && left-- == 0)
            return (enum pam_code)code;
}

static enum pam_code answer(const struct pam_stack_line *line, void *context)
{
    struct walk *walk = context;
    size_t index = (size_t)(line - walk->stack->lines);
    enum facts_role role = line->module->role;
    enum pam_code code = choose(walk->input, role == FACTS_SECOND ? seconds : line->codes);

    fuzz_demand(index < walk->stack->count, "what is called stands in the stack");
    fuzz_demand(walk->count == 0 || walk->called[walk->count - 1] < index, "a walk goes on");
    fuzz_demand(walk->all->lines[index].is_reached, "the search has been there");
    fuzz_demand(!walk->is_bare || walk->all->lines[index].is_reached_bare,
                "the search has been there with nothing");
    walk->given[index] = code;
    walk->called[walk->count++] = index;
    if ((role == FACTS_FACTOR || role == FACTS_ROOT) &&
        (code == PAM_CODE_SUCCESS || code == PAM_CODE_NEW_AUTHTOK_REQD))
        walk->is_bare = false;
    return code;
}

static void demand_success(const struct walk *walk)
{
    fuzz_demand(walk->all->is_success, "the search got in");
    fuzz_demand(!walk->is_bare || walk->all->is_success_bare, "the search got in with nothing");
    for (size_t i = 0; i < walk->count; i++) {
        size_t index = walk->called[i];
        size_t next = i + 1 < walk->count ? walk->called[i + 1] : walk->stack->count;
        const struct pam_walk_line *line = &walk->all->lines[index];
        fuzz_demand((line->to_success & PAM_CODE_SET(walk->given[index])) != 0,
                    "the search knows this way");
        for (size_t j = index + 1; j < next; j++)
            fuzz_demand(walk->stack->lines[j].kind != PAM_STACK_MODULE ||
                            walk->stack->lines[j].module->role != FACTS_SECOND ||
                            line->is_way_round,
                        "the search knows this way round");
    }
}

static void demand_lines(const struct pam_stack *stack)
{
    fuzz_demand(stack->count <= PAM_STACK_LINES_MAX, "a stack has an end");
    for (size_t i = 0; i < stack->count; i++) {
        const struct pam_stack_line *line = &stack->lines[i];
        fuzz_demand(line->module != NULL && line->name != NULL && line->word != NULL &&
                        line->arguments != NULL && line->path != NULL && line->number > 0,
                    "a line is whole");
        fuzz_demand(line->level >= 0 && line->level < PAM_STACK_LEVELS, "levels have an end");
        fuzz_demand(line->level <= (i > 0 ? stack->lines[i - 1].level + 1 : 1),
                    "a level is gone down by one");
        fuzz_demand(line->codes != 0, "a module returns something");
        for (int code = 0; code < PAM_CODES; code++)
            fuzz_demand(line->control.actions[code] >= PAM_ACTION_RESET &&
                            line->control.actions[code] / 10 <= PAM_JUMP_MAX,
                        "an action is one");
    }
}

/* Of every role, with every kind of codes. */
static const struct facts *facts(void)
{
    static struct facts *facts;
    struct verdict why_not;

    if (facts == NULL) {
        facts = facts_new();
        fuzz_demand(facts != NULL &&
                        facts_add(facts,
                                  "module pam_unix.so factor never=ignore unless=open\n"
                                  "module pam_permit.so nothing only=success\n"
                                  "module pam_deny.so nothing only=auth_err\n"
                                  "module pam_rootok.so root\n"
                                  "module pam_env.so nothing\n"
                                  "module pam_access.so condition\n",
                                  "facts", &why_not),
                    "these are facts");
    }
    return facts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "service", "other", "one", "two", NULL };
    static const char *const directories[] = { "/etc/pam.d", NULL };
    static struct walk walk;
    struct pam_stack_source source = { directories, facts() };
    struct fuzz_input input = { data, size };
    struct verdict why_not = { 0 };
    struct pam_walk_result *all = NULL;
    auto_stack *stack = NULL;

    files_take(&input, names);
    if (pam_stack_read(&source, "service", &stack, &why_not) == PAM_STACK_REFUSED) {
        fuzz_demand(stack == NULL && why_not.reason[0] != '\0', "a refusal tells why");
    } else {
        demand_lines(stack);
        if (pam_walk_search(stack, seconds, &all))
            for (int i = 0; i < WALKS_MAX && (i == 0 || input.left > 0); i++) {
                walk =
                    (struct walk){ .input = &input, .stack = stack, .all = all, .is_bare = true };
                if (pam_walk_run(stack, answer, &walk) == PAM_CODE_SUCCESS)
                    demand_success(&walk);
            }
        free(all);
    }
    files_forget();
    return 0;
}
