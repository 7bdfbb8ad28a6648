/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Goes through a PAM stack as libpam does. */
#include "pam-walk.h"

#include <stdlib.h>
#include <string.h>

enum { STATES_MAX = 96, EDGES_MAX = PAM_CODES };

enum impression { UNDECIDED, POSITIVE, NEGATIVE };

struct opinion {
    unsigned char impression; /* enum impression */
    unsigned char status;     /* enum pam_code */
};

/* The state of a walk. What does not matter is zero, so that equal states are equal bytes. */
struct state {
    struct opinion now;
    struct opinion at_entry[PAM_STACK_LEVELS]; /* of the substacks that it is in */
    bool is_bare;                              /* no factor was shown */
    bool is_ours;                              /* none but our module's */
};

static const struct opinion undecided = { UNDECIDED, PAM_CODE_PERM_DENIED };

static struct state first_state(void)
{
    struct state state = { .now = undecided, .is_bare = true };

    state.at_entry[0] = undecided;
    return state;
}

static void accept(struct opinion *now, enum pam_code code)
{
    if (now->impression == UNDECIDED ||
        (now->impression == POSITIVE && now->status == PAM_CODE_SUCCESS))
        *now = (struct opinion){ POSITIVE, (unsigned char)code };
}

static void reject(struct opinion *now, enum pam_code code)
{
    if (now->impression != NEGATIVE)
        *now = (struct opinion){
            NEGATIVE, (unsigned char)(code == PAM_CODE_IGNORE ? PAM_CODE_PERM_DENIED : code)
        };
}

/* The line behind the stack, or the substack, of line INDEX. */
static size_t leave(const struct pam_stack *stack, size_t index)
{
    int level = stack->lines[index].level;

    while (index + 1 < stack->count && stack->lines[index + 1].level >= level)
        index++;
    return index + 1;
}

/* The line that a jump from line INDEX over JUMP lines ends at; a substack counts as one. A jump
 * too far is a failure. */
static size_t jump_from(const struct pam_stack *stack, size_t index, int jump, struct opinion *now)
{
    int level = stack->lines[index].level;

    for (; jump > 0; jump--) {
        if (index + 1 == stack->count || stack->lines[index + 1].level < level) {
            *now = (struct opinion){ NEGATIVE, PAM_CODE_PERM_DENIED };
            break;
        }
        do
            index++;
        while (index + 1 < stack->count && stack->lines[index + 1].level > level);
    }
    return index + 1;
}

/* A factor was shown, if only one that has to be changed. */
static bool is_shown(enum pam_code code)
{
    return code == PAM_CODE_SUCCESS || code == PAM_CODE_NEW_AUTHTOK_REQD;
}

/* What is left of a line once its module returned CODE: the next line, and the state there.
 * _pam_dispatch_aux() of libpam, in our words. */
static size_t step(const struct pam_stack *stack, size_t index, enum pam_code code,
                   struct state *state)
{
    const struct pam_stack_line *line = &stack->lines[index];
    int action = line->control.actions[code];

    if (code == PAM_CODE_INCOMPLETE) {
        state->now = (struct opinion){ NEGATIVE, PAM_CODE_INCOMPLETE };
        return stack->count;
    }
    if (is_shown(code) && (line->module->role == FACTS_FACTOR || line->module->role == FACTS_ROOT))
        state->is_bare = state->is_ours = false;
    if (state->is_bare && code == PAM_CODE_SUCCESS && line->module->role == FACTS_SECOND)
        state->is_ours = true;
    switch (action) {
    case PAM_ACTION_RESET:
        state->now = state->at_entry[line->level];
        return index + 1;
    case PAM_ACTION_OK:
        accept(&state->now, code);
        return index + 1;
    case PAM_ACTION_DONE:
        accept(&state->now, code);
        return state->now.impression == POSITIVE ? leave(stack, index) : index + 1;
    case PAM_ACTION_BAD:
        reject(&state->now, code);
        return index + 1;
    case PAM_ACTION_DIE:
        reject(&state->now, code);
        return leave(stack, index);
    default:
        return jump_from(stack, index, action, &state->now);
    }
}

