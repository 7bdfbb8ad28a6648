/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Which bytes may stand in a line. */
#include "unit.h"

#include <stdlib.h>

#include "core/text.h"

#define HEX32 "0123456789abcdefABCDEF0123456789"

/* RFC 3629 section 3, by arithmetic: a second opinion on the table in text.c. */
static size_t decode(const unsigned char *byte, size_t size)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t length;
    uint32_t point;

    if (size == 0)
        return 0;
    if (byte[0] < 0x80)
        return byte[0] >= 0x20 && byte[0] != 0x7f ? 1 : 0;
    length = (byte[0] & 0xe0) == 0xc0   ? 2
             : (byte[0] & 0xf0) == 0xe0 ? 3
             : (byte[0] & 0xf8) == 0xf0 ? 4
                                        : 0;
    if (length == 0 || length > size)
        return 0;

    point = byte[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (byte[i] & 0x3f);
    }
    if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    return length;
}

TEST(agrees_with_the_rfc_on_every_pair_of_bytes)
{
    for (unsigned pair = 0; pair <= 0xffff; pair++) {
        const unsigned char bytes[] = { (unsigned char)(pair >> 8), (unsigned char)pair };
        for (size_t size = 0; size <= 2; size++)
            assert_int_equal(text_character((const char *)bytes, size), decode(bytes, size));
    }
}

TEST(agrees_with_the_rfc_on_the_edges_of_longer_characters)
{
    static const unsigned char edges[] = { 0x00, 0x1f, 0x20, 0x7e, 0x7f, 0x80, 0x8f, 0x90,
                                           0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
                                           0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3,
                                           0xf4, 0xf5, 0xf8, 0xfc, 0xfe, 0xff };
    enum { EDGES = ARRAY_SIZE(edges) };

    for (unsigned i = 0; i < EDGES * EDGES * EDGES * EDGES; i++) {
        const unsigned char bytes[] = { edges[i % EDGES], edges[i / EDGES % EDGES],
                                        edges[i / EDGES / EDGES % EDGES],
                                        edges[i / EDGES / EDGES / EDGES] };
        for (size_t size = 3; size <= 4; size++)
            if (text_character((const char *)bytes, size) != decode(bytes, size))
                fail_msg("%02x %02x %02x %02x of %zu", bytes[0], bytes[1], bytes[2], bytes[3],
                         size);
    }
}

TEST(reads_no_byte_that_is_not_there)
{
    char *cut = malloc(3); /* a sanitizer watches its end */

    memcpy(cut, "\xf0\x9f\x94", 3);
    assert_int_equal(text_character(cut, 3), 0);
    assert_int_equal(text_character(cut + 3, 0), 0);
    assert_false(text_is_clean(cut, 3));
    free(cut);
}

TEST(takes_a_line_of_many_languages_for_clean)
{
    static const char line[] = "Code: \xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x91 ~";

    assert_true(text_is_clean(line, sizeof line - 1));
    assert_true(text_is_clean("", 0));
}

TEST(finds_one_bad_byte_wherever_it_stands)
{
    static const char bad[] = { '\0', '\n', '\r', '\t', 0x1b, 0x1f, 0x7f, (char)0x80, (char)0xff };

    for (size_t i = 0; i < sizeof bad; i++)
        for (size_t at = 0; at < 5; at++) {
            char line[] = "abcde";
            line[at] = bad[i];
            assert_false(text_is_clean(line, 5));
        }
}

TEST(knows_a_sid_by_its_letters_and_digits)
{
    assert_true(text_is_sid("YF" HEX32, "YF"));
    assert_false(text_is_sid("YF" HEX32, "YC"));
    assert_false(text_is_sid("yf" HEX32, "YF"));
    assert_false(text_is_sid("YF" HEX32 "0", "YF"));
    assert_false(text_is_sid("YF" HEX32 "/", "YF"));
    assert_false(text_is_sid("YF" HEX32 "\n", "YF"));
    assert_false(text_is_sid("YF0123456789abcdefABCDEF012345678", "YF"));
    assert_false(text_is_sid("YF0123456789abcdefABCDEF012345678g", "YF"));
    assert_false(text_is_sid("YF0123456789abcdefABCDEF0123456 89", "YF"));
    assert_false(text_is_sid("YF0123456789abcdefABCDEF012345678\n", "YF"));
    assert_false(text_is_sid("YF", "YF"));
    assert_false(text_is_sid("", "YF"));
}

TEST(utf8_may_hold_control_bytes_and_nothing_that_is_cut)
{
    assert_true(text_is_utf8("a\n\x7f\xc3\xa4\xf0\x9f\x98\x80", 9));
    assert_true(text_is_utf8("", 0));
    assert_false(text_is_utf8("a\xff", 2));
    assert_false(text_is_utf8("\xc3\xa4\xc3", 3));
    assert_false(text_is_utf8("\xc0\x80", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_may_hold_control_bytes_and_nothing_that_is_cut),
        cmocka_unit_test(agrees_with_the_rfc_on_every_pair_of_bytes),
        cmocka_unit_test(agrees_with_the_rfc_on_the_edges_of_longer_characters),
        cmocka_unit_test(reads_no_byte_that_is_not_there),
        cmocka_unit_test(takes_a_line_of_many_languages_for_clean),
        cmocka_unit_test(finds_one_bad_byte_wherever_it_stands),
        cmocka_unit_test(knows_a_sid_by_its_letters_and_digits),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
