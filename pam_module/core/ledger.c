/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers of the codes that one user sent. */
#include "ledger.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "descriptor.h"
#include "text.h"

/* The file, locked until it is closed, and what it says. */
struct page {
    int file;
    struct record record;
};

static void close_page(struct page *page)
{
    descriptor_close(&page->file);
}

#define auto_page __attribute__((cleanup(close_page))) struct page

void ledger_begin(struct ledger *ledger, const char *state_dir, const char *user, bool is_silent,
                  const char *secret)
{
    static const uint8_t purposes[2][SIPHASH_KEY_SIZE] = { "claims, half 1", "claims, half 2" };

    *ledger = (struct ledger){ .state_dir = state_dir, .user = user, .is_silent = is_silent };
    for (size_t i = 0; i < 2; i++) {
        uint64_t half = siphash(purposes[i], secret, strlen(secret));
        memcpy(ledger->key + i * sizeof half, &half, sizeof half);
    }
}

static int64_t now_s(clockid_t clock)
{
    struct timespec now = { 0 };

    clock_gettime(clock, &now);
    return now.tv_sec;
}

static void forget(struct ledger *ledger, const struct verdict *why)
{
    verdict_refuse(&ledger->note, why->outcome, "cannot store used codes: %s", why->reason);
}

/* Opens the file with FLAGS besides. On STATEFILE_BUSY *WHY_NOT says why. */
static enum statefile_locked lock_page(const struct ledger *ledger, int flags,
                                       struct page *ret_page, struct verdict *why_not)
{
    bool is_absent;

    ret_page->file = statefile_open(&record_file, ledger->state_dir, ledger->user, O_RDWR | flags,
                                    &is_absent, why_not);
    return ret_page->file >= 0 ? record_lock(ret_page->file, &ret_page->record, why_not)
                               : STATEFILE_UNUSABLE;
}

/* The same; on STATEFILE_UNUSABLE the note says why. */
static enum statefile_locked open_page(struct ledger *ledger, struct page *ret_page,
                                       struct verdict *why_not)
{
    enum statefile_locked locked = lock_page(ledger, O_CREAT, ret_page, why_not);

    if (locked == STATEFILE_UNUSABLE)
        forget(ledger, why_not);
    return locked;
}

/* False: the note says why. */
static bool write_page(struct ledger *ledger, struct page *page)
{
    struct verdict why_not;

    if (statefile_write(&record_file, page->file, &page->record, false, &why_not))
        return true;
    forget(ledger, &why_not);
    return false;
}

void ledger_make(const struct ledger *ledger)
{
    struct verdict told_later;
    auto_page page = { .file = -1 };

    if (ledger->user != NULL &&
        lock_page(ledger, O_CREAT | O_EXCL, &page, &told_later) == STATEFILE_LOCKED)
        statefile_write(&record_file, page.file, &page.record, false, &told_later);
}

/* Of user and code, so that no two of either have one in common; never 0. */
static uint64_t hash(const struct ledger *ledger, const char *code)
{
    char text[512];
    int length = snprintf(text, sizeof text, "%s/%s", ledger->user, code);
    uint64_t hash = siphash(ledger->key, text, (size_t)length);

    explicit_bzero(text, sizeof text);
    return hash != 0 ? hash : 1;
}

enum { CLOCK_SIZE = sizeof "2026-11-28 14:02" };

/* As the user's clock has it; "" for a time that no calendar has. */
static void print_clock(int64_t time_s, char text[CLOCK_SIZE])
{
    time_t then = time_s, now = now_s(CLOCK_REALTIME);
    struct tm at = { 0 }, today = { 0 };
    bool is_today;

    localtime_r(&then, &at);
    localtime_r(&now, &today);
    is_today = at.tm_yday == today.tm_yday && at.tm_year == today.tm_year;
    if (strftime(text, CLOCK_SIZE, is_today ? "%H:%M" : "%Y-%m-%d %H:%M", &at) == 0)
        *text = '\0';
}

