/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The steps of one login, one after the other, with a scripted user and a scripted
 * API. A trace tells what happened in which order:
 *
 *   ask again     the first prompt, and those after a wrong code
 *   load          twilio.so is loaded
 *   connect       the API was told to create a challenge; before the request leaves
 *   create        the request left
 *   answer gone   the user's line was taken; the user was found to be away
 *   verify(C@N)   the code C was sent to the Nth challenge
 *   fetch(N)      the Nth challenge was fetched
 *   pause(MS)     time was left to pass
 *
 * A second one tells what this host was made to remember, or what the user was told:
 *
 *   count         a challenge was counted, before it was created
 *   claim(C) release(C) recover(R)   a code, a recovery code
 *   show(TEXT)    the user was told TEXT */
#include "unit.h"

#include <stdlib.h>

#include "check/login.h"
#include "model.h"
#include "ports.h"
#include "wiped.h"

#define PROMPT "Verification code: "

enum { DESCRIPTOR = 5, STEPS_MAX = 16, TRACE_SIZE = 2000, BEGIN_MS = 5000 };

/* When an answer can be read first. */
enum moment { WAITED_FOR = 0, CONNECTING, CONNECTED, IN_FLIGHT };

struct answer {
    const char *text; /* NULL: the user goes away */
    enum moment moment;
    int64_t after_ms; /* the time that it takes him */
};

/* What the API answers to one call. */
struct result {
    enum challenge_state state;
    enum outcome outcome; /* of CHALLENGE_REFUSED */
    bool fails_early;     /* before the connection stands */
};

struct scene {
    int attempts, code_length, create_challenge, timeout_seconds;
    bool is_unenrolled;
    bool has_half_a_line; /* it wakes the login, and is no answer yet */
    int asks_until_gone;  /* 0: he can always be asked */
    enum outcome load_fails;
    int64_t connect_ms;
    struct answer answers[STEPS_MAX];
    struct result results[STEPS_MAX];
    enum { FREE, USED, FULL } claims[STEPS_MAX];
    int remain[STEPS_MAX];  /* 1 more than remain after a recovery code; 0: it is wrong */
    int counts_until_limit; /* 0: there is none */
    int64_t opens_s;

    const char *sent; /* the code in the login's own memory */
    size_t answered, called, claimed, recovered;
    int counted;
    int asks, challenges;
    int64_t host_ms; /* what it takes to claim, to count, or to try a recovery code */
    int64_t now_ms, limit_ms, longest_limit_ms;
    char trace[TRACE_SIZE];
    char texts[TRACE_SIZE]; /* of the prompts, each in brackets */
    char memory[TRACE_SIZE];
};

#define APPROVED                                                                                   \
    {                                                                                              \
        CHALLENGE_APPROVED, OUTCOME_BROKEN, false                                                  \
    }
#define PENDING                                                                                    \
    {                                                                                              \
        CHALLENGE_PENDING, OUTCOME_BROKEN, false                                                   \
    }
#define EXPIRED                                                                                    \
    {                                                                                              \
        CHALLENGE_EXPIRED, OUTCOME_BROKEN, false                                                   \
    }
#define LOST                                                                                       \
    {                                                                                              \
        CHALLENGE_LOST, OUTCOME_BROKEN, false                                                      \
    }
#define REFUSED(outcome)                                                                           \
    {                                                                                              \
        CHALLENGE_REFUSED, outcome, false                                                          \
    }
#define UNREACHABLE                                                                                \
    {                                                                                              \
        CHALLENGE_REFUSED, OUTCOME_UNAVAILABLE, true                                               \
    }
#define GONE(moment)                                                                               \
    {                                                                                              \
        NULL, moment, 0                                                                            \
    }
#define CODE                                                                                       \
    {                                                                                              \
        "123456", WAITED_FOR, 0                                                                    \
    }

__attribute__((format(printf, 2, 0))) static void add(char trace[TRACE_SIZE], const char *format,
                                                      va_list values)
{
    size_t used = strlen(trace);

    vsnprintf(trace + used, TRACE_SIZE - used, format, values);
}

__attribute__((format(printf, 2, 3))) static void note(struct scene *scene, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    add(scene->trace, format, values);
    va_end(values);
}

__attribute__((format(printf, 2, 3))) static void remember(struct scene *scene, const char *format,
                                                           ...)
{
    va_list values;

    va_start(values, format);
    add(scene->memory, format, values);
    va_end(values);
}

/* The ports. What is answered here and sent there has to be wiped before the login ends. */

static bool on_ask(void *context, const char *text)
{
    struct scene *scene = context;
    size_t used = strlen(scene->texts);

    note(scene, scene->asks == 0 ? "ask " : "again ");
    snprintf(scene->texts + used, sizeof scene->texts - used, "[%s]", text);
    assert_int_equal(scene->limit_ms, HTTP_FOREVER);
    assert_true(scene->sent == NULL || *scene->sent == '\0');
    scene->asks++;
    return scene->asks != scene->asks_until_gone;
}

/* The next answer, where it is there by MOMENT. */
static enum login_answer take(struct scene *scene, enum moment moment,
                              char answer[DIALOGUE_LINE_SIZE])
{
    const struct answer *next = &scene->answers[scene->answered];

    if (moment != WAITED_FOR && (next->moment == WAITED_FOR || next->moment > moment))
        return LOGIN_NO_ANSWER;
    scene->now_ms += next->after_ms;
    if (next->text == NULL) {
        note(scene, "gone ");
        return LOGIN_GONE;
    }
    note(scene, "answer ");
    scene->answered++;
    snprintf(answer, DIALOGUE_LINE_SIZE, "%s", next->text);
    wiped_expect(answer, strlen(answer));
    return LOGIN_ANSWER;
}

static enum moment now; /* how far the request is */

static enum login_answer on_answer(void *context, bool wait, char answer[DIALOGUE_LINE_SIZE])
{
    struct scene *scene = context;

    assert_int_equal(scene->limit_ms, HTTP_FOREVER);
    return take(scene, wait ? WAITED_FOR : now, answer);
}

static void on_limit(void *context, int64_t deadline_ms)
{
    struct scene *scene = context;

    if (deadline_ms != HTTP_FOREVER && deadline_ms - scene->now_ms > scene->longest_limit_ms)
        scene->longest_limit_ms = deadline_ms - scene->now_ms;
    scene->limit_ms = deadline_ms;
}

static int64_t on_clock(void *context)
{
    return ((struct scene *)context)->now_ms;
}

static void on_pause(void *context, int64_t pause_ms)
{
    struct scene *scene = context;

    note(scene, "pause(%d) ", (int)pause_ms);
    scene->now_ms += pause_ms;
}

static void on_show(void *context, const char *text)
{
    remember(context, "show(%s) ", text);
}

/* A disk that somebody keeps busy must not look like an outage of Twilio's. */
static void take_time(struct scene *scene)
{
    assert_int_equal(scene->limit_ms, HTTP_FOREVER);
    scene->now_ms += scene->host_ms;
}

static enum login_claim on_claim(void *context, const char *code, struct verdict *why_not)
{
    struct scene *scene = context;

    remember(scene, "claim(%s) ", code);
    take_time(scene);
    switch (scene->claims[scene->claimed++]) {
    case FREE:
        return LOGIN_CLAIMED;
    case USED:
        return LOGIN_CLAIMED_BEFORE;
    case FULL:
        break;
    }
    verdict_refuse(why_not, OUTCOME_DENIED, "too many claims");
    return LOGIN_CLAIM_REFUSED;
}

static void on_release(void *context, const char *code)
{
    assert_int_equal(((struct scene *)context)->limit_ms, HTTP_FOREVER);
    remember(context, "release(%s) ", code);
}

static int64_t on_count(void *context, struct verdict *why_not)
{
    struct scene *scene = context;

    remember(scene, "count ");
    take_time(scene);
    if (scene->counts_until_limit == 0 || scene->counted < scene->counts_until_limit) {
        scene->counted++;
        return 0;
    }
    verdict_refuse(why_not, OUTCOME_EXHAUSTED, "this host's limit");
    return scene->opens_s;
}

