/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "doctor": what is wrong, from the settings to the last byte before a challenge. */
#include <stdio.h>
#include <unistd.h>

#include "../../core/enrollment.h"
#include "../desk/terminal.h"
#include "../enroll/tool.h"
#include "../lint/check-pam.h"
#include "dry-run.h"
#include "enrolled.h"
#include "host.h"
#include "paths.h"
#include "programs.h"
#include "reach.h"

struct doctor {
    struct report *report;
    const struct command_call *call;
    const char *user;   /* NULL: nobody in particular */
    const char *module; /* NULL: the one that libpam finds */
    const char *check;
};

/* Everything that needs the settings. */
static void examine(const struct doctor *doctor, const struct settings *settings)
{
    struct dry_run dry_run = { doctor->check, doctor->call->settings_path, settings, NULL, false };
    auto_enrollment *enrollment = NULL;

    host_add(doctor->report, settings);
    enrolled_add(doctor->report, settings);
    if (doctor->user != NULL)
        enrollment = enrolled_find(doctor->report, settings, doctor->user);
    if (enrollment != NULL)
        dry_run.user = doctor->user;

    dry_run.is_reached = reach_add(doctor->report, doctor->call, settings, enrollment);
    dry_run_add(doctor->report, &dry_run);
}

static void add_verdict(const struct doctor *doctor)
{
    struct report *report = doctor->report;
    enum report_level worst = report_worst(report);

    if (worst == REPORT_WRONG)
        report_add(report, REPORT_WRONG, "verdict", "correct what is wrong above, from the top",
                   "a login would fail, or the second factor can be bypassed");
    else if (worst == REPORT_AWAY)
        report_add(report, REPORT_AWAY, "verdict", NULL,
                   "Twilio did not answer: every login is refused until it does; nothing else is "
                   "wrong");
    else if (doctor->user != NULL)
        report_add(report, REPORT_OK, "verdict", NULL, "%s can log in", doctor->user);
    else
        report_add(report, REPORT_OK, "verdict", NULL, "the enrolled users can log in");
}

static void run_all(const struct doctor *doctor)
{
    const char *path = doctor->call->settings_path;
    auto_settings *settings = NULL;
    struct verdict why_not;

    if (settings_read(path, &settings, &why_not)) {
        report_add(doctor->report, REPORT_OK, "settings", NULL, "%s", path);
        programs_add_directories(doctor->report, "settings", path);
    } else {
        report_add(doctor->report, REPORT_WRONG, "settings",
                   access(path, F_OK) == 0 ? NULL : "twilio-verify setup", "%s", why_not.reason);
    }
    programs_add(doctor->report, doctor->module, doctor->check);
    if (settings != NULL)
        examine(doctor, settings);
    check_pam_add(doctor->report, &(struct check_pam){
                                      .settings = settings,
                                      .is_unused_fine = true,
                                      .pam_dir = command_value(doctor->call, "pam-dir"),
                                      .sshd_config = command_value(doctor->call, "sshd-config"),
                                      .sudoers = command_value(doctor->call, "sudoers"),
                                  });
    add_verdict(doctor);
}

static enum command_status run(const struct command_call *call)
{
    const char *check = command_value(call, "helper");
    struct doctor doctor = {
        .call = call,
        .user = call->operands[0],
        .module = command_value(call, "module"),
        .check = check != NULL ? check : PATHS_CHECK,
    };

    if (call->settings_path[0] != '/' || (doctor.module != NULL && doctor.module[0] != '/') ||
        doctor.check[0] != '/') {
        terminal_say("doctor needs absolute paths, as the module does");
        return COMMAND_USAGE;
    }
    doctor.report = report_start(call);
    if (doctor.report == NULL)
        return COMMAND_WRONG;
    run_all(&doctor);
    return report_end(doctor.report);
}

const struct command doctor_command = {
    .name = "doctor",
    .operands = "[USER]",
    .summary = "Finds what is wrong, with the remedy",
    .options = {
        { "json", NULL, "print JSON, for a program" },
        { "module", "PATH", "the module, if the PAM lines name it by a path" },
        { "helper", "PATH", "the check program, if the PAM lines name one with helper=" },
        TOOL_OPTIONS,
        { "pam-dir", "DIR", "as in check-pam" },
        { "sshd-config", "PATH", "as in check-pam" },
        { "sudoers", "PATH", "as in check-pam" },
    },
    .run = run,
};
