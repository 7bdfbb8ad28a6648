/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The API of one login over any network: what is sent, how often, and what is made of the replies.
 * The first byte is one of c, w, v, f and s: create, create with a code, verify, fetch a challenge,
 * fetch the service; then requests as in network.h. */
#include "approval.h"
#include "core/text.h"
#include "fuzz.h"
#include "network.h"
#include "unit/reply.h"

#include "twilio/service.h"

#define CODE         "123456"
#define SERVICE_PATH "/v2/Services/" REPLY_SERVICE
#define CREATE_PATH  SERVICE_PATH "/Entities/" REPLY_IDENTITY "/Challenges"
#define VERIFY_PATH  CREATE_PATH "/" REPLY_SID

static const struct settings settings = {
    .service_sid = (char *)REPLY_SERVICE,
    .account_sid = (char *)REPLY_ACCOUNT,
    .timeout_seconds = 10,
    .code_length = 6,
};
static const struct enrollment enrollment = { .identity = (char *)REPLY_IDENTITY,
                                              .factor_sid = (char *)REPLY_FACTOR };

static void demand_requests(const char *path, const char *form, size_t most)
{
    fuzz_demand(network.count <= most, "a request is repeated once at most");
    for (size_t i = 0; i < network.count; i++) {
        fuzz_demand(strcmp(network.requests[i].path, path) == 0, "the path is this login's");
        fuzz_demand(strcmp(network.requests[i].form, form) == 0, "the form is this request's");
        fuzz_demand(!network.requests[i].is_delete, "a login deletes nothing");
    }
}

/* Each request has FORM, and CODE behind it if it left. */
static void demand_codes(const char *path, const char *form, const char *code)
{
    char whole[NETWORK_TEXT_SIZE];

    fuzz_demand(network.count <= 2, "a code is sent once more at most");
    for (size_t i = 0; i < network.count; i++) {
        const struct network_request *request = &network.requests[i];
        snprintf(whole, sizeof whole, "%s%s", form, request->has_left ? code : "");
        fuzz_demand(strcmp(request->path, path) == 0, "the path is this login's");
        fuzz_demand(strcmp(request->form, whole) == 0, "the form is this request's");
    }
}

static void demand_refusal(const struct verdict *why_not)
{
    fuzz_demand(why_not->outcome > OUTCOME_BROKEN && why_not->outcome <= OUTCOME_EXHAUSTED,
                "a refusal refuses");
    fuzz_demand(why_not->reason[0] != '\0', "a refusal tells why");
    fuzz_demand(text_is_clean(why_not->reason, strlen(why_not->reason)), "a reason is clean");
}

static void create(struct challenge_service *service, struct http_watch *watch)
{
    struct challenge challenge = { 0 };
    struct verdict why_not = { 0 };
    enum challenge_state state = challenge_api.create(service, watch, NULL, &challenge, &why_not);

    demand_requests(CREATE_PATH, "FactorSid=" REPLY_FACTOR, 2);
    if (network.count == 2)
        fuzz_demand(network.requests[0].was_busy, "only what was not done is done again");
    if (state == CHALLENGE_PENDING) {
        fuzz_demand(network_last()->status == 201 && network_says("pending"),
                    "a new challenge is a 201 and pending");
        fuzz_demand(text_is_sid(challenge.sid, "YC") && network_says(REPLY_FACTOR),
                    "a new challenge has a SID and is the factor's");
        return;
    }
    fuzz_demand(challenge.sid[0] == '\0', "a SID is a new challenge's");
    fuzz_demand(state == CHALLENGE_REFUSED || state == CHALLENGE_UNSENT || state == CHALLENGE_LOST,
                "a creation is pending or refused");
    demand_refusal(&why_not);
}

