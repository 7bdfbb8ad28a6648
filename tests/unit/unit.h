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

/* One test. main.c runs all that the linker finds in the section "units". */
struct unit {
    struct CMUnitTest test;
    bool is_for_root;
};

#define UNIT_ADD(entry, name, test, setup, teardown, is_for_root)                                  \
    static void test(void **state);                                                                \
    static const struct unit entry = { { name, test, setup, teardown, NULL }, is_for_root };       \
    static const struct unit *const entry##_place __attribute__((used, section("units"))) = &entry

/* A test is a sentence: TEST(refuses_a_doubled_key) { ... } */
#define TEST(name) TEST_WITH(name, NULL, NULL)
#define TEST_WITH(name, setup, teardown)                                                           \
    UNIT_ADD(name##_unit, #name, name, setup, teardown, false);                                    \
    static void name(void **state __attribute__((unused)))

/* A test that gets what SETUP left in *STATE. */
#define UNIT_GIVEN(argument, name)                                                                 \
    static void name##_given(argument);                                                            \
    static void name(void **state)                                                                 \
    {                                                                                              \
        name##_given(*state);                                                                      \
    }                                                                                              \
    static void name##_given(argument __attribute__((unused)))
#define TEST_GIVEN(argument, name, setup, teardown)                                                \
    UNIT_ADD(name##_unit, #name, name, setup, teardown, false);                                    \
    UNIT_GIVEN(argument, name)
#define TEST_IN_DIRECTORY(name)                                                                    \
    TEST_GIVEN(const char *directory, name, directory_setup, directory_teardown)
/* Nobody else can do what it needs. */
#define TEST_AS_ROOT(name, setup, teardown)                                                        \
    UNIT_ADD(name##_unit, #name, name, setup, teardown, true);                                     \
    UNIT_GIVEN(const char *directory, name)

/* A test file may define what comes before its first test and after its last one. */
int unit_begin(void **state) __attribute__((weak));
int unit_end(void **state) __attribute__((weak));

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
