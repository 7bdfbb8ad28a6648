/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Services, their entities, and the factors and challenges of these: state, without any rule. */
#pragma once

#include "public-key.h"
#include "totp.h"
#include "window.h"

#include <json-c/json_types.h>
#include <stdbool.h>
#include <sys/queue.h>

enum {
    SID_SIZE = 35,
    IDENTITY_SIZE = 65,
    NAME_SIZE = 64 * 4 + 1, /* 64 characters of UTF-8 */
    STORE_OBJECTS_MAX = 1000 * 1000,
    USED_STEPS_MAX = 8,
};

/* What all four have in common; always the first member. */
struct resource {
    TAILQ_ENTRY(resource) link;
    const char *key; /* the SID; of an entity the identity */
    char sid[SID_SIZE];
    int64_t created, updated;
};

TAILQ_HEAD(resource_list, resource);

/* Resources in the order of their creation, found by key. */
struct collection {
    struct resource_list list;
    void *tree;
};

enum { NOT_SET = -1 };

struct service {
    struct resource base;
    char friendly_name[NAME_SIZE];
    char issuer[NAME_SIZE]; /* empty: not set */
    int code_length;        /* of messages, not of totp */
    int totp_time_step, totp_code_length, totp_skew;
    struct collection entities;
};

struct entity {
    struct resource base;
    struct service *service;
    char identity[IDENTITY_SIZE];
    struct collection factors, challenges;
    struct window new_factors;
};

struct factor {
    struct resource base;
    struct entity *entity;
    char friendly_name[NAME_SIZE];
    struct json_object *metadata;
    struct totp_seed seed;
    struct totp_config config;
    struct public_key *key; /* of a push factor; NULL: it is a totp factor */
    struct json_object *push_config;
    bool is_verified;
    unsigned attempts;
    int64_t used_steps[USED_STEPS_MAX]; /* the time steps of codes that approved a challenge */
    unsigned used_steps_count;
    struct window new_challenges;
};

enum challenge_status {
    CHALLENGE_PENDING,
    CHALLENGE_EXPIRED,
    CHALLENGE_APPROVED,
    CHALLENGE_DENIED
};

struct challenge {
    struct resource base;
    struct factor *factor;
    enum challenge_status status;
    unsigned attempts, notifications;
    int64_t responded, expires;
    struct json_object *details, *hidden_details, *metadata;
};

struct store {
    struct collection services;
    unsigned objects;
};

void store_start(struct store *store);
void store_free(struct store *store);

/* 32 random hex digits behind the two letters of PREFIX. False: no randomness. */
bool store_make_sid(const char *prefix, char ret_sid[SID_SIZE]);

/* Each makes an object with a new SID (the service: with SID if that is not NULL), puts it last
 * and returns it. NULL: no memory, or STORE_OBJECTS_MAX are there. The store owns it. */
struct service *store_add_service(struct store *store, const char *sid, int64_t now);
struct entity *store_add_entity(struct store *store, struct service *service, const char *identity,
                                int64_t now);
struct factor *store_add_factor(struct store *store, struct entity *entity, int64_t now);
struct challenge *store_add_challenge(struct store *store, struct factor *factor, int64_t now);

/* Each frees the object and all that it holds; a factor's challenges go with it. */
void store_remove_service(struct store *store, struct service *service);
void store_remove_entity(struct store *store, struct entity *entity);
void store_remove_factor(struct store *store, struct factor *factor);

/* NULL: none has that key. FOLDED: capitals and small letters are the same. */
struct resource *collection_find(const struct collection *collection, const char *key, bool folded);

/* Every factor's and entity's record of creations starts anew. */
void store_forget_limits(struct store *store);

/* Looks through all services and entities. NULL: there is none. */
struct factor *store_find_factor(const struct store *store, const char *sid);
struct challenge *store_find_challenge(const struct store *store, const char *sid);
