/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a reply must hold before anybody may be let in. */
#include "approval.h"

#include "fuzz.h"

#define HEX_DIGITS "0123456789abcdefABCDEF"

/* The ASCII character that BODY begins with as \u00XX; -1: it does not. */
static int escaped(const char *body, size_t size)
{
    const char digits[] = { size >= 6 ? body[4] : '\0', size >= 6 ? body[5] : '\0', '\0' };

    if (size < 6 || memcmp(body, "\\u00", 4) != 0 || strspn(digits, HEX_DIGITS) != 2)
        return -1;
    return digits[0] < '8' ? (int)strtol(digits, NULL, 16) : -1;
}

/* Writes BODY with every such escape as its character; the size. OUT has SIZE bytes. */
static size_t unescape(const char *body, size_t size, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        int byte = escaped(body + i, size - i);
        out[used++] = byte >= 0 ? (char)byte : body[i];
        i += byte >= 0 ? 5 : 0;
    }
    return used;
}

static bool contains(const char *body, size_t size, const char *value)
{
    return memmem(body, size, value, strlen(value)) != NULL;
}

/* The number of members called "status" of the object BODY itself, by a walk along its brackets;
 * -1 where a quote stands that is none of JSON's. */
static int count_status(const char *body, size_t size)
{
    int depth = 0, found = 0;
    bool is_key = false;

    for (size_t i = 0; i < size; i++) {
        size_t begin = i + 1;
        if (body[i] == '\'')
            return -1;
        depth += (body[i] == '{' || body[i] == '[') - (body[i] == '}' || body[i] == ']');
        if (body[i] == '{' || body[i] == ',')
            is_key = true;
        else if (body[i] == ':')
            is_key = false;
        if (body[i] != '"')
            continue;
        for (i++; i < size && body[i] != '"'; i++)
            if (body[i] == '\\')
                i++;
        if (depth == 1 && is_key && i - begin == 6 && memcmp(body + begin, "status", 6) == 0)
            found++;
    }
    return found;
}

void approval_demand(const char *body, size_t size, const struct challenge_binding *binding)
{
    char *plain = malloc(size + 1);
    size_t length = unescape(body, size, plain);

    fuzz_demand(contains(plain, length, "\"approved\""), "the reply says approved");
    fuzz_demand(contains(plain, length, binding->factor_type), "the reply says the type");
    fuzz_demand(contains(plain, length, binding->account_sid), "the reply names the account");
    fuzz_demand(contains(plain, length, binding->service_sid), "the reply names the service");
    fuzz_demand(contains(plain, length, binding->identity), "the reply names the identity");
    fuzz_demand(contains(plain, length, binding->factor_sid), "the reply names the factor");
    fuzz_demand(binding->sid == NULL || contains(plain, length, binding->sid),
                "the reply names the challenge");
    /* An escaped quote would end a string here that goes on there. */
    if (!contains(body, size, "\\u00"))
        fuzz_demand(count_status(body, size) == 1, "the reply has one status");
    free(plain);
}
