/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Files that are opened only if nobody but root, or the effective user, can have written them. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/secret.h"
#include "core/trusted.h"
#include "directory.h"

enum { SOMEBODY = 12345 };

static void assert_reads(const char *path, enum trusted_readers readers, size_t size_max,
                         const char *expected)
{
    char *text = NULL;
    struct verdict why_not = { 0 };

    if (trusted_read_file(AT_FDCWD, path, "SHOWN", readers, size_max, &text, &why_not) !=
        TRUSTED_READ)
        fail_msg("%s: %s", path, why_not.reason);
    assert_string_equal(text, expected);
    secret_free(&text);
}

static void assert_refuses(const char *path, enum trusted_readers readers, size_t size_max,
                           const char *part)
{
    char *text = NULL;
    struct verdict why_not = { 0 };

    assert_int_equal(trusted_read_file(AT_FDCWD, path, "SHOWN", readers, size_max, &text, &why_not),
                     TRUSTED_REFUSED);
    assert_null(text);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "SHOWN");
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, part);
}

TEST_IN_DIRECTORY(a_file_must_not_be_writable_by_others)
{
    for (mode_t mode = 0; mode <= 0777; mode++) {
        directory_write(directory, "file", "text", S_IRUSR | mode);
        if (mode & (S_IWGRP | S_IWOTH))
            assert_refuses(directory_path(directory, "file"), TRUSTED_READERS_ANY, 4,
                           "writable by others: chmod go-w it");
        else
            assert_reads(directory_path(directory, "file"), TRUSTED_READERS_ANY, 4, "text");
        unlink(directory_path(directory, "file"));
    }
}

TEST_IN_DIRECTORY(a_secret_must_be_its_owner_s_alone)
{
    for (mode_t mode = 0; mode <= 0777; mode++) {
        directory_write(directory, "file", "text", S_IRUSR | mode);
        if (mode & (S_IRWXG | S_IRWXO))
            assert_refuses(directory_path(directory, "file"), TRUSTED_READERS_OWNER, 4,
                           mode & (S_IWGRP | S_IWOTH) ? "chmod go-w it" : "chmod 0600 it");
        else
            assert_reads(directory_path(directory, "file"), TRUSTED_READERS_OWNER, 4, "text");
        unlink(directory_path(directory, "file"));
    }
}

TEST_AS_ROOT(a_file_must_not_be_somebody_else_s, directory_setup, directory_teardown)
{
    const char *path = directory_path(directory, "file");

    directory_write(directory, "file", "text", 0600);
    assert_int_equal(chown(path, SOMEBODY, 0), 0);
    assert_refuses(path, TRUSTED_READERS_ANY, 4, "is not owned by root: chown root it");
    assert_refuses(path, TRUSTED_READERS_OWNER, 4, "is not owned by root: chown root it");
    assert_int_equal(chown(path, 0, SOMEBODY), 0);
    assert_reads(path, TRUSTED_READERS_OWNER, 4, "text");
}

TEST_AS_ROOT(a_user_who_is_not_root_may_own_the_files_and_no_third_may, directory_setup,
             directory_teardown)
{
    const char *file = directory_path(directory, "file");
    struct verdict why_not = { 0 };
    int descriptor, foreign;
    bool absent;

    directory_write(directory, "file", "text", 0644);
    assert_int_equal(chmod(directory, 0755), 0);

    assert_int_equal(chown(file, SOMEBODY, 0), 0);
    assert_int_equal(seteuid(SOMEBODY), 0);
    descriptor = trusted_open_file(AT_FDCWD, file, "SHOWN", O_RDONLY, TRUSTED_READERS_ANY, &absent,
                                   &why_not);
    assert_int_equal(seteuid(0), 0);
    assert_true(descriptor >= 0);
    close(descriptor);

    assert_int_equal(chown(file, SOMEBODY + 1, 0), 0);
    assert_int_equal(seteuid(SOMEBODY), 0);
    foreign = trusted_open_file(AT_FDCWD, file, "SHOWN", O_RDONLY, TRUSTED_READERS_ANY, &absent,
                                &why_not);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(foreign, -1);
    assert_false(absent);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "is not owned by root");

    assert_int_equal(chown(file, 0, 0), 0);
    assert_int_equal(seteuid(SOMEBODY), 0);
    descriptor = trusted_open_file(AT_FDCWD, file, "SHOWN", O_RDONLY, TRUSTED_READERS_ANY, &absent,
                                   &why_not);
    assert_int_equal(seteuid(0), 0);
    assert_true(descriptor >= 0);
    close(descriptor);
}

TEST_IN_DIRECTORY(a_file_that_is_not_there_is_absent)
{
    char *text = NULL;
    struct verdict why_not = { 0 };

    assert_int_equal(trusted_read_file(AT_FDCWD, directory_path(directory, "file"), "SHOWN",
                                       TRUSTED_READERS_ANY, 4, &text, &why_not),
                     TRUSTED_ABSENT);
    assert_null(text);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "SHOWN: No such file");
}

TEST_IN_DIRECTORY(a_file_that_cannot_be_reached_is_not_absent)
{
    char name[300];

    directory_write(directory, "file", "text", 0600);
    assert_refuses(directory_path(directory, "file/below"), TRUSTED_READERS_ANY, 4,
                   "Not a directory");
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_refuses(directory_path(directory, name), TRUSTED_READERS_ANY, 4, "File name too long");
}