static int on_recover(void *context, const char *code)
{
    struct scene *scene = context;

    remember(scene, "recover(%s) ", code);
    take_time(scene);
    wiped_expect(code, strlen(code));
    return scene->remain[scene->recovered++] - 1;
}

/* The API */

static bool is_there(const struct scene *scene, enum moment moment)
{
    return scene->answers[scene->answered].moment == moment;
}

static bool notice(struct scene *scene, enum moment moment, struct http_watch *watch)
{
    now = moment;
    if (scene->has_half_a_line && !watch->noticed(watch))
        return false;
    while (watch->descriptor >= 0 && is_there(scene, moment)) {
        assert_int_equal(watch->descriptor, DESCRIPTOR);
        if (!watch->noticed(watch))
            return false;
    }
    return true;
}

static enum challenge_state end_call(struct scene *scene, struct verdict *why_not)
{
    const struct result *result = &scene->results[scene->called++];

    if (result->state == CHALLENGE_REFUSED)
        verdict_refuse(why_not, result->outcome, "scripted refusal");
    if (result->state == CHALLENGE_LOST)
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "lost");
    return result->state;
}

static enum challenge_state on_create(struct challenge_service *service, struct http_watch *watch,
                                      struct challenge *ret_challenge, struct verdict *why_not)
{
    struct scene *scene = (struct scene *)service;
    enum challenge_state state;

    note(scene, "connect ");
    assert_int_equal(watch->deadline_ms, scene->limit_ms);
    if (!notice(scene, CONNECTING, watch))
        return CHALLENGE_GIVEN_UP;
    scene->now_ms += scene->connect_ms;
    if (scene->results[scene->called].fails_early)
        return end_call(scene, why_not);

    now = CONNECTED;
    if (!watch->before_send(watch))
        return CHALLENGE_GIVEN_UP;

    note(scene, "create ");
    if (!notice(scene, IN_FLIGHT, watch)) {
        /* http_send() can't give up what has left: it is lost, and the reason says so. */
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "aborted by callback");
        return CHALLENGE_REFUSED;
    }
    state = end_call(scene, why_not);
    if (state == CHALLENGE_PENDING) {
        scene->challenges++;
        snprintf(ret_challenge->sid, sizeof ret_challenge->sid, "YC%d", scene->challenges);
        strcpy(ret_challenge->request_id, "RQcreate");
    }
    return state;
}

/* As http_send() does before every request. */
static bool may_leave(struct http_watch *watch)
{
    return watch->before_send == NULL || watch->before_send(watch);
}

static enum challenge_state on_verify(struct challenge_service *service, struct http_watch *watch,
                                      struct challenge *challenge, const char *code,
                                      struct verdict *why_not)
{
    struct scene *scene = (struct scene *)service;

    note(scene, "verify(%s@%s) ", code, challenge->sid + 2);
    assert_int_equal(watch->deadline_ms, scene->limit_ms);
    assert_int_not_equal(watch->deadline_ms, HTTP_FOREVER);
    assert_int_equal(watch->descriptor, -1);
    assert_true(may_leave(watch));
    strcpy(challenge->request_id, "RQverify");
    wiped_expect(code, strlen(code));
    scene->sent = code;
    return end_call(scene, why_not);
}

static enum challenge_state on_fetch(struct challenge_service *service, struct http_watch *watch,
                                     struct challenge *challenge, struct verdict *why_not)
{
    struct scene *scene = (struct scene *)service;

    note(scene, "fetch(%s) ", challenge->sid + 2);
    assert_int_equal(watch->deadline_ms, scene->limit_ms);
    assert_int_not_equal(watch->deadline_ms, HTTP_FOREVER);
    assert_true(may_leave(watch));
    strcpy(challenge->request_id, "RQfetch");
    return end_call(scene, why_not);
}

static const struct challenge_api api = {
    .version = "scripted",
    .create = on_create,
    .verify = on_verify,
    .fetch = on_fetch,
};

static bool on_load(void *context, const struct challenge_api **ret_api,
                    struct challenge_service **ret_service, struct verdict *why_not)
{
    struct scene *scene = context;

    note(scene, "load ");
    /* Whoever fails may leave something behind. */
    *ret_api = &api;
    *ret_service = (struct challenge_service *)scene;
    return scene->load_fails == OUTCOME_BROKEN ||
           verdict_refuse(why_not, scene->load_fails, "does not load");
}

static void run(struct scene *scene, struct verdict *ret_verdict)
{
    const struct settings settings = {
        .prompt = (char *)PROMPT,
        .attempts = scene->attempts != 0 ? scene->attempts : 3,
        .code_length = scene->code_length != 0 ? scene->code_length : 6,
        .timeout_seconds = scene->timeout_seconds != 0 ? scene->timeout_seconds : 10,
        .create_challenge = scene->create_challenge,
        .users_dir = (char *)"/users",
    };
    const struct enrollment enrollment = { (char *)"identity", (char *)"YF", (char *)"alice" };
    const struct login_request request = { &settings, scene->is_unenrolled ? NULL : &enrollment };
    const struct login_ports ports = PORTS(scene, DESCRIPTOR);

    now = WAITED_FOR;
    scene->now_ms = BEGIN_MS;
    login_run(&request, &ports, ret_verdict);
    assert_int_equal(wiped_missing(), 0);
    if (scene->trace[0] != '\0')
        scene->trace[strlen(scene->trace) - 1] = '\0';
    if (scene->memory[0] != '\0')
        scene->memory[strlen(scene->memory) - 1] = '\0';
}

static void assert_login(const struct scene *scene, const char *trace, enum outcome outcome,
                         const char *part)
{
    struct scene played = *scene;
    struct verdict verdict = { 0 };

    run(&played, &verdict);
    assert_string_equal(played.trace, trace);
    assert_refused(&verdict, outcome, part);
}

#define assert_scene(trace, outcome, part, ...)                                                    \
    assert_login(&(const struct scene){ __VA_ARGS__ }, trace, outcome, part)

/* With what was remembered and told, too. */
#define assert_memory(trace, memory_trace, outcome, part, ...)                                     \
    do {                                                                                           \
        struct scene watched = { __VA_ARGS__ };                                                    \
        struct verdict end;                                                                        \
        assert_login(&watched, trace, outcome, part);                                              \
        run(&watched, &end);                                                                       \
        assert_string_equal(watched.memory, memory_trace);                                         \
    } while (false)

/* The good way */

TEST(asks_at_once_then_creates_then_sends_the_code)
{
    assert_scene("ask load connect create answer verify(123456@1)", OUTCOME_APPROVED,
                 "challenge=YC1 request=RQverify", .answers = { CODE },
                 .results = { PENDING, APPROVED });
}

