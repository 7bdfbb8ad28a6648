/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Any reply of Twilio's. Only one with every bound value and one single status in it approves, and
 * no error ever does. The first byte chooses what is done, the next two the HTTP status; the rest
 * is the body. */
#include "approval.h"
#include "core/text.h"
#include "fuzz.h"
#include "twilio/challenge.h"

#define HEX32    "0123456789abcdef0123456789abcdef"
#define IDENTITY "7f3c5d0e-9a1b-4c1d-8e2f-5a6b7c8d9e0f"

enum { HEAD_SIZE = 3 };

static void parse(const char *body, size_t size, bool is_new)
{
    const struct challenge_binding binding = {
        .account_sid = "AC" HEX32,
        .service_sid = "VA" HEX32,
        .identity = IDENTITY,
        .factor_sid = "YF" HEX32,
        .factor_type = "totp",
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
    fuzz_demand(state >= CHALLENGE_DENIED && state <= CHALLENGE_APPROVED,
                "a reply has one of four states");
    fuzz_demand(text_is_sid(sid, "YC"), "a challenge has a SID");
    if (state == CHALLENGE_APPROVED)
        approval_demand(body, size, &binding);
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
    fuzz_demand((step == CHALLENGE_VERIFY || step == CHALLENGE_CREATE_WITH_CODE) && status >= 400 &&
                    status < 500,
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
    judge(body, size - HEAD_SIZE, (enum challenge_step)(data[0] / 2 % 4), status);
    free(body);
    return 0;
}
