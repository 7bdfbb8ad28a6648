/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* An honest stand-in for Twilio Verify v2: starts, serves and ends. */
#include "control.h"
#include "credentials.h"
#include "emulator.h"
#include "file.h"
#include "memory.h"
#include "options.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { STATUS_USAGE = 2 };

static const char version[] = "0.1.0";

/* Reads a secret for USER. PATH NULL: there is none, which is all right. */
static bool main_add_secret(struct credentials *credentials, const char *option, const char *user,
                            const char *path, struct reason *why_not)
{
    char *secret = NULL;
    bool is_added = false;

    if (path == NULL)
        return true;

    secret = file_read_line(option, path, why_not);
    if (secret == NULL)
        return false;

    is_added = credentials_add(credentials, user, secret);
    explicit_bzero(secret, strlen(secret));
    free(secret);
    return is_added || reason_refuse(why_not, "%s %s: the line is too long", option, path);
}

/* PATH NULL: no log is wanted, and *ret_log stays as it is. */
static bool main_open_log(const char *path, int *ret_log, struct reason *why_not)
{
    if (path == NULL)
        return true;

    *ret_log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (*ret_log < 0)
        return reason_refuse(why_not, "--log %s: %s", path, strerror(errno));

    return true;
}

/* The signals that end the program become readable; every thread inherits that they are blocked. */
static int main_catch_signals(void)
{
    sigset_t ending;

    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &ending, NULL) != 0)
        return -1;

    return signalfd(-1, &ending, SFD_CLOEXEC);
}

/* Each connection takes a descriptor. */
static void main_raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool main_serve(const struct options *options, struct emulator *emulator,
                       struct server_settings *settings, struct reason *why_not)
{
    struct control control = { .listener = -1 };
    struct server *server = NULL;
    int end = main_catch_signals();

    if (end < 0)
        return reason_refuse(why_not, "signals: %s", strerror(errno));
    if (!control_start(options->control, &control, why_not))
        return false;
    if (!server_start(emulator, settings, &server, why_not)) {
        control_stop(&control);
        return false;
    }

    printf("listening https://%s:%u\n", options->address, server_port(server));
    fflush(stdout);
    control_serve(&control, emulator, end);
    server_stop(server);
    control_stop(&control);
    close(end);
    return true;
}

static bool main_run(const struct options *options, struct reason *why_not)
{
    struct emulator emulator = { .lock = PTHREAD_MUTEX_INITIALIZER,
                                 .first_switches = options->switches,
                                 .faults = options->faults };
    struct credentials credentials = { 0 };
    auto_free char *certificate = file_read("--certificate", options->certificate, why_not);
    auto_free char *key = certificate == NULL ? NULL : file_read("--key", options->key, why_not);
    struct server_settings settings = {
        options->address, options->port_number, certificate, key, -1, &credentials
    };
    bool is_done = false;

    if (certificate == NULL || key == NULL ||
        !main_add_secret(&credentials, "--api-key-secret-file", options->api_key_sid,
                         options->api_key_secret_file, why_not) ||
        !main_add_secret(&credentials, "--auth-token-file", options->account_sid,
                         options->auth_token_file, why_not) ||
        !main_open_log(options->log, &settings.log, why_not))
        return false;

    strcpy(emulator.account_sid, options->account_sid);
    strcpy(emulator.service_sid, options->service_sid);
    if (!totp_start() || !emulator_start(&emulator))
        return reason_refuse(why_not, "liboath can't start, or no memory");

    main_raise_limit();
    is_done = main_serve(options, &emulator, &settings, why_not);
    emulator_free(&emulator);
    credentials_free(&credentials);
    if (settings.log >= 0)
        close(settings.log);
    return is_done;
}

int main(int argc, char **argv)
{
    struct options options = { 0 };
    struct reason why_not = { 0 };

    if (argc >= 4 && strcmp(argv[1], "control") == 0)
        return control_send(argv[2], argc - 3, argv + 3);

    if (!options_parse(argc, argv, &options, &why_not) ||
        (!options.wants_help && !options.wants_version && !main_run(&options, &why_not))) {
        fprintf(stderr, "twilio-verify-emulator: %s\n", why_not.text);
        return STATUS_USAGE;
    }
    if (options.wants_help)
        options_print_help(stdout);
    else if (options.wants_version)
        printf("twilio-verify-emulator %s\n", version);
    return EXIT_SUCCESS;
}
