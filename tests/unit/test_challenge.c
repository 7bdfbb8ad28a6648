/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What Twilio's replies mean: nothing but this login's own challenge lets in. */
#include "unit.h"

#include <stdlib.h>

#include "reply.h"
#include "twilio/challenge.h"
#include "twilio/reply.h"

static const struct challenge_binding ours = {
    .account_sid = REPLY_ACCOUNT,
    .service_sid = REPLY_SERVICE,
    .identity = REPLY_IDENTITY,
    .factor_sid = REPLY_FACTOR,
    .factor_type = "totp",
    .sid = REPLY_SID,
};

/* A copy of exactly SIZE bytes, so that a sanitizer sees who reads beyond them. */
static enum challenge_state parse_bytes(const char *bytes, size_t size,
                                        const struct challenge_binding *binding,
                                        struct verdict *why_not)
{
    char sid[CHALLENGE_SID_SIZE] = "before";
    char *body = malloc(size > 0 ? size : 1);
    enum challenge_state state;

    memcpy(body, bytes, size);
    state = challenge_parse(body, size, binding, sid, why_not);
    free(body);
    assert_string_equal(sid, state == CHALLENGE_REFUSED ? "before" : REPLY_SID);
    return state;
}

static void assert_state(const char *body, enum challenge_state expected)
{
    struct verdict why_not = { 0 };
    enum challenge_state state = parse_bytes(body, strlen(body), &ours, &why_not);

    if (state != expected)
        fail_msg("%s: %d, not %d: %s", body, (int)state, (int)expected, why_not.reason);
}

static void assert_bytes_refused(const char *body, size_t size, const char *part)
{
    struct verdict why_not = { 0 };

    if (parse_bytes(body, size, &ours, &why_not) != CHALLENGE_REFUSED)
        fail_msg("took %s", body);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, part);
}

static void assert_untrusted(const char *body)
{
    assert_bytes_refused(body, strlen(body), "invalid JSON in Twilio's reply");
}

TEST(approves_this_login_s_own_challenge)
{
    assert_state(reply_print("approved", NULL, NULL), CHALLENGE_APPROVED);
}

TEST(knows_four_states)
{
    struct verdict why_not = { 0 };
    const char *denied;

    assert_state(reply_print("pending", NULL, NULL), CHALLENGE_PENDING);
    assert_state(reply_print("expired", NULL, NULL), CHALLENGE_EXPIRED);
    denied = reply_print("denied", NULL, NULL);
    assert_int_equal(parse_bytes(denied, strlen(denied), &ours, &why_not), CHALLENGE_DENIED);
    assert_refused(&why_not, OUTCOME_DENIED, "denied");
}

TEST(knows_no_state_that_is_almost_one)
{
    static const char *const values[] = {
        NULL,
        "null",
        "true",
        "1",
        "{}",
        "[]",
        "[\"approved\"]",
        "{\"approved\": true}",
        "\"\"",
        "\"Approved\"",
        "\"APPROVED\"",
        "\"approved \"",
        "\" approved\"",
        "\"approve\"",
        "\"approvedx\"",
        "\"approved\\n\"",
        "\"approved\\u0001\"",
        "\"verified\"",
        "\"\\ud800approved\"",
        "\"pending approved\"",
    };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        const char *body = reply_print("approved", "status", values[i]);
        assert_bytes_refused(body, strlen(body), "unknown status");
    }
}

static const struct {
    const char *name, *value;
} bound[] = {
    { "sid", REPLY_SID },
    { "account_sid", REPLY_ACCOUNT },
    { "service_sid", REPLY_SERVICE },
    { "identity", REPLY_IDENTITY },
    { "factor_sid", REPLY_FACTOR },
    { "factor_type", "totp" },
};

TEST(a_push_is_no_code_and_a_code_is_no_push)
{
    struct challenge_binding push = ours;
    struct verdict why_not = { 0 };
    const char *body = reply_print("approved", "factor_type", "\"push\"");

    push.factor_type = "push";
    assert_int_equal(parse_bytes(body, strlen(body), &push, &why_not), CHALLENGE_APPROVED);
    assert_bytes_refused(body, strlen(body), "does not match this login: factor_type");
    body = reply_print("approved", NULL, NULL);
    assert_int_equal(parse_bytes(body, strlen(body), &push, &why_not), CHALLENGE_REFUSED);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "does not match this login: factor_type");
}

