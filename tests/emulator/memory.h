/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Memory that frees itself when its variable goes out of scope. */
#pragma once

#include <stdlib.h>

static inline void memory_release(void *variable)
{
    free(*(void **)variable);
}

#define auto_free         __attribute__((cleanup(memory_release)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
