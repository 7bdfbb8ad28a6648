/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One line of pam-facts. */
#pragma once

#include "facts.h"

#define FACTS_OURS "pam_twilio_verify.so"
#define FACTS_ANY  (~(pam_codes)0)

enum facts_line_kind { FACTS_LINE_EMPTY, FACTS_LINE_SERVICE, FACTS_LINE_MODULE };

struct facts_line {
    enum facts_line_kind kind;
    struct facts_service service;
    struct facts_module module;
};

/* Reads TEXT, which it cuts into the words that *RET_LINE then points to. False with WHY_NOT, which
 * does not name the line: a word that does not belong there, or that lacks another. */
bool facts_line_parse(char *text, struct facts_line *ret_line, char why_not[FACTS_WHY_NOT_SIZE]);