static void assert_foreign(const char *name, const char *value)
{
    static const char *const states[] = { "approved", "pending", "expired", "denied" };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        const char *body = reply_print(states[i], name, value);
        struct verdict why_not = { 0 };
        if (parse_bytes(body, strlen(body), &ours, &why_not) != CHALLENGE_REFUSED)
            fail_msg("took %s", body);
        assert_refused(&why_not, OUTCOME_UNAVAILABLE, "does not match this login: ");
        assert_refused(&why_not, OUTCOME_UNAVAILABLE, name);
    }
}

TEST(refuses_a_reply_without_a_bound_field)
{
    for (size_t i = 0; i < ARRAY_SIZE(bound); i++)
        assert_foreign(bound[i].name, NULL);
}

TEST(refuses_a_reply_with_a_bound_field_of_another_type)
{
    static const char *const values[] = { "null", "true", "false", "0", "1.5", "{}", "[]", "\"\"" };
    char list[100];

    for (size_t i = 0; i < ARRAY_SIZE(bound); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(values); j++)
            assert_foreign(bound[i].name, values[j]);
        snprintf(list, sizeof list, "[\"%s\"]", bound[i].value);
        assert_foreign(bound[i].name, list);
        snprintf(list, sizeof list, "{\"%s\": 1}", bound[i].value);
        assert_foreign(bound[i].name, list);
    }
}

TEST(refuses_when_the_reply_names_another)
{
    char value[100];

    for (size_t i = 0; i < ARRAY_SIZE(bound); i++) {
        const char *own = bound[i].value;
        size_t last = strlen(own) - 1;

        snprintf(value, sizeof value, "\"%.*s%c\"", (int)last, own, own[last] == '1' ? '2' : '1');
        assert_foreign(bound[i].name, value);
        snprintf(value, sizeof value, "\"%.*s\"", (int)last, own);
        assert_foreign(bound[i].name, value);
        snprintf(value, sizeof value, "\"%sx\"", own);
        assert_foreign(bound[i].name, value);
        snprintf(value, sizeof value, "\"%s \"", own);
        assert_foreign(bound[i].name, value);
        snprintf(value, sizeof value, "\" %s\"", own);
        assert_foreign(bound[i].name, value);
        snprintf(value, sizeof value, "\"%s\\n\"", own);
        assert_foreign(bound[i].name, value);
        snprintf(value, sizeof value, "\"%c%s\"", own[0] ^ (own[0] >= 'A' ? 0x20 : 1), own + 1);
        assert_foreign(bound[i].name, value);
    }
    assert_foreign("factor_type", "\"push\"");
    assert_foreign("sid", "\"" REPLY_OTHER_SID "\"");
}

TEST(takes_any_sid_of_the_right_form_for_a_new_challenge)
{
    struct challenge_binding binding = ours;
    char sid[CHALLENGE_SID_SIZE] = "";
    struct verdict why_not = { 0 };
    const char *body = reply_print("pending", "sid", "\"" REPLY_OTHER_SID "\"");

    binding.sid = NULL;
    assert_int_equal(challenge_parse(body, strlen(body), &binding, sid, &why_not),
                     CHALLENGE_PENDING);
    assert_string_equal(sid, REPLY_OTHER_SID);
}

TEST(takes_no_sid_of_another_form_for_a_new_challenge)
{
    static const char *const sids[] = {
        NULL,
        "null",
        "\"\"",
        "\"YF" REPLY_HEX32 "\"",
        "\"YC" REPLY_HEX32 "0\"",
        "\"YC" REPLY_HEX32 "/\"",
        "\"YC" REPLY_HEX32 "?x\"",
        "\"YC0123456789abcdef0123456789abcde\"",
        "\"YC0123456789abcdef0123456789abcdeg\"",
        "\"YC/../../Factors/YF0123456789abcdef\"",
        "\"YC0123456789abcdef0123456789abcde\\n\"",
    };
    struct challenge_binding binding = ours;

    binding.sid = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(sids); i++) {
        const char *body = reply_print("pending", "sid", sids[i]);
        struct verdict why_not = { 0 };
        assert_int_equal(parse_bytes(body, strlen(body), &binding, &why_not), CHALLENGE_REFUSED);
        assert_refused(&why_not, OUTCOME_UNAVAILABLE, "does not match this login: sid");
    }
}

