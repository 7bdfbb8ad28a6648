/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers of a user's logins, for the tool. */
#include "ledgers.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../core/descriptor.h"
#include "../desk/terminal.h"

/* Who this process is otherwise. */
struct self {
    uid_t user;
    gid_t group;
};

/* From here on files are opened as RUN_AS. Not as root nothing changes. */
static bool become(const char *run_as, struct self *ret_self, struct verdict *why_not)
{
    const struct passwd *account = getpwnam(run_as);

    *ret_self = (struct self){ geteuid(), getegid() };
    if (ret_self->user != 0)
        return true;
    if (account == NULL || account->pw_uid == 0)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "the account \"%s\" of run_as does not exist, or is root", run_as);
    if (setegid(account->pw_gid) == 0 && seteuid(account->pw_uid) == 0)
        return true;
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "cannot become %s: %s", run_as,
                          strerror(errno));
}

/* Somebody who can't must not go on as somebody else. */
static void become_again(const struct self *self)
{
    if (seteuid(self->user) != 0 || setegid(self->group) != 0)
        abort();
}

static int open_state(const struct settings *settings, const struct statefile *kind,
                      const char *name, int flags, bool *ret_absent, struct verdict *why_not)
{
    struct self self;
    int file = -1;

    *ret_absent = false;
    if (become(settings->run_as, &self, why_not)) {
        file = statefile_open(kind, settings->state_dir, name, flags, ret_absent, why_not);
        become_again(&self);
    }
    return file;
}

static bool forget(const struct settings *settings, const struct statefile *kind, const char *name,
                   struct verdict *why_not)
{
    struct self self;
    bool is_forgotten;

    if (!become(settings->run_as, &self, why_not))
        return false;
    is_forgotten = statefile_remove(kind, settings->state_dir, name, why_not);
    become_again(&self);
    return is_forgotten;
}

bool ledgers_forget(const struct settings *settings, const char *name, struct verdict *why_not)
{
    return forget(settings, &usage_file, name, why_not) &&
           forget(settings, &record_file, name, why_not);
}

/* Locked, and read. -1, with the verdict. */
static int open_usage(const struct settings *settings, const char *name, struct usage *ret_usage,
                      struct verdict *why_not)
{
    for (int tries = 0; tries < 2; tries++) {
        bool is_absent;
        int file = open_state(settings, &usage_file, name, O_RDWR | O_CREAT, &is_absent, why_not);
        if (file < 0)
            return -1;
        switch (usage_lock(file, ret_usage, why_not)) {
        case STATEFILE_LOCKED:
            return file;
        case STATEFILE_BUSY:
            close(file);
            return -1;
        case STATEFILE_UNUSABLE:
            close(file);
            if (!forget(settings, &usage_file, name, why_not))
                return -1;
        }
    }
    return -1;
}

bool ledgers_add(const struct settings *settings, const char *name, const char *valid,
                 const char *set, char identity[STATEFILE_IDENTITY_SIZE], struct verdict *why_not)
{
    struct usage usage;
    auto_close file = open_usage(settings, name, &usage, why_not);
    struct usage_set *place;
    bool is_added;

    if (file < 0)
        return false;
    place = valid != NULL && memcmp(usage.sets[0].id, valid, RECOVERY_SET_SIZE) == 0
                ? &usage.sets[1]
                : &usage.sets[0];
    memcpy(place->id, set, RECOVERY_SET_SIZE);
    place->used = 0;
    usage.tries = 0;
    is_added = statefile_write(&usage_file, file, &usage, true, why_not);
    if (is_added && !statefile_identify(file, identity))
        is_added = verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "statx: %s", strerror(errno));
    statefile_unlock(file);
    return is_added;
}

bool ledgers_keep(const struct settings *settings, const char *name, const char *set,
                  struct verdict *why_not)
{
    struct usage usage;
    bool is_absent, is_kept;
    auto_close file = open_state(settings, &usage_file, name, O_RDWR, &is_absent, why_not);

    if (file < 0 || usage_lock(file, &usage, why_not) != STATEFILE_LOCKED)
        return false;
    for (size_t i = 0; i < USAGE_SETS; i++)
        if (memcmp(usage.sets[i].id, set, RECOVERY_SET_SIZE) != 0)
            usage.sets[i] = (struct usage_set){ .used = 0 };
    is_kept = statefile_write(&usage_file, file, &usage, true, why_not);
    statefile_unlock(file);
    return is_kept;
}

bool ledgers_unlock(const struct settings *settings, const char *name, struct verdict *why_not)
{
    struct record record;
    bool is_absent, is_unlocked;
    auto_close file =
        open_state(settings, &record_file, name, O_RDWR | O_CREAT, &is_absent, why_not);

    is_unlocked = file >= 0 && record_lock(file, &record, why_not) == STATEFILE_LOCKED;
    if (is_unlocked) {
        record_forgive(&record);
        is_unlocked = statefile_write(&record_file, file, &record, true, why_not);
        statefile_unlock(file);
    }
    return is_unlocked;
}

int ledgers_left(const struct settings *settings, const char *name, const struct recovery *recovery,
                 struct verdict *why_not)
{
    struct usage usage;
    const struct usage_set *set = NULL;
    bool is_absent, is_read;
    auto_close file = open_state(settings, &usage_file, name, O_RDWR, &is_absent, why_not);

    if (file < 0)
        return -1;
    is_read = usage_read(file, &usage);
    if (!is_read)
        statefile_refuse_damaged(why_not);
    else if ((set = usage_find(&usage, file, recovery)) == NULL)
        verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                       "the file in state_dir is not the one that the recovery codes of %s "
                       "were made with: make new ones with twilio-verify recovery-codes %s",
                       name, terminal_word(name).text);
    return set != NULL ? usage_left(set, recovery_count(recovery)) : -1;
}

bool ledgers_read(const struct settings *settings, const char *name, struct record *ret_record,
                  int64_t *ret_opens_s, struct verdict *why_not)
{
    bool is_absent, is_read;
    auto_close file = open_state(settings, &record_file, name, O_RDWR, &is_absent, why_not);

    *ret_record = (struct record){ .row = 0 };
    is_read = is_absent || (file >= 0 && record_read(file, ret_record));
    if (file >= 0 && !is_read) {
        *ret_record = (struct record){ .row = 0 };
        statefile_refuse_damaged(why_not);
    }
    *ret_opens_s = is_read ? record_opens(ret_record, time(NULL)) : 0;
    return is_read;
}