/* Says what a limit that opens at OPENS_S is to the log. */
static void refuse_wrong(const struct ledger *ledger, int64_t opens_s, struct verdict *why_not)
{
    char when[TEXT_TIME_SIZE];

    text_print_time(opens_s, when);
    if (opens_s == RECORD_NEVER)
        verdict_refuse(why_not, OUTCOME_EXHAUSTED,
                       "%d wrong codes in a row: twilio-verify unlock %s", RECORD_WRONG_ROW,
                       ledger->user);
    else
        verdict_refuse(why_not, OUTCOME_EXHAUSTED, "%d wrong codes in 24 h, until %s",
                       RECORD_WRONG_DAY, when);
}

/* What the question says of a limit that opens at OPENS_S, or, where that is 0, of wrong codes. */
static void print_text(const struct record *record, int64_t opens_s, char text[LEDGER_TEXT_SIZE])
{
    char when[CLOCK_SIZE];

    print_clock(opens_s != 0 ? opens_s : record->untold_s, when);
    if (opens_s == RECORD_NEVER)
        snprintf(text, LEDGER_TEXT_SIZE,
                 "Too many wrong codes: use a recovery code, or ask an administrator. ");
    else if (opens_s != 0)
        snprintf(text, LEDGER_TEXT_SIZE, "Too many wrong codes until %s: use a recovery code. ",
                 when);
    else
        snprintf(text, LEDGER_TEXT_SIZE, "%d wrong code%s since %s. ", (int)record->untold,
                 record->untold == 1 ? "" : "s", when);
}

/* False: there is none, or it can't be read. */
static bool read_record(const struct ledger *ledger, struct record *ret_record)
{
    struct verdict why_not;
    bool is_absent;
    auto_close file = statefile_open(&record_file, ledger->state_dir, ledger->user, O_RDONLY,
                                     &is_absent, &why_not);

    return file >= 0 && record_read(file, ret_record);
}

/* The clock was set back: the limit must not hold for longer than from now on. */
static void correct(const struct ledger *ledger, int64_t now)
{
    struct verdict why_not;
    auto_page page = { .file = -1 };

    if (lock_page(ledger, 0, &page, &why_not) != STATEFILE_LOCKED)
        return;
    record_opens(&page.record, now);
    statefile_write(&record_file, page.file, &page.record, false, &why_not);
}

void ledger_look(struct ledger *ledger, struct ledger_look *ret_look, struct verdict *why_not)
{
    int64_t now = now_s(CLOCK_REALTIME), opens_s;
    struct record record;

    *ret_look = (struct ledger_look){ .is_locked = false };
    if (!read_record(ledger, &record))
        return;
    if (record_is_ahead(&record, now))
        correct(ledger, now);

    opens_s = record_opens(&record, now);
    ret_look->is_locked = opens_s != 0;
    ret_look->untold = record.untold;
    ret_look->was_denied = record_was_denied(&record, now);
    ledger->looked_s = now;
    if (ret_look->is_locked)
        refuse_wrong(ledger, opens_s, why_not);
    else if (!ledger->is_silent)
        ledger->told = record.untold;
    if (ret_look->is_locked || ledger->told > 0)
        print_text(&record, opens_s, ret_look->text);
}

/* Counts and claims in one write: nothing is sent that is not counted, whatever kills us. */
static enum claim claim(struct ledger *ledger, struct page *page, const char *code,
                        struct ledger_counts *ret_counts, struct verdict *why_not)
{
    int64_t now = now_s(CLOCK_REALTIME), opens_s = record_opens(&page->record, now);
    enum claim claimed;

    if (opens_s != 0) {
        refuse_wrong(ledger, opens_s, why_not);
        return CLAIM_REFUSED;
    }
    claimed = record_claim(&page->record, hash(ledger, code), now_s(CLOCK_BOOTTIME));
    if (claimed == CLAIM_REFUSED)
        verdict_refuse(why_not, OUTCOME_DENIED, "%d codes were used on this host in %d s",
                       RECORD_CLAIMS, RECORD_CLAIM_SECONDS);
    if (claimed != CLAIM_MADE)
        return claimed;

