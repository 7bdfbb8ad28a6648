/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The system calls that a login may make once its files are read: a filter of seccomp(2). Every
 * other one answers ENOSYS. */
#pragma once

#include <stdbool.h>

/* Puts the filter on this thread and those that it will start, for good. Wants no_new_privs. True
 * as well where the kernel or the container has no such filters. False, with errno: it has them,
 * and did not take this one. */
bool filter_install(void);
