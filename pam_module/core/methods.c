/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* sshd's methods that have to come before the code. */
#include "methods.h"

#include <string.h>

bool methods_include(const char *list, const char *method, size_t length)
{
    for (size_t size; *list != '\0'; list += size + (list[size] == ',')) {
        size = strcspn(list, ",");
        if (size == length && strncmp(list, method, length) == 0)
            return true;
    }
    return false;
}

bool methods_are_known(const char *list)
{
    for (;;) {
        size_t size = strcspn(list, ",");
        if (!methods_include("publickey,password,hostbased,gssapi-with-mic", list, size))
            return false;
        if (list[size] == '\0')
            return true;
        list += size + 1;
    }
}

bool methods_are_accepted(const char *list, const char *info)
{
    while (info != NULL && *info != '\0') {
        if (methods_include(list, info, strcspn(info, " /\n")))
            return true;
        info += strcspn(info, "\n");
        info += *info == '\n';
    }
    return false;
}
