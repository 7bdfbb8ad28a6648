/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Any two texts as pam-facts, the package's and the administrator's, each up to a line "%": what is
 * taken is whole, what is refused is told with its line. */
#include "admin/lint/facts.h"
#include "fuzz.h"

static void demand_service(const struct facts *facts, const struct facts_service *service)
{
    fuzz_demand(service->name[0] != '\0' && strlen(service->name) <= FACTS_NAME_MAX,
                "a service has a name");
    fuzz_demand(facts_find_service(facts, service->name) == service, "a service is found");
    fuzz_demand(!(service->words & FACTS_ALONE) || !(service->words & FACTS_OTHERS),
                "a service is consistent");
    fuzz_demand(service->account == NULL || service->account[0] != '\0', "an account has a name");
    fuzz_demand(service->proftpd == NULL || service->proftpd[0] == '/', "a path is absolute");
    for (size_t i = 0; service->look[i] != NULL; i++)
        fuzz_demand(i < FACTS_PATHS_MAX && service->look[i][0] == '/', "paths are absolute");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    struct facts *facts = facts_new();
    struct verdict why_not = { 0 };
    char *text = fuzz_take_part(&input);
    char *own = fuzz_take_part(&input);
    const struct facts_service *service;

    fuzz_demand(facts != NULL, "there is memory");
    if (facts_add(facts, text, "facts", &why_not) && facts_add(facts, own, "own", &why_not)) {
        for (size_t i = 0; (service = facts_service_at(facts, i)) != NULL; i++)
            demand_service(facts, service);
        fuzz_demand(facts_find_module(facts, "pam_twilio_verify.so")->role == FACTS_SECOND,
                    "our module is ours");
        fuzz_demand(facts_codes(facts_find_module(facts, "pam_x.so"), text) != 0,
                    "a module returns something");
    } else {
        fuzz_demand(strncmp(why_not.reason, "facts:", 6) == 0 ||
                        strncmp(why_not.reason, "own:", 4) == 0,
                    "a refusal names the file");
    }
    facts_free(&facts);
    free(text);
    free(own);
    return 0;
}
