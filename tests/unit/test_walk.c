/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The search through a PAM stack, against all single walks through it. That a single walk ends as
 * libpam's does is tested in tests/admin. */
#include "unit.h"

#include <stdlib.h>

#include "admin/lint/pam-walk.h"
#include "directory.h"

enum { STACKS = 2000, LINES_MAX = 6, FILE_SIZE = 2048 };

/* What is told apart: the controls name these alone, and 4 stands for all others. */
static const enum pam_code codes[] = { PAM_CODE_SUCCESS,    PAM_CODE_NEW_AUTHTOK_REQD,
                                       PAM_CODE_AUTH_ERR,   PAM_CODE_AUTHINFO_UNAVAIL,
                                       PAM_CODE_SYSTEM_ERR, PAM_CODE_IGNORE };

static unsigned random_number(unsigned *seed, unsigned limit)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % limit;
}

#define PICK(seed, words) (words)[random_number(seed, ARRAY_SIZE(words))]

static void print_control(unsigned *seed, char *text, size_t size)
{
    static const char *const keywords[] = { "required", "requisite", "sufficient", "optional" };
    static const char *const names[] = { "success",          "auth_err", "authinfo_unavail",
                                         "new_authtok_reqd", "ignore",   "default" };
    static const char *const actions[] = { "ignore", "ok", "done", "bad", "die", "reset",
                                           "1",      "1",  "2",    "ok",  "done" };
    size_t used = 1;

    if (random_number(seed, 3) == 0) {
        snprintf(text, size, "%s", PICK(seed, keywords));
        return;
    }
    text[0] = '[';
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (random_number(seed, 2) == 0)
            used +=
                (size_t)snprintf(text + used, size - used, "%s=%s ", names[i], PICK(seed, actions));
    snprintf(text + used, size - used, "]");
}

/* COUNT lines; one of them may include the file INCLUDED, unless that is NULL. */
static void write_file(const char *directory, const char *name, unsigned *seed, unsigned count,
                       const char *included)
{
    static const char *const modules[] = { "pam_twilio_verify.so", "pam_twilio_verify.so",
                                           "pam_unix.so",          "pam_env.so",
                                           "pam_env.so",           "pam_permit.so" };
    char text[FILE_SIZE] = "";
    unsigned include_at = random_number(seed, 2 * count);

    for (unsigned i = 0; i < count; i++) {
        char control[200];
        size_t used = strlen(text);
        print_control(seed, control, sizeof control);
        snprintf(text + used, sizeof text - used, "auth %s %s\n", control, PICK(seed, modules));
        used = strlen(text);
        if (included != NULL && i == include_at)
            snprintf(text + used, sizeof text - used, "auth %s %s\n",
                     random_number(seed, 3) == 0 ? "include" : "substack", included);
    }
    directory_write(directory, name, text, 0600);
}

static struct pam_stack *random_stack(const char *directory, const struct facts *facts,
                                      unsigned seed)
{
    const char *const directories[] = { directory, NULL };
    struct pam_stack_source source = { directories, facts };
    struct verdict why_not;
    struct pam_stack *stack = NULL;

    directory_write(directory, "other", "", 0600);
    write_file(directory, "deep", &seed, 1, NULL);
    write_file(directory, "file", &seed, 1 + random_number(&seed, 2), "deep");
    write_file(directory, "service", &seed, 1 + random_number(&seed, 3), "file");
    assert_int_equal(pam_stack_read(&source, "service", &stack, &why_not), PAM_STACK_READ);
    return stack;
}

/* One walk: which code each line gives, and which lines were called. */
struct one_walk {
    const struct pam_stack *stack;
    enum pam_code given[PAM_STACK_LINES_MAX];
    size_t called[LINES_MAX * 2];
    size_t count;
};

static enum pam_code answer(const struct pam_stack_line *line, void *context)
{
    struct one_walk *walk = context;
    size_t index = (size_t)(line - walk->stack->lines);

    walk->called[walk->count++] = index;
    return walk->given[index];
}

static bool is_ours(const struct pam_stack_line *line)
{
    return line->kind == PAM_STACK_MODULE && line->module->role == FACTS_SECOND;
}

static bool may_give(const struct pam_stack_line *line, enum pam_code code, pam_codes second)
{
    pam_codes all = is_ours(line) ? second : line->codes;

    return (all & PAM_CODE_SET(code)) != 0;
}

