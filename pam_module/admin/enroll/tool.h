/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the verbs share: the settings, the directory of the enrollments, the way to Twilio. */
#pragma once

#include "../../core/settings.h"
#include "../../twilio/factor.h"
#include "../desk/command.h"
#include "users.h"

struct tool {
    struct settings *settings;
    struct users users;
    struct service service;
    struct http_watch watch;
    int signals; /* that end a request; -1: none */
};

#define TOOL_NONE                                                                                  \
    {                                                                                              \
        .users = { .directories = { -1, -1, -1 }, .lock = -1 }, .signals = -1                      \
    }

/* The options of a verb that talks to Twilio. */
#define TOOL_OPTIONS                                                                               \
    { "api-key-sid", "SID", "an API key that may manage factors, for this call" },                 \
    {                                                                                              \
        "api-key-file", "PATH", "the file of its secret"                                           \
    }

/* The key to use and the file of its secret: those of the options, or of the settings' group admin,
 * or of the service. False, with OUTCOME_MISCONFIGURED in *WHY_NOT: half of a pair is missing. */
bool tool_key(const struct command_call *call, const struct settings *settings,
              const char **ret_user, const char **ret_path, struct verdict *why_not);

/* Reads the settings. False: *WHY_NOT also says what to do where they are not there yet. */
bool tool_settings(const struct command_call *call, struct settings **ret_settings,
                   struct verdict *why_not);

/* Whether the files of the packages and the account of run_as are there, without which no login
 * succeeds. False: *WHY_NOT names the first that is missing. */
bool tool_is_installed(const struct settings *settings, struct verdict *why_not);

/* Reads the settings and opens the directory of the enrollments; where NAME is not NULL, holds
 * signals and locks NAME. Makes no request possible, and so needs no API key. *RET_TOOL is an
 * auto_tool of TOOL_NONE. False: said why on standard error. */
bool tool_open_local(const struct command_call *call, const char *name, struct tool *ret_tool);

/* Whether what a login keeps for USER bears this name. False: USER is enrolled under another name
 * of the account; said, with the COMMAND for it. */
bool tool_takes_name(const struct tool *tool, const char *command, const char *user);

/* As tool_open_local(), and prepares for requests with the key that tool_key() tells. */
bool tool_open(const struct command_call *call, const char *name, struct tool *ret_tool);

/* Closes what is open. */
void tool_close(struct tool *tool);

#define auto_tool __attribute__((cleanup(tool_close))) struct tool

/* For one request: until the settings' timeout from now, or until SIGNALS can be read; -1: whatever
 * comes. */
struct http_watch tool_watch_of(const struct settings *settings, int signals);

/* The same, until a signal that is held. */
struct http_watch *tool_watch(struct tool *tool);

/* Prints PROBLEM ("could not create the factor") and the reason in *WHY_NOT to standard error;
 * returns how the tool has to end. */
enum command_status tool_refuse(const struct verdict *why_not, const char *problem);

/* Deletes at Twilio what the file of NAME in STATE tells of, the entity too where no factor is
 * left, and then the file. False: said what remains, and *RET_STATUS is how to end. */
bool tool_clean(struct tool *tool, enum users_state state, const char *name,
                enum command_status *ret_status);