static void create_with_code(struct challenge_service *service, struct http_watch *watch)
{
    struct challenge challenge = { 0 };
    struct verdict why_not = { 0 };
    enum challenge_state state = challenge_api.create(service, watch, CODE, &challenge, &why_not);
    const struct challenge_binding binding = {
        .account_sid = REPLY_ACCOUNT,
        .service_sid = REPLY_SERVICE,
        .identity = REPLY_IDENTITY,
        .factor_sid = REPLY_FACTOR,
        .factor_type = "totp",
        .sid = challenge.sid,
    };

    if (network.count == 2)
        fuzz_demand(network.requests[0].was_busy, "only what was not done is done again");
    demand_codes(CREATE_PATH, "FactorSid=" REPLY_FACTOR "&AuthPayload=", CODE);
    if (state == CHALLENGE_APPROVED) {
        fuzz_demand(network_last()->result == HTTP_REPLIED && network_last()->status == 201,
                    "only a 201 approves");
        approval_demand(network.body, network.size, &binding);
    } else if (state == CHALLENGE_REFUSED || state == CHALLENGE_LOST || state == CHALLENGE_UNSENT) {
        demand_refusal(&why_not);
    }
    fuzz_demand((state == CHALLENGE_LOST) == (network_last()->result == HTTP_LOST),
                "what got lost is told");
    fuzz_demand(state != CHALLENGE_GIVEN_UP, "nobody gives a code up");
}

static void demand_state(enum challenge_state state, const struct challenge *challenge,
                         const struct verdict *why_not)
{
    const struct challenge_binding binding = {
        .account_sid = REPLY_ACCOUNT,
        .service_sid = REPLY_SERVICE,
        .identity = REPLY_IDENTITY,
        .factor_sid = REPLY_FACTOR,
        .factor_type = "totp",
        .sid = REPLY_SID,
    };

    fuzz_demand(strcmp(challenge->sid, REPLY_SID) == 0, "the challenge stays the same");
    fuzz_demand(text_is_clean(challenge->request_id, strlen(challenge->request_id)) &&
                    challenge->request_id[0] != '\0',
                "a request has a name");
    if (state == CHALLENGE_APPROVED) {
        fuzz_demand(network_last()->result == HTTP_REPLIED && network_last()->status == 200,
                    "only a 200 approves");
        approval_demand(network.body, network.size, &binding);
    } else if (state == CHALLENGE_REFUSED || state == CHALLENGE_LOST) {
        demand_refusal(why_not);
    }
}

static void verify(struct challenge_service *service, struct http_watch *watch)
{
    struct challenge challenge = { .sid = REPLY_SID, .request_id = "-" };
    struct verdict why_not = { 0 };
    enum challenge_state state = challenge_api.verify(service, watch, &challenge, CODE, &why_not);

    demand_codes(VERIFY_PATH, "AuthPayload=", CODE);
    demand_state(state, &challenge, &why_not);
    fuzz_demand((state == CHALLENGE_LOST) == (network_last()->result == HTTP_LOST),
                "what got lost is told");
    fuzz_demand(state != CHALLENGE_GIVEN_UP, "nobody gives a verification up");
}

static void fetch(struct challenge_service *service, struct http_watch *watch)
{
    struct challenge challenge = { .sid = REPLY_SID, .request_id = "-" };
    struct verdict why_not = { 0 };
    enum challenge_state state = challenge_api.fetch(service, watch, &challenge, &why_not);

    demand_requests(VERIFY_PATH, "", 2);
    demand_state(state, &challenge, &why_not);
    fuzz_demand(state != CHALLENGE_GIVEN_UP && state != CHALLENGE_UNSENT && state != CHALLENGE_LOST,
                "a fetched challenge has a state, or the reason");
}

static void fetch_service(struct http_watch *watch)
{
    const struct http_credentials credentials = { REPLY_ACCOUNT, "hunter2" };
    struct verdict why_not = { 0 };
    struct service service;

    if (!service_open(&settings, &credentials, &service, &why_not))
        return;
    if (service_fetch(&service, watch, &why_not)) {
        fuzz_demand(network_last()->status == 200 && network_says("VA"), "a service is a 200");
        demand_requests(SERVICE_PATH, "", 2);
    } else {
        demand_refusal(&why_not);
    }
    service_close(&service);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    struct http_watch watch = { .descriptor = -1,
                                .deadline_ms = NETWORK_BEGIN_MS + settings.timeout_seconds * 1000 };
    struct challenge_service *service = NULL;
    struct verdict why_not = { 0 };
    char *what = fuzz_take_text(&input);

    network_start(&input, reply_print);
    if (what[0] == 's') {
        fetch_service(&watch);
    } else if (challenge_api.open(&settings, &enrollment, "hunter2", &service, &why_not)) {
        if (what[0] == 'c')
            create(service, &watch);
        else if (what[0] == 'w')
            create_with_code(service, &watch);
        else if (what[0] == 'v')
            verify(service, &watch);
        else
            fetch(service, &watch);
    } else {
        demand_refusal(&why_not);
    }
    network_end();
    free(service);
    free(what);
    return 0;
}