TEST(refuses_an_escaped_nul_anywhere)
{
    char value[100];

    for (size_t i = 0; i < ARRAY_SIZE(bound); i++) {
        snprintf(value, sizeof value, "\"%s\\u0000x\"", bound[i].value);
        assert_untrusted(reply_print("approved", bound[i].name, value));
    }
    assert_untrusted(reply_print("approved", "status", "\"approved\\u0000x\""));
    assert_untrusted(reply_print("denied", "status\\u0000x", "\"approved\""));
    assert_untrusted(reply_print("approved", "metadata", "{\"a\": \"\\u0000\"}"));
    assert_untrusted(reply_print("approved", "metadata", "{\"\\u0000\": 1}"));
}

TEST(refuses_a_nul_byte_anywhere)
{
    const char *body = reply_print("approved", NULL, NULL);
    size_t size = strlen(body);
    char *copy = malloc(size + 1);

    for (size_t at = 0; at <= size; at++) {
        memcpy(copy, body, at);
        copy[at] = '\0';
        memcpy(copy + at + 1, body + at, size - at);
        assert_bytes_refused(copy, size + 1, "invalid JSON in Twilio's reply");
        if (at < size) {
            memcpy(copy + at + 1, body + at + 1, size - at - 1);
            assert_bytes_refused(copy, size, "invalid JSON in Twilio's reply");
        }
    }
    free(copy);
}

TEST(reads_escapes_as_the_characters_that_they_are)
{
    assert_state(reply_print("\\u0061pproved", NULL, NULL), CHALLENGE_APPROVED);
    assert_state(reply_print("p\\u0065nding", NULL, NULL), CHALLENGE_PENDING);
    assert_state(reply_print("approved", "factor_type", "\"\\u0074otp\""), CHALLENGE_APPROVED);
    assert_state(reply_print("approved", "metadata", "{\"a\": \"\\\"status\\\":\\\\ \"}"),
                 CHALLENGE_APPROVED);
}

TEST(an_escaped_key_is_the_same_key)
{
    char body[4096];
    const char *without = reply_print("approved", "status", NULL);

    snprintf(body, sizeof body, "{\"\\u0073tatus\": \"approved\", %s", without + 1);
    assert_state(body, CHALLENGE_APPROVED);
    assert_untrusted(reply_print("denied", "\\u0073tatus", "\"approved\""));
    assert_untrusted(reply_print("approved", "s\\u0074atus", "\"approved\""));
    assert_untrusted(reply_print("approved", "\\u0073id", "\"" REPLY_SID "\""));
}

TEST(refuses_a_key_that_stands_twice)
{
    char body[4096], value[100];

    for (size_t i = 0; i < ARRAY_SIZE(bound); i++) {
        snprintf(body, sizeof body, "{\"%s\": \"%s\", %s", bound[i].name, bound[i].value,
                 reply_print("approved", NULL, NULL) + 1);
        assert_untrusted(body);
        snprintf(value, sizeof value, "\"x\", \"%s\": \"%s\"", bound[i].name, bound[i].value);
        assert_untrusted(reply_print("approved", bound[i].name, value));
    }
    assert_untrusted(reply_print("approved", "status", "\"denied\", \"status\": \"approved\""));
    assert_untrusted(reply_print("approved", "status", "\"approved\", \"status\": \"denied\""));
    assert_untrusted(reply_print("approved", "status", "\"approved\", \"status\": \"approved\""));
    assert_untrusted(reply_print("approved", "url", "null, \"url\": null"));
}

TEST(refuses_a_key_that_stands_twice_at_every_depth)
{
    assert_untrusted(reply_print("approved", "details", "{\"a\": 1, \"a\": 1}"));
    assert_untrusted(reply_print("approved", "details", "{\"\": 1, \"\": 1}"));
    assert_untrusted(reply_print("approved", "details", "[{\"a\": 1, \"a\": 1}]"));
    assert_untrusted(reply_print("approved", "details", "{\"a\": {\"b\": 1}, \"a\": {\"b\": 1}}"));
    assert_untrusted(reply_print("approved", "details", "[[[[{\"a\": 1, \"a\": 1}]]]]"));
    assert_untrusted(
        reply_print("approved", "details", "{\"b\": {\"c\": {\"d\": [{\"a\": 1, \"a\": 2}]}}}"));
    assert_untrusted(reply_print("approved", "details", "[{\"a\": 1}, {\"a\": 1, \"a\": 1}]"));
}

TEST(takes_the_same_key_in_another_object)
{
    assert_state(reply_print("approved", "details", "[{\"a\": 1}, {\"a\": 1}]"),
                 CHALLENGE_APPROVED);
    assert_state(reply_print("approved", "details", "{\"status\": \"denied\", \"sid\": null}"),
                 CHALLENGE_APPROVED);
    assert_state(reply_print("denied", "details", "{\"status\": \"approved\"}"), CHALLENGE_DENIED);
}

