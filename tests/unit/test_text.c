/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Which characters a line may hold. */
#include "unit.h"

#include <stdlib.h>

#include "core/text.h"

#define HEX32 "0123456789abcdefABCDEF0123456789"

/* No control byte, no C1 control, no bidirectional control. */
static bool may_stand(uint32_t point)
{
    static const uint32_t bidi[] = { 0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c,
                                     0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069 };

    for (size_t i = 0; i < ARRAY_SIZE(bidi); i++)
        if (point == bidi[i])
            return false;
    return point >= 0x20 && (point < 0x7f || point > 0x9f);
}

/* RFC 3629 section 3, by arithmetic: a second opinion on the table in text.c. */
static size_t decode(const unsigned char *byte, size_t size)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t length;
    uint32_t point;

    if (size == 0)
        return 0;
    if (byte[0] < 0x80)
        return may_stand(byte[0]) ? 1 : 0;
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
    return may_stand(point) ? length : 0;
}

/* As RFC 3629 section 3 writes it down. */
static size_t encode(uint32_t point, char bytes[4])
{
    static const uint8_t heads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    if (length == 1)
        bytes[0] = (char)point;
    for (size_t i = length; length > 1 && i-- > 0; point >>= 6)
        bytes[i] = (char)(i == 0 ? heads[length] | point : 0x80 | (point & 0x3f));
    return length;
}

TEST(decodes_every_code_point_and_refuses_those_that_no_line_may_hold)
{
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        uint32_t decoded = UINT32_MAX;
        char bytes[4];
        size_t length = encode(point, bytes);
        bool is_surrogate = point >= 0xd800 && point <= 0xdfff;

        assert_int_equal(text_decode(bytes, length, &decoded), is_surrogate ? 0 : length);
        assert_int_equal(decoded, is_surrogate ? UINT32_MAX : point);
        assert_int_equal(text_character(bytes, length),
                         may_stand(point) && !is_surrogate ? length : 0);
    }
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

TEST(finds_one_bad_byte_at_every_place)
{
    static const char bad[] = { '\0', '\n', '\r', '\t', 0x1b, 0x1f, 0x7f, (char)0x80, (char)0xff };

    for (size_t i = 0; i < sizeof bad; i++)
        for (size_t at = 0; at < 5; at++) {
            char line[] = "abcde";
            line[at] = bad[i];
            assert_false(text_is_clean(line, 5));
        }
}

TEST(finds_a_character_that_acts_on_a_terminal_or_turns_text_around)
{
    static const char *const bad[] = { "\xc2\x80",     "\xc2\x85",     "\xc2\x9b",
                                       "\xc2\x9f",     "\xd8\x9c",     "\xe2\x80\x8e",
                                       "\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xae",
                                       "\xe2\x81\xa6", "\xe2\x81\xa9" };
    static const char *const good[] = { "\xc2\xa0",     "\xd8\x9b",     "\xe2\x80\x8d",
                                        "\xe2\x80\x90", "\xe2\x80\xa8", "\xe2\x80\xaf",
                                        "\xe2\x81\xa0", "\xe2\x81\xaa", "\xef\xbb\xbf" };
    char line[20];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        snprintf(line, sizeof line, "a%sb", bad[i]);
        assert_false(text_is_clean(line, strlen(line)));
    }
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        snprintf(line, sizeof line, "a%sb", good[i]);
        assert_true(text_is_clean(line, strlen(line)));
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

TEST(all_but_printable_ascii_is_escaped)
{
    for (unsigned byte = 1; byte <= 255; byte++) {
        const char text[] = { 'a', (char)byte, 'z', '\0' };
        char out[20], expected[20];
        bool is_plain = byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';

        if (is_plain)
            snprintf(expected, sizeof expected, "a%cz", byte);
        else
            snprintf(expected, sizeof expected, "a\\x%02xz", byte);
        text_escape(text, true, out, sizeof out);
        assert_string_equal(out, expected);
    }
}

TEST(what_sshd_answers_for_an_unknown_user_is_escaped)
{
    char out[100];

    text_escape("\b\n\r\x7f"
                "INCORRECT",
                true, out, sizeof out);
    assert_string_equal(out, "\\x08\\x0a\\x0d\\x7fINCORRECT");
}

TEST(a_long_value_is_cut_and_ends_in_three_dots)
{
    static const char *const fillers[] = { "x", "\n", "x\n", "\n\nx" };

    for (size_t i = 0; i < ARRAY_SIZE(fillers); i++)
        for (unsigned size = 8; size <= 64; size++) {
            char text[400] = "";
            char *out = malloc(size); /* a sanitizer watches its end */
            while (strlen(text) < 300)
                strcat(text, fillers[i]);
            text_escape(text, true, out, size);
            assert_in_range(strlen(out), size - 8 > 3 ? size - 8 : 3, size - 1);
            assert_string_equal(out + strlen(out) - 3, "...");
            free(out);
        }
}

TEST(an_escape_is_never_cut_in_two)
{
    for (unsigned size = 8; size <= 40; size++) {
        char out[40];
        text_escape("\n\n\n\n\n\n\n\n\n\n\n\n", true, out, size);
        assert_int_equal((strlen(out) - 3) % 4, 0);
    }
}

TEST(blanks_are_escaped_where_they_end_a_value)
{
    char out[20];

    assert_ptr_equal(text_escape("a b", false, out, sizeof out), out + 6);
    assert_string_equal(out, "a\\x20b");
    assert_ptr_equal(text_escape("a b", true, out, sizeof out), out + 3);
    assert_string_equal(out, "a b");
}
