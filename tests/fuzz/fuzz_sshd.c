/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What sshd says and is configured for: the status of "sshd -T", a line; what it says, up to a line
 * "%"; then the files "sshd_config", "one" and "two", each up to a line "%". sshd is this file's own. */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/sshd-config.h"
#include "files.h"
#include "fuzz.h"

static char *said;
static int status;

int __wrap_access(const char *path, int mode);
int __wrap_posix_spawn(pid_t *ret_pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const arguments[],
                       char *const environment[]);
pid_t __wrap_waitpid(pid_t pid, int *ret_status, int options);
bool __wrap_text_file_read_descriptor(int descriptor, char **ret_text);

int __wrap_access(const char *path, int mode)
{
    (void)path;
    (void)mode;
    return 0;
}

int __wrap_posix_spawn(pid_t *ret_pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const arguments[],
                       char *const environment[])
{
    (void)actions;
    (void)attributes;
    fuzz_demand(strcmp(path, "/usr/sbin/sshd") == 0 && strcmp(arguments[1], "-T") == 0,
                "sshd is asked");
    fuzz_demand(environment[0] != NULL && environment[1] == NULL, "it gets PATH alone");
    *ret_pid = 7;
    return 0;
}

pid_t __wrap_waitpid(pid_t pid, int *ret_status, int options)
{
    fuzz_demand(pid == 7 && options == 0, "sshd is waited for");
    *ret_status = status;
    return pid;
}

bool __wrap_text_file_read_descriptor(int descriptor, char **ret_text)
{
    (void)descriptor;
    *ret_text = strdup(said);
    return true;
}

/* Whether sshd said KEYWORD and VALUE on a line. */
static bool says(const char *keyword, const char *value)
{
    size_t length = strlen(keyword);
    size_t value_length = strlen(value);

    for (const char *line = said; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, keyword, length) == 0 && line[length] == ' ' &&
            strncmp(line + length + 1, value, value_length) == 0)
            return true;
    }
    return false;
}

static void demand_config(const struct sshd_config *config)
{
    fuzz_demand(!config->use_pam || says("usepam", "yes"), "what is on was said");
    fuzz_demand(!config->password || says("passwordauthentication", "yes"), "passwords were said");
    fuzz_demand(!config->public_key || says("pubkeyauthentication", "yes"), "keys were said");
    fuzz_demand(strcmp(config->methods, "any") == 0 ||
                    says("authenticationmethods", config->methods) || config->methods[0] == '\0',
                "the methods were said");
    fuzz_demand(strnlen(config->pam_service, SSHD_CONFIG_WORDS_SIZE) < SSHD_CONFIG_WORDS_SIZE,
                "the service has an end");
}

static void on_line(const struct sshd_config_line *line, void *context)
{
    (void)context;
    fuzz_demand(line->criteria[0] != '\0', "a line of a block has its criteria");
    fuzz_demand(line->keyword != NULL && line->value != NULL && line->number > 0,
                "a line is whole");
    fuzz_demand(strchr(line->value, '\n') == NULL, "a line is one");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "sshd_config", "one", "two", NULL };
    struct fuzz_input input = { data, size };
    char why_not[SSHD_CONFIG_WORDS_SIZE] = "";
    struct sshd_config config;
    char *line = fuzz_take_text(&input);

    status = atoi(line) & 0xffff;
    if (WIFEXITED(status))
        status &= 0xff00; /* the kernel has no other */
    free(line);
    said = fuzz_take_part(&input);
    files_take(&input, names);
    switch (sshd_config_read(NULL, &config, why_not)) {
    case SSHD_CONFIG_READ:
        fuzz_demand(status == 0, "a failure is none");
        demand_config(&config);
        break;
    case SSHD_CONFIG_REFUSED:
        fuzz_demand(why_not[0] != '\0', "a refusal tells why");
        break;
    case SSHD_CONFIG_ABSENT:
        fuzz_demand(false, "sshd is there");
    }
    why_not[0] = '\0';
    if (!sshd_config_matches(NULL, on_line, NULL, why_not))
        fuzz_demand(why_not[0] != '\0', "a refusal tells why");
    files_forget();
    free(said);
    return 0;
}
