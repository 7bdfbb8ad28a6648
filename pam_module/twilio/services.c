/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The Verify services of an account. */
#include "services.h"

#include <stdio.h>
#include <string.h>

#include "../core/text.h"
#include "errors.h"
#include "reply.h"

#define PATH "/v2/Services"

/* A page of the longest services that Twilio describes is far below HTTP_BODY_MAX. */
enum { PAGE_SIZE = 20, PATH_SIZE = 512, FORM_SIZE = 512 };

/* Sends REQUEST. Whether the reply has STATUS. */
static bool send(struct service *service, const struct http_request *request, int status, int again,
                 struct http_watch *watch, struct http_reply *ret_reply, struct verdict *why_not)
{
    enum http_result result = service_send(service, request, watch, again, ret_reply, why_not);

    if (result == HTTP_GIVEN_UP)
        return verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "interrupted");
    if (result != HTTP_REPLIED)
        return false;
    return ret_reply->status == status ||
           errors_refuse(ret_reply->status, ret_reply->body, ret_reply->size, why_not);
}

static bool read_row(struct json_object *object, struct services_row *ret_row)
{
    const char *sid = reply_text(object, "sid");
    const char *account_sid = reply_text(object, "account_sid");
    const char *name = reply_text(object, "friendly_name");

    if (sid == NULL || !text_is_sid(sid, "VA") || account_sid == NULL ||
        !text_is_sid(account_sid, "AC"))
        return false;
    snprintf(ret_row->sid, sizeof ret_row->sid, "%s", sid);
    snprintf(ret_row->account_sid, sizeof ret_row->account_sid, "%s", account_sid);
    snprintf(ret_row->name, sizeof ret_row->name, "%s",
             name != NULL && text_is_clean(name, strlen(name)) ? name : "");
    return true;
}

/* Keeps to the host and the path: what the reply says of them counts for nothing. False: there is
 * no next page. */
static bool read_next_path(struct json_object *object, char path[PATH_SIZE])
{
    struct json_object *meta = reply_object(object, "meta");
    const char *url = meta != NULL ? reply_text(meta, "next_page_url") : NULL;
    const char *query = url != NULL ? strchr(url, '?') : NULL;

    if (query == NULL || strlen(PATH) + strlen(query) >= PATH_SIZE)
        return false;
    for (const char *byte = query; *byte != '\0'; byte++)
        if (*byte <= ' ' || *byte >= 0x7f || *byte == '#')
            return false;
    snprintf(path, PATH_SIZE, PATH "%s", query);
    return true;
}

/* Reads one page behind the COUNT rows that are there. */
static bool read_page(struct json_object *object, struct services_row rows[SERVICES_MAX],
                      size_t *count)
{
    size_t length;

    if (object == NULL || !reply_array(object, "services", &length))
        return false;
    for (size_t i = 0; i < length && *count < SERVICES_MAX; i++) {
        struct json_object *item = reply_item(object, "services", i);
        if (item == NULL || !read_row(item, &rows[(*count)++]))
            return false;
    }
    return true;
}

bool services_list(struct service *service, struct http_watch *watch,
                   struct services_row ret_rows[SERVICES_MAX], size_t *ret_count,
                   struct verdict *why_not)
{
    char path[PATH_SIZE];
    const struct http_request request = { path, NULL, service_patience_ms(service), false };
    struct http_reply reply = { 0 };
    size_t count = 0;
    bool goes_on = true;

    snprintf(path, sizeof path, PATH "?PageSize=%d", PAGE_SIZE);
    while (goes_on) {
        if (!send(service, &request, 200, SERVICE_AGAIN, watch, &reply, why_not))
            return false;
        auto_reply *object = reply_parse(reply.body, reply.size);
        size_t before = count;
        if (!read_page(object, ret_rows, &count))
            return verdict_refuse(why_not, OUTCOME_UNAVAILABLE,
                                  "the reply is not a list of services");
        /* An empty page that leads to another one would never end. */
        goes_on = count > before && count < SERVICES_MAX && read_next_path(object, path);
    }
    *ret_count = count;
    return true;
}

bool services_create(struct service *service, struct http_watch *watch, const char *name,
                     struct services_row *ret_row, struct verdict *why_not)
{
    char form[FORM_SIZE], value[SERVICES_NAME_MAX * 3 + 1];
    const struct http_request request = { PATH, form, service_patience_ms(service), false };
    struct http_reply reply = { 0 };

    service_print_value(name, value, sizeof value);
    snprintf(form, sizeof form,
             "FriendlyName=%s&Totp.Issuer=%s&Totp.CodeLength=%d&Totp.TimeStep=30&Totp.Skew=1",
             value, value, service->settings->code_length);
    if (!send(service, &request, 201, SERVICE_AGAIN_UNSENT, watch, &reply, why_not))
        return false;
    auto_reply *object = reply_parse(reply.body, reply.size);
    return (object != NULL && read_row(object, ret_row)) ||
           verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "the reply is not a new service");
}

bool services_remove(struct service *service, struct http_watch *watch, const char *sid,
                     struct verdict *why_not)
{
    char path[SERVICE_PATH_SIZE];
    const struct http_request request = { path, NULL, service_patience_ms(service), true };
    struct http_reply reply = { 0 };

    snprintf(path, sizeof path, PATH "/%s", sid);
    return send(service, &request, 204, SERVICE_AGAIN, watch, &reply, why_not);
}