TEST(colons_and_quotes_in_strings_are_no_keys)
{
    static const char *const values[] = {
        "\":\"",     "\"::::\"",       "\"\\\":\"",        "\"\\\\\"", "\"\\\\\\\":\\\\\"",
        "\"a\\/:\"", "{\":\": \":\"}", "{\"\\\"\": \"\"}", "\"'\"",    "\"{'a': 1}\"",
    };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        assert_state(reply_print("approved", "metadata", values[i]), CHALLENGE_APPROVED);
        assert_state(reply_print("approved", "added", values[i]), CHALLENGE_APPROVED);
    }
}

TEST(takes_fields_that_it_does_not_know)
{
    assert_state(reply_print("approved", "new_in_2030", "[1, -2.5e3, true, \"\\u00e4\", {}]"),
                 CHALLENGE_APPROVED);
}

TEST(takes_white_space_around_and_a_newline_behind)
{
    char body[4096];

    snprintf(body, sizeof body, " \t\r\n%s\r\n\n \t", reply_print("approved", NULL, NULL));
    assert_state(body, CHALLENGE_APPROVED);
}

TEST(refuses_every_byte_behind)
{
    const char *body = reply_print("approved", NULL, NULL);
    static const char *const tails[] = { "x",    "{}",    "}",  ",",    "\"",
                                         "\n{}", " null", "//", "\xff", "\v" };
    char text[4096];

    for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
        snprintf(text, sizeof text, "%s%s", body, tails[i]);
        assert_untrusted(text);
    }
}

TEST(refuses_every_reply_that_is_cut)
{
    const char *body = reply_print("approved", NULL, NULL);

    for (size_t size = 0; size < strlen(body); size++)
        assert_bytes_refused(body, size, "invalid JSON in Twilio's reply");
}

TEST(refuses_what_is_no_object)
{
    static const char *const bodies[] = {
        "", " ", "null", "true", "3", "\"approved\"", "[]", "<html></html>", "status=approved",
    };
    char list[4096];

    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
        assert_untrusted(bodies[i]);
    snprintf(list, sizeof list, "[%s]", reply_print("approved", NULL, NULL));
    assert_untrusted(list);
    assert_bytes_refused("{}", 2, "does not match this login: sid");
}

TEST(refuses_what_is_almost_json)
{
    static const char *const values[] = { "1,",   "'x'",    "/* x */ 1", "// x\n1", "01",
                                          "TRUE", "nul",    "undefined", "0x1",     "\"\\x41\"",
                                          "{,}",  "[1,]",   "[1 2]",     "{a: 1}",  "\"\\u12\"",
                                          "\"",   "{\"a\"}" };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        assert_untrusted(reply_print("approved", "metadata", values[i]));
}

/* json-c takes them for keys even when it is strict. */
TEST(refuses_a_key_in_single_quotes)
{
    char body[4096];

    assert_untrusted(reply_print("approved", "metadata", "{'a': 1}"));
    snprintf(body, sizeof body, "{'status': \"approved\", %s",
             reply_print("approved", "status", NULL) + 1);
    assert_untrusted(body);
}

/* A quote in such a key would make strings of what is none and hide a doubled key. */
TEST(refuses_a_doubled_key_behind_a_quote_in_single_quotes)
{
    const char *rest = reply_print("approved", NULL, NULL) + 1;
    char body[4096], padding[100];

    memset(padding, ':', sizeof padding);
    for (int colons = 0; colons < (int)sizeof padding; colons++) {
        snprintf(body, sizeof body, "{\"pad\": \"%.*s\", '\"': \"\", \"status\": \"denied\", %s",
                 colons, padding, rest);
        assert_untrusted(body);
        snprintf(body, sizeof body, "{'\"': \"%.*s\", \"status\": \"denied\", %s", colons, padding,
                 rest);
        assert_untrusted(body);
    }
}

TEST(refuses_a_doubled_key_before_a_key_in_single_quotes)
{
    char body[4096];

    snprintf(body, sizeof body, "{\"status\": \"denied\", %s",
             reply_print("approved", "metadata", "{'a': 1}") + 1);
    assert_untrusted(body);
    snprintf(body, sizeof body, "{\"status\": \"denied\", %s",
             reply_print("approved", NULL, NULL) + 1);
    strcpy(strrchr(body, '}'), ", 'a': 1}");
    assert_untrusted(body);
}

