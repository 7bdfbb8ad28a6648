/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What every fuzz target includes: libFuzzer's entry point, and a way to complain. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs one input; always 0. A property that does not hold ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_demand(bool holds, const char *property)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", property);
    abort();
}

/* A string of DATA up to its first NUL, in memory of exactly that size. The caller frees. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t length = end != NULL ? (size_t)(end - data) : size;
    char *text = malloc(length + 1);

    fuzz_demand(text != NULL, "there is memory");
    if (length > 0)
        memcpy(text, data, length);
    text[length] = '\0';
    return text;
}
