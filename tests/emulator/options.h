/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The command line. */
#pragma once

#include "fault.h"
#include "reason.h"
#include "switches.h"

#include <stdint.h>
#include <stdio.h>

struct options {
    const char *address, *port, *certificate, *key;
    const char *account_sid, *service_sid;
    const char *api_key_sid, *api_key_secret_file, *auth_token_file;
    const char *control, *log;
    uint16_t port_number;
    struct switches switches;
    struct faults faults;
    bool wants_help, wants_version;
};

/* What is in *ret_options points into ARGV. False: *why_not names the argument and the remedy. */
bool options_parse(int argc, char **argv, struct options *ret_options, struct reason *why_not);

void options_print_help(FILE *stream);
