/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Which recovery codes of a user were used. */
#include "usage.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "descriptor.h"
#include "text.h"

enum { DAY = 24 * 60 * 60 };

enum { TRIES_MAX = 1000 }; /* are counted: far more than lengthen the delay */

const struct statefile usage_file = { ".used", "ptvused4", sizeof(struct usage) };

/* The first layout: the codes and the challenges of the app stood before the recovery codes. */
struct first {
    char magic[STATEFILE_MAGIC_SIZE];
    int64_t app[128 + 90];
    int64_t tried_s, tries;
    struct usage_set sets[USAGE_SETS];
    uint64_t checksum;
};

static const struct statefile first_file = { ".used", "ptvused1", sizeof(struct first) };

/* No recovery code that was used before an upgrade counts again. */
static bool read_first(int file, struct usage *ret_usage)
{
    struct first first;

    if (!statefile_read(&first_file, file, &first))
        return false;
    *ret_usage = (struct usage){ .tried_s = first.tried_s, .tries = first.tries };
    memcpy(ret_usage->sets, first.sets, sizeof first.sets);
    return true;
}

bool usage_read(int file, struct usage *ret_usage)
{
    struct usage usage;

    if (!statefile_read(&usage_file, file, &usage) && !read_first(file, &usage))
        return false;
    if (!statefile_is_time(usage.tried_s) || usage.tries < 0 || usage.tries > TRIES_MAX)
        return false;
    *ret_usage = usage;
    return true;
}

enum statefile_locked usage_lock(int file, struct usage *ret_usage, struct verdict *why_not)
{
    enum statefile_locked locked = statefile_lock(file, why_not);

    if (locked != STATEFILE_LOCKED || usage_read(file, ret_usage))
        return locked;
    statefile_unlock(file);
    return statefile_refuse_damaged(why_not);
}

static int64_t delay_s(int64_t tries)
{
    int64_t delay = USAGE_DELAY_SECONDS;

    if (tries < USAGE_TRIES)
        return 0;
    for (int64_t i = USAGE_TRIES; i < tries && delay < USAGE_DELAY_MAX_SECONDS; i++)
        delay *= 2;
    return delay < USAGE_DELAY_MAX_SECONDS ? delay : USAGE_DELAY_MAX_SECONDS;
}

int64_t usage_delay(struct usage *usage, int64_t now_s)
{
    /* The clock was set back. */
    if (usage->tried_s > now_s)
        usage->tried_s = now_s;
    if (now_s - usage->tried_s >= DAY)
        usage->tries = 0;
    if (now_s - usage->tried_s < delay_s(usage->tries))
        return usage->tried_s + delay_s(usage->tries);
    return 0;
}

int64_t usage_try(struct usage *usage, int64_t now_s)
{
    int64_t opens_s = usage_delay(usage, now_s);

    if (opens_s != 0)
        return opens_s;
    usage->tried_s = now_s;
    usage->tries += usage->tries < TRIES_MAX;
    return 0;
}

struct usage_set *usage_find(struct usage *usage, int file, const struct recovery *recovery)
{
    char identity[STATEFILE_IDENTITY_SIZE];

    if (!statefile_identify(file, identity) || strcmp(identity, recovery->state) != 0)
        return NULL;
    for (size_t i = 0; i < USAGE_SETS; i++)
        if (memcmp(usage->sets[i].id, recovery->set, sizeof usage->sets[i].id) == 0)
            return &usage->sets[i];
    return NULL;
}

int usage_left(const struct usage_set *set, size_t count)
{
    return (int)count - __builtin_popcountll(set->used & (((uint64_t)1 << count) - 1));
}

/* The user's file, open; and, while it is locked, what it says. */
struct page {
    const char *user;
    const struct recovery *recovery;
    struct verdict *note;
    int file;
    struct usage usage;
};

static void close_page(struct page *page)
{
    descriptor_close(&page->file);
}

#define auto_page __attribute__((cleanup(close_page))) struct page