TEST(refuses_a_byte_order_mark_and_invalid_utf8)
{
    static const char *const values[] = { "\"\xff\"", "\"\xc3\"", "\"a\x80\"", "\"\xe2\x82\"",
                                          "\"\xc0\x80\"" };
    char body[4096];

    snprintf(body, sizeof body, "\xef\xbb\xbf%s", reply_print("approved", NULL, NULL));
    assert_untrusted(body);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        assert_untrusted(reply_print("approved", "metadata", values[i]));
}

/* What json-c makes of them changes from version to version. */
TEST(bytes_beyond_ascii_are_percent_encoded)
{
    static const char body[] = "{\"name\": \"\x7f\xc2\x80\xe2\x82\xac\"}";
    auto_reply *object = reply_parse(body, strlen(body));

    assert_true(reply_is(object, "name", "\x7f%C2%80%E2%82%AC"));
    assert_state(reply_print("approved", "metadata", "\"\xc3\x80\xe2\x82\xac\""),
                 CHALLENGE_APPROVED);
}

TEST(refuses_what_is_nested_too_deeply)
{
    char value[2 * 4000 + 1];

    for (int depth = 1; depth <= 4000; depth += depth < 20 ? 1 : 995) {
        const char *body;
        memset(value, '[', (size_t)depth);
        memset(value + depth, ']', (size_t)depth);
        value[2 * depth] = '\0';
        body = reply_print("approved", "metadata", depth < 1000 ? value : "[[[[[[[[[[]]]]]]]]]]");
        if (depth <= 5)
            assert_state(body, CHALLENGE_APPROVED);
        if (depth > 8)
            assert_untrusted(body);
    }
}

TEST(takes_64_kib_and_no_more)
{
    const char *body = reply_print("approved", NULL, NULL);
    char *large = malloc(HTTP_BODY_MAX + 1);
    struct verdict why_not = { 0 };

    memset(large, ' ', HTTP_BODY_MAX + 1);
    memcpy(large, body, strlen(body));
    assert_int_equal(parse_bytes(large, HTTP_BODY_MAX, &ours, &why_not), CHALLENGE_APPROVED);
    assert_bytes_refused(large, HTTP_BODY_MAX + 1, "invalid JSON in Twilio's reply");
    free(large);
}

/* Refusals: the codes of Twilio's "Error and warning dictionary" */

#define W OUTCOME_MISCONFIGURED
#define U OUTCOME_UNAVAILABLE
#define D OUTCOME_DENIED
#define E OUTCOME_EXHAUSTED

static enum challenge_state judge(enum challenge_step step, int status, const char *body,
                                  struct verdict *why_not)
{
    size_t size = strlen(body);
    char *copy = malloc(size > 0 ? size : 1);
    enum challenge_state state;

    memcpy(copy, body, size);
    *why_not = (struct verdict){ 0 };
    state = challenge_judge(step, status, copy, size, why_not);
    free(copy);
    return state;
}

static void assert_judged(enum challenge_step step, int status, const char *body,
                          enum outcome expected)
{
    struct verdict why_not;

    assert_int_equal(judge(step, status, body, &why_not), CHALLENGE_REFUSED);
    if (why_not.outcome != expected)
        fail_msg("step %d, HTTP %d, %s: %s, not %s", (int)step, status, body,
                 verdict_word(why_not.outcome), verdict_word(expected));
    assert_true(why_not.reason[0] != '\0');
}