TEST(takes_an_answer_whenever_it_comes)
{
    static const struct {
        enum moment moment;
        const char *trace;
    } rows[] = {
        { CONNECTING, "ask load connect answer create verify(123456@1)" },
        { CONNECTED, "ask load connect answer create verify(123456@1)" },
        { IN_FLIGHT, "ask load connect create answer verify(123456@1)" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_scene(rows[i].trace, OUTCOME_APPROVED, "",
                     .answers = { { "123456", rows[i].moment, 0 } },
                     .results = { PENDING, APPROVED });
}

TEST(half_a_line_is_not_waited_for_while_there_is_work)
{
    assert_scene("ask load connect create answer verify(123456@1)", OUTCOME_APPROVED, "",
                 .has_half_a_line = true, .answers = { CODE }, .results = { PENDING, APPROVED });
}

TEST(under_at_code_creates_after_the_code)
{
    static const enum moment moments[] = { WAITED_FOR, CONNECTING, CONNECTED };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
        assert_scene("ask load connect answer create verify(123456@1)", OUTCOME_APPROVED, "",
                     .create_challenge = SETTINGS_CREATE_AT_CODE,
                     .answers = { { "123456", moments[i], 0 } }, .results = { PENDING, APPROVED });
}

TEST(removes_blanks_wherever_they_stand)
{
    static const char *const answers[] = { "123 456", " 123456", "123456 ", " 1 2 3  4 5 6 " };

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        assert_scene("ask load connect create answer verify(123456@1)", OUTCOME_APPROVED, "",
                     .answers = { { answers[i], WAITED_FOR, 0 } },
                     .results = { PENDING, APPROVED });
}

TEST(sends_codes_of_every_digit)
{
    assert_scene("ask load connect create answer verify(98765210@1)", OUTCOME_APPROVED, "",
                 .code_length = 8, .answers = { { "98765210", WAITED_FOR, 0 } },
                 .results = { PENDING, APPROVED });
}

TEST(sends_codes_of_the_length_that_is_set)
{
    assert_scene("ask load connect create answer verify(1234567@1)", OUTCOME_APPROVED, "",
                 .code_length = 7, .answers = { { "1234567", WAITED_FOR, 0 } },
                 .results = { PENDING, APPROVED });
    assert_scene("ask load connect create answer verify(12345678@1)", OUTCOME_APPROVED, "",
                 .code_length = 8, .answers = { { "1234 5678", WAITED_FOR, 0 } },
                 .results = { PENDING, APPROVED });
}

/* Answers that are no code */

TEST(what_is_no_code_never_leaves_the_host)
{
    static const char *const answers[] = {
        "",
        " ",
        "Secret1",
        "12345",
        "1234567",
        "12345a",
        "a12345",
        "123456a",
        "123456\t",
        "\t123456",
        "123.456",
        "+12345",
        "-12345",
        "12345\xff",
        "123456\r",
        "123-456",
        "0x1234",
        "1e5000",
        "12345&FactorSid=YF",
        "      ",
        "12345\xd9\xa6",
        "\xef\xbc\x91\x32\x33\x34\x35\x36",
        "\b\n\r\x7fINCORRECT",
    };

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        assert_scene("ask load connect create answer", OUTCOME_DENIED,
                     "no right code in 1 attempts, 1 of them not 6 digits; challenge=YC1 "
                     "request=RQcreate",
                     .attempts = 1, .answers = { { answers[i], WAITED_FOR, 0 } },
                     .results = { PENDING });
}

TEST(a_code_of_another_length_never_leaves_the_host)
{
    for (int length = 6; length <= 8; length++)
        for (int typed = 1; typed <= 10; typed++) {
            char answer[20];
            snprintf(answer, sizeof answer, "%0*d", typed, 1);
            if (typed != length)
                assert_scene("ask load connect create answer", OUTCOME_DENIED, "no right code",
                             .attempts = 1, .code_length = length,
                             .answers = { { answer, WAITED_FOR, 0 } }, .results = { PENDING });
        }
}

TEST(an_answer_of_the_longest_line_never_leaves_the_host)
{
    char answer[DIALOGUE_LINE_SIZE];

    memset(answer, '1', sizeof answer - 1);
    answer[sizeof answer - 1] = '\0';
    assert_scene("ask load connect create answer", OUTCOME_DENIED, "no right code", .attempts = 1,
                 .answers = { { answer, WAITED_FOR, 0 } }, .results = { PENDING });
}

TEST(asks_again_after_what_is_no_code)
{
    assert_scene("ask load connect create answer again answer verify(123456@1)", OUTCOME_APPROVED,
                 "", .answers = { { "Secret1", WAITED_FOR, 0 }, CODE },
                 .results = { PENDING, APPROVED });
}

TEST(an_answer_that_is_no_code_uses_an_attempt_up)
{
    assert_scene("ask load connect create answer again answer verify(123456@1)", OUTCOME_DENIED,
                 "no right code in 2 attempts, 1 of them not 6 digits", .attempts = 2,
                 .answers = { { "Secret1", WAITED_FOR, 0 }, CODE },
                 .results = { PENDING, PENDING });
    assert_scene("ask load connect create answer again answer again answer", OUTCOME_DENIED,
                 "3 of them not 6 digits", .attempts = 3,
                 .answers = { { "Secret1", WAITED_FOR, 0 },
                              { "Secret1", WAITED_FOR, 0 },
                              { "Secret1", WAITED_FOR, 0 } },
                 .results = { PENDING });
}

TEST(a_password_that_is_there_already_costs_no_challenge)
{
    static const enum moment moments[] = { CONNECTING, CONNECTED };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        assert_scene("ask load connect answer again answer create verify(123456@1)",
                     OUTCOME_APPROVED, "", .answers = { { "Secret1", moments[i], 0 }, CODE },
                     .results = { PENDING, APPROVED });
        assert_scene("ask load connect answer again answer again answer", OUTCOME_DENIED,
                     "3 of them not 6 digits; challenge=- request=-",
                     .answers = { { "Secret1", moments[i], 0 },
                                  { "Secret1", moments[i], 0 },
                                  { "Secret1", WAITED_FOR, 0 } });
        assert_scene("ask load connect answer", OUTCOME_DENIED, "1 of them not 6 digits",
                     .attempts = 1, .answers = { { "Secret1", moments[i], 0 } });
        assert_scene("ask load connect answer again gone", OUTCOME_DENIED, "the user went away",
                     .answers = { { "Secret1", moments[i], 0 }, GONE(WAITED_FOR) });
    }
}

TEST(under_at_code_a_password_costs_no_challenge)
{
    assert_scene("ask load connect answer again answer create verify(123456@1)", OUTCOME_APPROVED,
                 "", .create_challenge = SETTINGS_CREATE_AT_CODE,
                 .answers = { { "Secret1", WAITED_FOR, 0 }, CODE },
                 .results = { PENDING, APPROVED });
    assert_scene("ask load connect answer again answer again answer", OUTCOME_DENIED,
                 "no right code", .create_challenge = SETTINGS_CREATE_AT_CODE,
                 .answers = { { "Secret1", WAITED_FOR, 0 },
                              { "Secret1", WAITED_FOR, 0 },
                              { "Secret1", WAITED_FOR, 0 } });
}

/* A login that is over stays denied: where outages let in, "unavailable" would be a way in. */
TEST(attempts_used_up_while_the_creation_is_under_way_are_denied)
{
    assert_scene("ask load connect create answer again answer again answer", OUTCOME_DENIED,
                 "no right code in 3 attempts, 3 of them",
                 .answers = { { "Secret1", IN_FLIGHT, 0 },
                              { "Secret1", IN_FLIGHT, 0 },
                              { "Secret1", IN_FLIGHT, 0 } },
                 .results = { PENDING });
    assert_scene("ask load connect create answer", OUTCOME_DENIED, "no right code in 1 attempts",
                 .attempts = 1, .answers = { { "", IN_FLIGHT, 0 } }, .results = { PENDING });
}

/* Wrong codes */

TEST(a_wrong_code_is_asked_for_again_on_the_same_challenge)
{
    assert_scene("ask load connect create answer verify(123456@1) again answer verify(654321@1)",
                 OUTCOME_APPROVED, "challenge=YC1",
                 .answers = { CODE, { "654321", WAITED_FOR, 0 } },
                 .results = { PENDING, PENDING, APPROVED });
}

TEST(as_many_attempts_as_are_set_and_no_more)
{
    for (int attempts = 1; attempts <= 5; attempts++) {
        struct scene scene = {
            .attempts = attempts,
            .answers = { CODE, CODE, CODE, CODE, CODE, CODE, CODE },
            .results = { PENDING, PENDING, PENDING, PENDING, PENDING, PENDING, PENDING },
        };
        char trace[TRACE_SIZE] = "ask load connect create answer verify(123456@1)";
        char part[100];

        for (int i = 1; i < attempts; i++)
            strcat(trace, " again answer verify(123456@1)");
        snprintf(part, sizeof part,
                 "no right code in %d attempts, 0 of them not 6 digits; challenge=YC1 "
                 "request=RQverify",
                 attempts);
        assert_login(&scene, trace, OUTCOME_DENIED, part);

        scene.results[attempts] = (struct result)APPROVED;
        assert_login(&scene, trace, OUTCOME_APPROVED, "challenge=YC1");
    }
}

TEST(asks_in_these_words)
{
    struct scene scene = { .answers = { { "Secret1", WAITED_FOR, 0 }, CODE, CODE },
                           .results = { PENDING, PENDING, PENDING } };
    struct verdict verdict;

    run(&scene, &verdict);
    assert_string_equal(scene.texts, "[Verification code: ][Wrong code. Verification code: ]"
                                     "[Wrong code. Verification code: ]");
}

/* The user goes away */

TEST(somebody_who_cannot_be_asked_costs_nothing)
{
    assert_scene("ask", OUTCOME_DENIED, "the user can't be asked", .asks_until_gone = 1);
}

TEST(somebody_who_is_gone_before_the_request_costs_no_challenge)
{
    static const enum moment moments[] = { CONNECTING, CONNECTED };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        assert_scene("ask load connect gone", OUTCOME_DENIED, "the user went away",
                     .answers = { GONE(moments[i]) });
        assert_scene("ask load connect gone", OUTCOME_DENIED, "the user went away",
                     .create_challenge = SETTINGS_CREATE_AT_CODE, .answers = { GONE(moments[i]) });
    }
    assert_scene("ask load connect gone", OUTCOME_DENIED, "the user went away",
                 .create_challenge = SETTINGS_CREATE_AT_CODE, .answers = { GONE(WAITED_FOR) });
}

