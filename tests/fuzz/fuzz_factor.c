/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What the tool does with factors, over any network. The first line is one of c, k, f, l, r:
 * create, confirm, fetch, list, remove; the second counts for nothing; then requests as in
 * network.h. */
#include "core/text.h"
#include "fuzz.h"
#include "network.h"
#include "twilio/factor.h"
#include "unit/reply.h"
#include "unit/wiped.h"

#define FACTORS_PATH "/v2/Services/" REPLY_SERVICE "/Entities/" REPLY_IDENTITY "/Factors"
#define FACTOR_PATH  FACTORS_PATH "/" REPLY_FACTOR
#define SECRET       "GEZDGNBVGY3TQOJQ"

enum { BODY_SIZE = 4096 };

static const struct settings settings = {
    .service_sid = (char *)REPLY_SERVICE,
    .account_sid = (char *)REPLY_ACCOUNT,
    .timeout_seconds = 10,
    .code_length = 6,
};

static bool is_list;

/* A factor as Twilio gives it, or a list with one, in which NAME has the JSON VALUE. */
static const char *print_factor(const char *status, const char *name, const char *value)
{
    static const char *const fields[][2] = {
        { "sid", "\"" REPLY_FACTOR "\"" },
        { "account_sid", "\"" REPLY_ACCOUNT "\"" },
        { "service_sid", "\"" REPLY_SERVICE "\"" },
        { "identity", "\"" REPLY_IDENTITY "\"" },
        { "friendly_name", "\"alice\"" },
        { "factor_type", "\"totp\"" },
        { "binding",
          "{\"secret\": \"" SECRET "\", \"uri\": \"otpauth://totp/x:alice?secret=" SECRET "\"}" },
    };
    static char body[BODY_SIZE];
    size_t used = (size_t)snprintf(body, sizeof body, "%s{\"status\": \"%s\"",
                                   is_list ? "{\"factors\": [" : "", status);

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        bool is_changed = name != NULL && strcmp(fields[i][0], name) == 0;
        const char *shown = is_changed ? value : fields[i][1];
        if (shown != NULL)
            used += (size_t)snprintf(body + used, sizeof body - used, ", \"%s\": %s", fields[i][0],
                                     shown);
    }
    snprintf(body + used, sizeof body - used, "}%s", is_list ? "]}" : "");
    return body;
}