    record_count(&page->record, now);
    if (!write_page(ledger, page))
        return CLAIM_UNRECORDED;
    ledger->counted_s = now;
    ledger->own++;
    *ret_counts = (struct ledger_counts){ record_wrong(&page->record), (int)page->record.row };
    return CLAIM_MADE;
}

enum claim ledger_claim(struct ledger *ledger, const char *code, struct ledger_counts *ret_counts,
                        struct verdict *why_not)
{
    auto_page page = { .file = -1 };
    enum statefile_locked locked = open_page(ledger, &page, why_not);

    ledger->counted_s = 0;
    if (locked != STATEFILE_LOCKED)
        return locked == STATEFILE_UNUSABLE ? CLAIM_UNRECORDED : CLAIM_REFUSED;
    return claim(ledger, &page, code, ret_counts, why_not);
}

void ledger_take_back(struct ledger *ledger)
{
    auto_page page = { .file = -1 };
    struct verdict why_not;

    if (ledger->counted_s == 0 || open_page(ledger, &page, &why_not) != STATEFILE_LOCKED)
        return;
    record_take_back(&page.record, ledger->counted_s);
    write_page(ledger, &page);
    ledger->counted_s = 0;
    ledger->own--;
}

void ledger_release(struct ledger *ledger, const char *code)
{
    auto_page page = { .file = -1 };
    struct verdict why_not;

    ledger->counted_s = 0;
    if (open_page(ledger, &page, &why_not) != STATEFILE_LOCKED)
        return;
    record_release(&page.record, hash(ledger, code));
    write_page(ledger, &page);
}

static void refuse_creation(const struct ledger *ledger, int64_t opens_s, struct verdict *why_not)
{
    char when[TEXT_TIME_SIZE];

    verdict_refuse(
        why_not, OUTCOME_EXHAUSTED,
        "%s reached this host's limit of %d challenges an hour and %d a day: wait until %s",
        ledger->user, RECORD_CREATIONS_HOUR, RECORD_CREATIONS_DAY, text_print_time(opens_s, when));
}

int64_t ledger_count(struct ledger *ledger, struct verdict *why_not)
{
    auto_page page = { .file = -1 };
    int64_t now = now_s(CLOCK_REALTIME), opens_s;
    enum statefile_locked locked = open_page(ledger, &page, why_not);

    if (locked != STATEFILE_LOCKED)
        return locked == STATEFILE_UNUSABLE ? 0 : -1;
    opens_s = record_create(&page.record, now);
    write_page(ledger, &page);
    if (opens_s == 0)
        return 0;
    refuse_creation(ledger, opens_s, why_not);
    return opens_s - now;
}

static void refuse_push(const struct ledger *ledger, int64_t opens_s, struct verdict *why_not)
{
    char when[TEXT_TIME_SIZE];

    verdict_refuse(why_not, OUTCOME_EXHAUSTED,
                   "no push to %s until %s: %d in %d min are the most, and none for an hour after "
                   "one was denied or its number was wrong",
                   ledger->user, text_print_time(opens_s, when), RECORD_PUSHES,
                   RECORD_PUSH_SECONDS / 60);
}

/* As ledger_push(), in the record alone. */
static int64_t count_push(const struct ledger *ledger, struct record *record,
                          struct verdict *why_not)
{
    int64_t now = now_s(CLOCK_REALTIME), opens_s = record_opens(record, now);

    if (opens_s != 0) {
        refuse_wrong(ledger, opens_s, why_not);
        return -1;
    }
    opens_s = record_push(record, now);
    if (opens_s != 0) {
        refuse_push(ledger, opens_s, why_not);
        return opens_s - now;
    }
    opens_s = record_create(record, now);
    if (opens_s != 0) {
        refuse_creation(ledger, opens_s, why_not);
        return opens_s - now;
    }
    return 0;
}

/* Always -1. */
static int64_t refuse_uncounted(struct verdict *why_not)
{
    verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "no push was sent: it cannot be counted");
    return -1;
}

