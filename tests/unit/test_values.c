/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Values from one process to another: what a file may hold, of the same keys, and nothing else. */
#include "unit.h"

#include <stddef.h>
#include <stdlib.h>

#include "core/values.h"

enum { LONG_SIZE = 2048 };

/* One key of each type. */
struct sample {
    char *text, *wanted, *usual;
    int number, word;
    char **texts;
};

#define MEMBER(name_) .group = "g", .name = #name_, .offset = offsetof(struct sample, name_)
#define TEXT(least)   .type = KEY_TEXT, .minimum = least, .maximum = 4

static const char *const words[] = { "no", "yes", NULL };

static const struct key keys[] = {
    { MEMBER(text), TEXT(2) },
    { MEMBER(wanted), TEXT(1), .mandatory = true },
    { MEMBER(usual), TEXT(1), .text = "u" },
    { MEMBER(number), .type = KEY_NUMBER, .minimum = 3, .maximum = 12 },
    { MEMBER(word), .type = KEY_WORD, .words = words },
    { MEMBER(texts), .type = KEY_TEXTS, .minimum = 1, .maximum = 4 },
};

#define LINES(text, wanted, usual, number, word, texts)                                            \
    "g.text=" text "\ng.wanted=" wanted "\ng.usual=" usual "\ng.number=" number "\ng.word=" word   \
    "\ng.texts=" texts "\n"
#define GOOD LINES("ab", "x", "u", "3", "no", "")

static bool scans(const char *text)
{
    struct sample sample = { 0 };
    bool is_taken = values_scan(text, keys, ARRAY_SIZE(keys), &sample);

    keys_free(keys, ARRAY_SIZE(keys), &sample);
    return is_taken;
}

TEST(prints_a_line_for_each_key)
{
    char abcd[] = "abcd", x[] = "x", u[] = "u", *some[] = { x, NULL };
    const struct sample full = { abcd, x, u, 12, 1, some };
    const struct sample least = { .wanted = x, .usual = u, .number = 3 };
    char *text = values_print(keys, ARRAY_SIZE(keys), &full);

    assert_string_equal(text, LINES("abcd", "x", "u", "12", "yes", ""));
    free(text);
    text = values_print(keys, ARRAY_SIZE(keys), &least);
    assert_string_equal(text, LINES("", "x", "u", "3", "no", ""));
    free(text);
}

TEST(takes_every_value_into_its_member)
{
    struct sample sample = { 0 };

    assert_true(
        values_scan(LINES("abcd", "x", "v", "12", "yes", ""), keys, ARRAY_SIZE(keys), &sample));
    assert_string_equal(sample.text, "abcd");
    assert_string_equal(sample.wanted, "x");
    assert_string_equal(sample.usual, "v");
    assert_int_equal(sample.number, 12);
    assert_int_equal(sample.word, 1);
    assert_null(sample.texts);
    keys_free(keys, ARRAY_SIZE(keys), &sample);
}

TEST(takes_what_a_file_may_hold_and_nothing_else)
{
    static const char *const taken[] = {
        GOOD,
        LINES("", "x", "u", "3", "no", ""),
        LINES("ab", "wxyz", "u", "000000012", "yes", ""),
    };
    static const char *const refused[] = {
        LINES("a", "x", "u", "3", "no", ""),
        LINES("abcde", "x", "u", "3", "no", ""),
        LINES("a\001b", "x", "u", "3", "no", ""),
        LINES("ab", "", "u", "3", "no", ""),
        LINES("ab", "x", "", "3", "no", ""),
        LINES("ab", "x", "u", "2", "no", ""),
        LINES("ab", "x", "u", "13", "no", ""),
        LINES("ab", "x", "u", "", "no", ""),
        LINES("ab", "x", "u", "-3", "no", ""),
        LINES("ab", "x", "u", "3 ", "no", ""),
        LINES("ab", "x", "u", "0000000003", "no", ""),
        LINES("ab", "x", "u", "4294967299", "no", ""),
        LINES("ab", "x", "u", "3", "maybe", ""),
        LINES("ab", "x", "u", "3", "0", ""),
        LINES("ab", "x", "u", "3", "n", ""),
        LINES("ab", "x", "u", "3", "", ""),
        LINES("ab", "x", "u", "3", "no", "x"),
        "",
        "\n",
        GOOD "\n",
        GOOD "g.more=x\n",
    };

    for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
        if (!scans(taken[i]))
            fail_msg("refused %s", taken[i]);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (scans(refused[i]))
            fail_msg("took %s", refused[i]);
}

