/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Reads and tells secrets. */
#define _GNU_SOURCE 1 /* asprintf */

#include "binding.h"

#include "field.h"
#include "memory.h"

#include <ctype.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

enum { ENCODED_NAME_SIZE = 3 * NAME_SIZE };

bool binding_parse(const struct call *call, struct totp_seed *ret_seed, struct answer *answer)
{
    const char *secret = form_next(&call->form, "Binding.Secret", NULL);

    if (secret == NULL)
        return totp_make_seed(ret_seed) || answer_refuse(answer, 20500);
    if (!totp_parse_seed(secret, ret_seed))
        return call_refuse_malformed(call, SUBJECT_PARAMETER, "Binding.Secret", answer);

    return true;
}

/* Leaves only RFC 3986's unreserved characters as they are. */
static void binding_encode(const char *text, char ret_text[ENCODED_NAME_SIZE])
{
    char *out = ret_text;

    for (; *text != '\0' && out < ret_text + ENCODED_NAME_SIZE - 3; text++) {
        if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL)
            *out++ = *text;
        else
            out += sprintf(out, "%%%02X", (unsigned char)*text);
    }
    *out = '\0';
}

struct json_object *binding_to_json(const struct factor *factor)
{
    const struct service *service = factor->entity->service;
    char issuer[ENCODED_NAME_SIZE], account[ENCODED_NAME_SIZE];
    char secret[TOTP_SECRET_SIZE] = "", algorithm[8] = "";
    const char *name = totp_algorithm_name(factor->config.algorithm);
    struct json_object *object = json_object_new_object();
    auto_free char *uri = NULL;

    binding_encode(service->issuer[0] == '\0' ? service->friendly_name : service->issuer, issuer);
    binding_encode(factor->friendly_name, account);
    totp_print_seed(&factor->seed, secret);
    for (size_t i = 0; name[i] != '\0' && i < sizeof(algorithm) - 1; i++)
        algorithm[i] = (char)toupper((unsigned char)name[i]);
    if (asprintf(&uri, "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=%s&digits=%d&period=%d",
                 issuer, account, secret, issuer, algorithm, factor->config.code_length,
                 factor->config.time_step) < 0)
        uri = NULL;

    field_add_text(object, "secret", secret);
    field_add_text(object, "uri", uri);
    return object;
}