int64_t ledger_push(struct ledger *ledger, struct verdict *why_not)
{
    auto_page page = { .file = -1 };
    int64_t opens_s;
    enum statefile_locked locked = open_page(ledger, &page, why_not);

    if (locked != STATEFILE_LOCKED)
        return locked == STATEFILE_UNUSABLE ? refuse_uncounted(why_not) : -1;
    opens_s = count_push(ledger, &page.record, why_not);
    return opens_s != 0 || write_page(ledger, &page) ? opens_s : refuse_uncounted(why_not);
}

bool ledger_stop_push(struct ledger *ledger)
{
    auto_page page = { .file = -1 };
    struct verdict why_not;

    if (open_page(ledger, &page, &why_not) != STATEFILE_LOCKED)
        return false;
    record_stop_push(&page.record, 0, now_s(CLOCK_REALTIME));
    return write_page(ledger, &page);
}

/* Always false. */
static bool refuse_guess(struct verdict *why_not)
{
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "the number was not compared: the guess cannot be counted");
}

/* Counts a guess, unless none may be made any more. False: the verdict tells. */
static bool count_guess(struct ledger *ledger, struct page *page, struct verdict *why_not)
{
    int64_t now = now_s(CLOCK_REALTIME), opens_s = record_opens(&page->record, now);

    if (opens_s != 0) {
        refuse_wrong(ledger, opens_s, why_not);
        return false;
    }
    if (record_push_stopped(&page->record, now) != 0)
        return verdict_refuse(why_not, OUTCOME_EXHAUSTED,
                              "the number was not compared: another push of %s was denied, or its "
                              "number was wrong, after this one was sent",
                              ledger->user);
    record_stop_push(&page->record, LEDGER_GUESS_COSTS, now);
    return write_page(ledger, page) || refuse_guess(why_not);
}

/* In constant time. */
static bool is_number(const char *text, int number)
{
    return strlen(text) == 2 &&
           ((text[0] ^ ('0' + number / 10)) | (text[1] ^ ('0' + number % 10))) == 0;
}

/* As ledger_guess(), with the lock. */
static enum ledger_guess guess(struct ledger *ledger, struct page *page, const char *typed,
                               int number, struct verdict *why_not)
{
    struct record before = page->record;

    if (!count_guess(ledger, page, why_not))
        return LEDGER_GUESS_REFUSED;
    if (!is_number(typed, number))
        return LEDGER_GUESS_WRONG;
    page->record = before;
    write_page(ledger, page);
    return LEDGER_GUESS_RIGHT;
}

enum ledger_guess ledger_guess(struct ledger *ledger, const char *typed, int number,
                               struct verdict *why_not)
{
    auto_page page = { .file = -1 };

    switch (open_page(ledger, &page, why_not)) {
    case STATEFILE_UNUSABLE:
        refuse_guess(why_not);
        return LEDGER_GUESS_REFUSED;
    case STATEFILE_BUSY:
        return LEDGER_GUESS_REFUSED;
    case STATEFILE_LOCKED:
        break;
    }
    return guess(ledger, &page, typed, number, why_not);
}

/* What a login that let in takes away. */
static void clear(struct ledger *ledger, struct record *record, bool is_code_right)
{
    if (is_code_right && ledger->counted_s != 0) {
        record_take_back(record, ledger->counted_s);
        ledger->own--;
    }
    record->row = 0;
    record_tell(record, ledger->own + ledger->told, ledger->told > 0 ? ledger->looked_s : 0);
}

void ledger_note_end(struct ledger *ledger, enum ledger_end end)
{
    auto_page page = { .file = -1 };
    struct record before;
    struct verdict why_not;

    if (open_page(ledger, &page, &why_not) != STATEFILE_LOCKED)
        return;
    before = page.record;
    page.record.denied_s = end == LEDGER_DENIED ? now_s(CLOCK_REALTIME) : 0;
    if (end != LEDGER_DENIED)
        clear(ledger, &page.record, end == LEDGER_APPROVED);
    if (memcmp(&before, &page.record, sizeof before) != 0)
        write_page(ledger, &page);
}

void ledger_end(struct ledger *ledger)
{
    explicit_bzero(ledger->key, sizeof ledger->key);
}