TEST(somebody_who_goes_while_the_creation_is_under_way_is_denied)
{
    assert_scene("ask load connect create gone", OUTCOME_DENIED, "the user went away",
                 .answers = { GONE(IN_FLIGHT) }, .results = { PENDING });
    assert_scene("ask load connect create answer again", OUTCOME_DENIED, "can't be asked",
                 .answers = { { "Secret1", IN_FLIGHT, 0 } }, .asks_until_gone = 2,
                 .results = { PENDING });
}

TEST(somebody_who_goes_at_a_prompt_is_denied_and_nothing_is_sent)
{
    assert_scene("ask load connect create gone", OUTCOME_DENIED, "the user went away",
                 .answers = { GONE(WAITED_FOR) }, .results = { PENDING });
    assert_scene("ask load connect create answer verify(123456@1) again gone", OUTCOME_DENIED,
                 "the user went away", .answers = { CODE, GONE(WAITED_FOR) },
                 .results = { PENDING, PENDING });
    assert_scene("ask load connect create answer verify(123456@1) again", OUTCOME_DENIED,
                 "the user can't be asked", .answers = { CODE }, .asks_until_gone = 2,
                 .results = { PENDING, PENDING });
    assert_scene("ask load connect create answer again", OUTCOME_DENIED, "the user can't be asked",
                 .answers = { { "Secret1", WAITED_FOR, 0 } }, .asks_until_gone = 2,
                 .results = { PENDING });
}

TEST(somebody_who_goes_after_a_failure_is_denied)
{
    assert_scene("ask load connect create gone", OUTCOME_DENIED, "the user went away",
                 .answers = { GONE(WAITED_FOR) }, .results = { REFUSED(OUTCOME_UNAVAILABLE) });
    assert_scene("ask load gone", OUTCOME_DENIED, "the user went away",
                 .load_fails = OUTCOME_UNAVAILABLE, .answers = { GONE(WAITED_FOR) });
}

/* Creations that fail */

TEST(a_creation_that_was_unavailable_is_tried_once_more_after_the_code)
{
    assert_scene("ask load connect create answer connect create verify(123456@1)", OUTCOME_APPROVED,
                 "", .answers = { CODE },
                 .results = { REFUSED(OUTCOME_UNAVAILABLE), PENDING, APPROVED });
    assert_scene("ask load connect answer connect create verify(123456@1)", OUTCOME_APPROVED, "",
                 .answers = { CODE }, .results = { UNREACHABLE, PENDING, APPROVED });
    assert_scene("ask load connect create answer connect create", OUTCOME_UNAVAILABLE,
                 "scripted refusal", .answers = { CODE },
                 .results = { REFUSED(OUTCOME_UNAVAILABLE), REFUSED(OUTCOME_UNAVAILABLE) });
}

TEST(under_at_code_too_a_creation_that_was_unavailable_is_tried_once_more)
{
    assert_scene("ask load connect answer create connect create verify(123456@1)", OUTCOME_APPROVED,
                 "", .create_challenge = SETTINGS_CREATE_AT_CODE, .answers = { CODE },
                 .results = { REFUSED(OUTCOME_UNAVAILABLE), PENDING, APPROVED });
    assert_scene("ask load connect answer create connect create", OUTCOME_UNAVAILABLE, "scripted",
                 .create_challenge = SETTINGS_CREATE_AT_CODE, .answers = { CODE },
                 .results = { REFUSED(OUTCOME_UNAVAILABLE), REFUSED(OUTCOME_UNAVAILABLE) });
}

TEST(a_creation_that_was_refused_is_remembered_and_not_tried_again)
{
    static const enum outcome outcomes[] = { OUTCOME_MISCONFIGURED, OUTCOME_EXHAUSTED,
                                             OUTCOME_DENIED };

    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
        assert_scene("ask load connect create answer", outcomes[i], "scripted refusal",
                     .answers = { CODE }, .results = { REFUSED(outcomes[i]) });
        assert_scene("ask load connect create answer connect create", outcomes[i],
                     "scripted refusal", .answers = { CODE },
                     .results = { REFUSED(OUTCOME_UNAVAILABLE), REFUSED(outcomes[i]) });
    }
}

/* It tells no reason: zeroed memory is a refusal, and none of those that an outage may pass. */
TEST(a_creation_that_ends_as_none_can_is_broken)
{
    assert_scene("ask load connect create answer", OUTCOME_BROKEN, "", .answers = { CODE, CODE },
                 .results = { APPROVED });
    assert_scene("ask load connect create answer", OUTCOME_BROKEN, "", .answers = { CODE, CODE },
                 .results = { EXPIRED });
}

TEST(what_is_no_code_is_denied_though_the_creation_failed)
{
    static const enum outcome outcomes[] = { OUTCOME_UNAVAILABLE, OUTCOME_MISCONFIGURED,
                                             OUTCOME_EXHAUSTED };

    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        assert_scene("ask load connect create answer again answer", OUTCOME_DENIED,
                     "no right code in 2 attempts", .attempts = 2,
                     .answers = { { "Secret1", WAITED_FOR, 0 }, { "Secret1", WAITED_FOR, 0 } },
                     .results = { REFUSED(outcomes[i]) });
}

TEST(a_library_that_does_not_load_is_told_after_the_code)
{
    static const enum outcome outcomes[] = { OUTCOME_UNAVAILABLE, OUTCOME_MISCONFIGURED };

    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        assert_scene("ask load answer", outcomes[i], "does not load", .load_fails = outcomes[i],
                     .answers = { CODE });
}

/* Verifications that fail */

TEST(a_refused_verification_ends_the_login_and_names_the_challenge)
{
    static const enum outcome outcomes[] = { OUTCOME_UNAVAILABLE, OUTCOME_MISCONFIGURED,
                                             OUTCOME_EXHAUSTED, OUTCOME_DENIED };

    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        assert_scene("ask load connect create answer verify(123456@1)", outcomes[i],
                     "scripted refusal; challenge=YC1 request=RQverify", .answers = { CODE },
                     .results = { PENDING, REFUSED(outcomes[i]) });
}

TEST(a_verification_that_says_it_was_given_up_is_unavailable)
{
    assert_scene("ask load connect create answer verify(123456@1)", OUTCOME_UNAVAILABLE, "given up",
                 .answers = { CODE },
                 .results = { PENDING, { CHALLENGE_GIVEN_UP, OUTCOME_BROKEN, false } });
}

TEST(a_lost_reply_is_asked_for_and_its_approval_counts)
{
    assert_scene("ask load connect create answer verify(123456@1) fetch(1)", OUTCOME_APPROVED,
                 "challenge=YC1 request=RQfetch", .answers = { CODE },
                 .results = { PENDING, LOST, APPROVED });
}

TEST(a_lost_reply_that_stands_at_pending_uses_the_attempt_up)
{
    assert_scene("ask load connect create answer verify(123456@1) fetch(1) again answer "
                 "verify(654321@1)",
                 OUTCOME_APPROVED, "", .answers = { CODE, { "654321", WAITED_FOR, 0 } },
                 .results = { PENDING, LOST, PENDING, APPROVED });
    assert_scene("ask load connect create answer verify(123456@1) fetch(1)", OUTCOME_DENIED,
                 "no right code in 1 attempts", .attempts = 1, .answers = { CODE },
                 .results = { PENDING, LOST, PENDING });
}

