/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The Verify service. */
#include "service.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../core/clock.h"
#include "errors.h"
#include "reply.h"

enum { PAUSE_MS = 500 };

const char *service_user(const struct settings *settings)
{
    return settings->api_key_sid != NULL ? settings->api_key_sid : settings->account_sid;
}

bool service_open(const struct settings *settings, const struct http_credentials *credentials,
                  struct service *ret_service, struct verdict *why_not)
{
    *ret_service = (struct service){ .settings = settings, .date_seconds = -1 };
    return http_open(settings, credentials, &ret_service->http, why_not);
}

void service_close(struct service *service)
{
    http_free(service->http);
    service->http = NULL;
}

bool service_print_path(const struct service *service, const char *identity, const char *kind,
                        const char *sid, char path[SERVICE_PATH_SIZE], struct verdict *why_not)
{
    int length = snprintf(path, SERVICE_PATH_SIZE, "/v2/Services/%s/Entities/%s%s%s%s%s",
                          service->settings->service_sid, identity, kind != NULL ? "/" : "",
                          kind != NULL ? kind : "", sid != NULL ? "/" : "", sid != NULL ? sid : "");

    if (length > 0 && length < SERVICE_PATH_SIZE)
        return true;
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "the SIDs and the identity are too long for a URL");
}

void service_print_value(const char *text, char *out, size_t size)
{
    size_t end = 0;

    for (; *text != '\0' && end + 4 <= size; text++)
        if (isalnum((unsigned char)*text) && (unsigned char)*text < 0x80)
            out[end++] = *text;
        else
            end += (size_t)sprintf(out + end, "%%%02X", (unsigned char)*text);
    out[end] = '\0';
}

int64_t service_patience_ms(const struct service *service)
{
    return (int64_t)service->settings->timeout_seconds * 1000;
}

static bool is_time_left(const struct http_watch *watch)
{
    return watch->deadline_ms == HTTP_FOREVER || clock_ms() < watch->deadline_ms;
}

/* What to wait before REQUEST is repeated; -1: it may not be. */
static int64_t pause_of(const struct service *service, enum http_result result,
                        const struct http_reply *reply, int again)
{
    if (service->status == 429 && service->error == ERRORS_TOO_MANY_REQUESTS &&
        !(again & SERVICE_NOT_WHEN_BUSY))
        return reply->retry_after_seconds > 0 ? reply->retry_after_seconds * 1000 : PAUSE_MS;
    if (result == HTTP_UNSENT && again & SERVICE_AGAIN_UNSENT)
        return 0;
    if (result == HTTP_LOST && again & SERVICE_AGAIN_LOST)
        return 0;
    return -1;
}

static enum http_result send(struct service *service, const struct http_request *request,
                             struct http_watch *watch, struct http_reply *ret_reply,
                             struct verdict *why_not)
{
    enum http_result result = http_send(service->http, request, watch, ret_reply, why_not);

    service->is_unsent = result == HTTP_UNSENT || result == HTTP_GIVEN_UP;
    service->status = result == HTTP_REPLIED ? ret_reply->status : 0;
    service->error = service->status >= 400 ? errors_parse(ret_reply->body, ret_reply->size) : 0;
    service->date_seconds = result == HTTP_REPLIED ? ret_reply->date_seconds : -1;
    if (service->date_seconds >= 0)
        service->ahead_seconds = time(NULL) - service->date_seconds;
    return result;
}

enum http_result service_send(struct service *service, const struct http_request *request,
                              struct http_watch *watch, int again, struct http_reply *ret_reply,
                              struct verdict *why_not)
{
    enum http_result result = send(service, request, watch, ret_reply, why_not);
    int64_t pause_ms = pause_of(service, result, ret_reply, again);

    service->was_busy = false;
    if (pause_ms < 0)
        return result;
    if (pause_ms > 0 && !http_pause(service->http, pause_ms, watch))
        return result;
    if (!is_time_left(watch))
        return result;
    service->was_busy = pause_ms > 0;
    return send(service, request, watch, ret_reply, why_not);
}

bool service_fetch(struct service *service, struct http_watch *watch, struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE];
    const struct http_request request = { path, NULL, service_patience_ms(service), false };
    struct http_reply reply = { 0 };

    snprintf(path, sizeof path, "/v2/Services/%s", service->settings->service_sid);
    if (service_send(service, &request, watch, SERVICE_AGAIN, &reply, why_not) != HTTP_REPLIED)
        return false;

    if (reply.status != 200)
        return errors_refuse(reply.status, reply.body, reply.size, why_not);
    auto_reply *object = reply_parse(reply.body, reply.size);

    if (object == NULL || !reply_is(object, "sid", service->settings->service_sid))
        return verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "the reply does not match service_sid");
    if (!reply_is(object, "account_sid", service->settings->account_sid))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "the service belongs to another account: check account_sid");
    return true;
}
