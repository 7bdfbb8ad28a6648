/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Memory that is wiped when it is freed, and files that are opened only when they are trusted. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/secret.h"
#include "folder.h"

enum { SOMEBODY = 12345, SECRET_LENGTH_MAX = 256 };

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

/* Files */

static void assert_reads(const char *path, enum secret_readers readers, size_t size_max,
                         const char *expected)
{
    char *text = NULL;
    struct verdict why_not = { 0 };

    if (secret_read_file(AT_FDCWD, path, "SHOWN", readers, size_max, &text, &why_not) !=
        SECRET_READ)
        fail_msg("%s: %s", path, why_not.reason);
    assert_string_equal(text, expected);
    secret_free(&text);
}

static void assert_refuses(const char *path, enum secret_readers readers, size_t size_max,
                           const char *part)
{
    char *text = NULL;
    struct verdict why_not = { 0 };

    assert_int_equal(secret_read_file(AT_FDCWD, path, "SHOWN", readers, size_max, &text, &why_not),
                     SECRET_REFUSED);
    assert_null(text);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "SHOWN");
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, part);
}

TEST(a_file_must_not_be_writable_by_others)
{
    const char *folder = *state;

    for (mode_t mode = 0; mode <= 0777; mode++) {
        folder_write(folder, "file", "text", S_IRUSR | mode);
        if (mode & (S_IWGRP | S_IWOTH))
            assert_refuses(folder_path(folder, "file"), SECRET_READERS_ANY, 4,
                           "writable by others: chmod go-w it");
        else
            assert_reads(folder_path(folder, "file"), SECRET_READERS_ANY, 4, "text");
        unlink(folder_path(folder, "file"));
    }
}

TEST(a_secret_must_be_its_owner_s_alone)
{
    const char *folder = *state;

    for (mode_t mode = 0; mode <= 0777; mode++) {
        folder_write(folder, "file", "text", S_IRUSR | mode);
        if (mode & (S_IRWXG | S_IRWXO))
            assert_refuses(folder_path(folder, "file"), SECRET_READERS_OWNER, 4,
                           mode & (S_IWGRP | S_IWOTH) ? "chmod go-w it" : "chmod 0600 it");
        else
            assert_reads(folder_path(folder, "file"), SECRET_READERS_OWNER, 4, "text");
        unlink(folder_path(folder, "file"));
    }
}

TEST(a_file_must_not_be_somebody_else_s)
{
    const char *folder = *state;
    const char *path = folder_path(folder, "file");

    folder_write(folder, "file", "text", 0600);
    assert_int_equal(chown(path, SOMEBODY, 0), 0);
    assert_refuses(path, SECRET_READERS_ANY, 4, "is not owned by root: chown root it");
    assert_refuses(path, SECRET_READERS_OWNER, 4, "is not owned by root: chown root it");
    assert_int_equal(chown(path, 0, SOMEBODY), 0);
    assert_reads(path, SECRET_READERS_OWNER, 4, "text");
}

TEST(who_is_not_root_may_own_the_files_but_no_third_may)
{
    const char *folder = *state;
    const char *file = folder_path(folder, "file");
    struct verdict why_not = { 0 };
    int descriptor, foreign;
    bool absent;

    folder_write(folder, "file", "text", 0644);
    assert_int_equal(chmod(folder, 0755), 0);

    assert_int_equal(chown(file, SOMEBODY, 0), 0);
    assert_int_equal(seteuid(SOMEBODY), 0);
    descriptor =
        secret_open_file(AT_FDCWD, file, "SHOWN", O_RDONLY, SECRET_READERS_ANY, &absent, &why_not);
    assert_int_equal(seteuid(0), 0);
    assert_true(descriptor >= 0);
    close(descriptor);

    assert_int_equal(chown(file, SOMEBODY + 1, 0), 0);
    assert_int_equal(seteuid(SOMEBODY), 0);
    foreign =
        secret_open_file(AT_FDCWD, file, "SHOWN", O_RDONLY, SECRET_READERS_ANY, &absent, &why_not);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(foreign, -1);
    assert_false(absent);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "is not owned by root");

    assert_int_equal(chown(file, 0, 0), 0);
    assert_int_equal(seteuid(SOMEBODY), 0);
    descriptor =
        secret_open_file(AT_FDCWD, file, "SHOWN", O_RDONLY, SECRET_READERS_ANY, &absent, &why_not);
    assert_int_equal(seteuid(0), 0);
    assert_true(descriptor >= 0);
    close(descriptor);
}

