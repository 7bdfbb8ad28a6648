/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A device that calls the API by itself: Basic authentication with the user `token` and a JWT. */
#pragma once

#include "route.h"

/* True: TOKEN is signed by the key of a push factor, it is valid now, and ROUTE deals with nothing
 * but that factor or its challenges. TOKEN NULL: nobody is. */
bool device_may(const struct call *call, const struct route *route, const char *token);
