/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Creates, lists, fetches and deletes entities. */
#include "entity.h"

#include "field.h"
#include "page.h"

#include <json-c/json_object.h>
#include <stdio.h>

static struct json_object *entity_to_json(const struct call *call, const struct resource *resource)
{
    const struct entity *entity = (const struct entity *)resource;
    const char *service = entity->service->base.sid;
    struct json_object *object = json_object_new_object();
    struct json_object *links = json_object_new_object();
    char path[200];

    snprintf(path, sizeof(path), "/v2/Services/%s/Entities/%s", service, entity->identity);
    field_add_text(object, "sid", resource->sid);
    field_add_text(object, "identity", entity->identity);
    field_add_text(object, "account_sid", call->emulator->account_sid);
    field_add_text(object, "service_sid", service);
    field_add_date(object, "date_created", resource->created);
    field_add_date(object, "date_updated", resource->updated);
    field_add_url(object, "url", "%s", path);
    field_add_url(links, "factors", "%s/Factors", path);
    field_add_url(links, "new_factors", "%s/Factors", path);
    field_add_url(links, "challenges", "%s/Challenges", path);
    json_object_object_add(object, "links", links);
    return object;
}

void entity_add_fields(struct json_object *object, const struct entity *entity)
{
    field_add_text(object, "service_sid", entity->service->base.sid);
    field_add_text(object, "entity_sid", entity->base.sid);
    field_add_text(object, "identity", entity->identity);
}

bool entity_create(const struct call *call, struct answer *answer)
{
    bool folded = call_switch(call, SWITCH_IDENTITY_CASE) == IDENTITY_CASE_FOLDED;
    const char *identity = form_next(&call->form, "Identity", NULL);
    struct service *service = call_service(call, answer);
    struct entity *entity = NULL;

    if (service == NULL)
        return false;
    if (identity == NULL || !call_is_identity(identity))
        return call_refuse_malformed(call, SUBJECT_IDENTITY, "Identity", answer);
    if (collection_find(&service->entities, identity, folded) != NULL)
        return answer_refuse(answer, 60301);

    entity = store_add_entity(&call->emulator->store, service, identity, call->now);
    if (entity == NULL)
        return answer_refuse(answer, 20503);

    return answer_give(answer, 201, entity_to_json(call, &entity->base));
}

bool entity_list(const struct call *call, struct answer *answer)
{
    struct page page = { .key = "entities", .to_json = entity_to_json };
    struct service *service = call_service(call, answer);

    if (service == NULL)
        return false;

    snprintf(page.path, sizeof(page.path), "/v2/Services/%s/Entities", service->base.sid);
    return page_give(call, &page, &service->entities.list, answer);
}

bool entity_fetch(const struct call *call, struct answer *answer)
{
    struct entity *entity = call_entity(call, answer);

    return entity != NULL && answer_give(answer, 200, entity_to_json(call, &entity->base));
}

bool entity_delete(const struct call *call, struct answer *answer)
{
    struct entity *entity = call_entity(call, answer);

    if (entity == NULL)
        return false;

    store_remove_entity(&call->emulator->store, entity);
    return answer_give(answer, 204, NULL);
}