TEST(a_file_that_is_not_there_is_absent)
{
    const char *folder = *state;
    char *text = NULL;
    struct verdict why_not = { 0 };

    assert_int_equal(secret_read_file(AT_FDCWD, folder_path(folder, "file"), "SHOWN",
                                      SECRET_READERS_ANY, 4, &text, &why_not),
                     SECRET_ABSENT);
    assert_null(text);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "SHOWN: No such file");
}

TEST(a_file_that_cannot_be_reached_is_not_absent)
{
    const char *folder = *state;
    char name[300];

    folder_write(folder, "file", "text", 0600);
    assert_refuses(folder_path(folder, "file/below"), SECRET_READERS_ANY, 4, "Not a directory");
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_refuses(folder_path(folder, name), SECRET_READERS_ANY, 4, "File name too long");
}

TEST(only_a_regular_file_is_one)
{
    const char *folder = *state;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    folder_write(folder, "file", "text", 0600);
    assert_int_equal(symlink("file", folder_path(folder, "link")), 0);
    assert_refuses(folder_path(folder, "link"), SECRET_READERS_ANY, 4,
                   "must not be a symbolic link");
    assert_int_equal(symlink("nowhere", folder_path(folder, "dangling")), 0);
    assert_refuses(folder_path(folder, "dangling"), SECRET_READERS_ANY, 4,
                   "must not be a symbolic link");

    alarm(10); /* whoever opens a FIFO to read waits for a writer */
    assert_int_equal(mkfifo(folder_path(folder, "fifo"), 0600), 0);
    assert_refuses(folder_path(folder, "fifo"), SECRET_READERS_ANY, 4, "not a regular file");
    alarm(0);

    assert_refuses(folder, SECRET_READERS_ANY, 4, "not a regular file");
    assert_refuses("/dev/null", SECRET_READERS_ANY, 4, "not a regular file");

    snprintf(address.sun_path, sizeof address.sun_path, "%s", folder_path(folder, "socket"));
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_refuses(folder_path(folder, "socket"), SECRET_READERS_ANY, 4, "SHOWN");
    close(listener);
}

TEST(a_file_has_at_most_so_many_bytes)
{
    const char *folder = *state;

    folder_write(folder, "file", "12345", 0600);
    assert_reads(folder_path(folder, "file"), SECRET_READERS_ANY, 6, "12345");
    assert_reads(folder_path(folder, "file"), SECRET_READERS_ANY, 5, "12345");
    assert_refuses(folder_path(folder, "file"), SECRET_READERS_ANY, 4, "larger than 4 bytes");
    folder_write(folder, "file", "", 0600);
    assert_reads(folder_path(folder, "file"), SECRET_READERS_ANY, 0, "");
}

TEST(a_file_has_no_nul_byte)
{
    const char *folder = *state;

    for (size_t at = 0; at < 4; at++) {
        char bytes[] = { 'a', 'b', 'c', 'd' };
        bytes[at] = '\0';
        folder_write_bytes(folder, "file", bytes, sizeof bytes, 0600);
        assert_refuses(folder_path(folder, "file"), SECRET_READERS_ANY, 4, "holds a NUL byte");
    }
}

