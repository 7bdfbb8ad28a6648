/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* sshd's methods that have to come before the code: "publickey,password" of the argument
 * "after=". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether LIST is one or more of publickey, password, hostbased and gssapi-with-mic, with a comma
 * between two of them. */
bool methods_are_known(const char *list);

/* Whether LIST has the method of LENGTH bytes. */
bool methods_include(const char *list, const char *method, size_t length);

/* Whether sshd says in INFO that it has accepted one of LIST. INFO is the variable SSH_AUTH_INFO_0
 * of sshd's PAM environment: a line for each accepted method, which begins with its name (see
 * ExposeAuthInfo in sshd_config(5)). NULL: sshd did not set it. */
bool methods_are_accepted(const char *list, const char *info);
