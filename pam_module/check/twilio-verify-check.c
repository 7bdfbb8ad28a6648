/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The check program: reads as root what a login needs, becomes nobody, and runs the login. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../core/clock.h"
#include "../core/descriptor.h"
#include "../core/dialogue.h"
#include "../core/ledger.h"
#include "../core/secret.h"
#include "../core/usage.h"
#include "cage.h"
#include "closing.h"
#include "deadline.h"
#include "inputs.h"
#include "library.h"
#include "login.h"
#include "paths.h"
#include "privileges.h"
#include "process.h"
#include "session.h"

struct check {
    struct dialogue_reader reader;
    struct dialogue_login login;
    struct inputs inputs;
    int library;
    struct ledger ledger;
    struct recovery *recovery;
    bool is_without_code; /* a push was sent, or a recovery code let the user in */
};

static bool say(void *context, enum dialogue_kind kind, const char *text)
{
    (void)context;
    if (kind == DIALOGUE_LOG_NOTICE || kind == DIALOGUE_LOG_WARNING) {
        closing_log(kind, text);
        return true;
    }
    if (kind != DIALOGUE_SHOW)
        closing_note_asked();
    return dialogue_say(STDOUT_FILENO, kind, text);
}

static enum login_answer answer(void *context, bool wait, char text[DIALOGUE_LINE_SIZE])
{
    struct check *check = context;

    switch (dialogue_read(&check->reader, wait ? DIALOGUE_FOREVER : 0, text)) {
    case DIALOGUE_LINE:
        closing_note_answered();
        return LOGIN_ANSWER;
    case DIALOGUE_NOTHING:
        return LOGIN_NO_ANSWER;
    case DIALOGUE_END:
    case DIALOGUE_BROKEN:
        break;
    }
    return LOGIN_GONE;
}

/* Hands the secret over to libcurl and forgets it. */
static bool load(void *context, const struct challenge_api **ret_api,
                 struct challenge_service **ret_service, struct verdict *why_not)
{
    struct check *check = context;
    struct inputs *inputs = &check->inputs;
    const struct challenge_api *api;
    bool loaded = library_load(check->library, &api, why_not) &&
                  api->open(inputs->settings, inputs->findings.enrollment, inputs->secret,
                            ret_service, why_not);

    secret_free(&inputs->secret);
    close(check->library);
    /* In the cage it can't be made. The module answers no question before it is asked: whoever does
     * (twilio-verify doctor) is looking, and leaves nothing behind. */
    if (check->reader.size == 0)
        ledger_make(&check->ledger);
    if (!cage_shut(inputs->settings, check->ledger.user, why_not) || !loaded)
        return false;
    *ret_api = api;
    return true;
}

static void set_deadline(void *context, int64_t deadline_ms)
{
    (void)context;
    deadline_set(deadline_ms);
}

static int64_t read_clock(void *context)
{
    (void)context;
    return clock_ms();
}

static void pause_for(void *context, int64_t pause_ms)
{
    struct timespec pause = { pause_ms / 1000, pause_ms % 1000 * 1000000 };

    (void)context;
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
        ;
}

static int64_t push(void *context, struct verdict *why_not)
{
    struct check *check = context;

    check->is_without_code = true;
    return ledger_push(&check->ledger, why_not);
}

static int recover(void *context, const char *code)
{
    struct check *check = context;
    struct ledger *ledger = &check->ledger;
    int remain =
        usage_recover(ledger->state_dir, ledger->user, check->recovery, code, &ledger->note);

    check->is_without_code = check->is_without_code || remain >= 0;
    return remain;
}

static bool can_recover(void *context)
{
    struct check *check = context;
    struct ledger *ledger = &check->ledger;

    return usage_can_recover(ledger->state_dir, ledger->user, check->recovery, &ledger->note);
}

static bool read_login(struct dialogue_reader *reader, struct dialogue_login *ret_login,
                       struct verdict *why_not)
{
    char line[DIALOGUE_LINE_SIZE];

    if (dialogue_read(reader, DIALOGUE_FOREVER, line) != DIALOGUE_LINE ||
        !dialogue_parse_login(line, ret_login))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "the first line must be \"login 2 SERVICE USER [own] [silent]\"");
    return true;
}

/* Whatever comes of it is no verdict. */
static _Noreturn void run_task(const char *settings_path, const struct dialogue_login *login)
{
    char line[DIALOGUE_LINE_SIZE] = "done";
    struct verdict why_not = { 0 };

    if (!session_run(settings_path, login, &why_not))
        snprintf(line, sizeof line, "done: %s", why_not.reason);
    dialogue_write(STDOUT_FILENO, line);
    _exit(0);
}

static bool is_readable(const char *key, const char *path, int flags, struct verdict *why_not)
{
    auto_close descriptor =
        path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags) : -1;

    return path == NULL || descriptor >= 0 ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "the account of run_as cannot read %s %s: %s", key, path,
                          strerror(errno));
}

