/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers: the files, the claims, the limits. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/record.h"
#include "core/siphash.h"
#include "core/usage.h"
#include "directory.h"

enum { NOW = 1800000000, HOUR = 3600, DAY = 24 * HOUR };

#define SET "0123456789abcdef0123456789abcdef"

/* The vectors of the reference implementation: the input is 00 01 02 …, the key 00 to 0f. */
TEST(siphash_is_that_of_the_reference)
{
    static const struct {
        size_t size;
        uint64_t hash;
    } rows[] = { { 0, 0x726fdb47dd0e0e31 },  { 1, 0x74f839c593dc67fd }, { 7, 0xab0200f58b01d137 },
                 { 8, 0x93f5f5799a932462 },  { 9, 0x9e0082df0ba9e4b0 }, { 15, 0xa129ca6149be45e5 },
                 { 16, 0x3f2acc7f57c29bdb }, { 63, 0x958a324ceb064572 } };
    uint8_t key[SIPHASH_KEY_SIZE], bytes[64];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    memcpy(key, bytes, sizeof key);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_true(siphash(key, bytes, rows[i].size) == rows[i].hash);
}

/* Claims */

TEST(a_claim_holds_for_five_minutes)
{
    struct record one = { 0 };

    assert_int_equal(record_claim(&one, 7, 1000), CLAIM_MADE);
    assert_int_equal(record_claim(&one, 7, 1000), CLAIM_TAKEN);
    assert_int_equal(record_claim(&one, 8, 1000), CLAIM_MADE);
    assert_int_equal(record_claim(&one, 7, 1300), CLAIM_TAKEN);
    assert_int_equal(record_claim(&one, 7, 1301), CLAIM_MADE);
    assert_int_equal(record_claim(&one, 7, 1301), CLAIM_TAKEN);
}

TEST(a_claim_that_was_taken_back_is_free)
{
    struct record one = { 0 };

    record_claim(&one, 7, 1000);
    record_claim(&one, 8, 1000);
    record_release(&one, 7);
    record_release(&one, 9);
    assert_int_equal(record_claim(&one, 8, 1000), CLAIM_TAKEN);
    assert_int_equal(record_claim(&one, 7, 1000), CLAIM_MADE);
}

/* Made before the machine was started: nobody knows when, but at least as long ago as it is up. */
TEST(a_claim_of_another_boot_holds_until_the_machine_is_up_for_five_minutes)
{
    for (int64_t up = 0; up <= 300; up += 100) {
        struct record one = { 0 };
        record_claim(&one, 7, 999999);
        assert_int_equal(record_claim(&one, 7, up), CLAIM_TAKEN);
    }
    for (int64_t up = 301; up < 999999; up *= 10) {
        struct record one = { 0 };
        record_claim(&one, 7, 999999);
        assert_int_equal(record_claim(&one, 7, up), CLAIM_MADE);
    }
}

TEST(no_claim_drives_another_one_out)
{
    struct record one = { 0 };

    for (uint64_t hash = 1; hash <= RECORD_CLAIMS; hash++)
        assert_int_equal(record_claim(&one, hash, 1000 + (int64_t)hash), CLAIM_MADE);
    assert_int_equal(record_claim(&one, 1000, 1100), CLAIM_REFUSED);
    for (uint64_t hash = 1; hash <= RECORD_CLAIMS; hash++)
        assert_int_equal(record_claim(&one, hash, 1100), CLAIM_TAKEN);
    assert_int_equal(record_claim(&one, 1000, 1302), CLAIM_MADE);
    assert_int_equal(record_claim(&one, 2, 1302), CLAIM_TAKEN);
}

/* The limit of creations */

TEST(an_hour_has_so_many_creations_and_no_more)
{
    struct record one = { 0 };

    for (int i = 0; i < RECORD_CREATIONS_HOUR; i++)
        assert_int_equal(record_create(&one, NOW + i), 0);
    assert_int_equal(record_create(&one, NOW + 100), NOW + HOUR);
    assert_int_equal(record_create(&one, NOW + HOUR - 1), NOW + HOUR);
    assert_int_equal(record_create(&one, NOW + HOUR), 0);
    assert_int_equal(record_create(&one, NOW + HOUR), NOW + HOUR + 1);
}

