/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a name server says: any message; and names to ask for: up to the first NUL of the input. */
#include "fuzz.h"
#include "twilio/resolver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { A = 1, HEADER_SIZE = 12, IS_REPLY = 0x80, FOOT_SIZE = 4 };
    uint8_t *message = calloc(size > 0 ? size : 1, 1), query[RESOLVER_QUERY_SIZE];
    char *name = fuzz_string(data, size);
    uint16_t id = size >= 2 ? (uint16_t)(data[0] << 8 | data[1]) : 0;
    enum resolver_answer answer;
    size_t printed;

    fuzz_demand(message != NULL, "there is memory");
    if (size > 0)
        memcpy(message, data, size);
    answer = resolver_read(message, size, id, A);
    fuzz_demand(answer == RESOLVER_NO_ANSWER ||
                    (size >= HEADER_SIZE && (message[2] & IS_REPLY) != 0),
                "nothing but a reply answers");
    fuzz_demand(resolver_read(message, size, (uint16_t)(id + 1), A) == RESOLVER_NO_ANSWER,
                "an answer is to one question");

    printed = resolver_print(name, id, A, query);
    fuzz_demand(printed <= sizeof query, "a query fits");
    fuzz_demand(printed == 0 || printed > HEADER_SIZE + FOOT_SIZE, "a query has a question");
    fuzz_demand(printed == 0 || resolver_read(query, printed, id, A) == RESOLVER_NO_ANSWER,
                "a query is no answer");
    free(name);
    free(message);
    return 0;
}