TEST(judges_every_documented_error)
{
    static const struct {
        int code, status;
        enum outcome on_create, on_verify, on_fetch;
    } errors[] = {
        { 20001, 400, W, W, W }, { 20003, 401, W, W, W }, { 20011, 400, W, W, W },
        { 20404, 404, W, D, D }, { 20429, 429, E, E, E }, { 20500, 500, U, U, U },
        { 20503, 503, U, U, U }, { 60200, 400, W, W, W }, { 60204, 403, W, W, W },
        { 60300, 400, W, W, W }, { 60301, 409, W, W, W }, { 60302, 400, W, W, W },
        { 60305, 400, W, W, W }, { 60306, 400, W, W, W }, { 60307, 400, W, W, W },
        { 60308, 429, E, E, E }, { 60309, 429, E, E, E }, { 60310, 429, E, E, E },
        { 60311, 403, W, W, W }, { 60312, 429, E, E, E }, { 60313, 403, W, W, W },
        { 60314, 400, W, W, W }, { 60315, 400, W, W, W }, { 60317, 409, W, W, W },
        { 60318, 403, W, W, W }, { 60322, 403, D, D, D }, { 60326, 429, E, E, E },
        { 60328, 429, E, E, E }, { 60330, 400, W, W, W }, { 60361, 400, W, W, W },
        { 60362, 400, W, W, W }, { 60363, 400, W, W, W }, { 60364, 400, W, W, W },
        { 60365, 400, W, W, W }, { 60366, 400, W, W, W }, { 60367, 400, W, W, W },
        { 60368, 400, W, W, W }, { 60369, 400, W, W, W }, { 60370, 400, W, W, W },
        { 60373, 400, W, W, W }, { 60374, 400, W, W, W }, { 60383, 400, W, W, W },
        { 60390, 404, W, D, D }, { 60391, 404, W, D, D }, { 60392, 404, W, D, D },
        { 70005, 400, W, W, W }, { 70051, 401, W, W, W }, { 70051, 403, W, W, W },
        { 99999, 400, W, W, W }, { 99999, 403, W, W, W }, { 99999, 429, E, E, E },
        { 99999, 500, U, U, U },
    };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        const char *body = reply_print_error(errors[i].code, errors[i].status);
        assert_judged(CHALLENGE_CREATE, errors[i].status, body, errors[i].on_create);
        assert_judged(CHALLENGE_CREATE_WITH_CODE, errors[i].status, body, errors[i].on_create);
        assert_judged(CHALLENGE_VERIFY, errors[i].status, body, errors[i].on_verify);
        assert_judged(CHALLENGE_FETCH, errors[i].status, body, errors[i].on_fetch);
    }
}

TEST(the_login_goes_on_after_a_wrong_code_and_an_expired_challenge)
{
    struct verdict why_not;

    assert_int_equal(judge(CHALLENGE_VERIFY, 403, reply_print_error(60324, 403), &why_not),
                     CHALLENGE_PENDING);
    assert_int_equal(judge(CHALLENGE_VERIFY, 403, reply_print_error(60323, 403), &why_not),
                     CHALLENGE_EXPIRED);
    assert_int_equal(
        judge(CHALLENGE_CREATE_WITH_CODE, 403, reply_print_error(60324, 403), &why_not),
        CHALLENGE_PENDING);
    assert_int_equal(
        judge(CHALLENGE_CREATE_WITH_CODE, 403, reply_print_error(60323, 403), &why_not),
        CHALLENGE_EXPIRED);
}

TEST(the_login_does_not_go_on_where_no_code_was_sent)
{
    static const int codes[] = { 60323, 60324 };

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        const char *body = reply_print_error(codes[i], 403);
        assert_judged(CHALLENGE_CREATE, 403, body, W);
        assert_judged(CHALLENGE_FETCH, 403, body, W);
    }
}

TEST(judges_every_http_status_without_a_code)
{
    static const char *const bodies[] = {
        "",     "<html>Bad Gateway</html>", "{}",
        "null", "{\"message\": \"x\"}",     "{\"code\": \"60324\"}"
    };

    for (int status = 100; status <= 599; status++)
        for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
            enum outcome expected = status < 400 || status >= 500 || status == 408
                                        ? OUTCOME_UNAVAILABLE
                                    : status == 429 ? OUTCOME_EXHAUSTED
                                                    : OUTCOME_MISCONFIGURED;
            assert_judged(CHALLENGE_CREATE, status, bodies[i], expected);
            if (status == 404)
                expected = OUTCOME_DENIED;
            assert_judged(CHALLENGE_VERIFY, status, bodies[i], expected);
            assert_judged(CHALLENGE_FETCH, status, bodies[i], expected);
        }
}

TEST(a_code_counts_only_with_a_refusal)
{
    static const int codes[] = { 60308, 60312, 60318, 60322, 60323, 60324, 20003 };
    static const int statuses[] = { 0, 100, 200, 201, 202, 204, 301, 302, 307, 500, 502, 503, 599 };

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        for (size_t j = 0; j < ARRAY_SIZE(statuses); j++)
            for (int step = CHALLENGE_CREATE; step <= CHALLENGE_FETCH; step++)
                assert_judged((enum challenge_step)step, statuses[j],
                              reply_print_error(codes[i], statuses[j]), OUTCOME_UNAVAILABLE);
}

