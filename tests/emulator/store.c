/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Keeps every object in a list and a search tree. */
#include "store.h"

#include <json-c/json_object.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

/* The coarse order first, so that a tree in this order can also be searched in the coarse one. */
static int resource_compare(const void *left, const void *right)
{
    const struct resource *a = left, *b = right;
    int coarse = strcasecmp(a->key, b->key);

    return coarse != 0 ? coarse : strcmp(a->key, b->key);
}

static int resource_compare_folded(const void *left, const void *right)
{
    const struct resource *a = left, *b = right;

    return strcasecmp(a->key, b->key);
}

static void collection_start(struct collection *collection)
{
    TAILQ_INIT(&collection->list);
    collection->tree = NULL;
}

struct resource *collection_find(const struct collection *collection, const char *key, bool folded)
{
    struct resource wanted = { .key = key };
    struct resource **found =
        tfind(&wanted, &collection->tree, folded ? resource_compare_folded : resource_compare);

    return found == NULL ? NULL : *found;
}

static bool collection_add(struct collection *collection, struct resource *resource)
{
    struct resource **node = tsearch(resource, &collection->tree, resource_compare);

    if (node == NULL || *node != resource)
        return false;

    TAILQ_INSERT_TAIL(&collection->list, resource, link);
    return true;
}

static void collection_remove(struct collection *collection, struct resource *resource)
{
    tdelete(resource, &collection->tree, resource_compare);
    TAILQ_REMOVE(&collection->list, resource, link);
}

bool store_make_sid(const char *prefix, char ret_sid[SID_SIZE])
{
    unsigned char random[16];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return false;

    memcpy(ret_sid, prefix, 2);
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(ret_sid + 2 + 2 * i, 3, "%02x", random[i]);
    return true;
}

/* Zeroed memory whose first member is the resource. */
static struct resource *store_new(struct store *store, size_t size, const char *prefix, int64_t now)
{
    struct resource *resource = NULL;

    if (store->objects >= STORE_OBJECTS_MAX)
        return NULL;

    resource = calloc(1, size);
    if (resource == NULL || !store_make_sid(prefix, resource->sid)) {
        free(resource);
        return NULL;
    }

    resource->key = resource->sid;
    resource->created = resource->updated = now;
    return resource;
}

/* Puts it into its collection; on failure it is freed and NULL returned. */
static void *store_keep(struct store *store, struct collection *collection,
                        struct resource *resource)
{
    if (!collection_add(collection, resource)) {
        free(resource);
        return NULL;
    }

    store->objects++;
    return resource;
}

struct service *store_add_service(struct store *store, const char *sid, int64_t now)
{
    struct service *service = (struct service *)store_new(store, sizeof(*service), "VA", now);

    if (service == NULL)
        return NULL;

    if (sid != NULL)
        snprintf(service->base.sid, sizeof(service->base.sid), "%s", sid);
    collection_start(&service->entities);
    return store_keep(store, &store->services, &service->base);
}

struct entity *store_add_entity(struct store *store, struct service *service, const char *identity,
                                int64_t now)
{
    struct entity *entity = (struct entity *)store_new(store, sizeof(*entity), "YE", now);

    if (entity == NULL)
        return NULL;

    snprintf(entity->identity, sizeof(entity->identity), "%s", identity);
    entity->base.key = entity->identity;
    entity->service = service;
    collection_start(&entity->factors);
    collection_start(&entity->challenges);
    return store_keep(store, &service->entities, &entity->base);
}

struct factor *store_add_factor(struct store *store, struct entity *entity, int64_t now)
{
    struct factor *factor = (struct factor *)store_new(store, sizeof(*factor), "YF", now);

    if (factor == NULL)
        return NULL;

    factor->entity = entity;
    return store_keep(store, &entity->factors, &factor->base);
}

struct challenge *store_add_challenge(struct store *store, struct factor *factor, int64_t now)
{
    struct challenge *challenge =
        (struct challenge *)store_new(store, sizeof(*challenge), "YC", now);

    if (challenge == NULL)
        return NULL;

