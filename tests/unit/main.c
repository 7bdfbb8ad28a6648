/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Runs the tests of one file. One that cmocka skips is a failure to a reader of TAP: those for root
 * are left out where somebody else runs them. */
#include "unit.h"

#include <errno.h>

enum { TESTS_MAX = 200 };

/* The linker's names for the section. */
extern const struct unit *const __start_units[], *const __stop_units[];

int main(void)
{
    struct CMUnitTest tests[TESTS_MAX];
    size_t count = 0, left_out = 0;

    for (const struct unit *const *unit = __start_units; unit < __stop_units; unit++)
        if ((*unit)->is_for_root && geteuid() != 0)
            left_out++;
        else if (count < TESTS_MAX)
            tests[count++] = (*unit)->test;
        else
            return -1;
    if (left_out > 0)
        print_message("# %s: %zu tests are for root alone\n", program_invocation_short_name,
                      left_out);
    return _cmocka_run_group_tests(program_invocation_short_name, tests, count, unit_begin,
                                   unit_end);
}
