/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What every unit test includes: cmocka with what it wants before it, and a few words of ours. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/verdict.h"

/* A test is a sentence: TEST(refuses_a_doubled_key) { ... } */
#define TEST(name)        static void name(void **state __attribute__((unused)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof *(array))

/* Fails unless VERDICT is OUTCOME with PART in its reason. */
#define assert_refused(verdict, outcome, part)                                                     \
    unit_assert_refused(verdict, outcome, part, __FILE__, __LINE__)

static inline void unit_assert_refused(const struct verdict *verdict, enum outcome outcome,
                                       const char *part, const char *file, int line)
{
    if (verdict->outcome == outcome && strstr(verdict->reason, part) != NULL)
        return;
    print_error("expected \"%s: ...%s...\", got \"%s: %s\"\n", verdict_word(outcome), part,
                verdict_word(verdict->outcome), verdict->reason);
    _fail(file, line);
}

/* Runs COUNT tests, without the last FOR_ROOT of them where that is not who runs them: a test that
 * cmocka skips is a failure to a reader of TAP. */
static inline int unit_run(const char *group, const struct CMUnitTest *tests, size_t count,
                           size_t for_root)
{
    if (geteuid() == 0)
        return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    print_message("# %s: %zu tests are for root alone\n", group, for_root);
    return _cmocka_run_group_tests(group, tests, count - for_root, NULL, NULL);
}