TEST(a_day_has_so_many_creations_and_no_more)
{
    struct record one = { 0 };
    int64_t now = NOW;

    for (int i = 0; i < RECORD_CREATIONS_DAY; i++, now += 600)
        assert_int_equal(record_create(&one, now), 0);
    assert_int_equal(record_create(&one, now), NOW + DAY);
    assert_int_equal(record_create(&one, NOW + DAY - 1), NOW + DAY);
    assert_int_equal(record_create(&one, NOW + DAY), 0);
    assert_int_equal(record_create(&one, NOW + DAY), NOW + DAY + 600);
}

/* Whatever an hour one looks at. */
TEST(no_hour_and_no_day_has_more_than_its_limit)
{
    enum { MINUTES = 4 * 24 * 60 };
    static bool created[MINUTES];
    struct record one = { 0 };
    uint32_t dice = 1;

    for (int minute = 0; minute < MINUTES; minute++) {
        int hour = 0, day = 0;
        dice = dice * 1664525 + 1013904223;
        created[minute] = (dice >> 16) % 8 != 0 && record_create(&one, NOW + minute * 60) == 0;
        for (int i = minute; i >= 0 && i > minute - 24 * 60; i--) {
            day += created[i];
            hour += i > minute - 60 && created[i];
        }
        assert_in_range(hour, 0, RECORD_CREATIONS_HOUR);
        assert_in_range(day, 0, RECORD_CREATIONS_DAY);
    }
}

TEST(a_clock_that_was_set_back_does_not_lengthen_the_limit)
{
    struct record one = { 0 };

    for (int i = 0; i < RECORD_CREATIONS_HOUR; i++)
        record_create(&one, NOW);
    assert_int_equal(record_create(&one, NOW - 100 * DAY), NOW - 100 * DAY + HOUR);
    assert_int_equal(record_create(&one, NOW - 100 * DAY + HOUR), 0);
}

/* Wrong codes */

TEST(thirty_wrong_codes_in_a_day_and_no_more)
{
    struct record one = { 0 };

    for (int i = 0; i < RECORD_WRONG_DAY; i++) {
        assert_int_equal(record_opens(&one, NOW + i), 0);
        record_count(&one, NOW + i);
        one.row = 0; /* right logins between them do not help */
    }
    assert_int_equal(record_opens(&one, NOW + 100), NOW + DAY);
    assert_int_equal(record_opens(&one, NOW + DAY - 1), NOW + DAY);
    assert_int_equal(record_opens(&one, NOW + DAY), 0);
    record_count(&one, NOW + DAY);
    assert_int_equal(record_opens(&one, NOW + DAY), NOW + 1 + DAY);
}

TEST(no_24_hours_have_more_wrong_codes_than_thirty)
{
    enum { MINUTES = 4 * 24 * 60 };
    static bool sent[MINUTES];
    struct record one = { 0 };
    uint32_t dice = 1;

    for (int minute = 0; minute < MINUTES; minute++) {
        int day = 0;
        dice = dice * 1664525 + 1013904223;
        sent[minute] = (dice >> 16) % 8 == 0 && record_opens(&one, NOW + minute * 60) == 0;
        if (sent[minute])
            record_count(&one, NOW + minute * 60);
        one.row = 0;
        for (int i = minute; i >= 0 && i > minute - 24 * 60; i--)
            day += sent[i];
        assert_in_range(day, 0, RECORD_WRONG_DAY);
    }
}

TEST(a_hundred_in_a_row_wait_for_somebody)
{
    struct record one = { 0 };

    for (int i = 0; i < RECORD_WRONG_ROW; i++) {
        assert_int_equal(record_opens(&one, NOW + i * HOUR), 0);
        record_count(&one, NOW + i * HOUR);
    }
    assert_true(record_opens(&one, NOW + 1000 * DAY) == RECORD_NEVER);
    record_forgive(&one);
    assert_int_equal(record_opens(&one, NOW), 0);
    assert_int_equal(record_wrong(&one), 0);
}

TEST(what_is_taken_back_leaves_the_others_and_is_never_below_nothing)
{
    struct record one = { 0 };

    record_take_back(&one, NOW);
    assert_int_equal(one.row, 0);
    for (int i = 0; i < 3; i++)
        record_count(&one, NOW + i);
    record_take_back(&one, NOW + 1);
    assert_int_equal(one.wrong_s[0], NOW + 2);
    assert_int_equal(one.wrong_s[1], NOW);
    assert_int_equal(one.wrong_s[2], 0);
    assert_int_equal(one.row, 2);
    record_take_back(&one, NOW + 50); /* it was rewritten meanwhile */
    assert_int_equal(record_wrong(&one), 1);
    assert_int_equal(one.wrong_s[0], NOW);
}

