/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One answer of the user: what is removed from it, and which kind the rest is. */
#include "unit.h"

#include <stdlib.h>

#include "check/answer.h"

static const uint8_t key[SIPHASH_KEY_SIZE] = "a key of 16 byte";

static void assert_answer(const char *line, enum answer_kind kind, const char *text)
{
    struct answer answer;

    answer_read(line, 6, &answer);
    if (answer.kind != kind || strcmp(answer.text, text) != 0)
        fail_msg("\"%s\" is of kind %d: \"%s\"", line, (int)answer.kind, answer.text);
}

TEST(six_digits_are_a_code)
{
    assert_answer("123456", ANSWER_CODE, "123456");
    assert_answer("000000", ANSWER_CODE, "000000");
    assert_answer("987654", ANSWER_CODE, "987654");
}

TEST(a_code_has_the_length_that_is_set)
{
    static const char digits[] = "1234567890";

    for (int length = 6; length <= 8; length++)
        for (size_t typed = 1; typed < sizeof digits; typed++) {
            struct answer answer;
            char line[sizeof digits];
            snprintf(line, sizeof line, "%.*s", (int)typed, digits);
            answer_read(line, length, &answer);
            assert_int_equal(answer.kind, typed == (size_t)length ? ANSWER_CODE : ANSWER_MALFORMED);
        }
}

/* Every character of Unicode, around and inside of a code. */
TEST(pasted_blanks_and_dashes_are_removed_everywhere_and_nothing_else_is)
{
    static const struct {
        uint32_t first, last;
    } removed[] = {
        { 0x09, 0x0d },     { 0x20, 0x20 },     { 0x2d, 0x2d },     { 0x85, 0x85 },
        { 0xa0, 0xa0 },     { 0x1680, 0x1680 }, { 0x2000, 0x200d }, { 0x2010, 0x2015 },
        { 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x2060 }, { 0x3000, 0x3000 },
        { 0xfeff, 0xfeff },
    };

    for (uint32_t point = 1; point <= 0x10ffff; point++) {
        char bytes[5] = "", line[40];
        struct answer answer;
        bool is_removed = false, is_digit = point >= '0' && point <= '9';

        if ((point >= 0xd800 && point <= 0xdfff) || is_digit)
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(removed); i++)
            is_removed |= point >= removed[i].first && point <= removed[i].last;
        if (point < 0x80) {
            bytes[0] = (char)point;
        } else if (point < 0x800) {
            bytes[0] = (char)(0xc0 | point >> 6);
            bytes[1] = (char)(0x80 | (point & 0x3f));
        } else if (point < 0x10000) {
            bytes[0] = (char)(0xe0 | point >> 12);
            bytes[1] = (char)(0x80 | (point >> 6 & 0x3f));
            bytes[2] = (char)(0x80 | (point & 0x3f));
        } else {
            bytes[0] = (char)(0xf0 | point >> 18);
            bytes[1] = (char)(0x80 | (point >> 12 & 0x3f));
            bytes[2] = (char)(0x80 | (point >> 6 & 0x3f));
            bytes[3] = (char)(0x80 | (point & 0x3f));
        }
        snprintf(line, sizeof line, "%s123%s%s456%s", bytes, bytes, bytes, bytes);
        answer_read(line, 6, &answer);
        if (answer.kind != (is_removed ? ANSWER_CODE : ANSWER_MALFORMED) ||
            (is_removed && strcmp(answer.text, "123456") != 0))
            fail_msg("U+%04X: kind %d: \"%s\"", point, (int)answer.kind, answer.text);
    }
}

TEST(no_other_digit_is_a_digit)
{
    assert_answer("12345\xd9\xa6", ANSWER_MALFORMED, "12345\xd9\xa6");
    assert_answer("\xef\xbc\x91"
                  "23456",
                  ANSWER_MALFORMED,
                  "\xef\xbc\x91"
                  "23456");
}

TEST(what_is_not_utf8_makes_no_code)
{
    assert_answer("123456\xff", ANSWER_MALFORMED, "123456\xff");
    assert_answer("123456\xe2\x80", ANSWER_MALFORMED, "123456\xe2\x80");
    assert_answer("\xc0\xa0"
                  "123456",
                  ANSWER_MALFORMED,
                  "\xc0\xa0"
                  "123456");
}

TEST(nothing_is_empty_whatever_was_removed)
{
    static const char *const lines[] = {
        "", " ", "-", "\t\r", "\xe2\x80\x8b\xef\xbb\xbf", "\xe3\x80\x80- \xe2\x80\x94"
    };

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_answer(lines[i], ANSWER_EMPTY, "");
}

TEST(a_recovery_code_is_read_in_its_one_spelling)
{
    static const char *const lines[] = { "bcdfghjkmnpq", "bcdf-ghjk-mnpq", "BCDF GHJK MNPQ",
                                         "\tbcdf\xe2\x80\x93ghjk\xc2\xa0mnpq\xe2\x80\x8b" };

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_answer(lines[i], ANSWER_RECOVERY_CODE, "bcdfghjkmnpq");
    assert_answer("bcdf.ghjk.mnpq", ANSWER_MALFORMED, "bcdf.ghjk.mnpq");
    assert_answer("bcdfghjkmnp", ANSWER_MALFORMED, "bcdfghjkmnp");
}

TEST(everything_else_is_malformed)
{
    assert_answer("Secret 1", ANSWER_MALFORMED, "Secret1");
    assert_answer("12345", ANSWER_MALFORMED, "12345");
    assert_answer("+12345", ANSWER_MALFORMED, "+12345");
    assert_answer("12345&FactorSid=YF", ANSWER_MALFORMED, "12345&FactorSid=YF");
}

TEST(the_longest_line_fits)
{
    char *line = malloc(DIALOGUE_LINE_SIZE); /* a sanitizer watches its end */
    struct answer answer;

    memset(line, '1', DIALOGUE_LINE_MAX);
    line[DIALOGUE_LINE_MAX] = '\0';
    answer_read(line, 6, &answer);
    assert_int_equal(answer.kind, ANSWER_MALFORMED);
    assert_string_equal(answer.text, line);
    free(line);
}

static bool is_same(const char *line, const char *other)
{
    struct answer answer, another;

    answer_read(line, 6, &answer);
    answer_read(other, 6, &another);
    return answer_hash(&answer, key) == answer_hash(&another, key);
}

TEST(answers_are_the_same_that_differ_in_what_is_removed_alone)
{
    assert_true(is_same("123456", "123 456"));
    assert_true(is_same("", "\t"));
    assert_true(is_same("Secret1", "Secret\xc2\xa0"
                                   "1"));
    assert_true(is_same("BCDF-GHJK-MNPQ", "bcdfghjkmnpq"));
    assert_false(is_same("123456", "123457"));
    assert_false(is_same("123456", "1234560"));
    assert_false(is_same("", "x"));
    assert_false(is_same("Secret1", "secret1"));
}

TEST(a_hash_is_of_the_key_too)
{
    static const uint8_t other[SIPHASH_KEY_SIZE] = "another of 16 by";
    struct answer answer;

    answer_read("123456", 6, &answer);
    assert_true(answer_hash(&answer, key) != answer_hash(&answer, other));
}
