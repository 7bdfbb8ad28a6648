/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Lines in and out of a file: what was there before comes back byte for byte. */
#include "unit.h"

#include <stdlib.h>

#include "admin/enable/lines.h"

#define MARK "  # twilio-verify enable"
#define END  MARK ", at the end"
#define AWAY "# twilio-verify enable put this line away: "
#define OURS "auth  required  pam_twilio_verify.so"

static const char *const ours[] = { OURS, NULL };
static const char *const two[] = { OURS " after=publickey", "auth  required  pam_permit.so", NULL };

static bool is_common_auth(const char *file, void *context)
{
    assert_null(context);
    return strcmp(file, "common-auth") == 0;
}

static void assert_inserted(const char *text, unsigned after, bool puts_away,
                            const char *const *lines, const char *expected)
{
    char *inserted = lines_insert(text, after, puts_away, lines);
    size_t count = 0;
    char *removed;

    assert_non_null(inserted);
    assert_string_equal(inserted, expected);
    removed = lines_remove(inserted, &count);
    assert_string_equal(removed, text);
    assert_true(count >= 1);
    free(inserted);
    free(removed);
}

TEST(a_line_goes_behind_another_and_comes_out_again)
{
    assert_inserted("a\nb\n", 1, false, ours, "a\n" OURS MARK "\nb\n");
    assert_inserted("a\nb\n", 2, false, ours, "a\nb\n" OURS MARK "\n");
    assert_inserted("a\nb\n", 0, false, ours, OURS MARK "\na\nb\n");
    assert_inserted("", 0, false, ours, OURS MARK "\n");
}

TEST(a_line_goes_to_the_end_and_comes_out_again)
{
    static const char *const texts[] = { "", "a\n", "a\nb", "a \\\nb\n", "\n\n# c\n" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char *appended = lines_append(texts[i], ours), *removed;
        size_t count;
        assert_memory_equal(appended, texts[i], strlen(texts[i]));
        removed = lines_remove(appended, &count);
        assert_string_equal(removed, texts[i]);
        assert_int_equal(count, 1);
        free(appended);
        free(removed);
    }
}

TEST(a_file_without_a_newline_at_its_end_has_none_again)
{
    assert_inserted("a\nb", 2, false, ours, "a\nb\n" OURS END "\n");
    assert_inserted("b", 1, true, two,
                    AWAY "b\n" OURS " after=publickey" END "\nauth  required  pam_permit.so" END
                         "\n");
}

TEST(what_others_wrote_behind_a_line_at_the_end_stays_a_line_of_its_own)
{
    size_t count;
    char *text = lines_remove("a\n" OURS END "\nb\n", &count);

    assert_string_equal(text, "a\nb\n");
    free(text);
}

TEST(a_line_that_is_put_away_comes_back)
{
    assert_inserted("@include common-auth\naccount x\n", 1, true, two,
                    AWAY "@include common-auth\n" OURS " after=publickey" MARK
                         "\nauth  required  pam_permit.so" MARK "\naccount x\n");
    assert_inserted("auth x \\\n y\nz\n", 1, true, ours,
                    AWAY "auth x \\\n" AWAY " y\n" OURS MARK "\nz\n");
}

TEST(a_line_goes_behind_all_that_another_goes_on_in)
{
    assert_inserted("auth \\\n required \\\n x.so\nb\n", 1, false, ours,
                    "auth \\\n required \\\n x.so\n" OURS MARK "\nb\n");
    assert_inserted("auth \\ \t\n x.so\nb\n", 1, false, ours,
                    "auth \\ \t\n x.so\n" OURS MARK "\nb\n");
    assert_inserted("auth \\\n# why\n\n x.so\nb\n", 1, false, ours,
                    "auth \\\n# why\n\n x.so\n" OURS MARK "\nb\n");
}

TEST(a_comment_goes_on_in_no_line)
{
    assert_inserted("# a \\\nb\n", 1, false, ours, "# a \\\n" OURS MARK "\nb\n");
    assert_inserted("auth x # a \\\nb\n", 1, false, ours, "auth x # a \\\n" OURS MARK "\nb\n");
}

TEST(there_is_no_place_behind_a_line_that_is_not_there)
{
    assert_null(lines_insert("a\n", 2, false, ours));
    assert_null(lines_insert("", 1, false, ours));
}

TEST(only_marked_lines_are_removed_wherever_they_were_moved)
{
    size_t count = 7;
    char *text = lines_remove(OURS "\nx" MARK "\ny" MARK ".\n# z" MARK " \t\r\n" AWAY "w\n"
                                   "auth x" MARK,
                              &count);

    assert_string_equal(text, OURS "\ny" MARK ".\nw\n");
    assert_int_equal(count, 4);
    free(text);

    text = lines_remove("nothing\n", &count);
    assert_string_equal(text, "nothing\n");
    assert_int_equal(count, 0);
    free(text);
}

TEST(the_last_line_of_auth_is_found)
{
    static const struct {
        const char *text;
        unsigned line;
    } files[] = {
        { "", 0 },
        { "account required x.so\n", 0 },
        { "@include common-account\n", 0 },
        { "@include common-auth\naccount x y\n", 1 },
        { "  @include\tcommon-auth # why\n@include common-password\n", 1 },
        { "#auth x y\nauth x y\n# auth\n\nsession x y\n", 2 },
        { "-auth optional x.so\nAUTH required y.so\nsession x y", 2 },
        { "auth \\\n required x.so\nauth required y.so\naccount z w\n", 2 },
        { "auth", 0 },
        { "authx required y.so\n", 0 },
        { "@include common-auth\nauth optional pam_group.so\n", 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        unsigned last = 0, next;
        while ((next = lines_next_auth(files[i].text, last, is_common_auth, NULL)) != 0)
            last = next;
        assert_int_equal(last, files[i].line);
    }
}

TEST(a_line_is_found_by_its_words_if_it_is_the_only_one)
{
    const char *text = "auth  required\tx.so   a=b # c\n@include common-auth\nauth required x.so\n"
                       "two\ntwo \nauth \\\n # why\n required \\\n y.so\n";
    char words[LINES_SIZE];

    assert_int_equal(lines_find(text, "auth required x.so a=b"), 1);
    assert_int_equal(lines_find(text, "  @include   common-auth  "), 2);
    assert_int_equal(lines_find(text, "auth required x.so"), 3);
    assert_int_equal(lines_find(text, "auth required y.so"), 6);
    assert_int_equal(lines_find(text, "two"), 0);
    assert_int_equal(lines_find(text, "three"), 0);
    assert_int_equal(lines_find(text, ""), 0);
    assert_int_equal(lines_find(text, "# c"), 0);
    assert_true(lines_print(text, 1, words));
    assert_string_equal(words, "auth required x.so a=b");
    assert_false(lines_print(text, 7, words));
}
