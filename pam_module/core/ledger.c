/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers between the logins of one user. */
#include "ledger.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

/* The file, locked, and what it says. */
struct page {
    int file;
    struct record record;
};

void ledger_begin(struct ledger *ledger, const char *state_dir, const char *user,
                  const struct recovery *recovery, const char *secret)
{
    static const uint8_t purposes[2][SIPHASH_KEY_SIZE] = { "claims, half 1", "claims, half 2" };

    *ledger = (struct ledger){ .state_dir = state_dir, .user = user, .recovery = recovery };
    for (size_t i = 0; i < 2; i++) {
        uint64_t half = siphash(purposes[i], secret, strlen(secret));
        memcpy(ledger->key + i * sizeof half, &half, sizeof half);
    }
}

void ledger_make(const struct ledger *ledger)
{
    struct verdict told_later;
    int file = -1;

    if (ledger->user != NULL)
        file = record_open(ledger->state_dir, ledger->user, true, &told_later);
    if (file >= 0)
        close(file);
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

/* The caller closes with close_page(). On RECORD_BUSY *WHY_NOT tells, on RECORD_UNUSABLE the note. */
static enum record_locked open_page(struct ledger *ledger, struct page *ret_page,
                                    struct verdict *why_not)
{
    enum record_locked locked = RECORD_UNUSABLE;

    ret_page->file = record_open(ledger->state_dir, ledger->user, true, why_not);
    if (ret_page->file >= 0)
        locked = record_lock(ret_page->file, &ret_page->record, why_not);
    if (locked == RECORD_UNUSABLE)
        forget(ledger, why_not);
    if (locked != RECORD_LOCKED && ret_page->file >= 0)
        close(ret_page->file);
    return locked;
}

/* Whether nothing was remembered yet: who only asks makes no file. */
static bool is_new(const struct ledger *ledger)
{
    return record_is_absent(ledger->state_dir, ledger->user);
}

/* False: the note tells. */
static bool write_page(struct ledger *ledger, struct page *page, bool for_good)
{
    struct verdict why_not;

    if (record_write(page->file, &page->record, for_good, &why_not))
        return true;
    forget(ledger, &why_not);
    return false;
}

static void close_page(const struct page *page)
{
    record_unlock(page->file);
    close(page->file);
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

/* As the user's clock has it. */
static void print_clock(int64_t time_s, char text[LEDGER_TEXT_SIZE])
{
    time_t then = time_s, now = now_s(CLOCK_REALTIME);
    struct tm at = { 0 }, today = { 0 };

    localtime_r(&then, &at);
    localtime_r(&now, &today);
    strftime(text, LEDGER_TEXT_SIZE,
             at.tm_yday == today.tm_yday && at.tm_year == today.tm_year ? "%H:%M"
                                                                        : "%Y-%m-%d %H:%M",
             &at);
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

bool ledger_is_locked(struct ledger *ledger, char text[LEDGER_TEXT_SIZE], struct verdict *why_not)
{
    struct page page;
    struct verdict unread;
    char when[LEDGER_TEXT_SIZE];
    int64_t opens_s;

    if (is_new(ledger) || open_page(ledger, &page, &unread) != RECORD_LOCKED)
        return false;
    opens_s = record_opens(&page.record, now_s(CLOCK_REALTIME));
    close_page(&page);
    if (opens_s == 0)
        return false;

    refuse_wrong(ledger, opens_s, why_not);
    print_clock(opens_s, when);
    if (opens_s == RECORD_NEVER)
        snprintf(text, LEDGER_TEXT_SIZE,
                 "Too many wrong codes: use a recovery code, or ask an administrator. ");
    else
        snprintf(text, LEDGER_TEXT_SIZE, "Too many wrong codes until %.16s: use a recovery code. ",
                 when);
    return true;
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
    if (!write_page(ledger, page, false))
        return CLAIM_UNRECORDED;
    ledger->counted_s = now;
    *ret_counts = (struct ledger_counts){ record_wrong(&page->record), (int)page->record.row };
    return CLAIM_MADE;
}

enum claim ledger_claim(struct ledger *ledger, const char *code, struct ledger_counts *ret_counts,
                        struct verdict *why_not)
{
    struct page page;
    enum claim claimed;

    ledger->counted_s = 0;
    switch (open_page(ledger, &page, why_not)) {
    case RECORD_UNUSABLE:
        return CLAIM_UNRECORDED;
    case RECORD_BUSY:
        return CLAIM_REFUSED;
    case RECORD_LOCKED:
        break;
    }
    claimed = claim(ledger, &page, code, ret_counts, why_not);
    close_page(&page);
    return claimed;
}

void ledger_take_back(struct ledger *ledger)
{
    struct page page;
    struct verdict why_not;

    if (ledger->counted_s == 0 || open_page(ledger, &page, &why_not) != RECORD_LOCKED)
        return;
    record_take_back(&page.record, ledger->counted_s);
    write_page(ledger, &page, false);
    close_page(&page);
    ledger->counted_s = 0;
}

void ledger_release(struct ledger *ledger, const char *code)
{
    struct page page;
    struct verdict why_not;

    ledger->counted_s = 0;
    if (open_page(ledger, &page, &why_not) != RECORD_LOCKED)
        return;
    record_release(&page.record, hash(ledger, code));
    write_page(ledger, &page, false);
    close_page(&page);
}

int64_t ledger_count(struct ledger *ledger, struct verdict *why_not)
{
    struct page page;
    char when[TEXT_TIME_SIZE];
    int64_t now = now_s(CLOCK_REALTIME), opens_s;

    switch (open_page(ledger, &page, why_not)) {
    case RECORD_UNUSABLE:
        return 0;
    case RECORD_BUSY:
        return -1;
    case RECORD_LOCKED:
        break;
    }
    opens_s = record_create(&page.record, now);
    write_page(ledger, &page, false);
    close_page(&page);
    if (opens_s == 0)
        return 0;
    verdict_refuse(
        why_not, OUTCOME_EXHAUSTED,
        "%s reached this host's limit of %d challenges an hour and %d a day: wait until %s",
        ledger->user, RECORD_CREATIONS_HOUR, RECORD_CREATIONS_DAY, text_print_time(opens_s, when));
    return opens_s - now;
}

/* The used codes of the set that is valid, in the file that it was made for. NULL: the note tells. */
static struct record_set *find_set(struct ledger *ledger, struct page *page)
{
    char identity[RECORD_IDENTITY_SIZE];
    struct record_set *set = record_find(&page->record, ledger->recovery->set);

    if (set != NULL && record_identify(page->file, identity) &&
        strcmp(identity, ledger->recovery->state) == 0)
        return set;
    verdict_refuse(&ledger->note, OUTCOME_DENIED,
                   "the file in state_dir is not the one that the recovery codes were made with: "
                   "make new ones with twilio-verify recovery-codes %s",
                   ledger->user);
    return NULL;
}

/* Counts the try as a wrong one, before anything is hashed. False: not now; the note tells. */
static bool begin_try(struct ledger *ledger)
{
    struct page page;
    int64_t opens_s;
    bool is_written;

    if (open_page(ledger, &page, &ledger->note) != RECORD_LOCKED)
        return false;
    opens_s = record_try(&page.record, now_s(CLOCK_REALTIME));
    is_written = write_page(ledger, &page, false);
    close_page(&page);
    if (opens_s != 0) {
        char when[TEXT_TIME_SIZE];
        return verdict_refuse(&ledger->note, OUTCOME_DENIED,
                              "%d wrong recovery codes: no recovery code is accepted until %s",
                              (int)page.record.tries, text_print_time(opens_s, when));
    }
    return is_written;
}

/* The code NUMBER of the set is right: uses it up. How many remain, -1: it was used. */
static int use_up(struct ledger *ledger, struct page *page, int number)
{
    struct record_set *set = find_set(ledger, page);
    uint64_t bit = (uint64_t)1 << number;

    if (set == NULL)
        return -1;
    if (set->used & bit) {
        verdict_refuse(&ledger->note, OUTCOME_DENIED, "the recovery code was used before");
        return -1;
    }
    set->used |= bit;
    page->record.tries = 0;
    /* Nobody is let in before it is on the disk: a crash gives none back. */
    if (!write_page(ledger, page, true))
        return -1;
    return record_left(set, recovery_count(ledger->recovery));
}

int ledger_recover(struct ledger *ledger, const char *code)
{
    struct page page;
    int number, remain;

    if (ledger->recovery != NULL && !begin_try(ledger))
        return -1;
    /* Who has no codes waits as long. */
    number = recovery_match(ledger->recovery, code);
    if (number == RECOVERY_NOT_HASHED)
        verdict_refuse(&ledger->note, OUTCOME_MISCONFIGURED,
                       "cannot hash a recovery code: out of memory, or invalid salt");
    if (number < 0 || open_page(ledger, &page, &ledger->note) != RECORD_LOCKED)
        return -1;
    remain = use_up(ledger, &page, number);
    close_page(&page);
    return remain;
}

bool ledger_can_recover(struct ledger *ledger)
{
    struct page page;
    const struct record_set *set;
    bool can;

    if (ledger->recovery == NULL || open_page(ledger, &page, &ledger->note) != RECORD_LOCKED)
        return false;
    set = find_set(ledger, &page);
    can = set != NULL && record_left(set, recovery_count(ledger->recovery)) > 0 &&
          record_delay(&page.record, now_s(CLOCK_REALTIME)) == 0;
    close_page(&page);
    return can;
}

bool ledger_was_denied(struct ledger *ledger)
{
    struct page page;
    struct verdict why_not;
    bool was_denied;

    if (is_new(ledger) || open_page(ledger, &page, &why_not) != RECORD_LOCKED)
        return false;
    was_denied = record_was_denied(&page.record, now_s(CLOCK_REALTIME));
    close_page(&page);
    return was_denied;
}

/* What an approved login takes away. */
static void clear(struct ledger *ledger, struct record *record)
{
    if (ledger->counted_s != 0)
        record_take_back(record, ledger->counted_s);
    ledger->counted_s = 0;
    record->row = 0;
}

void ledger_note_end(struct ledger *ledger, bool is_denied)
{
    struct page page;
    struct record before;
    struct verdict why_not;

    if (open_page(ledger, &page, &why_not) != RECORD_LOCKED)
        return;
    before = page.record;
    page.record.denied_s = is_denied ? now_s(CLOCK_REALTIME) : 0;
    if (!is_denied)
        clear(ledger, &page.record);
    if (memcmp(&before, &page.record, sizeof before) != 0)
        write_page(ledger, &page, false);
    close_page(&page);
}

void ledger_end(struct ledger *ledger)
{
    explicit_bzero(ledger->key, sizeof ledger->key);
}