TEST(a_lost_reply_that_stays_lost_ends_the_login)
{
    static const enum outcome outcomes[] = { OUTCOME_UNAVAILABLE, OUTCOME_DENIED };

    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        assert_scene("ask load connect create answer verify(123456@1) fetch(1)", outcomes[i],
                     "challenge=YC1 request=RQfetch", .answers = { CODE },
                     .results = { PENDING, LOST, REFUSED(outcomes[i]) });
    assert_scene("ask load connect create answer verify(123456@1) fetch(1)", OUTCOME_UNAVAILABLE,
                 "lost", .answers = { CODE }, .results = { PENDING, LOST, LOST });
}

/* Challenges that expire */

TEST(an_expired_challenge_is_replaced_once)
{
    assert_scene("ask load connect create answer verify(123456@1) connect create verify(123456@2)",
                 OUTCOME_APPROVED, "challenge=YC2", .answers = { CODE },
                 .results = { PENDING, EXPIRED, PENDING, APPROVED });
    assert_scene("ask load connect create answer verify(123456@1) fetch(1) connect create "
                 "verify(123456@2)",
                 OUTCOME_APPROVED, "challenge=YC2", .answers = { CODE },
                 .results = { PENDING, LOST, EXPIRED, PENDING, APPROVED });
}

TEST(a_second_expired_challenge_is_denied)
{
    assert_scene("ask load connect create answer verify(123456@1) connect create verify(123456@2)",
                 OUTCOME_DENIED, "expired again; challenge=YC2", .answers = { CODE },
                 .results = { PENDING, EXPIRED, PENDING, EXPIRED });
    assert_scene("ask load connect create answer verify(123456@1) connect create verify(123456@2) "
                 "again answer verify(123456@2)",
                 OUTCOME_DENIED, "expired again", .answers = { CODE, CODE },
                 .results = { PENDING, EXPIRED, PENDING, PENDING, EXPIRED });
}

TEST(an_expired_challenge_uses_no_attempt_up)
{
    assert_scene("ask load connect create answer verify(123456@1) connect create verify(123456@2)",
                 OUTCOME_DENIED,
                 "no right code in 1 attempts, 0 of them not 6 digits; "
                 "challenge=YC2",
                 .attempts = 1, .answers = { CODE },
                 .results = { PENDING, EXPIRED, PENDING, PENDING });
}

TEST(a_challenge_that_cannot_be_replaced_ends_the_login)
{
    assert_scene("ask load connect create answer verify(123456@1) connect create connect create",
                 OUTCOME_UNAVAILABLE, "scripted", .answers = { CODE },
                 .results = { PENDING, EXPIRED, REFUSED(OUTCOME_UNAVAILABLE),
                              REFUSED(OUTCOME_UNAVAILABLE) });
    assert_scene("ask load connect create answer verify(123456@1) connect create",
                 OUTCOME_EXHAUSTED, "scripted", .answers = { CODE },
                 .results = { PENDING, EXPIRED, REFUSED(OUTCOME_EXHAUSTED) });
}

TEST(a_challenge_that_must_have_expired_gets_no_code)
{
    assert_scene("ask load connect create answer connect create verify(123456@2)", OUTCOME_APPROVED,
                 "challenge=YC2",
                 .answers = { { "123456", WAITED_FOR, CHALLENGE_LIFETIME_MS - 4999 } },
                 .results = { PENDING, PENDING, APPROVED });
    assert_scene("ask load connect create answer verify(123456@1)", OUTCOME_APPROVED,
                 "challenge=YC1",
                 .answers = { { "123456", WAITED_FOR, CHALLENGE_LIFETIME_MS - 5000 } },
                 .results = { PENDING, APPROVED });
    assert_scene("ask load connect create answer verify(123456@1) again answer connect create "
                 "verify(123456@2)",
                 OUTCOME_APPROVED, "challenge=YC2",
                 .answers = { CODE, { "123456", WAITED_FOR, CHALLENGE_LIFETIME_MS } },
                 .results = { PENDING, PENDING, PENDING, APPROVED });
}

TEST(a_challenge_that_must_have_expired_is_replaced_once)
{
    assert_scene("ask load connect create answer connect create verify(123456@2)", OUTCOME_DENIED,
                 "expired again", .answers = { { "123456", WAITED_FOR, CHALLENGE_LIFETIME_MS } },
                 .results = { PENDING, PENDING, EXPIRED });
    assert_scene("ask load connect create answer connect create verify(123456@2) again answer "
                 "verify(123456@2)",
                 OUTCOME_DENIED, "expired again",
                 .answers = { { "123456", WAITED_FOR, CHALLENGE_LIFETIME_MS },
                              { "123456", WAITED_FOR, CHALLENGE_LIFETIME_MS } },
                 .results = { PENDING, PENDING, PENDING, EXPIRED });
}

/* No code twice */

TEST(a_code_is_claimed_before_it_is_sent_and_kept_when_it_was_right)
{
    assert_memory("ask load connect create answer verify(123456@1)", "count claim(123456)",
                  OUTCOME_APPROVED, "", .answers = { CODE }, .results = { PENDING, APPROVED });
}

TEST(a_code_that_was_wrong_is_given_back)
{
    assert_memory("ask load connect create answer verify(123456@1) again answer verify(123456@1)",
                  "count claim(123456) release(123456) claim(123456) release(123456)",
                  OUTCOME_DENIED, "0 of them not 6 digits; challenge", .attempts = 2,
                  .answers = { CODE, CODE }, .results = { PENDING, PENDING, PENDING });
}

TEST(a_code_that_did_not_arrive_is_given_back)
{
    assert_memory("ask load connect create answer verify(123456@1) fetch(1)",
                  "count claim(123456) release(123456)", OUTCOME_DENIED, "", .attempts = 1,
                  .answers = { CODE }, .results = { PENDING, LOST, PENDING });
}

TEST(a_code_of_which_nobody_knows_what_became_is_kept)
{
    assert_memory("ask load connect create answer verify(123456@1) fetch(1)", "count claim(123456)",
                  OUTCOME_UNAVAILABLE, "", .answers = { CODE }, .results = { PENDING, LOST, LOST });
    assert_memory("ask load connect create answer verify(123456@1)", "count claim(123456)",
                  OUTCOME_UNAVAILABLE, "", .answers = { CODE },
                  .results = { PENDING, REFUSED(OUTCOME_UNAVAILABLE) });
}

TEST(a_code_that_was_used_before_uses_an_attempt_up_and_is_not_sent)
{
    struct scene scene = { .answers = { CODE, { "654321", WAITED_FOR, 0 } },
                           .results = { PENDING, APPROVED },
                           .claims = { USED, FREE } };
    struct verdict verdict;

    assert_login(&scene, "ask load connect create answer again answer verify(654321@1)",
                 OUTCOME_APPROVED, "challenge=YC1");
    run(&scene, &verdict);
    assert_string_equal(scene.texts,
                        "[Verification code: ][That code was used before: wait for the next one. "
                        "Verification code: ]");
    assert_scene("ask load connect create answer", OUTCOME_DENIED,
                 "no right code in 1 attempts, 0 of them not 6 digits, 1 used before on this host; "
                 "challenge=YC1",
                 .attempts = 1, .answers = { CODE }, .results = { PENDING }, .claims = { USED });
}

TEST(a_code_that_can_not_be_claimed_is_not_sent)
{
    assert_scene("ask load connect create answer", OUTCOME_DENIED, "too many claims",
                 .answers = { CODE, CODE }, .results = { PENDING }, .claims = { FULL });
}

TEST(a_code_is_claimed_once_though_the_challenge_expires)
{
    assert_memory("ask load connect create answer verify(123456@1) connect create verify(123456@2)",
                  "count claim(123456) count", OUTCOME_APPROVED, "", .answers = { CODE },
                  .results = { PENDING, EXPIRED, PENDING, APPROVED });
}