/* What needs root; then root is gone for good. False: the verdict tells. */
static bool prepare(struct check *check, const char *settings_path, struct verdict *verdict)
{
    const struct settings *settings;

    if (!process_clean(verdict))
        return false;
    closing_begin();
    if (!read_login(&check->reader, &check->login, verdict))
        return false;
    if (check->login.task != DIALOGUE_LOGIN)
        run_task(settings_path, &check->login);
    closing_name(&check->login);
    if (!inputs_read(&check->inputs, settings_path, &check->login, verdict))
        return false;
    check->library = library_open(verdict);
    if (check->library < 0)
        return false;

    settings = check->inputs.settings;
    if (!privileges_drop(settings->run_as, verdict))
        return false;
    return is_readable("ca_file", settings->ca_file, 0, verdict) &&
           is_readable("ca_path", settings->ca_path, O_DIRECTORY, verdict);
}

/* What the phone shows. It names nobody: a locked screen shows it to everybody. */
static void print_message(const char *service, char message[CHALLENGE_MESSAGE_MAX + 1])
{
    char host[HOST_NAME_MAX + 1] = "";

    gethostname(host, sizeof host - 1);
    snprintf(message, CHALLENGE_MESSAGE_MAX + 1,
             "Login at %s (%s). If it is yours, approve it and type the number there.", host,
             service);
    for (char *byte = message; *byte != '\0'; byte++)
        if (*byte < ' ' || *byte > '~')
            *byte = '?';
}

static void run_login(struct check *check, struct verdict *verdict)
{
    const struct login_ports ports = {
        .context = check,
        .ledger = &check->ledger,
        .descriptor = STDIN_FILENO,
        .say = say,
        .answer = answer,
        .load = load,
        .deadline = set_deadline,
        .clock_ms = read_clock,
        .pause = pause_for,
        .claim = ledger_claim,
        .take_back = ledger_take_back,
        .look = ledger_look,
        .release = ledger_release,
        .count = ledger_count,
        .push = push,
        .stop_push = ledger_stop_push,
        .guess = ledger_guess,
        .recover = recover,
        .can_recover = can_recover,
        .note_end = ledger_note_end,
    };
    struct inputs *inputs = &check->inputs;
    const struct enrollment *enrollment = inputs->findings.enrollment;
    char message[CHALLENGE_MESSAGE_MAX + 1];
    const struct login_request request = { inputs->settings, enrollment, message };

    print_message(check->login.service, message);
    if (inputs->recovery_text != NULL)
        recovery_parse(inputs->recovery_text, "the file of recovery codes", &check->recovery,
                       &inputs->note);
    ledger_begin(&check->ledger, inputs->settings->state_dir,
                 enrollment != NULL ? enrollment->user : NULL, check->login.is_silent,
                 inputs->secret);
    login_run(&request, &ports, verdict);
    ledger_end(&check->ledger);
    recovery_free(&check->recovery);
}

static void add_note(const struct verdict *note, struct verdict *verdict)
{
    if (note->reason[0] != '\0')
        verdict_add(verdict, "; %s", note->reason);
}

/* A code of the app, and of nothing else, spares the user the next ones in this session. */
static void offer_session(const struct check *check, const struct verdict *verdict)
{
    const struct settings *settings = check->inputs.settings;

    if (verdict->outcome == OUTCOME_APPROVED && !check->is_without_code &&
        settings->session_minutes > 0 && !settings_session_covers(settings, check->login.service))
        dialogue_write(STDOUT_FILENO, "remember");
}

/* A write that fails tells by its result. */
static void ignore_signals(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

static _Noreturn void run(const char *settings_path)
{
    struct check check = { .reader = { .descriptor = STDIN_FILENO }, .library = -1 };
    struct verdict verdict = { 0 };

    ignore_signals();
    if (prepare(&check, settings_path, &verdict)) {
        deadline_begin();
        run_login(&check, &verdict);
        add_note(&check.inputs.note, &verdict);
        add_note(&check.ledger.note, &verdict);
        deadline_set(HTTP_FOREVER);
        offer_session(&check, &verdict);
    }
    inputs_free(&check.inputs);
    dialogue_reader_wipe(&check.reader);
    deadline_set(HTTP_FOREVER);
    closing_say(&verdict);
}

static const char usage[] =
    "usage: twilio-verify-check [--settings PATH]\n"
    "\n"
    "Runs one login for pam_twilio_verify over its standard input and output. By hand: type\n"
    "\"login 2 SERVICE USER\", then an answer for every line that begins with \"ask\"; the last\n"
    "line is the verdict.\n";

int main(int argc, char **argv)
{
    const char *settings_path = PATHS_SETTINGS;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("twilio-verify-check " PATHS_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc == 3 && strcmp(argv[1], "--settings") == 0) {
        settings_path = argv[2];
    } else if (argc != 1) {
        fputs(usage, stderr);
        return 2;
    }
    if (settings_path[0] != '/') {
        fprintf(stderr, "twilio-verify-check: --settings needs an absolute path, not %s\n",
                settings_path);
        return 2;
    }
    run(settings_path);
}
