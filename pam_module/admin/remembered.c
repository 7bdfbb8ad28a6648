/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What this host remembers of a user's logins, for the tool. */
#include "remembered.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "terminal.h"

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
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "becoming %s: %s", run_as,
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
        file = state_open(settings->state_dir, name, make, why_not);
        become_again(&self);
    }
    return file;
}

bool remembered_forget(const struct settings *settings, const char *name, struct verdict *why_not)
{
    struct self self;
    bool is_forgotten;

    if (!become(settings->run_as, &self, why_not))
        return false;
    is_forgotten = state_remove(settings->state_dir, name, why_not);
    become_again(&self);
    return is_forgotten;
}

/* Locked, and read. -1, with the verdict. */
static int open_locked(const struct settings *settings, const char *name, struct state *ret_state,
                       struct verdict *why_not)
{
    for (int tries = 0; tries < 2; tries++) {
        int file = open_state(settings, name, true, why_not);
        if (file < 0)
            return -1;
        switch (state_lock(file, ret_state, why_not)) {
        case STATE_LOCKED:
            return file;
        case STATE_BUSY:
            close(file);
            return -1;
        case STATE_UNUSABLE:
            close(file);
            if (!remembered_forget(settings, name, why_not))
                return -1;
        }
    }
    return -1;
}

bool remembered_add(const struct settings *settings, const char *name, const char *valid,
                    const char *set, char identity[STATE_IDENTITY_SIZE], struct verdict *why_not)
{
    struct state state;
    int file = open_locked(settings, name, &state, why_not);
    struct state_set *place;
    bool is_added;

    if (file < 0)
        return false;
    place = valid != NULL && memcmp(state.sets[0].id, valid, STATE_SET_SIZE) == 0 ? &state.sets[1]
                                                                                  : &state.sets[0];
    memcpy(place->id, set, STATE_SET_SIZE);
    place->used = 0;
    state.tries = 0;
    is_added = state_write(file, &state, true, why_not);
    if (is_added && !state_identify(file, identity))
        is_added = verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "statx: %s", strerror(errno));
    state_unlock(file);
    close(file);
    return is_added;
}

int remembered_left(const struct settings *settings, const char *name,
                    const struct recovery *recovery, struct verdict *why_not)
{
    struct state state;
    int file = open_state(settings, name, false, why_not);
    bool is_locked = file >= 0 && state_lock(file, &state, why_not) == STATE_LOCKED;
    int left = -1;

    if (is_locked) {
        const struct state_set *set = state_find(&state, recovery->set);
        char identity[STATE_IDENTITY_SIZE];
        if (set != NULL && state_identify(file, identity) && strcmp(identity, recovery->state) == 0)
            left = state_left(set, recovery_count(recovery));
        else
            verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                           "which recovery codes of %s are used is lost with another file in "
                           "state_dir: make new ones, twilio-verify recovery-codes %s",
                           name, terminal_word(name).text);
    }
    if (file >= 0)
        close(file);
    return left;
}

bool remembered_is_usable(const struct settings *settings, const char *name,
                          struct verdict *why_not)
{
    struct state state;
    struct self self;
    bool is_usable;
    int file = -1;

    if (!become(settings->run_as, &self, why_not))
        return false;
    is_usable = state_is_absent(settings->state_dir, name);
    if (!is_usable)
        file = state_open(settings->state_dir, name, false, why_not);
    become_again(&self);

    if (file >= 0) {
        is_usable = state_lock(file, &state, why_not) == STATE_LOCKED;
        close(file);
    }
    return is_usable;
}