/* A limit of our own */

TEST(every_creation_is_counted_before_it_leaves)
{
    assert_memory("ask load connect create answer connect create verify(123456@1)",
                  "count count claim(123456)", OUTCOME_APPROVED, "", .answers = { CODE },
                  .results = { REFUSED(OUTCOME_UNAVAILABLE), PENDING, APPROVED });
    assert_memory("ask load connect answer connect create verify(123456@1)", "count claim(123456)",
                  OUTCOME_APPROVED, "", .answers = { CODE },
                  .results = { UNREACHABLE, PENDING, APPROVED });
    assert_memory("ask load connect gone", "", OUTCOME_DENIED, "", .answers = { GONE(CONNECTED) });
    assert_memory("ask load connect answer", "", OUTCOME_DENIED, "", .is_unenrolled = true,
                  .attempts = 1, .answers = { CODE });
}

TEST(beyond_the_limit_nothing_is_created_and_the_user_is_told)
{
    assert_memory("ask load connect answer",
                  "count show(Too many logins: codes of the app are accepted again in 3 min.)",
                  OUTCOME_EXHAUSTED, "this host's limit", .counts_until_limit = -1, .opens_s = 121,
                  .answers = { CODE });
    assert_memory("ask load connect create answer verify(123456@1) connect",
                  "count claim(123456) count "
                  "show(Too many logins: codes of the app are accepted again in 1 min.)",
                  OUTCOME_EXHAUSTED, "this host's limit", .counts_until_limit = 1, .opens_s = 60,
                  .answers = { CODE }, .results = { PENDING, EXPIRED });
    assert_memory("ask load connect answer again answer", "count", OUTCOME_DENIED, "no right code",
                  .attempts = 2, .counts_until_limit = -1, .opens_s = 60,
                  .answers = { { "Secret1", WAITED_FOR, 0 }, { "Secret1", WAITED_FOR, 0 } });
    assert_memory("ask load connect gone", "count", OUTCOME_DENIED, "went away",
                  .counts_until_limit = -1, .opens_s = 60, .answers = { GONE(WAITED_FOR) });
    assert_memory("ask load connect answer",
                  "count show(Too many logins: codes of the app are accepted again in 1 min.)",
                  OUTCOME_EXHAUSTED, "", .counts_until_limit = -1, .opens_s = 1,
                  .answers = { CODE });
}

TEST(nobody_is_told_when_a_limit_ends_that_nobody_knows)
{
    assert_memory("ask load connect answer", "count", OUTCOME_EXHAUSTED, "this host's limit",
                  .counts_until_limit = -1, .opens_s = -1, .answers = { CODE });
    assert_memory("ask load connect create answer", "count", OUTCOME_EXHAUSTED, "scripted",
                  .answers = { CODE }, .results = { REFUSED(OUTCOME_EXHAUSTED) });
    assert_memory("ask load connect create answer verify(123456@1)", "count claim(123456)",
                  OUTCOME_EXHAUSTED, "scripted", .answers = { CODE },
                  .results = { PENDING, REFUSED(OUTCOME_EXHAUSTED) });
}

/* Recovery codes */

#define RECOVERY(moment)                                                                           \
    {                                                                                              \
        "bcdf-ghjk-mnpq", moment, 0                                                                \
    }

TEST(a_recovery_code_lets_in_whatever_the_service_does)
{
    static const enum moment moments[] = { WAITED_FOR, CONNECTING, CONNECTED, IN_FLIGHT };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        struct scene scene = { .answers = { RECOVERY(moments[i]) },
                               .results = { PENDING },
                               .remain = { 10 } };
        struct verdict verdict;
        run(&scene, &verdict);
        assert_refused(&verdict, OUTCOME_APPROVED, "RECOVERY CODE used up, 9 remain");
        assert_non_null(strstr(scene.memory, "recover(bcdfghjkmnpq) "
                                             "show(That was a recovery code; 9 remain.)"));
        assert_null(strstr(scene.trace, "verify"));
    }
    assert_scene("ask load connect answer", OUTCOME_APPROVED, "RECOVERY CODE",
                 .answers = { RECOVERY(WAITED_FOR) }, .results = { UNREACHABLE }, .remain = { 1 });
    assert_scene("ask load answer", OUTCOME_APPROVED, "RECOVERY CODE used up, 0 remain",
                 .load_fails = OUTCOME_MISCONFIGURED, .answers = { RECOVERY(WAITED_FOR) },
                 .remain = { 1 });
    assert_scene("ask load connect create answer", OUTCOME_APPROVED, "RECOVERY CODE",
                 .answers = { RECOVERY(WAITED_FOR) }, .results = { REFUSED(OUTCOME_EXHAUSTED) },
                 .remain = { 1 });
    assert_scene("ask load connect answer", OUTCOME_APPROVED, "RECOVERY CODE",
                 .counts_until_limit = -1, .opens_s = 60, .answers = { RECOVERY(WAITED_FOR) },
                 .remain = { 1 });
}

TEST(a_wrong_recovery_code_uses_an_attempt_up)
{
    assert_memory("ask load connect create answer pause(500) again answer verify(123456@1)",
                  "count recover(bcdfghjkmnpq) claim(123456)", OUTCOME_APPROVED, "challenge=YC1",
                  .answers = { RECOVERY(WAITED_FOR), CODE }, .results = { PENDING, APPROVED });
    assert_scene("ask load connect answer pause(500) again answer pause(500)", OUTCOME_DENIED,
                 "no right code in 2 attempts, 0 of them not 6 digits, 2 wrong recovery codes; "
                 "challenge=- request=-",
                 .attempts = 2, .answers = { RECOVERY(CONNECTED), RECOVERY(WAITED_FOR) });
    assert_scene("ask load connect answer pause(500)", OUTCOME_DENIED,
                 "no right code in 1 attempts, 0 of them not 6 digits, 1 wrong recovery codes; "
                 "challenge=- request=-",
                 .attempts = 1, .answers = { RECOVERY(CONNECTED) });
    assert_scene("ask load connect answer pause(500) again answer pause(500)", OUTCOME_DENIED,
                 "wrong recovery codes", .attempts = 2,
                 .answers = { RECOVERY(WAITED_FOR), RECOVERY(WAITED_FOR) },
                 .results = { UNREACHABLE });
}

TEST(a_recovery_code_of_somebody_who_is_not_enrolled_is_asked_again_like_a_wrong_one)
{
    assert_memory("ask load connect answer pause(500) again answer pause(500)",
                  "recover(bcdfghjkmnpq) recover(bcdfghjkmnpq)", OUTCOME_DENIED, "not enrolled",
                  .is_unenrolled = true, .attempts = 2,
                  .answers = { RECOVERY(WAITED_FOR), RECOVERY(WAITED_FOR) });
    assert_scene("ask load connect answer pause(500) again answer pause(500)", OUTCOME_DENIED,
                 "not enrolled", .is_unenrolled = true, .attempts = 2,
                 .answers = { RECOVERY(WAITED_FOR), RECOVERY(WAITED_FOR) },
                 .results = { UNREACHABLE });
}

TEST(every_recovery_code_that_does_not_count_takes_as_long)
{
    assert_scene("ask load connect create answer pause(480)", OUTCOME_DENIED, "", .attempts = 1,
                 .host_ms = 20, .answers = { RECOVERY(WAITED_FOR) }, .results = { PENDING });
    assert_scene("ask load connect create answer pause(1)", OUTCOME_DENIED, "", .attempts = 1,
                 .host_ms = 499, .answers = { RECOVERY(WAITED_FOR) }, .results = { PENDING });
    assert_scene("ask load connect create answer", OUTCOME_DENIED, "", .attempts = 1,
                 .host_ms = 500, .answers = { RECOVERY(WAITED_FOR) }, .results = { PENDING });
    assert_scene("ask load connect create answer", OUTCOME_APPROVED, "", .remain = { 1 },
                 .answers = { RECOVERY(WAITED_FOR) }, .results = { PENDING });
}

