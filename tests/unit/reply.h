/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Replies with one field changed. The rest is the response example of Twilio's API reference,
 * "Challenge resource". */
#pragma once

#define REPLY_HEX32     "0123456789abcdef0123456789abcdef"
#define REPLY_SID       "YC" REPLY_HEX32
#define REPLY_OTHER_SID "YC00000000000000000000000000000000"
#define REPLY_ACCOUNT   "AC" REPLY_HEX32
#define REPLY_SERVICE   "VA" REPLY_HEX32
#define REPLY_FACTOR    "YF" REPLY_HEX32
#define REPLY_IDENTITY  "7f3c5d0e-9a1b-4c1d-8e2f-5a6b7c8d9e0f"

/* A challenge whose field NAME has the JSON VALUE instead of its own; a NAME that it has not is
 * added, a VALUE of NULL leaves the field out. NAME may be NULL. Static storage, used again by the
 * next call. */
const char *reply_print(const char *status, const char *name, const char *value);

/* A refusal with CODE, in the form of Twilio's "Error and warning dictionary". Static storage, used
 * again by the next call. */
const char *reply_print_error(int code, int status);
