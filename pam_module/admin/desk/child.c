/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Another program that the tool starts. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static bool add_descriptors(posix_spawn_file_actions_t *actions, int output, const int *inputs)
{
    bool is_added =
        posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0;

    if (is_added && output >= 0)
        is_added = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO) == 0 &&
                   posix_spawn_file_actions_adddup2(actions, output, STDERR_FILENO) == 0;
    for (int i = 0; is_added && inputs != NULL && i < CHILD_INPUTS_MAX && inputs[i] >= 0; i++)
        is_added = posix_spawn_file_actions_adddup2(actions, inputs[i], STDERR_FILENO + 1 + i) == 0;
    return is_added;
}

static bool spawn(const char *const *arguments, int output, const int *inputs, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    bool is_started = false;
    sigset_t none;

    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    if (posix_spawnattr_init(&attributes) == 0) {
        char *environment[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" }, NULL };
        is_started = posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
                     posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) == 0 &&
                     add_descriptors(&actions, output, inputs) &&
                     posix_spawn(ret_pid, arguments[0], &actions, &attributes,
                                 (char *const *)arguments, environment) == 0;
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return is_started;
}

int child_run(const char *const *arguments, int output, const int *inputs)
{
    pid_t pid = -1;
    int status = -1;

    if (!spawn(arguments, output, inputs, &pid))
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