TEST(what_has_not_the_form_of_a_recovery_code_is_none)
{
    static const char *const answers[] = { "bcdfghjkmnp",  "bcdfghjkmnpqr",  "bcdfghjkmnpa",
                                           "bcdfghjkmnp1", "bcdf.ghjk.mnpq", "bcdfghjkmnpq\t" };

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        assert_memory("ask load connect create answer", "count", OUTCOME_DENIED,
                      "1 of them not 6 digits; challenge", .attempts = 1,
                      .answers = { { answers[i], WAITED_FOR, 0 } }, .results = { PENDING });
}

/* Somebody who is not enrolled */

TEST(somebody_who_is_not_enrolled_is_denied_and_nothing_is_sent)
{
    assert_scene("ask load connect answer again answer again answer", OUTCOME_DENIED,
                 "not enrolled: /users/NAME.conf is missing", .is_unenrolled = true,
                 .answers = { CODE, CODE, CODE, CODE });
    assert_scene("ask load connect answer again answer again answer", OUTCOME_DENIED,
                 "not enrolled", .is_unenrolled = true,
                 .answers = { CODE, { "Secret1", WAITED_FOR, 0 }, CODE });
    assert_scene("ask load connect answer", OUTCOME_DENIED, "not enrolled", .is_unenrolled = true,
                 .attempts = 1, .create_challenge = SETTINGS_CREATE_AT_CODE, .answers = { CODE });
}

TEST(somebody_who_is_not_enrolled_and_goes_away_is_denied)
{
    static const enum moment moments[] = { WAITED_FOR, CONNECTING, CONNECTED };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
        assert_scene("ask load connect gone", OUTCOME_DENIED, "", .is_unenrolled = true,
                     .answers = { GONE(moments[i]) });
    assert_scene("ask", OUTCOME_DENIED, "", .is_unenrolled = true, .asks_until_gone = 1);
    assert_scene("ask load connect answer again gone", OUTCOME_DENIED, "", .is_unenrolled = true,
                 .answers = { CODE, GONE(WAITED_FOR) });
}

TEST(somebody_who_is_not_enrolled_sees_the_same_prompts)
{
    static const enum moment moments[] = { WAITED_FOR, CONNECTING, CONNECTED };

    for (int attempts = 1; attempts <= 5; attempts++)
        for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
            for (int wrong = 0; wrong < 8; wrong++) {
                struct scene enrolled = {
                    .attempts = attempts,
                    .results = { PENDING, PENDING, PENDING, PENDING, PENDING, PENDING },
                };
                struct scene unenrolled;
                struct verdict verdict;

                for (int j = 0; j < 5; j++)
                    enrolled.answers[j] = (struct answer){ wrong >> j & 1 ? "Secret1" : "123456",
                                                           j == 0 ? moments[i] : WAITED_FOR, 0 };
                unenrolled = enrolled;
                unenrolled.is_unenrolled = true;
                run(&enrolled, &verdict);
                assert_int_equal(verdict.outcome, OUTCOME_DENIED);
                run(&unenrolled, &verdict);
                assert_int_equal(verdict.outcome, OUTCOME_DENIED);
                assert_string_equal(unenrolled.texts, enrolled.texts);
                assert_int_equal(unenrolled.asks, attempts);
            }
}

TEST(somebody_who_is_not_enrolled_waits_as_long_as_the_connection_took)
{
    assert_scene("ask load connect answer pause(150) again answer pause(150)", OUTCOME_DENIED, "",
                 .is_unenrolled = true, .attempts = 2, .connect_ms = 150,
                 .answers = { { "123456", WAITED_FOR, 700 }, { "123456", WAITED_FOR, 900 } });
    assert_scene("ask load connect answer again answer pause(150)", OUTCOME_DENIED, "",
                 .is_unenrolled = true, .attempts = 2, .connect_ms = 150,
                 .answers = { { "Secret1", WAITED_FOR, 0 }, CODE });
    assert_scene("ask load connect answer pause(1)", OUTCOME_DENIED, "", .is_unenrolled = true,
                 .attempts = 1, .connect_ms = 1, .answers = { CODE });
    assert_scene("ask load connect answer pause(150)", OUTCOME_DENIED, "", .is_unenrolled = true,
                 .connect_ms = 150, .answers = { CODE }, .results = { UNREACHABLE });
}

TEST(somebody_who_is_not_enrolled_never_waits_beyond_the_limit)
{
    assert_scene("ask load connect answer pause(2000)", OUTCOME_DENIED, "", .is_unenrolled = true,
                 .attempts = 1, .timeout_seconds = 2, .connect_ms = 60000, .answers = { CODE });
    assert_scene("ask load connect answer pause(500)", OUTCOME_DENIED, "", .is_unenrolled = true,
                 .attempts = 1, .timeout_seconds = 1, .connect_ms = 500,
                 .answers = { { "123456", CONNECTING, 0 } });
}

TEST(everybody_sees_one_prompt_while_the_service_is_away)
{
    assert_scene("ask load connect answer", OUTCOME_DENIED, "not enrolled", .is_unenrolled = true,
                 .answers = { CODE, CODE, CODE }, .results = { UNREACHABLE });
    assert_scene("ask load connect answer connect", OUTCOME_UNAVAILABLE, "scripted",
                 .answers = { CODE, CODE, CODE }, .results = { UNREACHABLE, UNREACHABLE });
    assert_scene("ask load answer", OUTCOME_DENIED, "not enrolled", .is_unenrolled = true,
                 .load_fails = OUTCOME_UNAVAILABLE, .answers = { CODE, CODE, CODE });
}

TEST(while_the_service_is_away_passwords_are_asked_again_of_everybody)
{
    static const struct scene scene = {
        .attempts = 2,
        .answers = { { "Secret1", WAITED_FOR, 0 }, { "Secret1", WAITED_FOR, 0 } },
        .results = { UNREACHABLE },
    };
    struct scene unenrolled = scene;

    unenrolled.is_unenrolled = true;
    assert_login(&scene, "ask load connect answer again answer", OUTCOME_DENIED, "");
    assert_login(&unenrolled, "ask load connect answer again answer", OUTCOME_DENIED, "");
}

/* The clock. The ports assert that it stands while the user is asked and types. */

TEST(from_the_code_on_the_clock_runs)
{
    static const enum moment moments[] = { WAITED_FOR, CONNECTING, CONNECTED, IN_FLIGHT };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
        for (int seconds = 1; seconds <= 30; seconds += 29) {
            struct scene scene = { .timeout_seconds = seconds,
                                   .answers = { { "123456", moments[i], 7777 } },
                                   .results = { PENDING, APPROVED } };
            struct verdict verdict;

            run(&scene, &verdict);
            assert_int_equal(verdict.outcome, OUTCOME_APPROVED);
            assert_int_equal(scene.limit_ms, BEGIN_MS + 7777 + seconds * 1000);
            assert_int_equal(scene.longest_limit_ms, seconds * 1000);
        }
}

TEST(what_this_host_takes_for_itself_is_none_of_twilios_time)
{
    struct scene scene = { .host_ms = 60000,
                           .create_challenge = SETTINGS_CREATE_AT_CODE,
                           .answers = { CODE, CODE },
                           .results = { PENDING, PENDING, APPROVED } };
    struct verdict verdict;

    run(&scene, &verdict);
    assert_int_equal(verdict.outcome, OUTCOME_APPROVED);
    assert_int_equal(scene.limit_ms, scene.now_ms + 10000);
    assert_int_equal(scene.longest_limit_ms, 10000);
}

TEST(while_the_user_types_the_clock_stands)
{
    struct scene scene = { .answers = { CODE, { "Secret1", WAITED_FOR, 1000000 } },
                           .results = { PENDING, PENDING } };
    struct verdict verdict;

    run(&scene, &verdict);
    assert_string_equal(scene.trace,
                        "ask load connect create answer verify(123456@1) again answer again gone");
    assert_int_equal(scene.limit_ms, HTTP_FOREVER);
}

/* All ways that a login can go, up to a length: the model knows how each must end. */

enum { DEPTH = 14 };

/* The choices of one login, like the wheels of a counter. */
struct counter {
    unsigned char choices[DEPTH], counts[DEPTH];
    unsigned used, known;
};

