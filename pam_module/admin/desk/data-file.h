/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The files that are installed beside the tool and only read. */
#pragma once

#include <limits.h>

/* The path of the installed file NAME: beside the running program, as in a directory of a build, or
 * else where it is installed. */
void data_file_find(const char *name, char path[PATH_MAX]);
