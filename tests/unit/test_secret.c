/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Memory that is wiped when it is freed, and a file of one line. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/secret.h"
#include "directory.h"

enum { SECRET_LENGTH_MAX = 256 };

/* What the linker puts in place of free(): it looks at the memory that is about to go. */

void __real_free(void *memory);
void __wrap_free(void *memory);

static const void *watched;
static size_t watched_size;
static bool was_freed, was_wiped;

void __wrap_free(void *memory)
{
    if (memory != NULL && memory == watched) {
        was_freed = was_wiped = true;
        for (size_t i = 0; i < watched_size; i++)
            if (((const char *)memory)[i] != '\0')
                was_wiped = false;
        watched = NULL;
    }
    __real_free(memory);
}

static void watch(const char *text)
{
    watched = text;
    watched_size = strlen(text);
    was_freed = was_wiped = false;
}

TEST(wipes_what_it_frees)
{
    char *text = strdup("hunter2");

    watch(text);
    secret_free(&text);
    assert_null(text);
    assert_true(was_freed);
    assert_true(was_wiped);
    secret_free(&text);
    assert_null(text);
}

TEST(wipes_at_the_end_of_a_block)
{
    {
        auto_secret char *text = strdup("hunter2");
        watch(text);
    }
    assert_true(was_freed);
    assert_true(was_wiped);
}

/* The secret's line */

static void assert_secret(const char *directory, const char *text, const char *expected)
{
    char *secret = NULL;
    struct verdict why_not = { 0 };

    directory_write(directory, "key", text, 0600);
    if (!secret_read_line(directory_path(directory, "key"), &secret, &why_not))
        fail_msg("%s", why_not.reason);
    assert_string_equal(secret, expected);
    secret_free(&secret);
}

static void assert_no_secret(const char *directory, const char *text, const char *part)
{
    char *secret = NULL;
    struct verdict why_not = { 0 };

    directory_write(directory, "key", text, 0600);
    if (secret_read_line(directory_path(directory, "key"), &secret, &why_not))
        fail_msg("took \"%s\"", text);
    assert_null(secret);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, part);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "/key");
}

TEST_IN_DIRECTORY(a_secret_is_one_line_with_or_without_its_end)
{
    assert_secret(directory, "hunter2", "hunter2");
    assert_secret(directory, "hunter2\n", "hunter2");
    assert_secret(directory, "!~\"'\\#$%", "!~\"'\\#$%");
    assert_secret(directory, "x", "x");
}

TEST_IN_DIRECTORY(a_secret_has_no_second_line)
{
    assert_no_secret(directory, "hunter2\n\n", "more than one line");
    assert_no_secret(directory, "hunter2\nhunter3", "more than one line");
    assert_no_secret(directory, "\nhunter2\n", "more than one line");
    assert_no_secret(directory, "hunter2\n ", "more than one line");
}

TEST_IN_DIRECTORY(a_secret_is_printable_ascii_without_a_blank)
{
    assert_no_secret(directory, "hunter2 \n", "holds a blank");
    assert_no_secret(directory, " hunter2\n", "holds a blank");
    assert_no_secret(directory, "hun ter2", "holds a blank");
    assert_no_secret(directory, "hunter2\t", "holds a blank");
    assert_no_secret(directory, "hunter2\r\n", "holds a blank");
    assert_no_secret(directory, "\x7fhunter2", "holds a blank");
    assert_no_secret(directory, "h\xc3\xbcnter", "holds a blank");
    assert_no_secret(directory, "\xef\xbb\xbfhunter2", "holds a blank");
    assert_no_secret(directory, "hunter2\xff", "holds a blank");
}

TEST_IN_DIRECTORY(a_secret_is_1_to_256_characters_long)
{
    char text[SECRET_LENGTH_MAX + 4], expected[SECRET_LENGTH_MAX + 1];

    assert_no_secret(directory, "", "must hold 1 to 256 characters");
    assert_no_secret(directory, "\n", "must hold 1 to 256 characters");

    memset(text, 'x', sizeof text);
    text[SECRET_LENGTH_MAX] = '\0';
    strcpy(expected, text);
    assert_secret(directory, text, expected);
    strcpy(text + SECRET_LENGTH_MAX, "\n");
    assert_secret(directory, text, expected);
    strcpy(text + SECRET_LENGTH_MAX, "x");
    assert_no_secret(directory, text, "must hold 1 to 256 characters");
    strcpy(text + SECRET_LENGTH_MAX, "x\n");
    assert_no_secret(directory, text, "must hold 1 to 256 characters");
    strcpy(text + SECRET_LENGTH_MAX, "xxx");
    assert_no_secret(directory, text, "larger than");
}

TEST_IN_DIRECTORY(a_refusal_never_quotes_the_secret)
{
    static const char *const texts[] = { "hunter2 x", "hunter2\nhunter2", "hunter2\x7f" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char *secret = NULL;
        struct verdict why_not = { 0 };
        directory_write(directory, "key", texts[i], 0600);
        assert_false(secret_read_line(directory_path(directory, "key"), &secret, &why_not));
        assert_null(strstr(why_not.reason, "hunter"));
    }
}

TEST_IN_DIRECTORY(a_secret_that_others_can_read_is_refused)
{
    char *secret = NULL;
    struct verdict why_not = { 0 };

    directory_write(directory, "key", "hunter2\n", 0640);
    assert_false(secret_read_line(directory_path(directory, "key"), &secret, &why_not));
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "readable by others: chmod 0600 it");
    assert_false(secret_read_line(directory_path(directory, "absent"), &secret, &why_not));
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "/absent: No such file");
    assert_null(secret);
}
