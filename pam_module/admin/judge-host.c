/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The program that calls PAM for a service. */
#include "judge.h"

/* Lockers run PAM as the user, who can't read the settings. */
void judge_host(struct judge *judge)
{
    if (judge_knows(judge, FACTS_USER))
        judge_add(judge, REPORT_WARNING, "leave the module out of it",
                  "a screen locker, which can't read the settings: it refuses everybody");
}
