/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Tells and lists challenges. */
#include "challenge-json.h"

#include "challenge.h"
#include "entity.h"
#include "field.h"
#include "memory.h"
#include "page.h"
#include "push.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

static const char *const statuses[] = {
    [CHALLENGE_PENDING] = "pending",
    [CHALLENGE_EXPIRED] = "expired",
    [CHALLENGE_APPROVED] = "approved",
    [CHALLENGE_DENIED] = "denied",
};

bool challenge_parse_status(const char *name, enum challenge_status *ret_status)
{
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        if (strcmp(statuses[i], name) == 0) {
            *ret_status = (enum challenge_status)i;
            return true;
        }
    }
    return false;
}

enum challenge_status challenge_status_now(const struct call *call,
                                           const struct challenge *challenge)
{
    if (challenge->status == CHALLENGE_PENDING && call->now >= challenge->expires)
        return CHALLENGE_EXPIRED;

    return challenge->status;
}

/* The switch `details`: what a challenge made without them has. */
static void challenge_add_details(const struct call *call, const struct challenge *challenge,
                                  struct json_object *object)
{
    bool is_object = call_switch(call, SWITCH_DETAILS) == DETAILS_OBJECT;

    field_add_copy(object, "details", challenge->details);
    field_add_copy(object, "hidden_details", challenge->hidden_details);
    if (is_object && challenge->details == NULL) {
        struct json_object *details = json_object_new_object();

        field_add_text(details, "message", "");
        field_add_date(details, "date", challenge->base.created);
        json_object_object_add(details, "fields", json_object_new_array());
        json_object_object_add(object, "details", details);
    }
    if (is_object && challenge->hidden_details == NULL)
        json_object_object_add(object, "hidden_details", json_object_new_object());
}

struct json_object *challenge_to_json(const struct call *call, const struct resource *resource)
{
    const struct challenge *challenge = (const struct challenge *)resource;
    const struct entity *entity = challenge->factor->entity;
    bool is_filled = call_switch(call, SWITCH_DATE_RESPONDED) == DATE_RESPONDED_FILLED;
    struct json_object *object = json_object_new_object();
    struct json_object *links = json_object_new_object();
    char path[256];

    snprintf(path, sizeof(path), "/v2/Services/%s/Entities/%s/Challenges/%s",
             entity->service->base.sid, entity->identity, resource->sid);
    field_add_text(object, "sid", resource->sid);
    field_add_text(object, "account_sid", call->emulator->account_sid);
    entity_add_fields(object, entity);
    field_add_text(object, "factor_sid", challenge->factor->base.sid);
    field_add_date(object, "date_created", resource->created);
    field_add_date(object, "date_updated", resource->updated);
    field_add_date(object, "date_responded",
                   challenge->responded == 0 && is_filled ? resource->updated
                                                          : challenge->responded);
    field_add_date(object, "expiration_date", challenge->expires);
    field_add_text(object, "status", statuses[challenge_status_now(call, challenge)]);
    field_add_text(object, "responded_reason", "none");
    challenge_add_details(call, challenge, object);
    field_add_copy(object, "metadata", challenge->metadata);
    field_add_text(object, "factor_type", push_is_factor(challenge->factor) ? "push" : "totp");
    field_add_url(object, "url", "%s", path);
    field_add_url(links, "notifications", "%s/Notifications", path);
    json_object_object_add(object, "links", links);
    return object;
}

static bool challenge_is_wanted(const struct call *call, const struct resource *resource)
{
    const struct challenge *challenge = (const struct challenge *)resource;
    const char *factor = form_next(&call->query, "FactorSid", NULL);
    const char *status = form_next(&call->query, "Status", NULL);

    return (factor == NULL || strcmp(factor, challenge->factor->base.sid) == 0) &&
           (status == NULL || strcmp(status, statuses[challenge_status_now(call, challenge)]) == 0);
}

/* Checks FactorSid, Status and Order, and keeps them for the addresses of the other pages. */
static bool challenge_parse_filter(const struct call *call, struct page *page,
                                   struct answer *answer)
{
    const char *factor = form_next(&call->query, "FactorSid", NULL);
    const char *status = form_next(&call->query, "Status", NULL);
    const char *order = form_next(&call->query, "Order", NULL);
    enum challenge_status wanted = CHALLENGE_PENDING;

    if (factor != NULL && !call_is_sid(factor, "YF"))
        return call_refuse_malformed(call, SUBJECT_FACTOR_SID, "FactorSid", answer);
    if (status != NULL && !challenge_parse_status(status, &wanted))
        return call_refuse_malformed(call, SUBJECT_PARAMETER, "Status", answer);
    if (order != NULL && strcmp(order, "asc") != 0 && strcmp(order, "desc") != 0)
        return call_refuse_malformed(call, SUBJECT_PARAMETER, "Order", answer);

    page->is_reversed = order != NULL && strcmp(order, "desc") == 0;
    snprintf(
        page->filter, sizeof(page->filter), "%s%s%s%s%s%s%s%s%s",
        factor == NULL ? "" : "FactorSid=", factor == NULL ? "" : factor, factor == NULL ? "" : "&",
        status == NULL ? "" : "Status=", status == NULL ? "" : status, status == NULL ? "" : "&",
        order == NULL ? "" : "Order=", order == NULL ? "" : order, order == NULL ? "" : "&");
    return true;
}

bool challenge_list(const struct call *call, struct answer *answer)
{
    struct page page = { .key = "challenges",
                         .is_wanted = challenge_is_wanted,
                         .to_json = challenge_to_json };
    struct entity *entity = call_entity(call, answer);

    if (entity == NULL || !challenge_parse_filter(call, &page, answer))
        return false;

    snprintf(page.path, sizeof(page.path), "/v2/Services/%s/Entities/%s/Challenges",
             entity->service->base.sid, call->identity);
    return page_give(call, &page, &entity->challenges.list, answer);
}
