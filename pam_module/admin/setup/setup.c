/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "setup": the account, the API key and the Verify service, tried and written down. */
#include "setup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../core/secret.h"
#include "../desk/terminal.h"
#include "../enroll/tool.h"
#include "answers.h"
#include "choice.h"
#include "store.h"

enum { TRIES_MAX = 5, STATUS_UNAUTHORIZED = 401 };

static bool refuse(const struct verdict *why_not, enum command_status *ret_status)
{
    *ret_status = tool_refuse(why_not, "setup");
    if (geteuid() != 0)
        terminal_say("run this command as root");
    return false;
}

/* The settings as they are, without what is to be filled in. */
static bool open_files(struct setup *setup, enum command_status *ret_status)
{
    struct verdict why_not;

    if (!store_open(setup, &why_not))
        return refuse(&why_not, ret_status);
    answers_read(setup);
    return store_parse(setup, NULL, &setup->settings, NULL, &why_not) ||
           refuse(&why_not, ret_status);
}

static bool open_service(struct setup *setup, enum command_status *ret_status)
{
    struct http_credentials credentials = { .secret = setup->secret };
    struct verdict why_not;

    settings_free(&setup->settings);
    if (!store_parse(setup, NULL, &setup->settings, NULL, &why_not))
        return refuse(&why_not, ret_status);
    credentials.user = service_user(setup->settings);
    return service_open(setup->settings, &credentials, &setup->service, &why_not) ||
           refuse(&why_not, ret_status);
}

static void print_sids(const struct setup *setup)
{
    printf("account_sid: %s\n", setup->account_sid);
    printf("api_key_sid: %s\n", *setup->api_key_sid != '\0' ? setup->api_key_sid : "-");
    printf("service_sid: %s\n", *setup->service_sid != '\0' ? setup->service_sid : "-");
}

static enum command_status finish(struct setup *setup)
{
    enum command_status status;
    struct verdict why_not;

    print_sids(setup);
    if (!store_write(setup, &why_not)) {
        refuse(&why_not, &status);
        choice_undo(setup);
        return status;
    }
    if (!setup->is_dry)
        terminal_say("next: twilio-verify enroll USER, then twilio-verify enable SERVICE");
    return COMMAND_OK;
}

static bool try_key(struct setup *setup, enum command_status *ret_status)
{
    return answers_take_sids(setup, ret_status) && answers_take_secret(setup, ret_status) &&
           open_service(setup, ret_status) && choice_make(setup, ret_status);
}

/* Whether Twilio does not know the key or its secret, and a person can type others. */
static bool can_ask_again(const struct setup *setup)
{
    const char *path = command_value(setup->call, "api-key-file");

    return setup->is_asking && setup->service.status == STATUS_UNAUTHORIZED &&
           (path == NULL || strcmp(path, "-") == 0);
}

static void forget_key(struct setup *setup)
{
    service_close(&setup->service);
    setup->service = (struct service){ 0 };
    secret_free(&setup->secret);
}

/* Everything before the first file is written. */
static bool prepare(struct setup *setup, enum command_status *ret_status)
{
    bool is_ready = open_files(setup, ret_status) && try_key(setup, ret_status);

    for (int i = 1; i < TRIES_MAX && !is_ready && can_ask_again(setup); i++) {
        forget_key(setup);
        is_ready = try_key(setup, ret_status);
    }
    if (is_ready && !terminal_is_interrupted())
        return true;
    if (is_ready)
        *ret_status = COMMAND_WRONG;
    choice_undo(setup);
    terminal_say("nothing was changed");
    return false;
}

static enum command_status run(const struct command_call *call)
{
    struct setup setup = {
        .call = call,
        .is_asking = isatty(STDIN_FILENO) && isatty(STDERR_FILENO),
        .is_dry = command_value(call, "dry-run") != NULL,
        .lock = -1,
        .signals = terminal_hold_signals(),
    };
    enum command_status status = COMMAND_WRONG;

    if (prepare(&setup, &status))
        status = finish(&setup);
    if (setup.service.http != NULL)
        service_close(&setup.service);
    secret_free(&setup.secret);
    secret_free(&setup.text);
    settings_free(&setup.settings);
    store_close(&setup);
    if (setup.signals >= 0)
        close(setup.signals);
    return status;
}

const struct command setup_command = {
    .name = "setup",
    .operands = "",
    .summary = "Asks for the account and the API key, checks and writes them",
    .options = {
        { "account-sid", "SID", "the account at Twilio" },
        { "api-key-sid", "SID", "the API key of logins" },
        { "api-key-file", "PATH", "the file of its secret; -: standard input" },
        { "service-sid", "SID", "the Verify service" },
        { "issuer", "NAME", "the Verify service with this name; made if there is none" },
        { "dry-run", NULL, "show what would change, change nothing" },
    },
    .run = run,
};