TEST(a_clock_that_was_set_back_locks_for_a_day_at_most)
{
    struct record one = { 0 };

    for (int i = 0; i < RECORD_WRONG_DAY; i++)
        record_count(&one, NOW + i);
    assert_int_equal(record_opens(&one, NOW - 100 * DAY), NOW - 99 * DAY);
    assert_int_equal(record_opens(&one, NOW - 99 * DAY), 0);
}

/* What the user is told */

TEST(wrong_codes_are_told_until_somebody_was_told_of_them)
{
    struct record one = { 0 };

    for (int i = 0; i < 3; i++)
        record_count(&one, NOW + i);
    assert_int_equal(one.untold, 3);
    assert_int_equal(one.untold_s, NOW);
    record_take_back(&one, NOW + 2);
    assert_int_equal(one.untold, 2);
    record_forgive(&one);
    assert_int_equal(one.untold, 2);

    record_count(&one, NOW + 50); /* while he was asked */
    record_tell(&one, 2, NOW + 10);
    assert_int_equal(one.untold, 1);
    assert_int_equal(one.untold_s, NOW + 10);
    record_tell(&one, 1, 0);
    assert_int_equal(one.untold, 0);
    assert_int_equal(one.untold_s, 0);
    record_tell(&one, 1, 0);
    assert_int_equal(one.untold, 0);
}

TEST(a_day_later_wrong_codes_are_still_told)
{
    struct record one = { 0 };

    record_count(&one, NOW);
    assert_int_equal(record_opens(&one, NOW + 100 * DAY), 0);
    assert_int_equal(one.untold, 1);
    assert_int_equal(one.untold_s, NOW);
}

TEST(a_clock_that_was_set_back_is_noticed)
{
    struct record one = { 0 };

    assert_false(record_is_ahead(&one, 0));
    record_count(&one, NOW);
    assert_false(record_is_ahead(&one, NOW));
    assert_true(record_is_ahead(&one, NOW - 1));
    record_opens(&one, NOW - 1);
    assert_false(record_is_ahead(&one, NOW - 1));
    assert_int_equal(one.untold_s, NOW - 1);
}

/* Recovery codes */

TEST(five_wrong_ones_are_free_and_then_each_doubles_the_delay)
{
    static const int64_t delays[] = { 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600 };
    struct usage one = { 0 };
    int64_t now = NOW;

    for (int i = 0; i < USAGE_TRIES; i++)
        assert_int_equal(usage_try(&one, now), 0);
    for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
        assert_int_equal(usage_try(&one, now), now + delays[i]);
        assert_int_equal(usage_try(&one, now + delays[i] - 1), now + delays[i]);
        now += delays[i];
        assert_int_equal(usage_try(&one, now), 0);
    }
    assert_int_equal(usage_try(&one, now + DAY), 0);
    assert_int_equal(one.tries, 1);
}

TEST(a_delay_is_neither_lengthened_nor_lost_when_the_clock_is_set_back)
{
    struct usage one = { 0 };

    for (int i = 0; i < USAGE_TRIES; i++)
        usage_try(&one, NOW);
    assert_int_equal(usage_try(&one, NOW - DAY), NOW - DAY + 30);
    assert_int_equal(usage_try(&one, NOW - DAY + 30), 0);
}

TEST(a_delay_is_known_without_a_try)
{
    struct usage one = { 0 };

    for (int i = 0; i < USAGE_TRIES; i++) {
        assert_int_equal(usage_delay(&one, NOW), 0);
        assert_int_equal(one.tries, i);
        usage_try(&one, NOW);
    }
    assert_int_equal(usage_delay(&one, NOW + 1), NOW + 30);
    assert_int_equal(usage_delay(&one, NOW + 29), NOW + 30);
    assert_int_equal(usage_delay(&one, NOW + 30), 0);
    assert_int_equal(one.tries, USAGE_TRIES);
}

/* How the last login ended */

TEST(a_denied_login_counts_as_the_last_one_for_a_minute)
{
    struct record one = { .denied_s = NOW };

    assert_true(record_was_denied(&one, NOW));
    assert_true(record_was_denied(&one, NOW + 59));
    assert_false(record_was_denied(&one, NOW + 60));
    assert_false(record_was_denied(&one, NOW - 1)); /* the clock was set back */
    one.denied_s = 0;
    assert_false(record_was_denied(&one, 0));
    assert_false(record_was_denied(&one, NOW));
}