/* Enters line INDEX. False: there is no module to call. */
static bool enter(const struct pam_stack *stack, size_t index, struct state *state)
{
    const struct pam_stack_line *line = &stack->lines[index];

    if (line->is_entry)
        state->at_entry[line->level] = state->now;
    return line->kind != PAM_STACK_SUBSTACK;
}

static bool is_success(const struct opinion *now)
{
    return now->impression == POSITIVE && now->status == PAM_CODE_SUCCESS;
}

enum pam_code pam_walk_run(const struct pam_stack *stack, pam_walk_answer answer, void *context)
{
    struct state state = first_state();
    size_t index = 0;

    while (index < stack->count) {
        const struct pam_stack_line *line = &stack->lines[index];
        if (!enter(stack, index, &state))
            index++;
        else
            index =
                step(stack, index,
                     line->kind == PAM_STACK_MODULE ? answer(line, context) : PAM_CODE_PERM_DENIED,
                     &state);
    }
    if (state.now.status == PAM_CODE_SUCCESS && !is_success(&state.now))
        return PAM_CODE_PERM_DENIED;
    return state.now.status;
}

/* The search: the states in which each line may be entered, first to last; then, last to first,
 * from which of them there is a way to success. */

struct states {
    size_t count;
    struct state states[STATES_MAX];
    bool leads_to_success[STATES_MAX];
};

struct search {
    const struct pam_stack *stack;
    pam_codes second;
    struct states *lines; /* one more than the stack has: the end */
    size_t *ours;         /* how many lines of our module are before each */
    struct pam_walk_result *result;
};

/* Codes that the control, and the state behind it, don't tell apart. */
struct edge {
    enum pam_code code; /* one of them */
    pam_codes codes;
};

static bool is_alike(const struct pam_stack_line *line, enum pam_code code, enum pam_code other)
{
    return line->control.actions[code] == line->control.actions[other] &&
           (code == PAM_CODE_SUCCESS) == (other == PAM_CODE_SUCCESS) &&
           is_shown(code) == is_shown(other) &&
           (code == PAM_CODE_INCOMPLETE) == (other == PAM_CODE_INCOMPLETE);
}

static size_t find_edges(const struct search *search, const struct pam_stack_line *line,
                         struct edge edges[EDGES_MAX])
{
    pam_codes codes = line->codes;
    size_t count = 0;

    if (line->kind != PAM_STACK_MODULE)
        codes = PAM_CODE_SET(PAM_CODE_PERM_DENIED);
    else if (line->module->role == FACTS_SECOND)
        codes = search->second;
    for (int code = 0; code < PAM_CODES; code++) {
        size_t i = 0;
        if ((codes & PAM_CODE_SET(code)) == 0)
            continue;
        while (i < count && !is_alike(line, edges[i].code, (enum pam_code)code))
            i++;
        if (i == count)
            edges[count++] = (struct edge){ (enum pam_code)code, 0 };
        edges[i].codes |= PAM_CODE_SET(code);
    }
    return count;
}

/* Makes states alike that no later line tells apart. */
static void forget(const struct search *search, size_t next, struct state *state)
{
    int level = next < search->stack->count ? search->stack->lines[next].level : 0;

    if (state->now.status != PAM_CODE_SUCCESS || state->now.impression == NEGATIVE)
        state->now.status = PAM_CODE_PERM_DENIED;
    for (int i = level + 1; i < PAM_STACK_LEVELS; i++)
        state->at_entry[i] = (struct opinion){ 0, 0 };
}

/* The place of STATE among STATES, where it is added if it is new. STATES_MAX: it has none. */
static size_t place(struct states *states, const struct state *state)
{
    size_t i = 0;

    while (i < states->count && memcmp(&states->states[i], state, sizeof *state) != 0)
        i++;
    if (i == states->count && i < STATES_MAX)
        states->states[states->count++] = *state;
    return i;
}