TEST(a_time_out_is_one_whatever_it_says)
{
    assert_judged(CHALLENGE_VERIFY, 408, reply_print_error(60324, 408), OUTCOME_UNAVAILABLE);
    assert_judged(CHALLENGE_CREATE, 408, reply_print_error(60318, 408), OUTCOME_UNAVAILABLE);
}

TEST(a_challenge_that_is_gone_is_so_whatever_the_code)
{
    assert_judged(CHALLENGE_VERIFY, 404, reply_print_error(60324, 404), OUTCOME_DENIED);
    assert_judged(CHALLENGE_CREATE_WITH_CODE, 404, reply_print_error(60324, 404),
                  OUTCOME_MISCONFIGURED);
    assert_judged(CHALLENGE_FETCH, 404, reply_print_error(60312, 404), OUTCOME_DENIED);
}

TEST(every_429_is_exhausted)
{
    for (int code = 60300; code <= 60400; code++)
        for (int step = CHALLENGE_CREATE; step <= CHALLENGE_FETCH; step++)
            assert_judged((enum challenge_step)step, 429, reply_print_error(code, 429), E);
}

TEST(no_error_approves)
{
    static const int statuses[] = { 200, 201, 400, 403, 404, 429, 500 };
    static const int ranges[][2] = { { 0, 1 },         { 20000, 20010 }, { 20400, 20430 },
                                     { 60190, 60400 }, { 68000, 68010 }, { 70000, 70060 } };

    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
        for (int code = ranges[i][0]; code <= ranges[i][1]; code++)
            for (size_t j = 0; j < ARRAY_SIZE(statuses); j++)
                for (int step = CHALLENGE_CREATE; step <= CHALLENGE_FETCH; step++) {
                    struct verdict why_not;
                    enum challenge_state judged =
                        judge((enum challenge_step)step, statuses[j],
                              reply_print_error(code, statuses[j]), &why_not);
                    assert_true(judged == CHALLENGE_REFUSED || judged == CHALLENGE_PENDING ||
                                judged == CHALLENGE_EXPIRED);
                    assert_true(judged == CHALLENGE_REFUSED || step == CHALLENGE_VERIFY ||
                                step == CHALLENGE_CREATE_WITH_CODE);
                    assert_int_not_equal(why_not.outcome, OUTCOME_APPROVED);
                    assert_int_not_equal(why_not.outcome, OUTCOME_NOT_REQUIRED);
                }
}

TEST(an_approved_challenge_under_a_wrong_status_is_none)
{
    const char *body = reply_print("approved", NULL, NULL);

    assert_judged(CHALLENGE_VERIFY, 201, body, OUTCOME_UNAVAILABLE);
    assert_judged(CHALLENGE_VERIFY, 302, body, OUTCOME_UNAVAILABLE);
    assert_judged(CHALLENGE_VERIFY, 403, body, OUTCOME_MISCONFIGURED);
    assert_judged(CHALLENGE_VERIFY, 500, body, OUTCOME_UNAVAILABLE);
}

TEST(reads_the_code_in_either_form_of_an_error)
{
    struct verdict why_not;

    assert_int_equal(judge(CHALLENGE_VERIFY, 403,
                           "{\"type\": \"https://x\", \"title\": \"Wrong\", \"status\": 403, "
                           "\"detail\": \"x\", \"code\": 60324, \"errors\": []}",
                           &why_not),
                     CHALLENGE_PENDING);
    assert_int_equal(judge(CHALLENGE_VERIFY, 403, "{\"status\": 403, \"code\": 60324}\n", &why_not),
                     CHALLENGE_PENDING);
}

TEST(reads_no_code_that_is_not_exactly_a_number)
{
    static const char *const bodies[] = {
        "{\"code\": \"60324\"}",
        "{\"code\": 60324.0}",
        "{\"code\": 6.0324e4}",
        "{\"code\": true}",
        "{\"code\": null}",
        "{\"code\": [60324]}",
        "{\"code\": {\"code\": 60324}}",
        "{\"error\": {\"code\": 60324}}",
        "{\"Code\": 60324}",
        "{\"code\": 60322, \"code\": 60324}",
        "{\"code\": 60324} x",
        "{\"code\": 60324",
        "[{\"code\": 60324}]",
        "{\"code\": 4295027620}",
        "{\"code\": 18446744073709611940}",
        "{\"code\": -60324}",
        "{\"code\": 60324, \"x\": \"\\u0000\"}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
        assert_judged(CHALLENGE_VERIFY, 403, bodies[i], OUTCOME_MISCONFIGURED);
}

TEST(tells_status_and_code_and_the_remedy)
{
    struct verdict why_not;

    judge(CHALLENGE_CREATE, 401, reply_print_error(20003, 401), &why_not);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED,
                   "HTTP 401, error 20003: the credentials are wrong: check account_sid");
    judge(CHALLENGE_CREATE, 400, reply_print_error(60306, 400), &why_not);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "HTTP 400, error 60306: malformed SID");
    judge(CHALLENGE_CREATE, 418, reply_print_error(12345, 418), &why_not);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, "HTTP 418, error 12345");
    judge(CHALLENGE_CREATE, 502, "<html>Bad Gateway</html>", &why_not);
    assert_refused(&why_not, OUTCOME_UNAVAILABLE, "HTTP 502, error 0: unusable reply");
}