TEST(what_remains_of_a_set_is_never_more_or_less_than_it_has)
{
    static const struct {
        uint64_t used;
        int left;
    } rows[] = { { 0, 10 }, { 1, 9 }, { 0x3ff, 0 }, { UINT64_MAX, 0 }, { UINT64_MAX << 10, 10 } };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(usage_left(&(struct usage_set){ .used = rows[i].used }, 10), rows[i].left);
}

/* The file */

static int open_kind(const struct statefile *kind, const char *directory)
{
    struct verdict why_not;
    bool is_absent;
    int file = statefile_open(kind, directory, "alice", O_RDWR | O_CREAT, &is_absent, &why_not);

    assert_true(file >= 0);
    return file;
}

static int open_file(const char *directory)
{
    return open_kind(&record_file, directory);
}

static void assert_locked(int file, struct record *state, enum statefile_locked locked,
                          const char *part)
{
    struct record before = *state;
    struct verdict why_not = { 0 };

    assert_int_equal(record_lock(file, state, &why_not), locked);
    if (locked == STATEFILE_LOCKED)
        return;
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, part);
    assert_memory_equal(state, &before, sizeof before);
}

static void write_record(int file, struct record *record)
{
    struct verdict why_not;

    assert_true(statefile_write(&record_file, file, record, false, &why_not));
}

