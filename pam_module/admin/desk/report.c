/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Findings, one line each. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "listing.h"
#include "terminal.h"

enum { TEXT_SIZE = 1024 };

struct report {
    enum report_level worst;
    bool is_coloured;
    struct listing *findings; /* NULL: lines are printed at once */
};

static const char *const columns[] = { "level", "subject", "text", "remedy", NULL };

static const struct {
    const char *word, *colour;
} levels[] = {
    [REPORT_OK] = { "ok", TERMINAL_GREEN },
    [REPORT_NOTE] = { "note", TERMINAL_PLAIN },
    [REPORT_WARNING] = { "warning", TERMINAL_YELLOW },
    [REPORT_AWAY] = { "away", TERMINAL_RED },
    [REPORT_WRONG] = { "wrong", TERMINAL_RED },
};

struct report *report_start(const struct command_call *call)
{
    bool is_json = command_value(call, "json") != NULL;
    struct report *report = calloc(1, sizeof *report);

    if (report != NULL && is_json)
        report->findings = listing_start(columns, 0, true);
    if (report == NULL || (is_json && report->findings == NULL)) {
        free(report);
        terminal_say("out of memory");
        return NULL;
    }
    report->is_coloured = !is_json && terminal_is_coloured(stdout);
    if (geteuid() != 0)
        report_add(report, REPORT_WARNING, call->command->name, "run this command as root",
                   "files that only root can read look wrong");
    return report;
}

static void print_finding(const struct report *report, enum report_level level, const char *subject,
                          const char *text, const char *remedy)
{
    const char *colour = report->is_coloured ? levels[level].colour : "";
    const char *plain = report->is_coloured ? TERMINAL_PLAIN : "";
    char line[3 * TEXT_SIZE];

    snprintf(line, sizeof line, "%s: %s%s%s", subject, text, remedy != NULL ? "; " : "",
             remedy != NULL ? remedy : "");
    terminal_clean(line, line, sizeof line);
    printf("%s%-8s%s %s\n", colour, levels[level].word, plain, line);
    fflush(stdout);
}

void report_add(struct report *report, enum report_level level, const char *subject,
                const char *remedy, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    if (level > report->worst)
        report->worst = level;
    if (report->findings != NULL)
        listing_add(report->findings,
                    (const char *[]){ levels[level].word, subject, text, remedy });
    else
        print_finding(report, level, subject, text, remedy);
}

enum report_level report_worst(const struct report *report)
{
    return report->worst;
}

enum command_status report_end(struct report *report)
{
    enum report_level worst = report->worst;

    if (report->findings != NULL && !listing_print(report->findings)) {
        terminal_say("the report is incomplete: out of memory");
        worst = REPORT_WRONG;
    }
    listing_free(report->findings);
    free(report);
    return worst == REPORT_WRONG  ? COMMAND_WRONG
           : worst == REPORT_AWAY ? COMMAND_UNAVAILABLE
                                  : COMMAND_OK;
}
