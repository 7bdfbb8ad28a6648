/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "enroll --import FILE". */
#include "import.h"

#include <string.h>
#include <unistd.h>

#include "../../core/secret.h"
#include "../desk/terminal.h"

enum { ANSWER_SIZE = 16 };

static bool read_seed(const char *path, const char *user, struct import *import,
                      struct verdict *why_not)
{
    auto_secret char *text = NULL;
    const char *reason;

    if (!seed_file_read(path, user, &import->file, &text, why_not))
        return false;
    if (seed_parse(text, user, &import->seed, &reason))
        return true;
    seed_file_close(&import->file);
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", path, reason);
}

bool import_open(const char *path, const char *user, int code_length, struct import *ret_import)
{
    struct import import;
    struct verdict why_not;

    if (!read_seed(path, user, &import, &why_not)) {
        terminal_say("%s", why_not.reason);
        return false;
    }
    if (import.seed.config.code_length != code_length) {
        terminal_say("%s: its codes have %d digits, login.code_length is %d", path,
                     import.seed.config.code_length, code_length);
        import_close(&import);
        return false;
    }
    *ret_import = import;
    explicit_bzero(&import.seed, sizeof import.seed);
    return true;
}

void import_offer_removal(const struct import *import, const char *user)
{
    char answer[ANSWER_SIZE];
    struct verdict why_not;

    if (import->file.file < 0)
        return;
    terminal_say("%s still holds the seed: anything that can read it can make codes. Keep it only "
                 "while the module that it was made for is in use",
                 import->file.path);
    if (import->seed.is_shared) {
        terminal_say("later remove the line of %s from it", user);
    } else if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        terminal_say("later: rm %s", terminal_word(import->file.path).text);
    } else if (terminal_ask("Delete it now? [y/N] ", answer, sizeof answer) && *answer == 'y') {
        if (seed_file_remove(&import->file, &why_not))
            terminal_say("deleted");
        else
            terminal_say("%s", why_not.reason);
    }
}

void import_close(struct import *import)
{
    explicit_bzero(&import->seed, sizeof import->seed);
    seed_file_close(&import->file);
}