    challenge->factor = factor;
    return store_keep(store, &factor->entity->challenges, &challenge->base);
}

static void store_remove_challenge(struct store *store, struct challenge *challenge)
{
    collection_remove(&challenge->factor->entity->challenges, &challenge->base);
    store->objects--;
    json_object_put(challenge->details);
    json_object_put(challenge->hidden_details);
    json_object_put(challenge->metadata);
    free(challenge);
}

void store_remove_factor(struct store *store, struct factor *factor)
{
    struct resource *next = NULL;

    for (struct resource *r = TAILQ_FIRST(&factor->entity->challenges.list); r != NULL; r = next) {
        next = TAILQ_NEXT(r, link);
        if (((struct challenge *)r)->factor == factor)
            store_remove_challenge(store, (struct challenge *)r);
    }
    collection_remove(&factor->entity->factors, &factor->base);
    store->objects--;
    json_object_put(factor->metadata);
    json_object_put(factor->push_config);
    public_key_free(factor->key);
    window_free(&factor->new_challenges);
    explicit_bzero(factor, sizeof(*factor));
    free(factor);
}

void store_remove_entity(struct store *store, struct entity *entity)
{
    struct resource *first = NULL;

    while ((first = TAILQ_FIRST(&entity->challenges.list)) != NULL)
        store_remove_challenge(store, (struct challenge *)first);
    while ((first = TAILQ_FIRST(&entity->factors.list)) != NULL)
        store_remove_factor(store, (struct factor *)first);
    collection_remove(&entity->service->entities, &entity->base);
    store->objects--;
    window_free(&entity->new_factors);
    free(entity);
}

void store_remove_service(struct store *store, struct service *service)
{
    struct resource *first = NULL;

    while ((first = TAILQ_FIRST(&service->entities.list)) != NULL)
        store_remove_entity(store, (struct entity *)first);
    collection_remove(&store->services, &service->base);
    store->objects--;
    free(service);
}

void store_start(struct store *store)
{
    collection_start(&store->services);
    store->objects = 0;
}

void store_free(struct store *store)
{
    struct resource *first = NULL;

    while ((first = TAILQ_FIRST(&store->services.list)) != NULL)
        store_remove_service(store, (struct service *)first);
}

static void entity_forget_limits(struct entity *entity)
{
    window_free(&entity->new_factors);
    for (struct resource *r = TAILQ_FIRST(&entity->factors.list); r != NULL;
         r = TAILQ_NEXT(r, link))
        window_free(&((struct factor *)r)->new_challenges);
}

/* The entity after ENTITY, or of the next service that has one; NULL for ENTITY: the first. */
static struct entity *store_next_entity(const struct store *store, const struct entity *entity)
{
    const struct resource *service = TAILQ_FIRST(&store->services.list);

    if (entity != NULL) {
        struct resource *next = TAILQ_NEXT(&entity->base, link);

        if (next != NULL)
            return (struct entity *)next;
        service = TAILQ_NEXT(&entity->service->base, link);
    }
    for (; service != NULL; service = TAILQ_NEXT(service, link)) {
        struct resource *first = TAILQ_FIRST(&((const struct service *)service)->entities.list);

        if (first != NULL)
            return (struct entity *)first;
    }
    return NULL;
}

void store_forget_limits(struct store *store)
{
    struct entity *entity = NULL;

    while ((entity = store_next_entity(store, entity)) != NULL)
        entity_forget_limits(entity);
}

struct factor *store_find_factor(const struct store *store, const char *sid)
{
    struct resource *found = NULL;

    for (struct entity *entity = store_next_entity(store, NULL); entity != NULL && found == NULL;
         entity = store_next_entity(store, entity))
        found = collection_find(&entity->factors, sid, false);
    return (struct factor *)found;
}

struct challenge *store_find_challenge(const struct store *store, const char *sid)
{
    struct resource *found = NULL;

    for (struct entity *entity = store_next_entity(store, NULL); entity != NULL && found == NULL;
         entity = store_next_entity(store, entity))
        found = collection_find(&entity->challenges, sid, false);
    return (struct challenge *)found;
}
