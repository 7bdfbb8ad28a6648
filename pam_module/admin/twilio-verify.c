/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* twilio-verify(8): enrolls users, says why a login is decided, finds what is wrong. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "desk/command.h"
#include "desk/terminal.h"
#include "paths.h"

enum { HELP = 1, OPERANDS_MAX = 1000 };

static const struct command *const commands[] = {
    &setup_command,   &enroll_command,    &confirm_command, &recovery_codes_command,
    &bypass_command,  &list_command,      &remove_command,  &unlock_command,
    &session_command, &enable_command,    &disable_command, &status_command,
    &explain_command, &check_pam_command, &doctor_command,  NULL,
};

static const struct command_option general[] = {
    { "settings", "PATH", "the settings file, " PATHS_SETTINGS " by default" },
    { "help", NULL, "this help; after a command, the help of the command" },
    { "version", NULL, "the version" },
    { NULL },
};

static void print_options(const struct command_option *options)
{
    for (; options->name != NULL; options++) {
        int length = printf("  --%s%s%s", options->name, options->argument != NULL ? " " : "",
                            options->argument != NULL ? options->argument : "");
        printf("%*s%s\n", length < 27 ? 28 - length : 1, "", options->help);
    }
}

static void print_synopsis(const struct command *command)
{
    int length =
        printf("  %s%s%s", command->name, *command->operands != '\0' ? " " : "", command->operands);

    printf("%*s%s\n", length < 27 ? 28 - length : 1, "", command->summary);
}

static enum command_status print_help(void)
{
    puts("Usage: twilio-verify [--settings PATH] COMMAND [OPTION...] [OPERAND...]\n");
    puts("Commands:");
    for (size_t i = 0; commands[i] != NULL; i++)
        print_synopsis(commands[i]);
    puts("\nOptions:");
    print_options(general);
    puts("\nExit status: 0 done, nothing wrong; 1 refused, or something is wrong; 2 usage;\n"
         "3 Twilio did not answer. See twilio-verify(8).");
    return COMMAND_OK;
}

static enum command_status print_command_help(const struct command *command)
{
    printf("Usage: twilio-verify %s [OPTION...]%s%s\n\n%s.\n", command->name,
           *command->operands != '\0' ? " " : "", command->operands, command->summary);
    if (command->options[0].name != NULL) {
        puts("\nOptions:");
        print_options(command->options);
    }
    return COMMAND_OK;
}

static enum command_status print_version(void)
{
    puts("twilio-verify " PATHS_VERSION);
    return COMMAND_OK;
}

static enum command_status refuse_usage(const char *verb)
{
    terminal_say("try: twilio-verify %s%s--help", verb, *verb != '\0' ? " " : "");
    return COMMAND_USAGE;
}

/* The table as getopt_long(3) wants it: the value of an option is HELP + 1 + its number. */
static void fill_long_options(const struct command_option *options, struct option *long_options)
{
    size_t count = 0;

    for (; options[count].name != NULL; count++)
        long_options[count] = (struct option){
            .name = options[count].name,
            .has_arg = options[count].argument != NULL ? required_argument : no_argument,
            .val = HELP + 1 + (int)count,
        };
    long_options[count++] = (struct option){ .name = "help", .val = HELP };
    long_options[count] = (struct option){ 0 };
}

/* As the help shows them: brackets for what may be missing, dots for what may be repeated. */
static bool takes(const struct command *command, int count)
{
    int least = *command->operands != '\0' && *command->operands != '[';
    int most = strstr(command->operands, "...") != NULL ? OPERANDS_MAX : *command->operands != '\0';

    return count >= least && count <= most;
}

static enum command_status run(const struct command *command, const char *settings_path, int argc,
                               char **argv)
{
    struct command_call call = { .command = command, .settings_path = settings_path };
    struct option long_options[COMMAND_OPTIONS_MAX + 2];
    int option;

    argv[0] = program_invocation_short_name; /* by which getopt(3) begins what it says */
    fill_long_options(command->options, long_options);
    optind = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == HELP)
            return print_command_help(command);
        if (option == '?')
            return refuse_usage(command->name);
        call.values[option - HELP - 1] = optarg != NULL ? optarg : "";
    }

    if (!takes(command, argc - optind)) {
        terminal_say("%s takes %s", command->name,
                     *command->operands != '\0' ? command->operands : "no operands");
        return refuse_usage(command->name);
    }
    call.operands = argv + optind;
    return command->run(&call);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* libcurl, OpenSSL and libc obey the variables of the caller: only what is about the terminal
 * stays. */
static void clean_environment(void)
{
    static const char *const kept[] = { "LANG",     "LC_ALL",  "LC_CTYPE", "TERM",
                                        "NO_COLOR", "COLUMNS", NULL };
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    static char *variables[sizeof kept / sizeof *kept + 1];
    size_t count = 0;

    for (size_t i = 0; kept[i] != NULL; i++) {
        char *value = getenv(kept[i]);
        if (value != NULL)
            variables[count++] = value - strlen(kept[i]) - strlen("=");
    }
    variables[count] = path;
    environ = variables;
}

/* A closed standard stream has no file of ours in its place, to be written into or read from.
 * False: there is no /dev/null. */
static bool fill_descriptors(void)
{
    int descriptor;

    do
        descriptor = open("/dev/null", O_RDONLY);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    return descriptor >= 0 && close(descriptor) == 0;
}

static int run_line(int argc, char **argv)
{
    static const struct option long_options[] = {
        { "settings", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' },
        { 0 },
    };
    const char *settings_path = PATHS_SETTINGS;
    const struct command *command;
    int option;

    argv[0] = program_invocation_short_name;
    while ((option = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
        if (option == 'h')
            return print_help();
        if (option == 'v')
            return print_version();
        if (option != 's')
            return refuse_usage("");
        settings_path = optarg;
    }

    if (optind == argc) {
        terminal_say("no command given");
        return refuse_usage("");
    }
    command = find_command(argv[optind]);
    if (command == NULL) {
        terminal_say("unknown command \"%s\"", argv[optind]);
        return refuse_usage("");
    }
    return run(command, settings_path, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
    int status;

    signal(SIGPIPE, SIG_IGN);
    if (!fill_descriptors()) {
        terminal_say("cannot open /dev/null: %s", strerror(errno));
        return COMMAND_WRONG;
    }
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    clean_environment();
    umask(077);

    status = run_line(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        terminal_say("cannot write to standard output");
        return status == COMMAND_OK ? COMMAND_WRONG : status;
    }
    return status;
}
