/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Where the links among certificates lead, and what is remembered of it. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check/links.h"
#include "core/boot.h"
#include "directory.h"

static struct {
    int reads;      /* of links */
    time_t later_s; /* how far the clock is ahead of the files' times */
    bool is_again;  /* the machine was started again */
} world;

ssize_t __real_readlinkat(int directory, const char *name, char *target, size_t size);
ssize_t __wrap_readlinkat(int directory, const char *name, char *target, size_t size);
ssize_t __wrap_readlinkat(int directory, const char *name, char *target, size_t size)
{
    world.reads++;
    return __real_readlinkat(directory, name, target, size);
}

time_t __real_time(time_t *ret_time);
time_t __wrap_time(time_t *ret_time);
time_t __wrap_time(time_t *ret_time)
{
    return __real_time(ret_time) + world.later_s;
}

bool __real_boot_now(struct boot_moment *ret_now);
bool __wrap_boot_now(struct boot_moment *ret_now);
bool __wrap_boot_now(struct boot_moment *ret_now)
{
    bool result = __real_boot_now(ret_now);

    ret_now->id[0] = world.is_again ? 'x' : ret_now->id[0];
    return result;
}

/* A directory of certificates, one behind two links, and one of states. The clock says that nothing
 * has changed for long. */
static void make(const char *directory)
{
    world = (typeof(world)){ .later_s = 60 };
    assert_int_equal(mkdir(directory_path(directory, "certs"), 0755), 0);
    assert_int_equal(mkdir(directory_path(directory, "state"), 0700), 0);
    directory_write(directory, "certs/a.crt", "", 0644);
    assert_int_equal(symlink("a.crt", directory_path(directory, "certs/01234567.0")), 0);
}

static void add(const char *directory, const char *name, const char *target)
{
    char path[NAME_MAX + 1];

    snprintf(path, sizeof path, "certs/%s", name);
    assert_int_equal(symlink(target, directory_path(directory, path)), 0);
}

static bool stay(const char *directory)
{
    DIR *certificates = opendir(directory_path(directory, "certs"));
    bool result;

    assert_non_null(certificates);
    world.reads = 0;
    result = links_stay(certificates, directory_path(directory, "state"));
    closedir(certificates);
    return result;
}

static void assert_read_each_time(const char *directory)
{
    for (int i = 0; i < 2; i++) {
        assert_true(stay(directory));
        assert_int_not_equal(world.reads, 0);
    }
}

TEST_IN_DIRECTORY(the_next_one_is_a_hash_and_no_file)
{
    DIR *certificates;

    make(directory);
    directory_write(directory, "certs/fedcba98.0", "", 0644);
    add(directory, "a.pem", "a.crt");
    add(directory, "0123456g.0", "a.crt");
    certificates = opendir(directory_path(directory, "certs"));
    assert_string_equal(links_next(certificates), "01234567.0");
    assert_null(links_next(certificates));
    closedir(certificates);
}

TEST_IN_DIRECTORY(links_to_a_file_of_the_directory_stay)
{
    make(directory);
    add(directory, "11111111.0", "a.crt");
    assert_true(stay(directory));
}

TEST_IN_DIRECTORY(all_others_do_not)
{
    static const char *const targets[] = {
        "/opt/a.crt", "../a.crt",
        "two",        "./a.crt",
        "nothing",    "11111111.0",
        "far",        "/usr/share/ca-certificates/mozilla/../../../../opt/a.crt",
        "/etc",       "/usr/share/ca-certificates/mozilla-of-mine/a.crt",
    };

    make(directory);
    add(directory, "far", "/opt/a.crt");
    add(directory, "two", "link");
    add(directory, "link", "a.crt");
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
        add(directory, "11111111.0", targets[i]);
        assert_false(stay(directory));
        assert_int_equal(unlink(directory_path(directory, "certs/11111111.0")), 0);
    }
    assert_true(stay(directory));
}

TEST_IN_DIRECTORY(they_are_not_read_again)
{
    make(directory);
    assert_true(stay(directory));
    assert_int_not_equal(world.reads, 0);
    assert_true(stay(directory));
    assert_int_equal(world.reads, 0);
}

TEST_IN_DIRECTORY(they_are_read_again_after_any_change)
{
    make(directory);
    stay(directory);
    add(directory, "11111111.0", "/opt/a.crt");
    assert_false(stay(directory));
    assert_int_equal(unlink(directory_path(directory, "certs/11111111.0")), 0);
    assert_true(stay(directory));
    assert_int_not_equal(world.reads, 0);

    stay(directory);
    add(directory, "b.pem", "/opt/a.crt");
    assert_int_equal(
        rename(directory_path(directory, "certs/b.pem"), directory_path(directory, "certs/a.crt")),
        0);
    assert_false(stay(directory));
}

TEST_IN_DIRECTORY(another_directory_in_the_same_place_is_read)
{
    make(directory);
    stay(directory);
    assert_int_equal(
        rename(directory_path(directory, "certs"), directory_path(directory, "certs-before")), 0);
    assert_int_equal(mkdir(directory_path(directory, "certs"), 0755), 0);
    add(directory, "11111111.0", "/opt/a.crt");
    assert_false(stay(directory));
}

/* A second change in the same moment would not be seen. */
TEST_IN_DIRECTORY(what_has_just_changed_is_read_each_time)
{
    make(directory);
    world.later_s = 0;
    assert_read_each_time(directory);
}

TEST_IN_DIRECTORY(what_has_changed_in_the_future_is_read_each_time)
{
    make(directory);
    world.later_s = -3600;
    assert_read_each_time(directory);
}

TEST_IN_DIRECTORY(after_a_boot_they_are_read_again)
{
    make(directory);
    stay(directory);
    world.is_again = true;
    assert_true(stay(directory));
    assert_int_not_equal(world.reads, 0);
    assert_true(stay(directory));
    assert_int_equal(world.reads, 0);
}

TEST_IN_DIRECTORY(without_a_state_directory_they_are_read_each_time)
{
    make(directory);
    assert_int_equal(rmdir(directory_path(directory, "state")), 0);
    assert_read_each_time(directory);
}

TEST_IN_DIRECTORY(a_damaged_memory_counts_for_nothing)
{
    make(directory);
    stay(directory);
    directory_write(directory, "state/certificates.links", "ptvlink1", 0600);
    assert_true(stay(directory));
    assert_int_not_equal(world.reads, 0);
}

TEST_IN_DIRECTORY(a_lock_that_is_held_keeps_nobody_waiting)
{
    int file;

    make(directory);
    file = open(directory_path(directory, "state/certificates.links"), O_RDWR | O_CREAT, 0600);
    assert_int_equal(flock(file, LOCK_EX), 0);
    assert_true(stay(directory));
    assert_true(stay(directory));
    assert_int_equal(world.reads, 0);
    close(file);
}
