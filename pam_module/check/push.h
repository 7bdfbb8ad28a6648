/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A push: the phone is asked, and then the user for the number that it shows. So somebody who
 * approves without seeing this login lets nobody in who does not guess one number of 90, once. */
#pragma once

#include "questions.h"

/* Runs the push for which the user has just asked, to the verdict in QUESTIONS, which are over
 * then. *RET_CHALLENGE is its challenge, *RET_OPENS_S as ledger_push() says. */
void push_run(struct questions *questions, const struct challenge_api *api,
              struct challenge_service *service, struct challenge *ret_challenge,
              int64_t *ret_opens_s);