/* Takes EDGE, NULL into a substack, from STATE of line INDEX. Returns the next line; its state is
 * in *STATE. */
static size_t take_edge(const struct search *search, size_t index, const struct edge *edge,
                        struct state *state)
{
    size_t next = index + 1;

    if (enter(search->stack, index, state))
        next = step(search->stack, index, edge->code, state);
    forget(search, next, state);
    return next;
}

static bool search_forward(struct search *search)
{
    struct state first = first_state();

    place(&search->lines[0], &first);
    for (size_t index = 0; index < search->stack->count; index++) {
        struct edge edges[EDGES_MAX];
        size_t count = find_edges(search, &search->stack->lines[index], edges);
        for (size_t i = 0; i < search->lines[index].count; i++)
            for (size_t j = 0; j < count; j++) {
                struct state state = search->lines[index].states[i];
                size_t next = take_edge(search, index, &edges[j], &state);
                if (place(&search->lines[next], &state) == STATES_MAX)
                    return false;
            }
    }
    return true;
}

/* Follows the edges of state I of line INDEX, and notes those that lead to success. */
static void note_edges(struct search *search, size_t index, size_t i, const struct edge *edges,
                       size_t count)
{
    struct states *here = &search->lines[index];
    struct pam_walk_line *line = &search->result->lines[index];

    for (size_t j = 0; j < count; j++) {
        struct state state = here->states[i];
        size_t next = take_edge(search, index, &edges[j], &state);
        size_t there = place(&search->lines[next], &state);
        if (!search->lines[next].leads_to_success[there])
            continue;
        here->leads_to_success[i] = true;
        line->to_success |= edges[j].codes;
        if (search->ours[next] > search->ours[index + 1]) {
            line->is_way_round = true;
            line->is_way_round_bare |= state.is_bare;
        }
    }
}

static void search_backward(struct search *search)
{
    struct states *end = &search->lines[search->stack->count];

    for (size_t i = 0; i < end->count; i++) {
        end->leads_to_success[i] = is_success(&end->states[i].now);
        search->result->is_success |= end->leads_to_success[i];
        search->result->is_success_bare |= end->leads_to_success[i] && end->states[i].is_bare;
        search->result->is_success_ours |= end->leads_to_success[i] && end->states[i].is_ours;
    }
    for (size_t index = search->stack->count; index-- > 0;) {
        struct states *here = &search->lines[index];
        struct edge edges[EDGES_MAX];
        size_t count = find_edges(search, &search->stack->lines[index], edges);
        for (size_t i = 0; i < here->count; i++) {
            search->result->lines[index].is_reached = true;
            search->result->lines[index].is_reached_bare |= here->states[i].is_bare;
            note_edges(search, index, i, edges, count);
        }
    }
}

static size_t *count_ours(const struct pam_stack *stack)
{
    size_t *ours = calloc(stack->count + 1, sizeof *ours);

    for (size_t i = 0; ours != NULL && i < stack->count; i++)
        ours[i + 1] = ours[i] + (stack->lines[i].kind == PAM_STACK_MODULE &&
                                 stack->lines[i].module->role == FACTS_SECOND);
    return ours;
}

bool pam_walk_search(const struct pam_stack *stack, pam_codes second,
                     struct pam_walk_result **ret_result)
{
    struct search search = { .stack = stack, .second = second };
    bool is_done = false;

    search.lines = calloc(stack->count + 1, sizeof *search.lines);
    search.ours = count_ours(stack);
    search.result = calloc(1, sizeof *search.result);
    if (search.lines != NULL && search.ours != NULL && search.result != NULL &&
        search_forward(&search)) {
        search_backward(&search);
        *ret_result = search.result;
        search.result = NULL;
        is_done = true;
    }
    free(search.result);
    free(search.ours);
    free(search.lines);
    return is_done;
}
