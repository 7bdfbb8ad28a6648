/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Reads the command line, and explains it. */
#include "options.h"

#include "call.h"
#include "command.h"
#include "memory.h"
#include "route.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_SET = 's', OPTION_FAULT = 'f', OPTION_HELP = 'h', OPTION_VERSION = 'v' };

/* The options with a text for their value. */
static const struct option_definition {
    const char *name;
    size_t offset; /* in struct options */
    bool is_mandatory;
    const char *sid_prefix; /* NULL: it is no SID */
    const char *value, *meaning;
} definitions[] = {
    { "port", offsetof(struct options, port), true, NULL, "N",
      "where to listen; 0: any free port" },
    { "certificate", offsetof(struct options, certificate), true, NULL, "FILE",
      "of the server, PEM" },
    { "key", offsetof(struct options, key), true, NULL, "FILE", "of the certificate, PEM" },
    { "account-sid", offsetof(struct options, account_sid), true, "AC", "AC…", "the account" },
    { "api-key-sid", offsetof(struct options, api_key_sid), true, "SK", "SK…", "who may call" },
    { "api-key-secret-file", offsetof(struct options, api_key_secret_file), true, NULL, "FILE",
      "one line" },
    { "service-sid", offsetof(struct options, service_sid), true, "VA", "VA…",
      "the service that is there from the start" },
    { "auth-token-file", offsetof(struct options, auth_token_file), false, NULL, "FILE",
      "one line: the account SID may call with it" },
    { "address", offsetof(struct options, address), false, NULL, "IPV4", "default 127.0.0.1" },
    { "control", offsetof(struct options, control), false, NULL, "SOCKET",
      "where to take commands; mode 0600" },
    { "log", offsetof(struct options, log), false, NULL, "FILE",
      "appends METHOD PATH STATUS CODE for each request" },
};

static const char **options_place(struct options *options, const struct option_definition *which)
{
    return (const char **)((char *)options + which->offset);
}

/* NAME=VALUE; TEXT is cut at the equals sign. */
static bool options_set(struct options *options, char *text, struct reason *why_not)
{
    struct reason reason;
    char *equals = strchr(text, '=');

    if (equals == NULL)
        return reason_refuse(why_not, "--set takes NAME=VALUE, as in wrong-code=403-60324");

    *equals = '\0';
    if (!switches_set(&options->switches, text, equals + 1, &reason))
        return reason_refuse(why_not, "--set %s=%s: %s", text, equals + 1, reason.text);

    return true;
}

static bool options_fault(struct options *options, const char *text, struct reason *why_not)
{
    struct reason reason;

    return faults_add(&options->faults, text, &reason) ||
           reason_refuse(why_not, "--fault %s: %s", text, reason.text);
}

static bool options_check(struct options *options, struct reason *why_not)
{
    for (size_t i = 0; i < ARRAY_SIZE(definitions); i++) {
        const char *value = *options_place(options, &definitions[i]);
        const char *prefix = definitions[i].sid_prefix;

        if (value == NULL && definitions[i].is_mandatory)
            return reason_refuse(why_not, "--%s %s is missing", definitions[i].name,
                                 definitions[i].value);
        if (prefix != NULL && !call_is_sid(value, prefix))
            return reason_refuse(why_not, "--%s must be %s and 32 hex digits", definitions[i].name,
                                 prefix);
    }

    if (options->port[0] == '\0' || strlen(options->port) > 5 ||
        options->port[strspn(options->port, "0123456789")] != '\0' || atoi(options->port) > 65535)
        return reason_refuse(why_not, "--port must be a number from 0 to 65535");

    options->port_number = (uint16_t)atoi(options->port);
    return true;
}

/* *ret_known has an entry for each definition, then the four that are handled one by one. */
static void options_list(struct option *ret_known)
{
    static const struct option others[] = {
        { "set", required_argument, NULL, OPTION_SET },
        { "fault", required_argument, NULL, OPTION_FAULT },
        { "help", no_argument, NULL, OPTION_HELP },
        { "version", no_argument, NULL, OPTION_VERSION },
        { NULL, 0, NULL, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(definitions); i++)
        ret_known[i] = (struct option){ definitions[i].name, required_argument, NULL, 0 };
    memcpy(ret_known + ARRAY_SIZE(definitions), others, sizeof(others));
}

bool options_parse(int argc, char **argv, struct options *ret_options, struct reason *why_not)
{
    struct option known[ARRAY_SIZE(definitions) + 5];
    struct options options = { .address = "127.0.0.1" };
    int which = 0, number = 0;

    options_list(known);
    opterr = 0;
    while ((which = getopt_long(argc, argv, ":", known, &number)) != -1) {
        switch (which) {
        case 0:
            *options_place(&options, &definitions[number]) = optarg;
            break;
        case OPTION_SET:
            if (!options_set(&options, optarg, why_not))
                return false;
            break;
        case OPTION_FAULT:
            if (!options_fault(&options, optarg, why_not))
                return false;
            break;
        case OPTION_HELP:
            options.wants_help = true;
            break;
        case OPTION_VERSION:
            options.wants_version = true;
            break;
        case ':':
            return reason_refuse(why_not, "%s needs a value; --help lists the options",
                                 argv[optind - 1]);
        default:
            return reason_refuse(why_not, "%s is no option; --help lists them", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return reason_refuse(why_not, "%s is no option; --help lists them", argv[optind]);
    if (!options.wants_help && !options.wants_version && !options_check(&options, why_not))
        return false;

    *ret_options = options;
    return true;
}

void options_print_help(FILE *stream)
{
    const char *name = NULL;

    fprintf(stream,
            "twilio-verify-emulator: Twilio Verify v2 for totp factors, with real state, on "
            "this machine.\n\n"
            "  twilio-verify-emulator OPTION…\n"
            "        serves; prints `listening https://ADDRESS:PORT` when it does\n"
            "  twilio-verify-emulator control SOCKET COMMAND…\n"
            "        sends one command and prints the reply; status 1 if it is an error\n\n"
            "Options:\n");
    for (size_t i = 0; i < ARRAY_SIZE(definitions); i++)
        fprintf(stream, "  --%s %s\n        %s%s\n", definitions[i].name, definitions[i].value,
                definitions[i].meaning, definitions[i].is_mandatory ? " (mandatory)" : "");
    fprintf(stream, "  --set SWITCH=VALUE, --fault FAULT\n"
                    "        as the commands set and fault do; may be repeated\n"
                    "  --help, --version\n\n"
                    "Switches (the first value is the default):\n");
    switches_print_help(stream);
    fprintf(stream, "\nFaults: KIND [on OPERATION] [times N] [after carrying-out]\n");
    faults_print_help(stream);
    fprintf(stream, "\nOperations: any");
    for (int i = 0; (name = route_operation_name(i)) != NULL; i++)
        fprintf(stream, ", %s", name);
    fprintf(stream, "\n\nCommands:\n");
    command_print_help(stream);
    fprintf(stream,
            "\nFactors of type push and passkeys are refused with 60300, notifications with "
            "60307.\n");
}
