/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What sshd says and is configured for: the status of "sshd -T", a line; what it says, up to a line
 * "%"; then the files "sshd_config", "one" and "two", each up to a line "%". sshd is this file's
 * own. */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/lint/sshd-list.h"
#include "admin/lint/sshd-text.h"
#include "files.h"
#include "fuzz.h"

enum { COPIED_MAX = 4 };

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
    fuzz_demand(strcmp(path, "/usr/sbin/sshd") == 0 && strcmp(arguments[1], "-T") == 0 &&
                    strcmp(arguments[4], "-C") == 0,
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
    fuzz_demand(config->pam_service != NULL && config->port != NULL,
                "the rest was said, or is usual");
}

static void demand_lists(const struct sshd_config *config)
{
    for (int kind = 0; kind < 8; kind++) {
        struct check_stack_answer stack = { .has_factor = kind & 1, .has_split = kind & 2 };
        enum sshd_list_end end;
        snprintf(stack.after, sizeof stack.after, "%s", kind & 4 ? "publickey" : "");
        end = sshd_list_judge(config->methods, strlen(config->methods), config, &stack);
        fuzz_demand(end <= SSHD_LIST_ASKS, "a list comes to something");
        fuzz_demand(end != SSHD_LIST_ASKS ||
                        strstr(config->methods, "keyboard-interactive") != NULL ||
                        strstr(config->methods, "password") != NULL,
                    "what asks calls PAM");
    }
}

static void demand_blocks(const struct sshd_blocks *blocks)
{
    struct verdict why_not = { 0 };

    fuzz_demand(blocks->count <= SSHD_CONFIG_BLOCKS_MAX, "blocks have an end");
    for (int i = 0; i < blocks->count; i++) {
        const struct sshd_block *block = &blocks->blocks[i];
        struct sshd_copies copies = { 0 };
        fuzz_demand(block->path[0] != '\0' && block->number > 0, "a block stands somewhere");
        fuzz_demand(strchr(block->criteria, '\n') == NULL, "criteria are one line");
        fuzz_demand(block->outer < i, "what is around a block stands before it");
        if (i < COPIED_MAX &&
            sshd_text_copy("/etc/ssh/sshd_config", NULL, blocks, i, &copies, &why_not) < 0)
            fuzz_demand(why_not.reason[0] != '\0', "a refusal tells why");
        sshd_copies_close(&copies);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "sshd_config", "one", "two", NULL };
    struct fuzz_input input = { data, size };
    struct verdict why_not = { 0 };
    struct sshd_blocks *blocks = NULL;
    struct sshd_config config;
    char *line = fuzz_take_text(&input);

    status = atoi(line) & 0xffff;
    if (WIFEXITED(status))
        status &= 0xff00; /* the kernel has no other */
    free(line);
    said = fuzz_take_part(&input);
    files_take(&input, names);
    switch (sshd_config_read(NULL, NULL, NULL, SSHD_CONFIG_USUAL, &config, &why_not)) {
    case SSHD_CONFIG_READ:
        fuzz_demand(status == 0, "a failure is none");
        demand_config(&config);
        demand_lists(&config);
        sshd_config_free(&config);
        break;
    case SSHD_CONFIG_REFUSED:
        fuzz_demand(why_not.reason[0] != '\0', "a refusal tells why");
        break;
    case SSHD_CONFIG_ABSENT:
        fuzz_demand(false, "sshd is there");
    }
    why_not.reason[0] = '\0';
    if (sshd_config_blocks(NULL, NULL, &blocks, &why_not))
        demand_blocks(blocks);
    else
        fuzz_demand(why_not.reason[0] != '\0', "a refusal tells why");
    sshd_blocks_free(&blocks);
    files_forget();
    free(said);
    return 0;
}
