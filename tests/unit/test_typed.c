/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the user typed: what of it goes on, and whether it is the password. */
#include "unit.h"

#include <stdlib.h>

#include "core/text.h"
#include "module/typed.h"

static void assert_line(const char *typed, const char *expected)
{
    char line[TYPED_SIZE];

    memset(line, 'x', sizeof line);
    typed_print(typed, line);
    assert_string_equal(line, expected);
}

TEST(an_ordinary_answer_goes_on_as_it_was_typed)
{
    static const char *const answers[] = {
        "",         "123456",        " 1 2 3 ",  "\"\\%",           "login",
        "\xc3\xa4", "a\xe2\x80\x8b", "\xc2\xa0", "\xf0\x9f\x94\x91"
    };

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        assert_line(answers[i], answers[i]);
}

TEST(tab_and_carriage_return_become_blanks)
{
    assert_line("123456\r", "123456 ");
    assert_line("\t123\t456", " 123 456");
    assert_line("\r\t\r", "   ");
}

TEST(bidirectional_controls_are_left_out)
{
    assert_line("\xe2\x80\xaa"
                "123456"
                "\xe2\x80\xac",
                "123456");
    assert_line("1\xd8\x9c"
                "2\xe2\x80\x8e"
                "3\xe2\x80\x8f"
                "4\xe2\x81\xa6"
                "5\xe2\x81\xa9"
                "6",
                "123456");
    assert_line("\xe2\x80\xad\xe2\x80\xae", "");
}

TEST(malformed_text_goes_on_as_an_empty_line)
{
    static const char *const answers[] = {
        "123456\n",     "12\x01",     "\x1b[A",   "\x7f",     "\b\n\r\x7fINCORRECT",
        "123456\v",     "12\f",       "\xff",     "12\xc3",   "\xc0\x80",
        "\xed\xa0\x80", "12\xc2\x85", "\xc2\x9b", "\xc2\x80", "1\xc2\x9f",
    };

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        assert_line(answers[i], "");
    assert_line(NULL, "");
}

TEST(no_more_than_512_bytes_as_typed_go_on)
{
    char typed[600];

    memset(typed, '1', sizeof typed);
    typed[DIALOGUE_ANSWER_MAX] = '\0';
    assert_line(typed, typed);
    typed[DIALOGUE_ANSWER_MAX] = '1';
    typed[DIALOGUE_ANSWER_MAX + 1] = '\0';
    assert_line(typed, "");
    /* Though what is left out would make it fit. */
    memcpy(typed, "\xe2\x80\xaa", 3);
    assert_line(typed, "");
}

TEST(every_answer_makes_a_clean_line)
{
    for (unsigned pair = 0; pair <= 0xffff; pair++) {
        const char typed[] = { 'a', (char)(pair >> 8), (char)pair, 'z', '\0' };
        char line[TYPED_SIZE];

        typed_print(typed, line);
        assert_true(text_is_clean(line, strlen(line)));
    }
}

TEST(reads_and_writes_no_byte_too_much)
{
    char *typed = malloc(3); /* a sanitizer watches their ends */
    char *line = malloc(TYPED_SIZE);

    strcpy(typed, "\xe2\x80");
    typed_print(typed, line);
    assert_string_equal(line, "");
    strcpy(typed, "1\t");
    typed_print(typed, line);
    assert_string_equal(line, "1 ");
    free(line);
    free(typed);
}

TEST(knows_the_password_as_it_was_typed)
{
    assert_true(typed_is_password("123456", "123456"));
    assert_true(typed_is_password("\xff\x01", "\xff\x01"));
    assert_false(typed_is_password("123 456", "123456"));
    assert_false(typed_is_password("123456", "123 456"));
    assert_false(typed_is_password("12345", "123456"));
    assert_false(typed_is_password("1234567", "123456"));
    assert_false(typed_is_password("023456", "123456"));
    assert_false(typed_is_password("123450", "123456"));
    assert_false(typed_is_password("\x01", "\xff"));
}

TEST(an_empty_or_missing_password_is_none)
{
    assert_false(typed_is_password("", ""));
    assert_false(typed_is_password("", NULL));
    assert_false(typed_is_password(NULL, ""));
    assert_false(typed_is_password(NULL, NULL));
    assert_false(typed_is_password(NULL, "x"));
    assert_false(typed_is_password("x", NULL));
}
