/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* proftpd.conf as the tool reads it: the files "proftpd.conf", "one" and "two", each up to a line
 * "%". */
#include "admin/lint/proftpd-config.h"
#include "files.h"
#include "fuzz.h"

enum { FILES_READ_MAX = 512 + 1 };

static void on_line(const struct proftpd_config_line *line, void *context)
{
    unsigned *hosts = context;

    fuzz_demand(line->keyword[0] != '\0' && strpbrk(line->keyword, " \t\n") == NULL,
                "a directive has a word");
    fuzz_demand(strchr(line->value, '\n') == NULL, "a line is one");
    fuzz_demand(line->path[0] != '\0' && line->number > 0, "a line stands somewhere");
    fuzz_demand(line->host <= *hosts + 1, "hosts are counted one after the other");
    *hosts = line->host > *hosts ? line->host : *hosts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "proftpd.conf", "one", "two", NULL };
    struct fuzz_input input = { data, size };
    struct verdict why_not = { 0 };
    unsigned hosts = 0;

    files_take(&input, names);
    if (!proftpd_config_read("/etc/proftpd/proftpd.conf", on_line, &hosts, &why_not))
        fuzz_demand(why_not.reason[0] != '\0', "a refusal tells why");
    fuzz_demand(files_forget() <= FILES_READ_MAX, "includes have an end");
    return 0;
}
