/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether memory with a code in it gets wiped. */
#include "wiped.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { EXPECTED_MAX = 64 };

void __real_explicit_bzero(void *memory, size_t size);
void __wrap_explicit_bzero(void *memory, size_t size);
void __wrap___explicit_bzero_chk(void *memory, size_t size, size_t room);

static struct {
    uintptr_t begin;
    size_t size;
    bool was_wiped;
} expected[EXPECTED_MAX];
static size_t count;

void wiped_expect(const void *memory, size_t size)
{
    if (count == EXPECTED_MAX)
        abort();
    expected[count].begin = (uintptr_t)memory;
    expected[count].size = size;
    expected[count++].was_wiped = false;
}

size_t wiped_missing(void)
{
    size_t missing = 0;

    for (size_t i = 0; i < count; i++)
        missing += !expected[i].was_wiped;
    count = 0;
    return missing;
}

void __wrap_explicit_bzero(void *memory, size_t size)
{
    uintptr_t begin = (uintptr_t)memory;

    for (size_t i = 0; i < count; i++)
        if (expected[i].begin >= begin && expected[i].begin + expected[i].size <= begin + size)
            expected[i].was_wiped = true;
    __real_explicit_bzero(memory, size);
}

void __wrap___explicit_bzero_chk(void *memory, size_t size, size_t room)
{
    (void)room;
    __wrap_explicit_bzero(memory, size);
}
