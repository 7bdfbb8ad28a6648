/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The Verify service: one connection to it, its paths, and when a request may be repeated. */
#pragma once

#include "../core/settings.h"
#include "../core/verdict.h"
#include "http.h"

enum { SERVICE_PATH_SIZE = 256 };

struct service {
    const struct settings *settings;
    struct http *http;
    int status;            /* of the last reply; 0: there was none */
    int error;             /* Twilio's code in it; 0: none */
    int64_t date_seconds;  /* of the last reply, the server's clock; -1: it did not say */
    int64_t ahead_seconds; /* this host's clock, of the server's, by the last reply that said */
    bool is_unsent;        /* not a byte of the last request left this host */
    bool was_busy; /* the last request was sent once more after "too many requests at once" */
};

/* Whether a request may be sent once more after a failure. */
enum service_again {
    SERVICE_ONCE = 0,
    SERVICE_AGAIN_UNSENT = 1, /* where not a byte of it left */
    SERVICE_AGAIN_LOST = 2,   /* where it may have been carried out: it changes nothing, or does the
                                 same again */
    SERVICE_AGAIN = SERVICE_AGAIN_UNSENT | SERVICE_AGAIN_LOST,
    SERVICE_NOT_WHEN_BUSY = 4 /* not even after "too many requests at once" */
};

/* The user name of logins: api_key_sid, or account_sid where there is none. */
const char *service_user(const struct settings *settings);

/* Prepares for requests as CREDENTIALS. Keeps SETTINGS. The caller closes with service_close(), or
 * ends the process. False, with the verdict in *WHY_NOT. */
bool service_open(const struct settings *settings, const struct http_credentials *credentials,
                  struct service *ret_service, struct verdict *why_not);

void service_close(struct service *service);

/* Prints the path of KIND ("Challenges", "Factors") of IDENTITY, or of the one with SID; KIND of
 * NULL: of the entity itself. False, with OUTCOME_MISCONFIGURED: it does not fit. */
bool service_print_path(const struct service *service, const char *identity, const char *kind,
                        const char *sid, char path[SERVICE_PATH_SIZE], struct verdict *why_not);

/* Percent-encodes TEXT for a form (RFC 3986 section 2.1), all but letters and digits; cut at
 * SIZE. */
void service_print_value(const char *text, char *out, size_t size);

/* For how long a request may last: timeout_seconds. */
int64_t service_patience_ms(const struct service *service);

/* http_send(), and once more where AGAIN allows it and, unless it forbids that, after "too many
 * requests at once", by which Twilio says that nothing was done. */
enum http_result service_send(struct service *service, const struct http_request *request,
                              struct http_watch *watch, int again, struct http_reply *ret_reply,
                              struct verdict *why_not);

/* Fetches the service: free of charge, and the way to see whether name server, TLS and credentials
 * work. False, with the verdict in *WHY_NOT. */
bool service_fetch(struct service *service, struct http_watch *watch, struct verdict *why_not);