static int64_t now_s(void)
{
    struct timespec now = { 0 };

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

/* Always false. */
static bool forget(struct page *page, const struct verdict *why)
{
    return verdict_refuse(page->note, why->outcome, "cannot store used codes: %s", why->reason);
}

static bool lock(struct page *page)
{
    struct verdict why_not;

    return usage_lock(page->file, &page->usage, &why_not) == STATEFILE_LOCKED ||
           forget(page, &why_not);
}

static bool write_page(struct page *page, bool for_good)
{
    struct verdict why_not;

    return statefile_write(&usage_file, page->file, &page->usage, for_good, &why_not) ||
           forget(page, &why_not);
}

/* NULL: the note says why. */
static struct usage_set *find_set(struct page *page)
{
    struct usage_set *set = usage_find(&page->usage, page->file, page->recovery);

    if (set == NULL)
        verdict_refuse(page->note, OUTCOME_DENIED,
                       "the file in state_dir is not the one that the recovery codes were made "
                       "with: make new ones with twilio-verify recovery-codes %s",
                       page->user);
    return set;
}

/* Counts the try as a wrong one, before anything is hashed. False: not now; the note says why. */
static bool begin_try(struct page *page)
{
    char when[TEXT_TIME_SIZE];
    int64_t opens_s;
    bool is_written;

    if (!lock(page))
        return false;
    opens_s = usage_try(&page->usage, now_s());
    is_written = write_page(page, false);
    statefile_unlock(page->file);
    if (opens_s == 0)
        return is_written;
    return verdict_refuse(page->note, OUTCOME_DENIED,
                          "%d wrong recovery codes: no recovery code is accepted until %s",
                          (int)page->usage.tries, text_print_time(opens_s, when));
}

/* The code NUMBER of the set is right: uses it up. How many remain, -1: it was used. */
static int use_up(struct page *page, int number)
{
    struct usage_set *set = find_set(page);
    uint64_t bit = (uint64_t)1 << number;

    if (set == NULL)
        return -1;
    if (set->used & bit) {
        verdict_refuse(page->note, OUTCOME_DENIED, "the recovery code was used before");
        return -1;
    }
    set->used |= bit;
    page->usage.tries = 0;
    /* Nobody is let in before it is on the disk: a crash gives none back. */
    if (!write_page(page, true))
        return -1;
    return usage_left(set, recovery_count(page->recovery));
}

/* How many remain, -1: it does not count. */
static int recover(struct page *page, const char *code)
{
    int number, remain;

    if (page->recovery != NULL && !begin_try(page))
        return -1;
    /* Who has no codes waits as long. */
    number = recovery_match(page->recovery, code);
    if (number == RECOVERY_NOT_HASHED)
        verdict_refuse(page->note, OUTCOME_MISCONFIGURED,
                       "cannot hash a recovery code: out of memory, or invalid salt");
    if (number < 0 || !lock(page))
        return -1;
    remain = use_up(page, number);
    statefile_unlock(page->file);
    return remain;
}

/* False: the note says why. */
static bool open_page(struct page *page, const char *state_dir, int flags)
{
    struct verdict why_not;
    bool is_absent;

    page->file = statefile_open(&usage_file, state_dir, page->user, flags, &is_absent, &why_not);
    if (page->file < 0 && !is_absent)
        forget(page, &why_not);
    else if (page->file < 0)
        find_set(page);
    return page->file >= 0;
}

int usage_recover(const char *state_dir, const char *user, const struct recovery *recovery,
                  const char *code, struct verdict *note)
{
    auto_page page = { user, recovery, note, .file = -1 };

    return recovery == NULL || open_page(&page, state_dir, O_RDWR) ? recover(&page, code) : -1;
}

bool usage_can_recover(const char *state_dir, const char *user, const struct recovery *recovery,
                       struct verdict *note)
{
    auto_page page = { user, recovery, note, .file = -1 };
    const struct usage_set *set = NULL;

    if (recovery == NULL || !open_page(&page, state_dir, O_RDONLY))
        return false;
    if (usage_read(page.file, &page.usage))
        set = find_set(&page);
    return set != NULL && usage_left(set, recovery_count(recovery)) > 0 &&
           usage_delay(&page.usage, now_s()) == 0;
}
