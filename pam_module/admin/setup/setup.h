/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One call of "setup": what is in the settings, and what is to be there. */
#pragma once

#include <stdbool.h>

#include "../../core/settings.h"
#include "../../twilio/services.h"
#include "../desk/command.h"

enum { SETUP_SID_SIZE = SERVICES_SID_SIZE };

struct setup {
    const struct command_call *call;
    bool is_asking; /* a person sits at the terminal */
    bool is_dry;    /* change nothing, here and at Twilio */
    bool is_new;    /* there are no settings yet: TEXT is the sample */
    char *text;     /* of the settings as they are */
    /* To be set; "" as long as that is not known, api_key_sid also for the account's auth token. */
    char account_sid[SETUP_SID_SIZE], api_key_sid[SETUP_SID_SIZE], service_sid[SETUP_SID_SIZE];
    char *secret;              /* of the API key */
    struct settings *settings; /* of TEXT with these SIDs, zeros for those that are not known */
    struct service service;
    int lock;     /* that keeps other calls away; -1: not held */
    int signals;  /* that end a question or a request */
    bool is_made; /* the service was made by this call */
};