static unsigned count_on(void *context, unsigned count)
{
    struct counter *counter = context;

    if (counter->used == DEPTH)
        return 0;
    if (counter->used == counter->known)
        counter->choices[counter->known++] = 0;
    counter->counts[counter->used] = (unsigned char)count;
    return counter->choices[counter->used++];
}

static bool next_login(struct counter *counter)
{
    while (counter->used > 0 &&
           counter->choices[counter->used - 1] + 1 == counter->counts[counter->used - 1])
        counter->used--;
    counter->known = counter->used;
    if (counter->used == 0)
        return false;
    counter->choices[counter->used - 1]++;
    counter->used = 0;
    return true;
}

static void assert_rules(unsigned (*choose)(void *, unsigned), void *context, unsigned variant)
{
    struct model model = {
        .choose = choose,
        .context = context,
        .attempts = 1 + (int)(variant / 4) % 5,
        .create_challenge = variant & 1 ? SETTINGS_CREATE_AT_CODE : SETTINGS_CREATE_AT_PROMPT,
        .is_enrolled = (variant & 2) == 0,
    };

    if (!model_run(&model))
        fail_msg("the login %s: attempts=%d at_code=%d enrolled=%d: %s→ %s: %s, not %s",
                 model.broken, model.attempts, model.create_challenge, model.is_enrolled,
                 model.trace, verdict_word(model.verdict.outcome), model.verdict.reason,
                 verdict_word(model.expected));
}

TEST(every_short_login_keeps_the_rules)
{
    unsigned logins = 0;

    for (unsigned variant = 0; variant < 4 * 3; variant++) {
        struct counter counter = { .used = 0 };
        do {
            assert_rules(count_on, &counter, variant);
            logins++;
        } while (next_login(&counter));
    }
    print_message("# %u logins\n", logins);
    assert_true(logins > 200000);
}

/* xorshift32: the same logins in every run. */
static unsigned draw(void *context, unsigned count)
{
    uint32_t *dice = context;

    *dice ^= *dice << 13;
    *dice ^= *dice >> 17;
    *dice ^= *dice << 5;
    return *dice % count;
}

TEST(many_long_logins_keep_the_rules)
{
    uint32_t dice = 20260101;

    for (unsigned i = 0; i < 200000; i++)
        assert_rules(draw, &dice, i % 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_at_once_then_creates_then_sends_the_code),
        cmocka_unit_test(takes_an_answer_whenever_it_comes),
        cmocka_unit_test(half_a_line_is_not_waited_for_while_there_is_work),
        cmocka_unit_test(under_at_code_creates_after_the_code),
        cmocka_unit_test(removes_blanks_wherever_they_stand),
        cmocka_unit_test(sends_codes_of_every_digit),
        cmocka_unit_test(sends_codes_of_the_length_that_is_set),
        cmocka_unit_test(what_is_no_code_never_leaves_the_host),
        cmocka_unit_test(a_code_of_another_length_never_leaves_the_host),
        cmocka_unit_test(an_answer_of_the_longest_line_never_leaves_the_host),
        cmocka_unit_test(asks_again_after_what_is_no_code),
        cmocka_unit_test(an_answer_that_is_no_code_uses_an_attempt_up),
        cmocka_unit_test(a_password_that_is_there_already_costs_no_challenge),
        cmocka_unit_test(under_at_code_a_password_costs_no_challenge),
        cmocka_unit_test(attempts_used_up_while_the_creation_is_under_way_are_denied),
        cmocka_unit_test(a_wrong_code_is_asked_for_again_on_the_same_challenge),
        cmocka_unit_test(as_many_attempts_as_are_set_and_no_more),
        cmocka_unit_test(asks_in_these_words),
        cmocka_unit_test(somebody_who_cannot_be_asked_costs_nothing),
        cmocka_unit_test(somebody_who_is_gone_before_the_request_costs_no_challenge),
        cmocka_unit_test(somebody_who_goes_while_the_creation_is_under_way_is_denied),
        cmocka_unit_test(somebody_who_goes_at_a_prompt_is_denied_and_nothing_is_sent),
        cmocka_unit_test(somebody_who_goes_after_a_failure_is_denied),
        cmocka_unit_test(a_creation_that_was_unavailable_is_tried_once_more_after_the_code),
        cmocka_unit_test(under_at_code_too_a_creation_that_was_unavailable_is_tried_once_more),
        cmocka_unit_test(a_creation_that_was_refused_is_remembered_and_not_tried_again),
        cmocka_unit_test(a_creation_that_ends_as_none_can_is_broken),
        cmocka_unit_test(what_is_no_code_is_denied_though_the_creation_failed),
        cmocka_unit_test(a_library_that_does_not_load_is_told_after_the_code),
        cmocka_unit_test(a_refused_verification_ends_the_login_and_names_the_challenge),
        cmocka_unit_test(a_verification_that_says_it_was_given_up_is_unavailable),
        cmocka_unit_test(a_lost_reply_is_asked_for_and_its_approval_counts),
        cmocka_unit_test(a_lost_reply_that_stands_at_pending_uses_the_attempt_up),
        cmocka_unit_test(a_lost_reply_that_stays_lost_ends_the_login),
        cmocka_unit_test(an_expired_challenge_is_replaced_once),
        cmocka_unit_test(a_second_expired_challenge_is_denied),
        cmocka_unit_test(an_expired_challenge_uses_no_attempt_up),
        cmocka_unit_test(a_challenge_that_cannot_be_replaced_ends_the_login),
        cmocka_unit_test(a_challenge_that_must_have_expired_gets_no_code),
        cmocka_unit_test(a_challenge_that_must_have_expired_is_replaced_once),
        cmocka_unit_test(a_code_is_claimed_before_it_is_sent_and_kept_when_it_was_right),
        cmocka_unit_test(a_code_that_was_wrong_is_given_back),
        cmocka_unit_test(a_code_that_did_not_arrive_is_given_back),
        cmocka_unit_test(a_code_of_which_nobody_knows_what_became_is_kept),
        cmocka_unit_test(a_code_that_was_used_before_uses_an_attempt_up_and_is_not_sent),
        cmocka_unit_test(a_code_that_can_not_be_claimed_is_not_sent),
        cmocka_unit_test(a_code_is_claimed_once_though_the_challenge_expires),
        cmocka_unit_test(every_creation_is_counted_before_it_leaves),
        cmocka_unit_test(beyond_the_limit_nothing_is_created_and_the_user_is_told),
        cmocka_unit_test(nobody_is_told_when_a_limit_ends_that_nobody_knows),
        cmocka_unit_test(a_recovery_code_lets_in_whatever_the_service_does),
        cmocka_unit_test(a_wrong_recovery_code_uses_an_attempt_up),
        cmocka_unit_test(
            a_recovery_code_of_somebody_who_is_not_enrolled_is_asked_again_like_a_wrong_one),
        cmocka_unit_test(every_recovery_code_that_does_not_count_takes_as_long),
        cmocka_unit_test(what_has_not_the_form_of_a_recovery_code_is_none),
        cmocka_unit_test(somebody_who_is_not_enrolled_is_denied_and_nothing_is_sent),
        cmocka_unit_test(somebody_who_is_not_enrolled_and_goes_away_is_denied),
        cmocka_unit_test(somebody_who_is_not_enrolled_sees_the_same_prompts),
        cmocka_unit_test(somebody_who_is_not_enrolled_waits_as_long_as_the_connection_took),
        cmocka_unit_test(somebody_who_is_not_enrolled_never_waits_beyond_the_limit),
        cmocka_unit_test(everybody_sees_one_prompt_while_the_service_is_away),
        cmocka_unit_test(while_the_service_is_away_passwords_are_asked_again_of_everybody),
        cmocka_unit_test(from_the_code_on_the_clock_runs),
        cmocka_unit_test(what_this_host_takes_for_itself_is_none_of_twilios_time),
        cmocka_unit_test(while_the_user_types_the_clock_stands),
        cmocka_unit_test(every_short_login_keeps_the_rules),
        cmocka_unit_test(many_long_logins_keep_the_rules),
    };

    return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