TEST(a_descriptor_is_closed_on_exec)
{
    const char *folder = *state;
    struct verdict why_not = { 0 };
    bool absent = true;
    int below, file;

    folder_write(folder, "file", "text", 0600);
    below = secret_open_folder(folder, &why_not);
    assert_true(below >= 0);
    file =
        secret_open_file(below, "file", "SHOWN", O_RDONLY, SECRET_READERS_OWNER, &absent, &why_not);
    assert_true(file >= 0);
    assert_false(absent);
    assert_int_equal(fcntl(below, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(file, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(file, F_GETFL) & O_ACCMODE, O_RDONLY);
    close(file);
    close(below);
}

/* The number of the next descriptor: the same before and after where none is leaked. */
static int next_descriptor(void)
{
    int descriptor = dup(0);

    close(descriptor);
    return descriptor;
}

TEST(no_descriptor_stays_open)
{
    const char *folder = *state;
    int before = next_descriptor();
    char *secret = NULL;
    struct verdict why_not = { 0 };

    folder_write(folder, "file", "text", 0600);
    assert_reads(folder_path(folder, "file"), SECRET_READERS_ANY, 4, "text");
    assert_refuses(folder_path(folder, "file"), SECRET_READERS_ANY, 3, "larger");
    assert_true(secret_read_line(folder_path(folder, "file"), &secret, &why_not));
    secret_free(&secret);
    assert_int_equal(chmod(folder_path(folder, "file"), 0666), 0);
    assert_refuses(folder_path(folder, "file"), SECRET_READERS_ANY, 4, "writable");
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(secret_open_folder(folder, &why_not), -1);
    assert_int_equal(next_descriptor(), before);
}

TEST(a_folder_must_be_one_that_others_cannot_write)
{
    const char *folder = *state;
    struct verdict why_not = { 0 };
    int descriptor;

    for (mode_t mode = 0; mode <= 0777; mode++) {
        assert_int_equal(chmod(folder, S_IRWXU | mode), 0);
        descriptor = secret_open_folder(folder, &why_not);
        if (mode & (S_IWGRP | S_IWOTH)) {
            assert_int_equal(descriptor, -1);
            assert_refused(&why_not, OUTCOME_MISCONFIGURED, "writable by others: chmod go-w it");
        } else {
            assert_true(descriptor >= 0);
            close(descriptor);
        }
    }
    assert_int_equal(chmod(folder, 0700), 0);
}

TEST(a_folder_must_not_be_somebody_else_s)
{
    const char *folder = *state;
    struct verdict why_not = { 0 };

    assert_int_equal(chown(folder, SOMEBODY, 0), 0);
    assert_int_equal(secret_open_folder(folder, &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "is not owned by root: chown root it");
}

TEST(a_folder_is_no_link_no_file_and_not_missing)
{
    const char *folder = *state;
    struct verdict why_not = { 0 };

    assert_int_equal(secret_open_folder(folder_path(folder, "x"), &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "No such file");
    folder_write(folder, "file", "text", 0600);
    assert_int_equal(secret_open_folder(folder_path(folder, "file"), &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "not a directory");
    assert_int_equal(symlink(".", folder_path(folder, "link")), 0);
    assert_int_equal(secret_open_folder(folder_path(folder, "link"), &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "symbolic link");
}

/* The secret's line */

static void assert_secret(const char *folder, const char *text, const char *expected)
{
    char *secret = NULL;
    struct verdict why_not = { 0 };

    folder_write(folder, "key", text, 0600);
    if (!secret_read_line(folder_path(folder, "key"), &secret, &why_not))
        fail_msg("%s", why_not.reason);
    assert_string_equal(secret, expected);
    secret_free(&secret);
}

static void assert_no_secret(const char *folder, const char *text, const char *part)
{
    char *secret = NULL;
    struct verdict why_not = { 0 };

    folder_write(folder, "key", text, 0600);
    if (secret_read_line(folder_path(folder, "key"), &secret, &why_not))
        fail_msg("took \"%s\"", text);
    assert_null(secret);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, part);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "/key");
}

TEST(a_secret_is_one_line_with_or_without_its_end)
{
    assert_secret(*state, "hunter2", "hunter2");
    assert_secret(*state, "hunter2\n", "hunter2");
    assert_secret(*state, "!~\"'\\#$%", "!~\"'\\#$%");
    assert_secret(*state, "x", "x");
}

TEST(a_secret_has_no_second_line)
{
    assert_no_secret(*state, "hunter2\n\n", "more than one line");
    assert_no_secret(*state, "hunter2\nhunter3", "more than one line");
    assert_no_secret(*state, "\nhunter2\n", "more than one line");
    assert_no_secret(*state, "hunter2\n ", "more than one line");
}

TEST(a_secret_is_printable_ascii_without_a_blank)
{
    assert_no_secret(*state, "hunter2 \n", "holds a blank");
    assert_no_secret(*state, " hunter2\n", "holds a blank");
    assert_no_secret(*state, "hun ter2", "holds a blank");
    assert_no_secret(*state, "hunter2\t", "holds a blank");
    assert_no_secret(*state, "hunter2\r\n", "holds a blank");
    assert_no_secret(*state, "\x7fhunter2", "holds a blank");
    assert_no_secret(*state, "h\xc3\xbcnter", "holds a blank");
    assert_no_secret(*state, "\xef\xbb\xbfhunter2", "holds a blank");
    assert_no_secret(*state, "hunter2\xff", "holds a blank");
}

TEST(a_secret_is_1_to_256_characters_long)
{
    char text[SECRET_LENGTH_MAX + 4], expected[SECRET_LENGTH_MAX + 1];

    assert_no_secret(*state, "", "must hold 1 to 256 characters");
    assert_no_secret(*state, "\n", "must hold 1 to 256 characters");

    memset(text, 'x', sizeof text);
    text[SECRET_LENGTH_MAX] = '\0';
    strcpy(expected, text);
    assert_secret(*state, text, expected);
    strcpy(text + SECRET_LENGTH_MAX, "\n");
    assert_secret(*state, text, expected);
    strcpy(text + SECRET_LENGTH_MAX, "x");
    assert_no_secret(*state, text, "must hold 1 to 256 characters");
    strcpy(text + SECRET_LENGTH_MAX, "x\n");
    assert_no_secret(*state, text, "must hold 1 to 256 characters");
    strcpy(text + SECRET_LENGTH_MAX, "xxx");
    assert_no_secret(*state, text, "larger than");
}

TEST(a_refusal_never_quotes_the_secret)
{
    static const char *const texts[] = { "hunter2 x", "hunter2\nhunter2", "hunter2\x7f" };
    const char *folder = *state;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char *secret = NULL;
        struct verdict why_not = { 0 };
        folder_write(folder, "key", texts[i], 0600);
        assert_false(secret_read_line(folder_path(folder, "key"), &secret, &why_not));
        assert_null(strstr(why_not.reason, "hunter"));
    }
}

TEST(a_secret_that_others_can_read_is_refused)
{
    const char *folder = *state;
    char *secret = NULL;
    struct verdict why_not = { 0 };

    folder_write(folder, "key", "hunter2\n", 0640);
    assert_false(secret_read_line(folder_path(folder, "key"), &secret, &why_not));
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "readable by others: chmod 0600 it");
    assert_false(secret_read_line(folder_path(folder, "absent"), &secret, &why_not));
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "/absent: No such file");
    assert_null(secret);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wipes_what_it_frees),
        cmocka_unit_test(wipes_at_the_end_of_a_block),
        in_folder(a_file_must_not_be_writable_by_others),
        in_folder(a_secret_must_be_its_owner_s_alone),
        in_folder(a_file_that_is_not_there_is_absent),
        in_folder(a_file_that_cannot_be_reached_is_not_absent),
        in_folder(only_a_regular_file_is_one),
        in_folder(a_file_has_at_most_so_many_bytes),
        in_folder(a_file_has_no_nul_byte),
        in_folder(a_descriptor_is_closed_on_exec),
        in_folder(no_descriptor_stays_open),
        in_folder(a_folder_must_be_one_that_others_cannot_write),
        in_folder(a_folder_is_no_link_no_file_and_not_missing),
        in_folder(a_secret_is_one_line_with_or_without_its_end),
        in_folder(a_secret_has_no_second_line),
        in_folder(a_secret_is_printable_ascii_without_a_blank),
        in_folder(a_secret_is_1_to_256_characters_long),
        in_folder(a_refusal_never_quotes_the_secret),
        in_folder(a_secret_that_others_can_read_is_refused),
        /* Only root can give files away: */
        in_folder(a_file_must_not_be_somebody_else_s),
        in_folder(who_is_not_root_may_own_the_files_but_no_third_may),
        in_folder(a_folder_must_not_be_somebody_else_s),
    };

    return unit_run("secret", tests, ARRAY_SIZE(tests), 3);
}