/* Printable ASCII: nothing that a terminal obeys. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text >= 0x7f)
            return false;
    return true;
}

static void demand_factor(const struct factor *factor)
{
    fuzz_demand(text_is_sid(factor->sid, "YF"), "a factor has a SID");
    fuzz_demand(network_says("YF"), "the reply names a factor");
    fuzz_demand(text_is_clean(factor->config.algorithm, strlen(factor->config.algorithm)),
                "an algorithm can be shown");
    fuzz_demand(factor->config.skew >= 0 && factor->config.skew <= 1000 &&
                    factor->config.time_step >= 0 && factor->config.time_step <= 1000,
                "the life of a code can be computed");
    fuzz_demand(!factor->is_verified || network_says("verified"), "the reply says verified");
}

static void demand_result(enum factor_result result, const struct verdict *why_not, int status,
                          const char *path)
{
    const struct network_request *last = network_last();

    fuzz_demand(network.count <= 2, "a request is repeated once at most");
    for (size_t i = 0; i < network.count; i++)
        fuzz_demand(strncmp(network.requests[i].path, path, strlen(path)) == 0,
                    "the path is this identity's");
    if (result == FACTOR_DONE) {
        fuzz_demand(last->result == HTTP_REPLIED, "what is done was replied to");
        fuzz_demand(last->status == status || (status == 200 && network_says("60311")),
                    "what is done has its status");
        return;
    }
    fuzz_demand(why_not->outcome > OUTCOME_BROKEN && why_not->outcome <= OUTCOME_EXHAUSTED &&
                    why_not->reason[0] != '\0',
                "a failure tells why");
    if (result == FACTOR_REFUSED && last->result == HTTP_REPLIED)
        fuzz_demand(last->status >= 400 && last->status < 500, "nothing was changed");
    fuzz_demand(result != FACTOR_REFUSED || last->result != HTTP_LOST,
                "what may have been done is not refused");
    fuzz_demand(result != FACTOR_ABSENT || last->status >= 400, "what is there is not absent");
}

static void create(struct service *service, struct http_watch *watch)
{
    const struct factor_config config = { "sha1", 6, 30, 1 };
    struct factor factor = { 0 };
    struct factor_seed seed = { 0 };
    struct verdict why_not = { 0 };
    enum factor_result result =
        factor_create(service, REPLY_IDENTITY, &config, NULL, watch, &factor, &seed, &why_not);

    demand_result(result, &why_not, 201, FACTORS_PATH);
    for (size_t i = 0; i + 1 < network.count; i++)
        fuzz_demand(!network.requests[i].has_left || network.requests[i].was_busy,
                    "a factor is made once");
    if (result != FACTOR_DONE)
        return;
    demand_factor(&factor);
    fuzz_demand(network_says(REPLY_ACCOUNT) || network_says("\\u00"),
                "the factor is the account's");
    fuzz_demand(strncmp(seed.uri, "otpauth://totp/", 15) == 0, "the seed is an address");
    fuzz_demand(is_printable(seed.uri), "an address is printable ASCII");
    fuzz_demand(strspn(seed.secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == strlen(seed.secret) &&
                    strlen(seed.secret) >= 16,
                "a secret is Base32");
}

static void confirm(struct service *service, struct http_watch *watch)
{
    struct verdict why_not = { 0 };
    bool is_verified = false;
    enum factor_result result = factor_confirm(service, REPLY_IDENTITY, REPLY_FACTOR, "123456",
                                               watch, &is_verified, &why_not);

    demand_result(result, &why_not, 200, FACTOR_PATH);
    fuzz_demand(!is_verified || (result == FACTOR_DONE && network_last()->status == 200 &&
                                 network_says("verified")),
                "only a 200 that says so verifies");
}

static void fetch(struct service *service, struct http_watch *watch)
{
    struct factor factor = { 0 };
    struct verdict why_not = { 0 };
    enum factor_result result =
        factor_fetch(service, REPLY_IDENTITY, REPLY_FACTOR, watch, &factor, &why_not);

    demand_result(result, &why_not, 200, FACTOR_PATH);
    if (result == FACTOR_DONE) {
        demand_factor(&factor);
        fuzz_demand(strcmp(factor.sid, REPLY_FACTOR) == 0, "it is the factor asked for");
    }
}

static void list(struct service *service, struct http_watch *watch)
{
    static struct factor factors[FACTOR_LIST_MAX];
    struct verdict why_not = { 0 };
    size_t count = 0;
    enum factor_result result =
        factor_list(service, REPLY_IDENTITY, watch, factors, &count, &why_not);

    demand_result(result, &why_not, 200, FACTORS_PATH "?PageSize=50");
    fuzz_demand(result == FACTOR_DONE || count == 0, "the output changes only on success");
    fuzz_demand(count <= FACTOR_LIST_MAX, "a list is short");
    for (size_t i = 0; i < count; i++)
        demand_factor(&factors[i]);
}

static void drop(struct service *service, struct http_watch *watch)
{
    struct verdict why_not = { 0 };
    enum factor_result result =
        factor_remove(service, REPLY_IDENTITY, REPLY_FACTOR, watch, &why_not);

    demand_result(result, &why_not, 204, FACTOR_PATH);
    for (size_t i = 0; i < network.count; i++)
        fuzz_demand(network.requests[i].is_delete, "a removal is a DELETE");
}

static void run(struct service *service, char what)
{
    struct http_watch watch = { .descriptor = -1, .deadline_ms = HTTP_FOREVER };

    is_list = what == 'l';
    if (what == 'c')
        create(service, &watch);
    else if (what == 'k')
        confirm(service, &watch);
    else if (what == 'l')
        list(service, &watch);
    else if (what == 'r')
        drop(service, &watch);
    else
        fetch(service, &watch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct http_credentials credentials = { REPLY_ACCOUNT, "hunter2" };
    struct fuzz_input input = { data, size };
    struct verdict why_not = { 0 };
    struct service service;
    char *what = fuzz_take_text(&input);
    char *ignored = fuzz_take_text(&input); /* the inputs that were found have one more text */

    network_start(&input, print_factor);
    if (service_open(&settings, &credentials, &service, &why_not)) {
        run(&service, what[0]);
        service_close(&service);
    }
    fuzz_demand(wiped_missing() == 0, "codes are wiped");
    network_end();
    free(ignored);
    free(what);
    return 0;
}