TEST_IN_DIRECTORY(only_a_regular_file_is_one)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    directory_write(directory, "file", "text", 0600);
    assert_int_equal(symlink("file", directory_path(directory, "link")), 0);
    assert_refuses(directory_path(directory, "link"), TRUSTED_READERS_ANY, 4,
                   "must not be a symbolic link");
    assert_int_equal(symlink("nowhere", directory_path(directory, "dangling")), 0);
    assert_refuses(directory_path(directory, "dangling"), TRUSTED_READERS_ANY, 4,
                   "must not be a symbolic link");

    alarm(10); /* whoever opens a FIFO to read waits for a writer */
    assert_int_equal(mkfifo(directory_path(directory, "fifo"), 0600), 0);
    assert_refuses(directory_path(directory, "fifo"), TRUSTED_READERS_ANY, 4, "not a regular file");
    alarm(0);

    assert_refuses(directory, TRUSTED_READERS_ANY, 4, "not a regular file");
    assert_refuses("/dev/null", TRUSTED_READERS_ANY, 4, "not a regular file");

    snprintf(address.sun_path, sizeof address.sun_path, "%s", directory_path(directory, "socket"));
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_refuses(directory_path(directory, "socket"), TRUSTED_READERS_ANY, 4, "SHOWN");
    close(listener);
}

TEST_IN_DIRECTORY(a_file_has_at_most_so_many_bytes)
{
    directory_write(directory, "file", "12345", 0600);
    assert_reads(directory_path(directory, "file"), TRUSTED_READERS_ANY, 6, "12345");
    assert_reads(directory_path(directory, "file"), TRUSTED_READERS_ANY, 5, "12345");
    assert_refuses(directory_path(directory, "file"), TRUSTED_READERS_ANY, 4,
                   "larger than 4 bytes");
    directory_write(directory, "file", "", 0600);
    assert_reads(directory_path(directory, "file"), TRUSTED_READERS_ANY, 0, "");
}

TEST_IN_DIRECTORY(a_file_has_no_nul_byte)
{
    for (size_t at = 0; at < 4; at++) {
        char bytes[] = { 'a', 'b', 'c', 'd' };
        bytes[at] = '\0';
        directory_write_bytes(directory, "file", bytes, sizeof bytes, 0600);
        assert_refuses(directory_path(directory, "file"), TRUSTED_READERS_ANY, 4,
                       "holds a NUL byte");
    }
}

TEST_IN_DIRECTORY(a_descriptor_is_closed_on_exec)
{
    struct verdict why_not = { 0 };
    bool absent = true;
    int below, file;

    directory_write(directory, "file", "text", 0600);
    below = trusted_open_directory(directory, &why_not);
    assert_true(below >= 0);
    file = trusted_open_file(below, "file", "SHOWN", O_RDONLY, TRUSTED_READERS_OWNER, &absent,
                             &why_not);
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

TEST_IN_DIRECTORY(no_descriptor_stays_open)
{
    int before = next_descriptor();
    char *secret = NULL;
    struct verdict why_not = { 0 };

    directory_write(directory, "file", "text", 0600);
    assert_reads(directory_path(directory, "file"), TRUSTED_READERS_ANY, 4, "text");
    assert_refuses(directory_path(directory, "file"), TRUSTED_READERS_ANY, 3, "larger");
    assert_true(secret_read_line(directory_path(directory, "file"), &secret, &why_not));
    secret_free(&secret);
    assert_int_equal(chmod(directory_path(directory, "file"), 0666), 0);
    assert_refuses(directory_path(directory, "file"), TRUSTED_READERS_ANY, 4, "writable");
    assert_int_equal(chmod(directory, 0777), 0);
    assert_int_equal(trusted_open_directory(directory, &why_not), -1);
    assert_int_equal(next_descriptor(), before);
}

TEST_IN_DIRECTORY(a_directory_must_be_one_that_others_cannot_write)
{
    struct verdict why_not = { 0 };
    int descriptor;

    for (mode_t mode = 0; mode <= 0777; mode++) {
        assert_int_equal(chmod(directory, S_IRWXU | mode), 0);
        descriptor = trusted_open_directory(directory, &why_not);
        if (mode & (S_IWGRP | S_IWOTH)) {
            assert_int_equal(descriptor, -1);
            assert_refused(&why_not, OUTCOME_MISCONFIGURED, "writable by others: chmod go-w it");
        } else {
            assert_true(descriptor >= 0);
            close(descriptor);
        }
    }
    assert_int_equal(chmod(directory, 0700), 0);
}

TEST_AS_ROOT(a_directory_must_not_be_somebody_else_s, directory_setup, directory_teardown)
{
    struct verdict why_not = { 0 };

    assert_int_equal(chown(directory, SOMEBODY, 0), 0);
    assert_int_equal(trusted_open_directory(directory, &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "is not owned by root: chown root it");
}

TEST_IN_DIRECTORY(a_directory_that_is_a_link_a_file_or_missing_is_refused)
{
    struct verdict why_not = { 0 };

    assert_int_equal(trusted_open_directory(directory_path(directory, "x"), &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "No such file");
    directory_write(directory, "file", "text", 0600);
    assert_int_equal(trusted_open_directory(directory_path(directory, "file"), &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "not a directory");
    assert_int_equal(symlink(".", directory_path(directory, "link")), 0);
    assert_int_equal(trusted_open_directory(directory_path(directory, "link"), &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "symbolic link");
}
