/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "recovery-codes USER": makes a set of them, shows it once, keeps the hashes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../../core/userfile.h"
#include "../desk/terminal.h"
#include "ledgers.h"
#include "tool.h"

enum { COUNT_DEFAULT = 10, GROUP = 4, SET_BYTES = RECOVERY_SET_SIZE / 2, FILE_SIZE = 8192 };

enum { LETTERS = sizeof RECOVERY_LETTERS - 1 };

/* What is made for one user. */
struct set {
    int count;
    char codes[RECOVERY_CODES_MAX][RECOVERY_CODE_SIZE];
    char name[RECOVERY_SET_SIZE + 1];
    char state[STATEFILE_IDENTITY_SIZE];
    char text[FILE_SIZE]; /* of the file */
};

/* Every letter as likely as the others: what would favour some is drawn again. */
static bool draw_letter(char *ret_letter)
{
    unsigned char byte;

    do {
        if (getrandom(&byte, sizeof byte, 0) != sizeof byte)
            return false;
    } while (byte >= 256 / LETTERS * LETTERS);
    *ret_letter = RECOVERY_LETTERS[byte % LETTERS];
    return true;
}

static bool draw(struct set *set)
{
    unsigned char bytes[SET_BYTES];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(set->name + 2 * i, 3, "%02x", bytes[i]);
    for (int i = 0; i < set->count; i++)
        for (size_t j = 0; j < RECOVERY_CODE_LENGTH; j++)
            if (!draw_letter(&set->codes[i][j]))
                return false;
    return true;
}

static bool print_file(struct set *set)
{
    char salt[RECOVERY_SALT_SIZE], hash[RECOVERY_HASH_SIZE];
    size_t used;

    if (!recovery_make_salt(salt))
        return false;
    used = (size_t)snprintf(set->text, sizeof set->text,
                            "set    = \"%s\";\nstate  = \"%s\";\nsalt   = \"%s\";\nhashes = (\n",
                            set->name, set->state, salt);
    for (int i = 0; i < set->count; i++) {
        if (!recovery_hash(set->codes[i], salt, hash))
            return false;
        used += (size_t)snprintf(set->text + used, sizeof set->text - used, "    \"%s\"%s\n", hash,
                                 i + 1 < set->count ? "," : "");
    }
    snprintf(set->text + used, sizeof set->text - used, ");\n");
    return true;
}

/* The set that is valid until now, for which its file in state_dir is kept as it is; "" for
 * none. */
static void find_valid(const struct tool *tool, const char *user, char valid[RECOVERY_SET_SIZE + 1])
{
    auto_recovery *recovery = NULL;
    struct verdict why_not;

    valid[0] = '\0';
    if (recovery_read(tool->settings->users_dir, user, &recovery, &why_not) == TRUSTED_READ)
        memcpy(valid, recovery->set, RECOVERY_SET_SIZE + 1);
}

/* Whether they can be seen. */
static bool print_codes(const struct set *set)
{
    for (int i = 0; i < set->count; i++) {
        const char *code = set->codes[i];
        printf("%.*s-%.*s-%.*s\n", GROUP, code, GROUP, code + GROUP, GROUP, code + GROUP + GROUP);
    }
    return fflush(stdout) == 0;
}

/* The old set counts until the file of the new one is there. */
static enum command_status make(const struct tool *tool, const char *user, struct set *set)
{
    char valid[RECOVERY_SET_SIZE + 1];
    struct verdict why_not;

    find_valid(tool, user, valid);
    if (!draw(set)) {
        terminal_say("no codes were made: cannot get random numbers: %s", strerror(errno));
        return COMMAND_WRONG;
    }
    if (!ledgers_add(tool->settings, user, *valid != '\0' ? valid : NULL, set->name, set->state,
                     &why_not))
        return tool_refuse(&why_not, "no codes were made");
    if (!print_file(set)) {
        terminal_say("no codes were made: cannot hash them: %s", strerror(errno));
        return COMMAND_WRONG;
    }
    if (!users_put(&tool->users, user, USERFILE_RECOVERY, set->text, &why_not))
        return tool_refuse(&why_not, "no codes were made");
    if (!ledgers_keep(tool->settings, user, set->name, &why_not))
        terminal_say("a login that has begun can still use an earlier code: %s", why_not.reason);
    if (!print_codes(set)) {
        terminal_say("could not print the codes; run the command again");
        return COMMAND_WRONG;
    }
    terminal_say("%d recovery codes of %s. They are not shown again. Each one works once, in place "
                 "of a code, also while Twilio does not answer%s",
                 set->count, user, *valid != '\0' ? "; earlier ones no longer work" : "");
    return COMMAND_OK;
}

static bool take_count(const char *text, int *ret_count)
{
    char *end = NULL;
    long count = text != NULL ? strtol(text, &end, 10) : COUNT_DEFAULT;

    if (text != NULL && (*text < '0' || *text > '9' || *end != '\0'))
        return false;
    *ret_count = count >= 1 && count <= RECOVERY_CODES_MAX ? (int)count : 0;
    return *ret_count != 0;
}

static enum command_status run(const struct command_call *call)
{
    const char *user = call->operands[0];
    struct set set = { 0 };
    struct users_record record;
    auto_tool tool = TOOL_NONE;
    struct verdict why_not;
    enum command_status status = COMMAND_WRONG;

    if (!take_count(command_value(call, "count"), &set.count)) {
        terminal_say("--count must be 1 to %d", RECOVERY_CODES_MAX);
        return COMMAND_USAGE;
    }
    if (!tool_open_local(call, user, &tool))
        return COMMAND_WRONG;
    switch (users_read(&tool.users, USERS_ENROLLED, user, &record, &why_not)) {
    case USERS_FOUND:
        status = make(&tool, user, &set);
        break;
    case USERS_NONE:
        terminal_say("%s is not enrolled: twilio-verify %s %s", user,
                     users_is_pending(&tool.users, user) ? "confirm" : "enroll",
                     terminal_word(user).text);
        break;
    case USERS_REFUSED:
        status = tool_refuse(&why_not, "cannot read the enrollment");
    }
    explicit_bzero(&set, sizeof set);
    return status;
}

const struct command recovery_codes_command = {
    .name = "recovery-codes",
    .operands = "USER",
    .summary = "Makes new recovery codes for USER and shows them once",
    .options = {
        { "count", "N", "how many, 1 to 20; 10 by default" },
    },
    .run = run,
};
