/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One line for each request, for tests to assert on. */
#pragma once

/* Appends `METHOD PATH STATUS CODE` in one write. Foreign bytes are percent-encoded; a STATUS or
 * CODE of 0 stands as `-`. LOG below 0: does nothing. */
void request_log_write(int log, const char *method, const char *path, unsigned status, int code);
