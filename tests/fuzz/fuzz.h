/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What every fuzz target includes: libFuzzer's entry point, ways to read the input, and a way to
 * complain. */
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

/* An input that is read as lines, each of which says what happens next. */
struct fuzz_input {
    const uint8_t *data;
    size_t left;
};

/* Whether a line is there that begins with PREFIX; nothing is taken. */
static inline bool fuzz_is_next(const struct fuzz_input *input, const char *prefix)
{
    return input->left >= strlen(prefix) && memcmp(input->data, prefix, strlen(prefix)) == 0;
}

/* Takes a line; its bytes without the newline. At the end of the input it is empty. */
static inline const uint8_t *fuzz_take_line(struct fuzz_input *input, size_t *ret_size)
{
    const uint8_t *line = input->data;
    const uint8_t *newline = input->left > 0 ? memchr(line, '\n', input->left) : NULL;
    size_t taken;

    *ret_size = newline != NULL ? (size_t)(newline - line) : input->left;
    taken = newline != NULL ? *ret_size + 1 : *ret_size;
    input->data += taken;
    input->left -= taken;
    return line;
}

/* Takes a line as a string up to its first NUL. The caller frees. */
static inline char *fuzz_take_text(struct fuzz_input *input)
{
    size_t size;
    const uint8_t *line = fuzz_take_line(input, &size);

    return fuzz_string(line, size);
}

/* Takes the next line where it is WORD. */
static inline bool fuzz_take_word(struct fuzz_input *input, const char *word)
{
    struct fuzz_input rest = *input;
    size_t size;
    const uint8_t *line = fuzz_take_line(&rest, &size);

    if (input->left == 0 || size != strlen(word) || memcmp(line, word, size) != 0)
        return false;
    *input = rest;
    return true;
}

/* Takes all lines up to one that is "%", as a string. The caller frees. */
static inline char *fuzz_take_part(struct fuzz_input *input)
{
    const uint8_t *begin = input->data;
    size_t size = 0, line_size;

    while (input->left > 0 && !fuzz_take_word(input, "%")) {
        fuzz_take_line(input, &line_size);
        size = (size_t)(input->data - begin);
    }
    return fuzz_string(begin, size);
}