/* A build that knows other keys, or the same in another order. */
TEST(takes_no_values_of_another_table)
{
    assert_true(scans(GOOD));
    assert_false(scans("g.wanted=x\ng.text=ab\ng.usual=u\ng.number=3\ng.word=no\ng.texts=\n"));
    assert_false(scans("h.text=ab\ng.wanted=x\ng.usual=u\ng.number=3\ng.word=no\ng.texts=\n"));
    assert_false(scans("g.texts=ab\ng.wanted=x\ng.usual=u\ng.number=3\ng.word=no\ng.texts=\n"));
    assert_false(scans("g_text=ab\ng.wanted=x\ng.usual=u\ng.number=3\ng.word=no\ng.texts=\n"));
    assert_false(scans("g.wanted=x\ng.usual=u\ng.number=3\ng.word=no\ng.texts=\n"));
}

TEST(takes_nothing_in_part)
{
    char text[] = GOOD;

    for (size_t i = sizeof text - 1; i > 0; i--) {
        text[i - 1] = '\0';
        assert_false(scans(text));
    }
}

TEST(refuses_a_text_that_is_much_too_long)
{
    char text[LONG_SIZE + sizeof GOOD];

    memcpy(text, "g.text=", 7);
    memset(text + 7, 'a', LONG_SIZE);
    strcpy(text + 7 + LONG_SIZE, &GOOD[9]);
    assert_false(scans(text));
}

/* What the stream is made to do, as where memory ends. */
static struct {
    bool is_ours, opens_none, ends_in_error;
    int writes, fails_at; /* 0: never */
} stream;

static ssize_t write_nowhere(void *context, const char *bytes, size_t size)
{
    (void)context;
    (void)bytes;
    return ++stream.writes == stream.fails_at ? 0 : (ssize_t)size;
}

FILE *__real_open_memstream(char **text, size_t *size);
FILE *__wrap_open_memstream(char **text, size_t *size);
int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);

/* Without a buffer, so that each call meets what it writes. */
FILE *__wrap_open_memstream(char **text, size_t *size)
{
    const cookie_io_functions_t functions = { .write = write_nowhere };
    FILE *file;

    if (!stream.is_ours)
        return __real_open_memstream(text, size);
    file = stream.opens_none ? NULL : fopencookie(NULL, "w", functions);
    if (file == NULL)
        return NULL;
    setvbuf(file, NULL, _IONBF, 0);
    *text = strdup("");
    *size = 0;
    return file;
}

int __wrap_fclose(FILE *file)
{
    int result = __real_fclose(file);

    return stream.ends_in_error ? EOF : result;
}

static bool prints(void)
{
    char ab[] = "ab", x[] = "x", u[] = "u";
    const struct sample sample = { .text = ab, .wanted = x, .usual = u, .number = 3 };
    char *text = values_print(keys, ARRAY_SIZE(keys), &sample);

    free(text);
    return text != NULL;
}

TEST(prints_everything_or_nothing)
{
    int writes;

    stream.is_ours = true;
    assert_true(prints());
    writes = stream.writes;
    assert_true(writes >= 3 * (int)ARRAY_SIZE(keys) - 1); /* texts have no value */
    for (int i = 1; i <= writes; i++) {
        stream.writes = 0;
        stream.fails_at = i;
        assert_false(prints());
    }

    stream.fails_at = 0;
    stream.opens_none = true;
    assert_false(prints());
    stream.opens_none = false;
    stream.ends_in_error = true;
    assert_false(prints());
    memset(&stream, 0, sizeof stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_a_line_for_each_key),
        cmocka_unit_test(takes_every_value_into_its_member),
        cmocka_unit_test(takes_what_a_file_may_hold_and_nothing_else),
        cmocka_unit_test(takes_no_values_of_another_table),
        cmocka_unit_test(takes_nothing_in_part),
        cmocka_unit_test(prints_everything_or_nothing),
        cmocka_unit_test(refuses_a_text_that_is_much_too_long),
    };

    return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
