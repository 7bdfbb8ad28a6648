/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Any reply of Twilio's. Only one with every bound value and one single status in it approves, and
 * no error ever does. The first byte chooses what is done, the next two the HTTP status; the rest
 * is the body. */
#include "core/text.h"
#include "fuzz.h"
#include "twilio/challenge.h"

#define HEX_DIGITS "0123456789abcdefABCDEF"
#define HEX32      "0123456789abcdef0123456789abcdef"
#define IDENTITY   "7f3c5d0e-9a1b-4c1d-8e2f-5a6b7c8d9e0f"

enum { HEAD_SIZE = 3 };

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

static void demand_approval(const char *body, size_t size, const struct challenge_binding *binding)
{
    char *plain = malloc(size + 1);
    size_t length = unescape(body, size, plain);

    fuzz_demand(contains(plain, length, "\"approved\""), "the reply says approved");
    fuzz_demand(contains(plain, length, "\"totp\""), "the reply says totp");
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

static void parse(const char *body, size_t size, bool is_new)
{
    const struct challenge_binding binding = {
        .account_sid = "AC" HEX32,
        .service_sid = "VA" HEX32,
        .identity = IDENTITY,
        .factor_sid = "YF" HEX32,
        .sid = is_new ? NULL : "YC" HEX32,
    };
    char sid[CHALLENGE_SID_SIZE] = "";
    struct verdict why_not = { 0 };
    enum challenge_state state = challenge_parse(body, size, &binding, sid, &why_not);

    if (state == CHALLENGE_REFUSED) {
        fuzz_demand(sid[0] == '\0', "the output changes only on success");
        fuzz_demand(why_not.outcome == OUTCOME_UNAVAILABLE || why_not.outcome == OUTCOME_DENIED,
                    "a refusal is one of two");
        return;
    }
    fuzz_demand(state == CHALLENGE_APPROVED || state == CHALLENGE_PENDING ||
                    state == CHALLENGE_EXPIRED,
                "a reply has one of three states");
    fuzz_demand(text_is_sid(sid, "YC"), "a challenge has a SID");
    if (state == CHALLENGE_APPROVED)
        demand_approval(body, size, &binding);
}

static void judge(const char *body, size_t size, enum challenge_step step, int status)
{
    struct verdict why_not = { 0 };
    enum challenge_state state = challenge_judge(step, status, body, size, &why_not);

    if (state == CHALLENGE_REFUSED) {
        fuzz_demand(why_not.outcome > OUTCOME_BROKEN && why_not.outcome <= OUTCOME_EXHAUSTED,
                    "a refusal refuses");
        fuzz_demand(why_not.reason[0] != '\0', "a refusal tells why");
        return;
    }
    fuzz_demand(state == CHALLENGE_PENDING || state == CHALLENGE_EXPIRED, "no error approves");
    fuzz_demand(step == CHALLENGE_VERIFY && status >= 400 && status < 500,
                "only a refused code goes on");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *body;
    int status;

    if (size < HEAD_SIZE)
        return 0;
    body = malloc(size > HEAD_SIZE ? size - HEAD_SIZE : 1); /* a sanitizer watches its end */
    memcpy(body, data + HEAD_SIZE, size - HEAD_SIZE);

    status = (data[1] << 8 | data[2]) % 700;
    parse(body, size - HEAD_SIZE, data[0] & 1);
    judge(body, size - HEAD_SIZE, (enum challenge_step)(data[0] / 2 % 3), status);
    free(body);
    return 0;
}
