/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers of a user's logins, for the tool. */
#include "ledgers.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int open_state(const struct settings *settings, const char *name, bool make,
                      struct verdict *why_not)
{
    struct self self;
    int file = -1;

    if (become(settings->run_as, &self, why_not)) {
        file = record_open(settings->state_dir, name, make, why_not);
        become_again(&self);
    }
    return file;
}

bool ledgers_forget(const struct settings *settings, const char *name, struct verdict *why_not)
{
    struct self self;
    bool is_forgotten;

    if (!become(settings->run_as, &self, why_not))
        return false;
    is_forgotten = record_remove(settings->state_dir, name, why_not);
    become_again(&self);
    return is_forgotten;
}

/* Locked, and read. -1, with the verdict. */
static int open_locked(const struct settings *settings, const char *name, struct record *ret_record,
                       struct verdict *why_not)
{
    for (int tries = 0; tries < 2; tries++) {
        int file = open_state(settings, name, true, why_not);
        if (file < 0)
            return -1;
        switch (record_lock(file, ret_record, why_not)) {
        case RECORD_LOCKED:
            return file;
        case RECORD_BUSY:
            close(file);
            return -1;
        case RECORD_UNUSABLE:
            close(file);
            if (!ledgers_forget(settings, name, why_not))
                return -1;
        }
    }
    return -1;
}

bool ledgers_add(const struct settings *settings, const char *name, const char *valid,
                 const char *set, char identity[RECORD_IDENTITY_SIZE], struct verdict *why_not)
{
    struct record record;
    int file = open_locked(settings, name, &record, why_not);
    struct record_set *place;
    bool is_added;

    if (file < 0)
        return false;
    place = valid != NULL && memcmp(record.sets[0].id, valid, RECORD_SET_SIZE) == 0
                ? &record.sets[1]
                : &record.sets[0];
    memcpy(place->id, set, RECORD_SET_SIZE);
    place->used = 0;
    record.tries = 0;
    is_added = record_write(file, &record, true, why_not);
    if (is_added && !record_identify(file, identity))
        is_added = verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "statx: %s", strerror(errno));
    record_unlock(file);
    close(file);
    return is_added;
}

bool ledgers_unlock(const struct settings *settings, const char *name, struct verdict *why_not)
{
    struct record record;
    int file = open_state(settings, name, true, why_not);
    bool is_unlocked = file >= 0 && record_lock(file, &record, why_not) == RECORD_LOCKED;

    if (is_unlocked) {
        record_forgive(&record);
        is_unlocked = record_write(file, &record, true, why_not);
        record_unlock(file);
    }
    if (file >= 0)
        close(file);
    return is_unlocked;
}

int ledgers_left(const struct settings *settings, const char *name, const struct recovery *recovery,
                 struct verdict *why_not)
{
    struct record record;
    int file = open_state(settings, name, false, why_not);
    bool is_locked = file >= 0 && record_lock(file, &record, why_not) == RECORD_LOCKED;
    int left = -1;

    if (is_locked) {
        const struct record_set *set = record_find(&record, recovery->set);
        char identity[RECORD_IDENTITY_SIZE];
        if (set != NULL && record_identify(file, identity) &&
            strcmp(identity, recovery->state) == 0)
            left = record_left(set, recovery_count(recovery));
        else
            verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                           "the file in state_dir is not the one that the recovery codes of %s "
                           "were made with: make new ones with twilio-verify recovery-codes %s",
                           name, terminal_word(name).text);
    }
    if (file >= 0)
        close(file);
    return left;
}

bool ledgers_is_usable(const struct settings *settings, const char *name, struct verdict *why_not)
{
    struct record record;
    struct self self;
    bool is_usable;
    int file = -1;

    if (!become(settings->run_as, &self, why_not))
        return false;
    is_usable = record_is_absent(settings->state_dir, name);
    if (!is_usable)
        file = record_open(settings->state_dir, name, false, why_not);
    become_again(&self);

    if (file >= 0) {
        is_usable = record_lock(file, &record, why_not) == RECORD_LOCKED;
        close(file);
    }
    return is_usable;
}