/* Adds what WALK, which ended in CODE, shows to EXPECTED. */
static void note(const struct one_walk *walk, enum pam_code code, struct pam_walk_result *expected)
{
    const struct pam_stack_line *lines = walk->stack->lines;
    bool is_bare = true, is_by_ours = false;

    for (size_t i = 0; i < walk->count; i++) {
        size_t index = walk->called[i];
        size_t next = i + 1 < walk->count ? walk->called[i + 1] : walk->stack->count;
        enum pam_code given = walk->given[index];
        struct pam_walk_line *line = &expected->lines[index];
        line->is_reached = true;
        line->is_reached_bare |= is_bare;
        if ((lines[index].module->role == FACTS_FACTOR ||
             lines[index].module->role == FACTS_ROOT) &&
            (given == PAM_CODE_SUCCESS || given == PAM_CODE_NEW_AUTHTOK_REQD))
            is_bare = false;
        is_by_ours |= is_ours(&lines[index]) && given == PAM_CODE_SUCCESS;
        if (code != PAM_CODE_SUCCESS)
            continue;
        line->to_success |= PAM_CODE_SET(given);
        for (size_t j = index + 1; j < next; j++)
            if (is_ours(&lines[j])) {
                line->is_way_round = true;
                line->is_way_round_bare |= is_bare;
            }
    }
    expected->is_success |= code == PAM_CODE_SUCCESS;
    expected->is_success_bare |= code == PAM_CODE_SUCCESS && is_bare;
    expected->is_success_ours |= code == PAM_CODE_SUCCESS && is_bare && is_by_ours;
}

/* Every combination of codes, from line INDEX on. */
static void try_all(struct one_walk *walk, size_t index, pam_codes second,
                    struct pam_walk_result *expected)
{
    const struct pam_stack_line *line = &walk->stack->lines[index];

    if (index == walk->stack->count) {
        walk->count = 0;
        note(walk, pam_walk_run(walk->stack, answer, walk), expected);
        return;
    }
    if (line->kind != PAM_STACK_MODULE) {
        try_all(walk, index + 1, second, expected);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        if (!may_give(line, codes[i], second))
            continue;
        walk->given[index] = codes[i];
        try_all(walk, index + 1, second, expected);
    }
}

static void compare(const struct pam_stack *stack, const struct pam_walk_result *found,
                    const struct pam_walk_result *expected)
{
    pam_codes told_apart = 0;

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        told_apart |= PAM_CODE_SET(codes[i]);
    assert_int_equal(found->is_success, expected->is_success);
    assert_int_equal(found->is_success_bare, expected->is_success_bare);
    assert_int_equal(found->is_success_ours, expected->is_success_ours);
    for (size_t i = 0; i < stack->count; i++) {
        const struct pam_walk_line *one = &found->lines[i], *other = &expected->lines[i];
        if (stack->lines[i].kind != PAM_STACK_MODULE)
            continue;
        assert_int_equal(one->is_reached, other->is_reached);
        assert_int_equal(one->is_reached_bare, other->is_reached_bare);
        assert_int_equal(one->is_way_round, other->is_way_round);
        assert_int_equal(one->is_way_round_bare, other->is_way_round_bare);
        assert_int_equal(one->to_success & told_apart, other->to_success);
    }
}

TEST_IN_DIRECTORY(finds_what_all_single_walks_together_find)
{
    static const pam_codes seconds[] = { FACTS_REFUSALS, PAM_CODE_SET(PAM_CODE_IGNORE),
                                         PAM_CODE_SET(PAM_CODE_SUCCESS) };
    unsigned ways_round = 0, successes = 0;
    auto_facts *facts = facts_new();
    struct verdict why_not;

    assert_non_null(facts);
    assert_true(facts_add(facts,
                          "module pam_unix.so factor never=ignore\nmodule pam_env.so nothing\n"
                          "module pam_permit.so nothing only=success\n",
                          "facts", &why_not));

    for (unsigned seed = 1; seed <= STACKS; seed++) {
        auto_stack *stack = random_stack(directory, facts, seed);
        for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
            struct pam_walk_result *expected = calloc(1, sizeof *expected);
            struct one_walk *walk = calloc(1, sizeof *walk);
            struct pam_walk_result *found = NULL;
            assert_true(expected != NULL && walk != NULL);
            walk->stack = stack;
            try_all(walk, 0, seconds[i], expected);
            assert_true(pam_walk_search(stack, seconds[i], &found));
            compare(stack, found, expected);
            successes += found->is_success;
            for (size_t j = 0; j < stack->count; j++)
                ways_round += found->lines[j].is_way_round;
            free(found);
            free(walk);
            free(expected);
        }
    }
    assert_true(ways_round > STACKS / 4 && successes > STACKS / 4);
}
