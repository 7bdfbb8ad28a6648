/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Twilio's error codes and what each does to a login. */
#include "errors.h"

#include <stdbool.h>
#include <string.h>

#include "reply.h"

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { WORDS_SIZE = 121 };

#define WRONG(text)     CHALLENGE_REFUSED, OUTCOME_MISCONFIGURED, text
#define EXHAUSTED(text) CHALLENGE_REFUSED, OUTCOME_EXHAUSTED, text
#define DENIED(text)    CHALLENGE_REFUSED, OUTCOME_DENIED, text
#define GOES_ON(state)  CHALLENGE_##state, OUTCOME_DENIED

static const struct error table[] = {
    { 20001, WRONG("malformed request: check service_sid and the enrollment") },
    { 20003,
      WRONG("the credentials are wrong: check account_sid, api_key_sid and api_key_file, and in "
            "Twilio's console that the key exists and the account is active") },
    { 20011, WRONG("Twilio does not accept this version of TLS: update libcurl's TLS library") },
    { 20404, WRONG("no such service, entity or factor: check service_sid and the enrollment") },
    { 20429, EXHAUSTED("the account sent too many requests at once") },
    { 60200, WRONG("invalid parameter: check the enrollment and service_sid") },
    { 60204, WRONG("this Verify service may not use TOTP: enable it in Twilio's console") },
    { 60300, WRONG("malformed parameter: check the enrollment and service_sid") },
    { 60301, WRONG("the entity exists already") },
    { 60302, WRONG("the factor type exists already") },
    { 60305, WRONG("access token parameters") },
    { 60306,
      WRONG("malformed SID, identity or code: check the enrollment, service_sid and code_length") },
    { 60307, WRONG("the push cannot be sent again") },
    { 60308, EXHAUSTED("the challenge has no attempts left") },
    { 60309, EXHAUSTED("the challenge has no messages left") },
    { 60310, WRONG("the new factor has no attempts left: enroll the user again") },
    { 60311, WRONG("the factor was not confirmed: enroll the user again") },
    { 60312, EXHAUSTED("too many challenges for this factor within the hour or the day: wait, or "
                       "use a recovery code") },
    { 60313, WRONG("the API key may not create factors: use a key that may, group admin") },
    { 60314, WRONG("the factor's binding is invalid") },
    { 60315, WRONG("the entity has too many factors: delete one, or use another identity") },
    { 60317, WRONG("the factor exists already") },
    { 60318,
      WRONG("the factor is not confirmed: twilio-verify list --check; enroll the user again") },
    { 60322, DENIED("the challenge was answered before") },
    { 60323, GOES_ON(EXPIRED), "the challenge expired" },
    { 60324, GOES_ON(PENDING), "wrong code" },
    { 60326,
      WRONG("too many factors for the entity today: try again tomorrow, or use another identity") },
    { 60328, WRONG("too many entities at once") },
    { 60330, WRONG("Twilio cannot call the service's webhook") },
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
    { 60383, WRONG("the state of the factor does not allow this request") },
    { 60384, DENIED("the challenge timed out") },
    { 60390, WRONG("no such factor: enroll the user again") },
    { 60391, WRONG("no such challenge") },
    { 60392, WRONG("no such entity: enroll the user again") },
    { 70005, WRONG("too many failing requests from this account: correct the other errors first") },
    { 70051, WRONG("the API key has no permission for this: grant it, or use a standard key") },
    { 575001,
      WRONG("a trial account may not use Verify: upgrade the account in Twilio's console") },
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
        *ret_meaning = "unusable reply";
        return OUTCOME_UNAVAILABLE;
    }
    /* Anyone who has a first factor can provoke it: it must not open what an outage opens. */
    if (status == 429) {
        *ret_meaning = is_refusal ? error->meaning : "too many requests";
        return OUTCOME_EXHAUSTED;
    }
    *ret_meaning = is_refusal ? error->meaning : "Twilio refused the request";
    return is_refusal ? error->outcome : OUTCOME_MISCONFIGURED;
}

/* Copies TEXT. A word of digits alone becomes '#' for each: it may be a code. */
static void mask(const char *text, char *copy, size_t size)
{
    size_t end = 0;

    while (*text != '\0' && end + 1 < size) {
        size_t word = strspn(text, DIGITS LETTERS);
        size_t step = word > 0 ? word : 1;

        if (step > size - 1 - end)
            step = size - 1 - end;
        if (word > 0 && strspn(text, DIGITS) == word)
            memset(copy + end, '#', step);
        else
            memcpy(copy + end, text, step);
        text += step;
        end += step;
    }
    copy[end] = '\0';
}

/* What Twilio says itself, where that tells more than our meaning: which parameter, or what a code
 * means that we do not know. "" where it says nothing. */
static void quote(int status, int code, const char *body, size_t size, char words[WORDS_SIZE])
{
    static const char *const names[] = { "message", "detail", "title" };
    auto_reply *object =
        status == 400 || errors_find(code) == NULL ? reply_parse(body, size) : NULL;
    const char *text = NULL;

    for (size_t i = 0; object != NULL && text == NULL && i < sizeof names / sizeof *names; i++)
        text = reply_text(object, names[i]);
    mask(text != NULL ? text : "", words, WORDS_SIZE);
}

bool errors_refuse(int status, const char *body, size_t size, struct verdict *why_not)
{
    int code = errors_parse(body, size);
    char words[WORDS_SIZE] = "";
    const char *meaning;
    enum outcome outcome = errors_judge(status, code, &meaning);

    if (outcome == OUTCOME_MISCONFIGURED)
        quote(status, code, body, size, words);
    verdict_refuse(why_not, outcome, "Twilio: HTTP %d, error %d: %s", status, code, meaning);
    if (*words != '\0')
        verdict_add(why_not, " (Twilio: %s)", words);
    return false;
}

int errors_parse(const char *body, size_t size)
{
    auto_reply *object = reply_parse(body, size);

    return object != NULL ? reply_number(object, "code") : 0;
}