static void assert_reason(int status, const char *body, const char *expected)
{
    struct verdict why_not;

    judge(CHALLENGE_CREATE, status, body, &why_not);
    assert_string_equal(why_not.reason, expected);
}

TEST(quotes_what_names_a_parameter_or_explains_an_unknown_code)
{
    assert_reason(400, "{\"code\": 60306, \"message\": \"Invalid parameter: Identity\"}",
                  "Twilio: HTTP 400, error 60306: malformed SID, identity or code: check the "
                  "enrollment, service_sid and code_length (Twilio: Invalid parameter: Identity)");
    assert_reason(403, "{\"code\": 99999, \"message\": \"New rule\"}",
                  "Twilio: HTTP 403, error 99999: Twilio refused the request (Twilio: New rule)");
    assert_reason(400, "{\"code\": 99999, \"title\": \"New\", \"detail\": \"Rule\"}",
                  "Twilio: HTTP 400, error 99999: Twilio refused the request (Twilio: Rule)");
    assert_reason(400, "{\"title\": \"New\"}",
                  "Twilio: HTTP 400, error 0: Twilio refused the request (Twilio: New)");
    assert_reason(400, "{\"code\": 99999, \"message\": \"\"}",
                  "Twilio: HTTP 400, error 99999: Twilio refused the request");
    assert_reason(400, "<html>Bad Request</html>",
                  "Twilio: HTTP 400, error 0: Twilio refused the request");
}

TEST(quotes_nothing_else)
{
    static const int statuses[] = { 401, 403, 404, 409, 429, 500 };

    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        struct verdict why_not;
        judge(CHALLENGE_CREATE, statuses[i], "{\"code\": 20003, \"message\": \"evil\"}", &why_not);
        assert_null(strstr(why_not.reason, "evil"));
    }
}

TEST(quotes_no_control_character_and_no_number_and_only_so_much)
{
    char body[2000], words[1000];
    struct verdict why_not;

    assert_reason(
        400,
        "{\"code\": 1, \"message\": \"a\\u001b[2J \\u009b \\u202e \\\"b\\\" 123456, "
        "(012) AC012 1x a=5/6_7\"}",
        "Twilio: HTTP 400, error 1: Twilio refused the request (Twilio: a?[2J ?? ??? \"b\" "
        "######, (###) AC012 1x a=#/#_#)");
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    snprintf(body, sizeof body, "{\"code\": 1, \"message\": \"%s\"}", words);
    judge(CHALLENGE_CREATE, 400, body, &why_not);
    words[120] = '\0';
    snprintf(body, sizeof body,
             "Twilio: HTTP 400, error 1: Twilio refused the request (Twilio: %s)", words);
    assert_string_equal(why_not.reason, body);
}

TEST(says_what_people_meet_first_and_the_remedy)
{
    static const struct {
        int status, code;
        const char *part;
    } rows[] = {
        { 403, 575001, "a trial account may not use Verify: upgrade the account" },
        { 401, 20003, "check account_sid, api_key_sid and api_key_file" },
        { 404, 20404, "check service_sid and the enrollment" },
        { 403, 60204, "this Verify service may not use TOTP: enable it" },
        { 403, 70051, "the API key has no permission for this: grant it" },
        { 429, 60312, "wait, or use a recovery code" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct verdict why_not;
        judge(CHALLENGE_CREATE, rows[i].status, reply_print_error(rows[i].code, rows[i].status),
              &why_not);
        assert_refused(&why_not, rows[i].status == 429 ? OUTCOME_EXHAUSTED : OUTCOME_MISCONFIGURED,
                       rows[i].part);
    }
    assert_judged(CHALLENGE_VERIFY, 403, reply_print_error(60384, 403), OUTCOME_DENIED);
}