TEST_IN_DIRECTORY(a_new_file_is_empty_and_what_is_written_is_read)
{
    int file = open_file(directory);
    struct record was, is;
    struct stat status;

    assert_locked(file, &was, STATEFILE_LOCKED, "");
    assert_int_equal(was.row, 0);
    record_claim(&was, 7, 1000);
    write_record(file, &was);
    statefile_unlock(file);
    close(file);

    file = open_file(directory);
    assert_locked(file, &is, STATEFILE_LOCKED, "");
    assert_memory_equal(&is, &was, sizeof is);
    assert_int_equal(fstat(file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    close(file);
}

TEST_IN_DIRECTORY(a_set_is_found_by_its_name_in_the_file_that_it_was_made_for)
{
    int file = open_kind(&usage_file, directory), other = open_file(directory);
    char identity[STATEFILE_IDENTITY_SIZE];
    struct recovery recovery = { .set = (char *)SET, .state = identity };
    struct usage one = { 0 };

    assert_true(statefile_identify(file, identity));
    assert_null(usage_find(&one, file, &recovery));
    memcpy(one.sets[1].id, SET, RECOVERY_SET_SIZE);
    assert_ptr_equal(usage_find(&one, file, &recovery), &one.sets[1]);
    assert_null(usage_find(&one, other, &recovery));
    close(other);
    close(file);
}

/* A killed process leaves a file that was made, and not yet written. */
TEST_IN_DIRECTORY(whatever_byte_is_damaged_is_noticed)
{
    int file = open_file(directory);
    struct record one = { 0 };

    assert_locked(file, &one, STATEFILE_LOCKED, "");
    write_record(file, &one);
    statefile_unlock(file);
    for (off_t at = 0; at < (off_t)sizeof one; at += 97) {
        unsigned char byte;
        assert_int_equal(pread(file, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
        assert_locked(file, &one, STATEFILE_UNUSABLE, "damaged: remove it");
        byte ^= 0x10;
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
    }
    assert_locked(file, &one, STATEFILE_LOCKED, "");
    statefile_unlock(file);
    assert_int_equal(ftruncate(file, sizeof one - 1), 0);
    assert_locked(file, &one, STATEFILE_UNUSABLE, "damaged");
    close(file);
}

TEST_IN_DIRECTORY(numbers_that_nobody_writes_are_damage)
{
    int file = open_file(directory);
    int64_t wrong[] = { -1, INT64_MIN, INT64_MAX, (int64_t)1 << 40 };
    struct record one = { 0 }, other = { 0 };

    assert_locked(file, &one, STATEFILE_LOCKED, "");
    statefile_unlock(file);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        for (int member = 0; member < 7; member++) {
            struct record bad = one;
            int64_t *members[] = { &bad.untold,
                                   &bad.untold_s,
                                   &bad.creations_s[3],
                                   &bad.claims[5].boottime_s,
                                   &bad.denied_s,
                                   &bad.wrong_s[7],
                                   &bad.row };
            *members[member] = wrong[i];
            write_record(file, &bad);
            assert_locked(file, &other, STATEFILE_UNUSABLE, "damaged");
        }
    close(file);
}

TEST_IN_DIRECTORY(a_lock_that_somebody_keeps_is_not_waited_for_for_ever)
{
    int holder = open_file(directory), file = open_file(directory);
    struct record one = { 0 };

    assert_int_equal(flock(holder, LOCK_EX), 0);
    assert_locked(file, &one, STATEFILE_BUSY, "is locked by another process");
    close(holder);
    assert_locked(file, &one, STATEFILE_LOCKED, "");
    close(file);
}

static int try_open(const char *directory, struct verdict *why_not)
{
    bool is_absent = true;
    int file =
        statefile_open(&record_file, directory, "alice", O_RDWR | O_CREAT, &is_absent, why_not);

    assert_false(is_absent);
    return file;
}

TEST_IN_DIRECTORY(a_file_of_others_is_not_opened)
{
    struct verdict why_not;
    const char *path = directory_path(directory, "alice.sent");

    directory_write(directory, "alice.sent", "", 0622);
    assert_int_equal(try_open(directory, &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "writable by others");
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(try_open(directory, &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "must not be a symbolic link");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(try_open(directory, &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "not a regular file");
    unlink(path);
    assert_int_equal(chmod(directory, 0777), 0);
    assert_int_equal(try_open(directory, &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "writable by others");
    assert_int_equal(chmod(directory, 0700), 0);
    assert_int_equal(try_open(directory_path(directory, "none"), &why_not), -1);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "No such file");
}

TEST_IN_DIRECTORY(a_copy_is_another_file)
{
    int file = open_file(directory), copy;
    char one[STATEFILE_IDENTITY_SIZE], other[STATEFILE_IDENTITY_SIZE],
        again[STATEFILE_IDENTITY_SIZE];

    assert_true(statefile_identify(file, one));
    assert_int_equal(
        rename(directory_path(directory, "alice.sent"), directory_path(directory, "kept")), 0);
    copy = open_file(directory);
    assert_true(statefile_identify(copy, other));
    assert_string_not_equal(one, other);
    assert_true(statefile_identify(file, again));
    assert_string_equal(one, again);
    close(copy);
    close(file);
}

/* Pushes */

TEST(three_pushes_in_five_minutes_and_no_more)
{
    struct record one = { 0 };

    assert_int_equal(record_push(&one, NOW), 0);
    assert_int_equal(record_push(&one, NOW + 10), 0);
    assert_int_equal(record_push(&one, NOW + 20), 0);
    assert_int_equal(record_push(&one, NOW + 20), NOW + 300);
    assert_int_equal(record_push(&one, NOW + 299), NOW + 300);
    assert_int_equal(record_push(&one, NOW + 300), 0);
    assert_int_equal(record_push(&one, NOW + 300), NOW + 310);
    /* The clock was set back. */
    assert_int_equal(record_push(&one, NOW - DAY), NOW - DAY + 300);
    assert_int_equal(record_push(&one, NOW - DAY + 300), 0);
}

TEST(a_denied_push_is_the_last_one_for_an_hour)
{
    struct record one = { 0 };

    record_stop_push(&one, 0, NOW);
    assert_int_equal(record_wrong(&one), 0);
    assert_int_equal(record_push(&one, NOW + HOUR - 1), NOW + HOUR);
    assert_int_equal(record_push(&one, NOW - 5), NOW - 5 + HOUR);
    assert_int_equal(record_push(&one, NOW - 5 + HOUR), 0);
    record_stop_push(&one, 0, NOW);
    record_forgive(&one);
    assert_int_equal(record_push(&one, NOW + 1), 0);
}

TEST(a_wrong_number_counts_as_ten_wrong_codes)
{
    struct record one = { 0 };

    record_stop_push(&one, 10, NOW);
    assert_int_equal(record_wrong(&one), 10);
    assert_int_equal(one.row, 10);
    assert_int_equal(one.untold, 10);
    record_stop_push(&one, 10, NOW);
    record_stop_push(&one, 10, NOW + 1);
    assert_int_equal(record_opens(&one, NOW + 2), NOW + DAY);
    one.row = RECORD_WRONG_ROW - 1;
    record_stop_push(&one, 10, NOW + 1);
    assert_int_equal(one.row, RECORD_WRONG_ROW);
    assert_int_equal(record_wrong(&one), RECORD_WRONG_DAY);
}
