/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Twilio's error codes and what each does to a login. */
#include "errors.h"

#include <stdbool.h>

#include "reply.h"

#define WRONG(text)     CHALLENGE_REFUSED, OUTCOME_MISCONFIGURED, text
#define EXHAUSTED(text) CHALLENGE_REFUSED, OUTCOME_EXHAUSTED, text
#define DENIED(text)    CHALLENGE_REFUSED, OUTCOME_DENIED, text
#define GOES_ON(state)  CHALLENGE_##state, OUTCOME_DENIED

static const struct error table[] = {
    { 20001, WRONG("Twilio takes the request for a bad one") },
    { 20003, WRONG("the credentials are wrong: check account_sid, api_key_sid and api_key_file") },
    { 20011, WRONG("Twilio refuses this version of TLS") },
    { 20404, WRONG("no such service, entity or factor: check service_sid and the enrollment") },
    { 20429, EXHAUSTED("too many requests at once on the account") },
    { 60200, WRONG("invalid parameter") },
    { 60204, WRONG("the service has no TOTP factors: enable them") },
    { 60300, WRONG("malformed parameter") },
    { 60301, WRONG("the entity exists already") },
    { 60302, WRONG("the factor type exists already") },
    { 60305, WRONG("access token parameters") },
    { 60306, WRONG("malformed SID, identity or code") },
    { 60307, WRONG("a push can't be sent again") },
    { 60308, EXHAUSTED("the challenge has no attempts left") },
    { 60309, EXHAUSTED("the challenge has no messages left") },
    { 60310, WRONG("the new factor has no attempts left: enroll the user again") },
    { 60311, WRONG("the factor was not confirmed: enroll the user again") },
    { 60312, EXHAUSTED("too many challenges for this factor within the hour or the day") },
    { 60313, WRONG("the credentials may not create a factor: name a key that may, group admin") },
    { 60314, WRONG("the factor's binding is invalid") },
    { 60315, WRONG("the entity has too many factors: delete one, or take another identity") },
    { 60317, WRONG("the factor exists already") },
    { 60318, WRONG("the factor is not confirmed: enroll the user again") },
    { 60322, DENIED("the challenge was answered before") },
    { 60323, GOES_ON(EXPIRED), "the challenge expired" },
    { 60324, GOES_ON(PENDING), "wrong code" },
    { 60326, WRONG("too many factors for the entity today: tomorrow, or take another identity") },
    { 60328, WRONG("too many entities at once") },
    { 60330, WRONG("the service's webhook can't be called") },
    { 60361, WRONG("malformed account SID") },
    { 60362, WRONG("malformed factor SID") },
    { 60363, WRONG("malformed service SID") },
    { 60364, WRONG("malformed challenge SID") },
    { 60365, WRONG("malformed entity SID") },
    { 60366, WRONG("malformed challenge details") },
    { 60367, WRONG("malformed identity: check the enrollment") },
    { 60368, WRONG("malformed factor type") },
    { 60369, WRONG("malformed factor configuration") },
    { 60370, WRONG("malformed factor configuration") },
    { 60373, WRONG("malformed page size") },
    { 60374, WRONG("malformed page token") },
    { 60383, WRONG("the factor's state does not allow it") },
    { 60390, WRONG("no such factor: enroll the user again") },
    { 60391, WRONG("no such challenge") },
    { 60392, WRONG("no such entity: enroll the user again") },
    { 70005, WRONG("too many requests of this account fail") },
    { 70051,
      WRONG("the API key lacks the permission for this: give it that, or name another key") },
};

const struct error *errors_find(int code)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code)
            return &table[i];
    return NULL;
}

enum outcome errors_judge(int status, int code, const char **ret_meaning)
{
    const struct error *error = errors_find(code);
    bool is_refusal = error != NULL && error->state == CHALLENGE_REFUSED;

    if (status < 400 || status >= 500 || status == 408) {
        *ret_meaning = "no answer that can be used";
        return OUTCOME_UNAVAILABLE;
    }
    /* Whoever has a first factor can provoke it: it must not open what an outage opens. */
    if (status == 429) {
        *ret_meaning = is_refusal ? error->meaning : "too many requests";
        return OUTCOME_EXHAUSTED;
    }
    *ret_meaning = is_refusal ? error->meaning : "the request was refused";
    return is_refusal ? error->outcome : OUTCOME_MISCONFIGURED;
}

int errors_parse(const char *body, size_t size)
{
    auto_reply *object = reply_parse(body, size);

    return object != NULL ? reply_number(object, "code") : 0;
}
