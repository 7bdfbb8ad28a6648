/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A TOTP factor of Twilio Verify: create, confirm, fetch, list, remove; others: fetch. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "service.h"

enum {
    FACTOR_SID_SIZE = 35,
    FACTOR_ALGORITHM_SIZE = 8,
    FACTOR_URI_SIZE = 1024,
    FACTOR_SECRET_SIZE = 129,
    FACTOR_LIST_MAX = 50, /* factors that are looked at */
};

enum factor_result {
    FACTOR_REFUSED = 0, /* nothing was changed; the verdict says why */
    FACTOR_LOST,        /* it may have been carried out; the verdict says why */
    FACTOR_ABSENT, /* Twilio knows no such factor or entity, or the factor takes no code any more */
    FACTOR_DONE,
};

/* How a factor makes its codes (RFC 6238). "" and 0: Twilio did not say. */
struct factor_config {
    char algorithm[FACTOR_ALGORITHM_SIZE]; /* sha1, sha256, sha512 */
    int code_length;                       /* digits */
    int time_step;                         /* seconds */
    int skew;                              /* time steps before and after now that count as well */
};

struct factor {
    char sid[FACTOR_SID_SIZE];
    struct factor_config config;
    bool is_push;
    bool is_verified; /* its first code was right: it can be used to log in */
};

/* What the creation of a factor tells, once and never again ("Create a Factor"). Wipe it. */
struct factor_seed {
    char uri[FACTOR_URI_SIZE];       /* otpauth://totp/... in printable ASCII, for the app */
    char secret[FACTOR_SECRET_SIZE]; /* 16 to 128 characters of Base32, for an app without camera */
};

/* Creates a factor with CONFIG for IDENTITY, and the entity where there is none. Twilio makes the
 * seed, which is then in *RET_SEED, or takes SECRET, 16 to 128 characters of Base32 without
 * padding. The name that Twilio wants tells nothing about the person. */
enum factor_result factor_create(struct service *service, const char *identity,
                                 const struct factor_config *config, const char *secret,
                                 struct http_watch *watch, struct factor *ret_factor,
                                 struct factor_seed *ret_seed, struct verdict *why_not);

/* Whether TEXT is Base32 (RFC 4648 section 6) of 80 to 640 bits, upper case, without padding. */
bool factor_is_secret(const char *text);

/* Shows Twilio the first CODE of the factor, digits alone. On FACTOR_DONE *RET_IS_VERIFIED tells
 * whether it was right. Of wrong ones Twilio takes five; then FACTOR_ABSENT (60310). */
enum factor_result factor_confirm(struct service *service, const char *identity, const char *sid,
                                  const char *code, struct http_watch *watch, bool *ret_is_verified,
                                  struct verdict *why_not);

enum factor_result factor_fetch(struct service *service, const char *identity, const char *sid,
                                struct http_watch *watch, struct factor *ret_factor,
                                struct verdict *why_not);

/* The first FACTOR_LIST_MAX factors of IDENTITY. */
enum factor_result factor_list(struct service *service, const char *identity,
                               struct http_watch *watch, struct factor ret_factors[FACTOR_LIST_MAX],
                               size_t *ret_count, struct verdict *why_not);

/* Deletes the factor SID, or, where SID is NULL, the entity with all that it has. */
enum factor_result factor_remove(struct service *service, const char *identity, const char *sid,
                                 struct http_watch *watch, struct verdict *why_not);
