/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* sudoers(5) as the tool reads it: the files "sudoers", "one" and "two", each up to a line "%". */
#include "admin/lint/sudoers.h"
#include "files.h"
#include "fuzz.h"

enum { FILES_READ_MAX = 1024 + 1 };

static void on_line(const struct sudoers_line *line, void *context)
{
    (void)context;
    fuzz_demand(line->text[0] != '\0' && strchr(" \t\n", line->text[0]) == NULL,
                "a line has a word");
    fuzz_demand(strchr(line->text, '\n') == NULL, "a line is one");
    fuzz_demand(line->path[0] != '\0' && line->number > 0, "a line stands somewhere");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "sudoers", "one", "two", NULL };
    struct fuzz_input input = { data, size };
    char why_not[SUDOERS_WHY_NOT_SIZE] = "";

    files_take(&input, names);
    if (!sudoers_read("/etc/sudoers", on_line, NULL, why_not))
        fuzz_demand(why_not[0] != '\0', "a refusal tells why");
    fuzz_demand(files_forget() <= FILES_READ_MAX, "includes have an end");
    return 0;
}
