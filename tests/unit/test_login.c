/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The steps of one login, one after the other, with a scripted user and a scripted
 * API. A trace tells what happened in which order:
 *
 *   ask again     the first prompt, and those after a wrong code
 *   load          twilio.so is loaded
 *   connect       the API was told to create a challenge; before the request leaves
 *   create(C)     the request left, with the code C or with none
 *   unsent        nothing of it left
 *   answer gone   the user's line was taken; the user was found to be away
 *   verify(C@N)   the code C was sent to the Nth challenge
 *   fetch(N)      the Nth challenge was fetched
 *   push          a challenge of the push factor was created; number: its number was asked for
 *
 * A second one tells what this host was made to remember, or what the user was told:
 *
 *   count         a challenge was counted, before it was created
 *   claim(C) release(C) recover(R)   a code, a recovery code
 *   push stop guess   a push was counted; pushes are stopped; a number was counted and compared
 *   show(TEXT)    the user was told TEXT
 *
 * What is logged, and how long it took until something came of an answer, stand by themselves. */
#include "unit.h"

#include <stdlib.h>

#include "check/login.h"
#include "model.h"
#include "ports.h"
#include "wiped.h"

#define PROMPT "Verification code: "

static const char THE_NUMBER[] = "the number", NOT_THE_NUMBER[] = "not the number";

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
    bool is_nameless;     /* the reply to a creation has no SID */
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
    enum { FREE, USED, FULL, UNCOUNTED } claims[STEPS_MAX];
    int day, row;       /* wrong codes before */
    const char *locked; /* what the question says of too many; NULL: there are not */
    const char *notice; /* what it says of those before; NULL: nothing */
    int untold;
    bool is_unjudged;
    int remain[STEPS_MAX]; /* 1 more than remain after a recovery code; 0: it is wrong */
    bool can_recover, was_denied;
    bool has_push, has_no_code; /* factors: a push factor besides, or alone */
    enum outcome push_fails, guess_fails;
    bool stop_fails;
    int number; /* that the phone shows */
    int64_t fetch_ms;
    int leaves_after_fetches; /* 0: he waits for the phone */
    int fetches;
    int counts_until_quota; /* 0: there is none */
    int64_t opens_s;

    const char *sent; /* the code in the login's own memory */
    size_t answered, called, claimed, recovered;
    int counted;
    int asks, challenges;
    int64_t host_ms; /* what it takes to claim, to count, or to try a recovery code */
    int64_t now_ms, deadline_ms, longest_ms, answered_ms, verified_ms;
    bool is_awaited; /* the user waits since ANSWERED_MS */
    char trace[TRACE_SIZE];
    char texts[TRACE_SIZE]; /* of the prompts, each in brackets */
    char memory[TRACE_SIZE];
    char logged[TRACE_SIZE]; /* each in brackets */
    char waits[TRACE_SIZE];  /* of the user, in milliseconds, each with a blank */
    char ends[TRACE_SIZE];   /* "denied", "approved", "recovered", as noted */
};

#define RESULT(state, outcome, ...) ((struct result){ CHALLENGE_##state, outcome, __VA_ARGS__ })
#define APPROVED                    RESULT(APPROVED, OUTCOME_BROKEN, false)
#define PENDING                     RESULT(PENDING, OUTCOME_BROKEN, false)
#define NAMELESS                    RESULT(PENDING, OUTCOME_BROKEN, false, true)
#define EXPIRED                     RESULT(EXPIRED, OUTCOME_BROKEN, false)
#define LOST                        RESULT(LOST, OUTCOME_BROKEN, false)
#define UNSENT                      RESULT(UNSENT, OUTCOME_BROKEN, false)
#define DENIED                      RESULT(DENIED, OUTCOME_DENIED, false)
#define REFUSED(outcome)            RESULT(REFUSED, outcome, false)
#define UNREACHABLE                 RESULT(REFUSED, OUTCOME_UNAVAILABLE, true)

#define ANSWER(text, moment) ((struct answer){ text, moment, 0 })
#define GONE(moment)         ANSWER(NULL, moment)
#define CODE                 ANSWER("123456", WAITED_FOR)
#define CODE2                ANSWER("654321", WAITED_FOR)
#define PASSWORD(moment)     ANSWER("Secret1", moment)
#define PASSWORD2            ANSWER("Secret2", WAITED_FOR)
#define RECOVERY(moment)     ANSWER("bcdf-ghjk-mnpq", moment)
#define RECOVERY2            ANSWER("qpnm-kjhg-fdcb", WAITED_FOR)
#define PUSH                 ANSWER("push", WAITED_FOR)
#define NUMBER               ANSWER(THE_NUMBER, WAITED_FOR)

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

/* Something comes of the last answer. */
static void end_wait(struct scene *scene)
{
    size_t used = strlen(scene->waits);

    if (scene->is_awaited)
        snprintf(scene->waits + used, sizeof scene->waits - used, "%d ",
                 (int)(scene->now_ms - scene->answered_ms));
    scene->is_awaited = false;
}

/* The ports. What is answered here and sent there has to be wiped before the login ends. */

static bool ask(struct scene *scene, const char *text)
{
    size_t used = strlen(scene->texts);

    end_wait(scene);
    note(scene, scene->asks == 0 ? "ask " : "again ");
    snprintf(scene->texts + used, sizeof scene->texts - used, "[%s]", text);
    assert_int_equal(scene->deadline_ms, HTTP_FOREVER);
    assert_true(scene->sent == NULL || *scene->sent == '\0');
    scene->asks++;
    return scene->asks != scene->asks_until_gone;
}

static bool ask_shown(struct scene *scene, const char *text)
{
    assert_string_equal(text, "Number on your phone: ");
    assert_int_equal(scene->deadline_ms, HTTP_FOREVER);
    note(scene, "number ");
    scene->is_awaited = false;
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
    scene->answered_ms = scene->now_ms;
    scene->is_awaited = true;
    if (next->text == THE_NUMBER || next->text == NOT_THE_NUMBER)
        snprintf(answer, DIALOGUE_LINE_SIZE, "%d",
                 next->text == THE_NUMBER ? scene->number : 10 + (scene->number + 1 - 10) % 90);
    else
        snprintf(answer, DIALOGUE_LINE_SIZE, "%s", next->text);
    wiped_expect(answer, strlen(answer));
    return LOGIN_ANSWER;
}

static enum moment now; /* how far the request is */

static enum login_answer on_answer(void *context, bool wait, char answer[DIALOGUE_LINE_SIZE])
{
    struct scene *scene = context;

    assert_true(scene->deadline_ms == HTTP_FOREVER || !wait);
    return take(scene, wait ? WAITED_FOR : now, answer);
}

static void on_deadline(void *context, int64_t deadline_ms)
{
    struct scene *scene = context;

    if (deadline_ms != HTTP_FOREVER && deadline_ms - scene->now_ms > scene->longest_ms)
        scene->longest_ms = deadline_ms - scene->now_ms;
    scene->deadline_ms = deadline_ms;
}

static int64_t on_clock(void *context)
{
    return ((struct scene *)context)->now_ms;
}

static void on_pause(void *context, int64_t pause_ms)
{
    struct scene *scene = context;

    assert_true(pause_ms > 0 && scene->is_awaited);
    assert_int_equal(scene->deadline_ms, HTTP_FOREVER);
    scene->now_ms += pause_ms;
}

static void log_text(struct scene *scene, bool is_warning, const char *text)
{
    size_t used = strlen(scene->logged);

    snprintf(scene->logged + used, sizeof scene->logged - used, "[%s%s]",
             is_warning ? "WARNING " : "", text);
    /* At once: nothing was left to pass yet. */
    assert_true(scene->is_awaited);
}

static bool on_say(void *context, enum dialogue_kind kind, const char *text)
{
    if (kind == DIALOGUE_ASK_SECRET)
        return ask(context, text);
    if (kind == DIALOGUE_ASK)
        return ask_shown(context, text);
    if (kind == DIALOGUE_SHOW)
        remember(context, "show(%s) ", text);
    else
        log_text(context, kind == DIALOGUE_LOG_WARNING, text);
    return true;
}

/* A disk that somebody keeps busy must not look like an outage of Twilio's. */
static void take_time(struct scene *scene)
{
    assert_int_equal(scene->deadline_ms, HTTP_FOREVER);
    scene->now_ms += scene->host_ms;
}

static enum claim on_claim(struct ledger *ledger, const char *code,
                           struct ledger_counts *ret_counts, struct verdict *why_not)
{
    struct scene *scene = (void *)ledger;

    remember(scene, "claim(%s) ", code);
    take_time(scene);
    switch (scene->claims[scene->claimed++]) {
    case FREE:
        *ret_counts = (struct ledger_counts){ ++scene->day, ++scene->row };
        return CLAIM_MADE;
    case UNCOUNTED:
        return CLAIM_UNRECORDED;
    case USED:
        return CLAIM_TAKEN;
    case FULL:
        break;
    }
    verdict_refuse(why_not, OUTCOME_DENIED, "too many claims");
    return CLAIM_REFUSED;
}

static void on_take_back(struct ledger *ledger)
{
    assert_int_equal(((struct scene *)ledger)->deadline_ms, HTTP_FOREVER);
    remember((void *)ledger, "take_back ");
}

static void on_look(struct ledger *ledger, struct ledger_look *ret_look, struct verdict *why_not)
{
    struct scene *scene = (void *)ledger;
    const char *text = scene->locked != NULL ? scene->locked : scene->notice;

    assert_int_equal(scene->asks, 0);
    *ret_look = (struct ledger_look){ .is_locked = scene->locked != NULL,
                                      .untold = scene->untold,
                                      .was_denied = scene->was_denied };
    snprintf(ret_look->text, sizeof ret_look->text, "%s", text != NULL ? text : "");
    if (scene->locked != NULL)
        verdict_refuse(why_not, OUTCOME_EXHAUSTED, "too many wrong codes");
}

static void on_release(struct ledger *ledger, const char *code)
{
    assert_int_equal(((struct scene *)ledger)->deadline_ms, HTTP_FOREVER);
    remember((void *)ledger, "release(%s) ", code);
}

static int64_t on_count(struct ledger *ledger, struct verdict *why_not)
{
    struct scene *scene = (void *)ledger;

    remember(scene, "count ");
    take_time(scene);
    /* -1: there is none left. */
    if (scene->counts_until_quota == 0 || scene->counted < scene->counts_until_quota) {
        scene->counted++;
        return 0;
    }
    verdict_refuse(why_not, OUTCOME_EXHAUSTED, "this host's quota");
    return scene->opens_s;
}

static int64_t on_push(void *context, struct verdict *why_not)
{
    struct scene *scene = context;

    remember(scene, "push ");
    take_time(scene);
    if (scene->push_fails == OUTCOME_BROKEN)
        return 0;
    verdict_refuse(why_not, scene->push_fails, "no push");
    return scene->opens_s;
}

static bool on_stop_push(struct ledger *ledger)
{
    const struct scene *scene = (void *)ledger;

    assert_int_equal(scene->deadline_ms, HTTP_FOREVER);
    remember((void *)ledger, "stop ");
    return !scene->stop_fails;
}

static enum ledger_guess on_guess(struct ledger *ledger, const char *typed, int number,
                                  struct verdict *why_not)
{
    const struct scene *scene = (void *)ledger;
    char right[16];

    assert_int_equal(scene->deadline_ms, HTTP_FOREVER);
    assert_int_equal(number, scene->number);
    snprintf(right, sizeof right, "%d", number);
    remember((void *)ledger, "guess ");
    if (scene->guess_fails == OUTCOME_BROKEN)
        return strcmp(typed, right) == 0 ? LEDGER_GUESS_RIGHT : LEDGER_GUESS_WRONG;
    verdict_refuse(why_not, scene->guess_fails, "not compared");
    return LEDGER_GUESS_REFUSED;
}

static int on_recover(void *context, const char *code)
{
    struct scene *scene = context;

    remember(scene, "recover(%s) ", code);
    take_time(scene);
    wiped_expect(code, strlen(code));
    return scene->remain[scene->recovered++] - 1;
}

static bool on_can_recover(void *context)
{
    return ((struct scene *)context)->can_recover;
}

static void on_note_end(struct ledger *ledger, enum ledger_end end)
{
    static const char *const words[] = {
        [LEDGER_DENIED] = "denied", [LEDGER_APPROVED] = "approved", [LEDGER_RECOVERED] = "recovered"
    };
    struct scene *scene = (void *)ledger;

    assert_int_equal(scene->deadline_ms, HTTP_FOREVER);
    strcat(scene->ends, words[end]);
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

    if (result->state == CHALLENGE_REFUSED || result->state == CHALLENGE_DENIED)
        verdict_refuse(why_not, result->outcome, "scripted refusal");
    if (result->state == CHALLENGE_LOST || result->state == CHALLENGE_UNSENT)
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "lost");
    return result->state;
}

static void on_connect(struct challenge_service *service, struct http_watch *watch,
                       struct verdict *why_not)
{
    struct scene *scene = (struct scene *)service;

    assert_true(scene->is_unenrolled);
    note(scene, "connect ");
    if (!notice(scene, CONNECTING, watch))
        return;
    scene->now_ms += scene->connect_ms;
    if (scene->results[scene->called++].fails_early) {
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "scripted refusal");
        return;
    }
    now = CONNECTED;
    assert_false(watch->before_send(watch));
}

static void note_creation(struct scene *scene, const char *code)
{
    if (code == NULL) {
        note(scene, "create ");
        return;
    }
    note(scene, "create(%s) ", code);
    wiped_expect(code, strlen(code));
    scene->sent = code;
}

static enum challenge_state on_create(struct challenge_service *service, struct http_watch *watch,
                                      const char *code, struct challenge *challenge,
                                      struct verdict *why_not)
{
    struct scene *scene = (struct scene *)service;
    const struct result *result = &scene->results[scene->called];

    note(scene, "connect ");
    assert_false(scene->is_unenrolled);
    assert_int_equal(code != NULL, scene->create_challenge == SETTINGS_CREATE_WITH_CODE);
    assert_int_equal(watch->deadline_ms, scene->deadline_ms);
    if (watch->deadline_ms == HTTP_FOREVER)
        watch->waited_ms = 1;
    if (!notice(scene, CONNECTING, watch))
        return CHALLENGE_GIVEN_UP;
    scene->now_ms += scene->connect_ms;
    if (result->fails_early) {
        end_call(scene, why_not);
        return CHALLENGE_UNSENT;
    }

    now = CONNECTED;
    if (!watch->before_send(watch))
        return CHALLENGE_GIVEN_UP;
    if (result->state == CHALLENGE_UNSENT) {
        note(scene, "unsent ");
        challenge->is_unjudged = true;
        return end_call(scene, why_not);
    }

    note_creation(scene, code);
    if (!notice(scene, IN_FLIGHT, watch)) {
        /* http_send() can't give up what has left: it is lost, and the reason says so. */
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "aborted by callback");
        return CHALLENGE_LOST;
    }
    strcpy(challenge->request_id, "RQcreate");
    challenge->is_unjudged = scene->is_unjudged;
    if (result->state != CHALLENGE_REFUSED && result->state != CHALLENGE_LOST &&
        !result->is_nameless)
        snprintf(challenge->sid, sizeof challenge->sid, "YC%d", ++scene->challenges);
    return end_call(scene, why_not);
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
    assert_int_equal(watch->deadline_ms, scene->deadline_ms);
    assert_int_not_equal(watch->deadline_ms, HTTP_FOREVER);
    assert_int_equal(watch->waited_ms, 0); /* since Enter */
    assert_int_equal(watch->allotted_ms, watch->deadline_ms - scene->answered_ms - scene->host_ms);
    if (scene->create_challenge == SETTINGS_CREATE_AT_PROMPT)
        assert_int_equal(challenge->was_repeated, scene->verified_ms == scene->answered_ms);
    scene->verified_ms = scene->answered_ms;
    assert_int_equal(watch->descriptor, -1);
    assert_true(may_leave(watch));
    strcpy(challenge->request_id, "RQverify");
    challenge->is_unjudged = scene->is_unjudged;
    wiped_expect(code, strlen(code));
    scene->sent = code;
    return end_call(scene, why_not);
}

static enum challenge_state on_fetch(struct challenge_service *service, struct http_watch *watch,
                                     struct challenge *challenge, struct verdict *why_not)
{
    struct scene *scene = (struct scene *)service;

    note(scene, "fetch(%s) ", challenge->sid + 2);
    assert_int_equal(watch->deadline_ms, scene->deadline_ms);
    assert_int_not_equal(watch->deadline_ms, HTTP_FOREVER);
    assert_true(may_leave(watch));
    strcpy(challenge->request_id, "RQfetch");
    scene->now_ms += scene->fetch_ms;
    scene->fetches++;
    return end_call(scene, why_not);
}

static enum challenge_state on_send_push(struct challenge_service *service,
                                         struct http_watch *watch,
                                         const struct challenge_push *push,
                                         struct challenge *challenge, struct verdict *why_not)
{
    struct scene *scene = (struct scene *)service;

    note(scene, "push ");
    assert_true(scene->has_push);
    assert_int_equal(watch->deadline_ms, scene->deadline_ms);
    assert_int_equal(watch->deadline_ms - scene->answered_ms, 30000 + scene->host_ms);
    assert_true(may_leave(watch));
    assert_string_equal(push->message, "Login at host");
    assert_true(push->number >= 10 && push->number <= 99);
    scene->number = push->number;
    if (!notice(scene, CONNECTED, watch))
        return CHALLENGE_REFUSED;
    scene->now_ms += scene->connect_ms;
    strcpy(challenge->request_id, "RQpush");
    if (scene->results[scene->called].state == CHALLENGE_PENDING)
        snprintf(challenge->sid, sizeof challenge->sid, "YC%d", ++scene->challenges);
    return end_call(scene, why_not);
}

static bool on_wait(struct challenge_service *service, struct http_watch *watch, int64_t pause_ms)
{
    struct scene *scene = (struct scene *)service;

    assert_true(pause_ms > 0 && pause_ms <= 2000);
    assert_true(scene->now_ms + pause_ms < watch->deadline_ms);
    now = IN_FLIGHT;
    if (scene->leaves_after_fetches > 0 && scene->fetches == scene->leaves_after_fetches)
        scene->answers[scene->answered] = (struct answer){ NULL, IN_FLIGHT, 0 };
    if (watch->descriptor >= 0 && is_there(scene, IN_FLIGHT) && !watch->noticed(watch))
        return false;
    scene->now_ms += pause_ms;
    return true;
}

static const struct challenge_api api = {
    .version = "scripted",
    .push = on_send_push,
    .pause = on_wait,
    .connect = on_connect,
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
    const struct enrollment enrollment = { .identity = (char *)"identity",
                                           .factor_sid = scene->has_no_code ? NULL : (char *)"YF",
                                           .push_factor_sid = scene->has_push ? (char *)"YF" : NULL,
                                           .user = (char *)"alice" };
    const struct login_request request = { &settings, scene->is_unenrolled ? NULL : &enrollment,
                                           "Login at host" };
    const struct login_ports ports = PORTS(scene, DESCRIPTOR);

    now = WAITED_FOR;
    scene->now_ms = BEGIN_MS;
    scene->deadline_ms = HTTP_FOREVER;
    login_run(&request, &ports, ret_verdict);
    end_wait(scene);
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

/* And how long the user waited for something to come of each answer. */
#define assert_waits(expected, ...)                                                                \
    do {                                                                                           \
        struct scene timed = { __VA_ARGS__ };                                                      \
        struct verdict end;                                                                        \
        run(&timed, &end);                                                                         \
        assert_string_equal(timed.waits, expected);                                                \
    } while (false)

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

#define assert_with_code(trace, memory_trace, outcome, part, ...)                                  \
    assert_memory(trace, memory_trace, outcome, part,                                              \
                  .create_challenge = SETTINGS_CREATE_WITH_CODE, __VA_ARGS__)

TEST(with_code_the_creation_takes_the_code_along)
{
    static const enum moment moments[] = { WAITED_FOR, CONNECTING, CONNECTED };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
        assert_with_code("ask load connect answer create(123456)", "claim(123456) count",
                         OUTCOME_APPROVED, "challenge=YC1 request=RQcreate",
                         .answers = { { "123456", moments[i], 0 } }, .results = { APPROVED });
}

TEST(with_code_a_refusal_without_a_challenge_costs_another_one)
{
    assert_with_code("ask load connect answer create(123456) again answer connect create(654321)",
                     "claim(123456) count release(123456) claim(654321) count", OUTCOME_APPROVED,
                     "challenge=YC1", .answers = { CODE, CODE2 },
                     .results = { NAMELESS, APPROVED });
    assert_with_code("ask load connect answer create(123456) again answer connect create(654321) "
                     "again answer connect create(123456)",
                     "claim(123456) count release(123456) claim(654321) count release(654321) "
                     "claim(123456) count release(123456)",
                     OUTCOME_DENIED, "no valid code in 3 attempts",
                     .answers = { CODE, CODE2, CODE }, .results = { NAMELESS, NAMELESS, NAMELESS });
}

TEST(with_code_a_code_is_not_sent_twice)
{
    assert_with_code("ask load connect answer create(123456)", "claim(123456) count",
                     OUTCOME_UNAVAILABLE, "scripted refusal", .answers = { CODE },
                     .results = { REFUSED(OUTCOME_UNAVAILABLE) });
    assert_with_code("ask load connect answer create(123456) connect create(123456)",
                     "claim(123456) count count", OUTCOME_APPROVED, "challenge=YC2",
                     .answers = { CODE }, .results = { EXPIRED, APPROVED });
    assert_with_code("ask load connect answer create(123456) connect create(123456)",
                     "claim(123456) count count", OUTCOME_DENIED, "expired again",
                     .answers = { CODE }, .results = { EXPIRED, EXPIRED });
}

TEST(with_code_what_did_not_leave_does_not_count)
{
    assert_with_code("ask load connect answer connect", "", OUTCOME_UNAVAILABLE, "scripted",
                     .answers = { CODE }, .results = { UNREACHABLE, UNREACHABLE });
    assert_with_code("ask load connect answer unsent connect unsent",
                     "claim(123456) count count take_back", OUTCOME_UNAVAILABLE, "lost",
                     .answers = { CODE }, .results = { UNSENT, UNSENT });
    assert_with_code("ask load connect answer",
                     "claim(123456) count take_back show(Too many logins: codes of the app are "
                     "accepted again in 1 min.)",
                     OUTCOME_EXHAUSTED, "this host's quota", .answers = { CODE },
                     .counts_until_quota = -1, .opens_s = 60);
}

TEST(with_code_an_answer_of_5xx_does_not_count)
{
    assert_with_code("ask load connect answer create(123456)", "claim(123456) count take_back",
                     OUTCOME_UNAVAILABLE, "scripted", .is_unjudged = true, .answers = { CODE },
                     .results = { REFUSED(OUTCOME_UNAVAILABLE) });
}

/* Answers that are no code */

TEST(a_malformed_code_uses_up_an_attempt)
{
    assert_scene("ask load connect create answer again answer verify(123456@1)", OUTCOME_DENIED,
                 "no valid code in 2 attempts (1 malformed); challenge=YC1", .attempts = 2,
                 .answers = { PASSWORD(WAITED_FOR), CODE }, .results = { PENDING, PENDING });
    assert_scene("ask load connect create answer again answer again answer", OUTCOME_DENIED,
                 "no valid code in 3 attempts (1 empty, 2 malformed); challenge=YC1",
                 .answers = { PASSWORD(WAITED_FOR), { "", WAITED_FOR, 0 }, PASSWORD(WAITED_FOR) },
                 .results = { PENDING });
}

TEST(a_password_that_is_there_already_costs_no_challenge)
{
    static const enum moment moments[] = { CONNECTING, CONNECTED };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        assert_scene("ask load connect answer again answer create verify(123456@1)",
                     OUTCOME_APPROVED, "", .answers = { PASSWORD(moments[i]), CODE },
                     .results = { PENDING, APPROVED });
        assert_scene("ask load connect answer again answer again answer", OUTCOME_DENIED,
                     "no valid code in 3 attempts (3 malformed)",
                     .answers = { PASSWORD(moments[i]), PASSWORD2, PASSWORD(WAITED_FOR) });
        assert_scene("ask load connect answer", OUTCOME_DENIED, "1 attempt (1 malformed)",
                     .attempts = 1, .answers = { PASSWORD(moments[i]) });
        assert_scene("ask load connect answer again gone", OUTCOME_DENIED,
                     "no valid code in 1 attempt (1 malformed)",
                     .answers = { PASSWORD(moments[i]), GONE(WAITED_FOR) });
    }
}

TEST(after_a_login_that_was_denied_just_now_a_challenge_waits_for_a_code)
{
    assert_scene("ask load connect answer create verify(123456@1)", OUTCOME_APPROVED, "",
                 .was_denied = true, .answers = { CODE }, .results = { PENDING, APPROVED });
    assert_scene("ask load connect gone", OUTCOME_DENIED, "left at the question",
                 .was_denied = true, .answers = { GONE(WAITED_FOR) });
    assert_scene("ask load connect answer again gone", OUTCOME_DENIED, "1 malformed",
                 .was_denied = true, .answers = { PASSWORD(WAITED_FOR), GONE(WAITED_FOR) });
    assert_scene("ask load connect answer create verify(123456@1)", OUTCOME_APPROVED, "",
                 .was_denied = true, .answers = { { "123456", CONNECTING, 0 } },
                 .results = { PENDING, APPROVED });
}

/* The same answer again */

TEST(a_code_that_is_repeated_is_sent_once)
{
    assert_memory("ask load connect create answer verify(123456@1) again answer",
                  "count claim(123456) release(123456)", OUTCOME_DENIED,
                  "no valid code in 2 attempts (1 repeated); challenge=YC1 request=RQverify",
                  .attempts = 5, .answers = { CODE, { "123 456", WAITED_FOR, 0 } },
                  .results = { PENDING, PENDING });
    assert_memory("ask load connect create answer again answer", "count claim(123456)",
                  OUTCOME_DENIED, "(1 repeated, 1 used before on this host)", .attempts = 5,
                  .answers = { CODE, CODE }, .results = { PENDING }, .claims = { USED });
}

TEST(an_answer_that_came_earlier_is_not_repeated)
{
    assert_scene("ask load connect create answer verify(123456@1) again answer verify(654321@1) "
                 "again answer verify(123456@1)",
                 OUTCOME_APPROVED, "", .answers = { CODE, CODE2, CODE },
                 .results = { PENDING, PENDING, PENDING, APPROVED });
    assert_scene("ask load connect create answer again answer again answer", OUTCOME_DENIED,
                 "no valid code in 3 attempts (2 empty, 1 malformed)",
                 .answers = { { "", WAITED_FOR, 0 }, PASSWORD(WAITED_FOR), { " ", WAITED_FOR, 0 } },
                 .results = { PENDING });
}

/* Wrong codes */

TEST(every_wrong_code_is_logged_at_once)
{
    struct scene scene = { .answers = { CODE, PASSWORD(WAITED_FOR), CODE2, GONE(WAITED_FOR) },
                           .attempts = 5,
                           .results = { PENDING, PENDING, LOST, PENDING } };
    struct verdict verdict;

    run(&scene, &verdict);
    assert_string_equal(scene.logged, "[wrong code 1 of 5, 1 in a row; challenge=YC1]"
                                      "[wrong code 3 of 5, 2 in a row; challenge=YC1]");
    assert_refused(&verdict, OUTCOME_DENIED, "no valid code in 3 attempts (1 malformed)");
}

TEST(from_the_10th_of_a_day_and_the_91st_in_a_row_on_each_is_a_warning)
{
    for (int before = 0; before < 110; before++) {
        struct scene day = { .answers = { CODE }, .attempts = 1, .results = { PENDING, PENDING } };
        struct scene row = day;
        struct verdict verdict;

        day.day = row.row = before;
        day.row = row.day = 0;
        run(&day, &verdict);
        assert_int_equal(strstr(day.logged, "[WARNING wrong code") != NULL, before >= 9);
        run(&row, &verdict);
        assert_int_equal(strstr(row.logged, "[WARNING wrong code") != NULL, before >= 90);
    }
}

TEST(a_code_that_nobody_judged_is_taken_back)
{
    assert_memory("ask load connect create answer verify(123456@1)",
                  "count claim(123456) take_back", OUTCOME_UNAVAILABLE, "", .answers = { CODE },
                  .results = { PENDING, REFUSED(OUTCOME_UNAVAILABLE) }, .is_unjudged = true);
    assert_memory("ask load connect create answer verify(123456@1)", "count claim(123456)",
                  OUTCOME_UNAVAILABLE, "", .answers = { CODE },
                  .results = { PENDING, REFUSED(OUTCOME_UNAVAILABLE) });
}

TEST(what_can_not_be_counted_has_one_attempt_and_no_second_challenge)
{
    struct scene scene = { .answers = { CODE, CODE2 },
                           .claims = { UNCOUNTED },
                           .results = { PENDING, PENDING } };
    struct verdict verdict;

    run(&scene, &verdict);
    assert_refused(&verdict, OUTCOME_DENIED, "no valid code in 1 attempt");
    assert_string_equal(scene.logged,
                        "[WARNING cannot count wrong codes: one attempt, and only Twilio's limits "
                        "remain][wrong code 1 of 3; challenge=YC1]");
    assert_scene("ask load connect create answer verify(123456@1)", OUTCOME_DENIED,
                 "the challenge expired again", .answers = { CODE }, .claims = { UNCOUNTED },
                 .results = { PENDING, EXPIRED });
}

#define LOCK "Too many wrong codes until 14:05: use a recovery code. "

TEST(after_too_many_wrong_codes_a_code_is_neither_sent_nor_asked_for_again)
{
    static const struct answer answers[] = { CODE, GONE(WAITED_FOR) };

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        struct scene scene = { .locked = LOCK, .answers = { answers[i] } };
        struct verdict verdict;

        run(&scene, &verdict);
        assert_string_equal(scene.texts, "[" LOCK PROMPT "]");
        assert_null(strstr(scene.trace, "load"));
        assert_string_equal(scene.memory, "");
        assert_refused(&verdict, OUTCOME_EXHAUSTED, "too many wrong codes");
        assert_string_equal(scene.waits, answers[i].text != NULL ? "1000 " : "");
    }
}

TEST(after_too_many_wrong_codes_a_recovery_code_counts)
{
    struct scene scene = { .locked = LOCK,
                           .answers = { PASSWORD(WAITED_FOR), RECOVERY(WAITED_FOR) },
                           .remain = { 4 } };
    struct verdict verdict;

    run(&scene, &verdict);
    assert_int_equal(verdict.outcome, OUTCOME_APPROVED);
    assert_string_equal(scene.texts, "[" LOCK PROMPT "][Wrong code. " LOCK PROMPT "]");
    assert_string_equal(scene.ends, "recovered");
}

#define NOTICE "7 wrong codes since 14:02. "

TEST(the_first_question_says_how_many_codes_were_wrong_and_an_approval_logs_it)
{
    static const struct scene rows[] = {
        { .answers = { CODE, CODE2 }, .results = { PENDING, PENDING, APPROVED } },
        { .answers = { PASSWORD(WAITED_FOR), RECOVERY(WAITED_FOR) },
          .results = { PENDING },
          .remain = { 1 } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct scene scene = rows[i];
        struct verdict verdict;

        scene.notice = NOTICE;
        scene.untold = 7;
        run(&scene, &verdict);
        assert_string_equal(scene.texts, "[" NOTICE PROMPT "][Wrong code. " PROMPT "]");
        assert_int_equal(verdict.outcome, OUTCOME_APPROVED);
        assert_non_null(strstr(verdict.reason, "; 7 wrong codes before"));
    }
}

TEST(an_approval_logs_wrong_codes_that_the_question_did_not_tell_of)
{
    static const char *const texts[] = { "", "; 1 wrong code before", "; 2 wrong codes before" };

    for (int count = 0; count < (int)ARRAY_SIZE(texts); count++) {
        struct scene scene = { .untold = count,
                               .answers = { CODE },
                               .results = { PENDING, APPROVED } };
        struct verdict verdict;

        run(&scene, &verdict);
        assert_string_equal(scene.texts, "[" PROMPT "]");
        assert_string_equal(strstr(verdict.reason, "RQverify") + strlen("RQverify"), texts[count]);
    }
}

TEST(what_twilio_did_not_call_wrong_is_not_logged)
{
    struct scene scene = { .answers = { PASSWORD(WAITED_FOR), RECOVERY(WAITED_FOR), CODE },
                           .results = { PENDING, REFUSED(OUTCOME_EXHAUSTED) } };
    struct verdict verdict;

    run(&scene, &verdict);
    assert_string_equal(scene.logged, "");
}

TEST(the_next_login_hears_how_this_one_ended)
{
    static const struct {
        struct scene scene;
        const char *ends;
    } rows[] = {
        { { .answers = { CODE }, .results = { PENDING, APPROVED } }, "approved" },
        { { .answers = { RECOVERY(WAITED_FOR) }, .results = { PENDING }, .remain = { 1 } },
          "recovered" },
        { { .answers = { CODE, RECOVERY(WAITED_FOR) },
            .results = { PENDING, LOST, LOST },
            .can_recover = true,
            .remain = { 1 } },
          "recovered" },
        { { .answers = { CODE }, .attempts = 1, .results = { PENDING, PENDING } }, "denied" },
        { { .answers = { CODE, CODE }, .results = { PENDING, PENDING } }, "denied" },
        { { .answers = { PASSWORD(CONNECTED) }, .attempts = 1 }, "denied" },
        { { .answers = { GONE(WAITED_FOR) }, .results = { PENDING } }, "" },
        { { .answers = { CODE, GONE(WAITED_FOR) }, .results = { PENDING, PENDING } }, "" },
        { { .answers = { CODE }, .results = { PENDING, REFUSED(OUTCOME_EXHAUSTED) } }, "" },
        { { .answers = { CODE }, .results = { UNREACHABLE, UNREACHABLE } }, "" },
        { { .answers = { CODE }, .attempts = 1, .is_unenrolled = true }, "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct scene scene = rows[i].scene;
        struct verdict verdict;
        run(&scene, &verdict);
        assert_string_equal(scene.ends, rows[i].ends);
    }
}

/* The user goes away */

TEST(somebody_who_is_gone_before_the_request_costs_no_challenge)
{
    static const enum moment moments[] = { CONNECTING, CONNECTED };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        assert_scene("ask load connect gone", OUTCOME_DENIED, "left at the question",
                     .answers = { GONE(moments[i]) });
        assert_scene("ask load connect gone", OUTCOME_DENIED, "left at the question",
                     .create_challenge = SETTINGS_CREATE_WITH_CODE,
                     .answers = { GONE(moments[i]) });
    }
    assert_scene("ask load connect gone", OUTCOME_DENIED, "left at the question",
                 .create_challenge = SETTINGS_CREATE_WITH_CODE, .answers = { GONE(WAITED_FOR) });
}

TEST(somebody_who_goes_at_a_prompt_is_denied_and_nothing_is_sent)
{
    assert_scene("ask load connect create gone", OUTCOME_DENIED,
                 "left at the question; challenge=YC1 request=RQcreate",
                 .answers = { GONE(WAITED_FOR) }, .results = { PENDING });
    assert_scene("ask load connect create answer verify(123456@1) again gone", OUTCOME_DENIED,
                 "no valid code in 1 attempt; challenge=YC1 request=RQverify",
                 .answers = { CODE, { NULL, WAITED_FOR, 700 } }, .results = { PENDING, PENDING });
    assert_scene("ask load connect create answer verify(123456@1) again", OUTCOME_DENIED,
                 "no valid code in 1 attempt; challenge=YC1", .answers = { CODE },
                 .asks_until_gone = 2, .results = { PENDING, PENDING });
    assert_scene("ask load connect create answer again", OUTCOME_DENIED,
                 "no valid code in 1 attempt (1 malformed)", .answers = { PASSWORD(WAITED_FOR) },
                 .asks_until_gone = 2, .results = { PENDING });
}

/* Creations that fail */

/* It tells no reason: zeroed memory is a refusal, and none of those that an outage may pass. */
TEST(a_creation_that_ends_as_none_can_is_broken)
{
    assert_scene("ask load connect create answer", OUTCOME_BROKEN, "", .answers = { CODE, CODE },
                 .results = { APPROVED });
    assert_scene("ask load connect create answer", OUTCOME_BROKEN, "", .answers = { CODE, CODE },
                 .results = { EXPIRED });
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
    assert_scene("ask load connect create answer verify(123456@1)", OUTCOME_UNAVAILABLE,
                 "interrupted", .answers = { CODE },
                 .results = { PENDING, { CHALLENGE_GIVEN_UP, OUTCOME_BROKEN, false } });
}

TEST(a_lost_reply_is_asked_for_and_its_approval_counts)
{
    assert_scene("ask load connect create answer verify(123456@1) fetch(1)", OUTCOME_APPROVED,
                 "challenge=YC1 request=RQfetch", .answers = { CODE },
                 .results = { PENDING, LOST, APPROVED });
}

/* Challenges that expire */

TEST(a_code_whose_reply_was_lost_is_not_sent_to_a_second_challenge)
{
    assert_scene("ask load connect create answer verify(123456@1) fetch(1)", OUTCOME_DENIED,
                 "expired, and the code must not be sent again; challenge=YC1", .answers = { CODE },
                 .results = { PENDING, LOST, EXPIRED });
}

TEST(a_second_expired_challenge_is_denied)
{
    assert_scene("ask load connect create answer verify(123456@1) connect create verify(123456@2)",
                 OUTCOME_DENIED, "expired again; challenge=YC2", .answers = { CODE },
                 .results = { PENDING, EXPIRED, PENDING, EXPIRED });
    assert_scene("ask load connect create answer verify(123456@1) connect create verify(123456@2) "
                 "again answer verify(654321@2)",
                 OUTCOME_DENIED, "expired again", .answers = { CODE, CODE2 },
                 .results = { PENDING, EXPIRED, PENDING, PENDING, EXPIRED });
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
                 "verify(654321@2)",
                 OUTCOME_APPROVED, "challenge=YC2",
                 .answers = { CODE, { "654321", WAITED_FOR, CHALLENGE_LIFETIME_MS } },
                 .results = { PENDING, PENDING, PENDING, APPROVED });
}

TEST(a_challenge_that_must_have_expired_is_replaced_once)
{
    assert_scene("ask load connect create answer connect create verify(123456@2)", OUTCOME_DENIED,
                 "expired again", .answers = { { "123456", WAITED_FOR, CHALLENGE_LIFETIME_MS } },
                 .results = { PENDING, PENDING, EXPIRED });
    assert_scene("ask load connect create answer connect create verify(123456@2) again answer "
                 "verify(654321@2)",
                 OUTCOME_DENIED, "expired again",
                 .answers = { { "123456", WAITED_FOR, CHALLENGE_LIFETIME_MS },
                              { "654321", WAITED_FOR, CHALLENGE_LIFETIME_MS } },
                 .results = { PENDING, PENDING, PENDING, EXPIRED });
}

/* No code twice */

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
                 "no valid code in 1 attempt (1 used before on this host); challenge=YC1",
                 .attempts = 1, .answers = { CODE }, .results = { PENDING }, .claims = { USED });
}

TEST(a_code_that_can_not_be_claimed_is_not_sent)
{
    assert_scene("ask load connect create answer", OUTCOME_DENIED, "too many claims",
                 .answers = { CODE, CODE }, .results = { PENDING }, .claims = { FULL });
}

/* A quota of our own */

TEST(beyond_the_quota_nothing_is_created_and_the_user_is_told)
{
    assert_memory("ask load connect answer",
                  "count show(Too many logins: codes of the app are accepted again in 3 min.)",
                  OUTCOME_EXHAUSTED, "this host's quota", .counts_until_quota = -1, .opens_s = 121,
                  .answers = { CODE });
    assert_memory("ask load connect create answer verify(123456@1) connect",
                  "count claim(123456) count "
                  "show(Too many logins: codes of the app are accepted again in 1 min.)",
                  OUTCOME_EXHAUSTED, "this host's quota", .counts_until_quota = 1, .opens_s = 60,
                  .answers = { CODE }, .results = { PENDING, EXPIRED });
    assert_memory("ask load connect answer again answer", "count", OUTCOME_DENIED, "no valid code",
                  .attempts = 2, .counts_until_quota = -1, .opens_s = 60,
                  .answers = { PASSWORD(WAITED_FOR), PASSWORD2 });
    assert_memory("ask load connect gone", "count", OUTCOME_DENIED, "left at the question",
                  .counts_until_quota = -1, .opens_s = 60, .answers = { GONE(WAITED_FOR) });
    assert_memory("ask load connect answer",
                  "count show(Too many logins: codes of the app are accepted again in 1 min.)",
                  OUTCOME_EXHAUSTED, "", .counts_until_quota = -1, .opens_s = 1,
                  .answers = { CODE });
}

TEST(nobody_is_told_when_a_quota_opens_that_nobody_knows)
{
    assert_memory("ask load connect answer", "count", OUTCOME_EXHAUSTED, "this host's quota",
                  .counts_until_quota = -1, .opens_s = -1, .answers = { CODE });
    assert_memory("ask load connect create answer", "count", OUTCOME_EXHAUSTED, "scripted",
                  .answers = { CODE }, .results = { REFUSED(OUTCOME_EXHAUSTED) });
    assert_memory("ask load connect create answer verify(123456@1)", "count claim(123456)",
                  OUTCOME_EXHAUSTED, "scripted", .answers = { CODE },
                  .results = { PENDING, REFUSED(OUTCOME_EXHAUSTED) });
}

/* Recovery codes */

TEST(a_recovery_code_lets_in_whatever_the_service_does)
{
    static const enum moment moments[] = { WAITED_FOR, CONNECTING, CONNECTED, IN_FLIGHT };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        struct scene scene = { .answers = { RECOVERY(moments[i]) },
                               .results = { PENDING },
                               .remain = { 10 } };
        struct verdict verdict;
        run(&scene, &verdict);
        assert_refused(&verdict, OUTCOME_APPROVED, "RECOVERY CODE used, 9 remain");
        assert_non_null(strstr(scene.memory, "recover(bcdfghjkmnpq) "
                                             "show(That was a recovery code; 9 remain.)"));
        assert_null(strstr(scene.trace, "verify"));
    }
    assert_scene("ask load connect answer", OUTCOME_APPROVED, "RECOVERY CODE",
                 .answers = { RECOVERY(WAITED_FOR) }, .results = { UNREACHABLE }, .remain = { 1 });
    assert_scene("ask load answer", OUTCOME_APPROVED, "RECOVERY CODE used, 0 remain",
                 .load_fails = OUTCOME_MISCONFIGURED, .answers = { RECOVERY(WAITED_FOR) },
                 .remain = { 1 });
    assert_scene("ask load connect create answer", OUTCOME_APPROVED, "RECOVERY CODE",
                 .answers = { RECOVERY(WAITED_FOR) }, .results = { REFUSED(OUTCOME_EXHAUSTED) },
                 .remain = { 1 });
    assert_scene("ask load connect answer", OUTCOME_APPROVED, "RECOVERY CODE",
                 .counts_until_quota = -1, .opens_s = 60, .answers = { RECOVERY(WAITED_FOR) },
                 .remain = { 1 });
}

TEST(a_wrong_recovery_code_uses_an_attempt_up)
{
    assert_memory("ask load connect create answer again answer verify(123456@1)",
                  "count recover(bcdfghjkmnpq) claim(123456)", OUTCOME_APPROVED, "challenge=YC1",
                  .answers = { RECOVERY(WAITED_FOR), CODE }, .results = { PENDING, APPROVED });
    assert_scene("ask load connect answer again answer", OUTCOME_DENIED,
                 "no valid code in 2 attempts (2 wrong recovery codes)", .attempts = 2,
                 .answers = { RECOVERY(CONNECTED), RECOVERY2 });
    assert_scene("ask load connect answer", OUTCOME_DENIED,
                 "no valid code in 1 attempt (1 wrong recovery code)", .attempts = 1,
                 .answers = { RECOVERY(CONNECTED) });
    assert_scene("ask load connect answer again answer", OUTCOME_DENIED, "wrong recovery codes",
                 .attempts = 2, .answers = { RECOVERY(WAITED_FOR), RECOVERY2 },
                 .results = { UNREACHABLE });
}

TEST(a_recovery_code_of_somebody_who_is_not_enrolled_is_asked_again_like_a_wrong_one)
{
    assert_memory("ask load connect answer again answer",
                  "recover(bcdfghjkmnpq) recover(qpnmkjhgfdcb)", OUTCOME_DENIED, "not enrolled",
                  .is_unenrolled = true, .attempts = 2,
                  .answers = { RECOVERY(WAITED_FOR), RECOVERY2 });
    assert_scene("ask load connect answer again answer", OUTCOME_DENIED, "not enrolled",
                 .is_unenrolled = true, .attempts = 2,
                 .answers = { RECOVERY(WAITED_FOR), RECOVERY2 }, .results = { UNREACHABLE });
}

/* An outage */

#define OUTAGE "The service does not answer; a recovery code works. Verification code: "

/* The answer to the question that tells of an outage, and what must come of it. */
struct outage {
    struct answer answer;
    enum outcome outcome;
    const char *trace, *memory, *part;
    int remain;
};

static void assert_outage(const struct outage *row, const struct scene *before, const char *trace)
{
    struct scene scene = *before;
    struct verdict verdict;
    char expected[TRACE_SIZE];

    scene.answers[1] = row->answer;
    scene.can_recover = true;
    scene.remain[0] = row->remain;
    run(&scene, &verdict);
    snprintf(expected, sizeof expected, "%s again %s", trace, row->trace);
    assert_string_equal(scene.trace, expected);
    assert_refused(&verdict, row->outcome, row->part);
    assert_string_equal(scene.texts, "[Verification code: ][" OUTAGE "]");
    assert_non_null(strstr(scene.memory, row->memory));
}

TEST(in_an_outage_the_question_says_that_a_recovery_code_works)
{
    static const struct outage rows[] = {
        { RECOVERY(WAITED_FOR), OUTCOME_APPROVED, "answer", "recover(bcdfghjkmnpq) show(That was",
          "RECOVERY CODE used, 0 remain", 1 },
        { { "", WAITED_FOR, 0 }, OUTCOME_UNAVAILABLE, "answer", "", "scripted refusal", 0 },
        { CODE2, OUTCOME_UNAVAILABLE, "answer", "", "scripted refusal", 0 },
        { CODE, OUTCOME_UNAVAILABLE, "answer", "", "scripted refusal", 0 },
        { GONE(WAITED_FOR), OUTCOME_UNAVAILABLE, "gone", "", "scripted refusal", 0 },
    };
    static const struct {
        struct scene scene;
        const char *trace;
    } outages[] = {
        { { .answers = { CODE }, .results = { UNREACHABLE, UNREACHABLE } },
          "ask load connect answer connect" },
        { { .attempts = 1, .answers = { CODE }, .results = { UNREACHABLE, UNREACHABLE } },
          "ask load connect answer connect" },
        { { .answers = { CODE },
            .results = { REFUSED(OUTCOME_UNAVAILABLE), REFUSED(OUTCOME_UNAVAILABLE) } },
          "ask load connect create answer connect create" },
        { { .answers = { CODE }, .results = { PENDING, REFUSED(OUTCOME_UNAVAILABLE) } },
          "ask load connect create answer verify(123456@1)" },
        { { .answers = { CODE }, .results = { PENDING, LOST, REFUSED(OUTCOME_UNAVAILABLE) } },
          "ask load connect create answer verify(123456@1) fetch(1)" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(outages); i++)
        for (size_t j = 0; j < ARRAY_SIZE(rows); j++)
            assert_outage(&rows[j], &outages[i].scene, outages[i].trace);
}

TEST(nobody_is_told_of_an_outage_without_a_recovery_code_that_works)
{
    assert_scene("ask load connect answer connect", OUTCOME_UNAVAILABLE, "scripted",
                 .answers = { CODE }, .results = { UNREACHABLE, UNREACHABLE });
    assert_scene("ask load connect answer connect", OUTCOME_DENIED, "not enrolled",
                 .can_recover = true, .is_unenrolled = true, .answers = { CODE },
                 .results = { UNREACHABLE, UNREACHABLE });
}

/* Somebody who is not enrolled */

TEST(somebody_who_is_not_enrolled_and_goes_away_is_denied)
{
    static const enum moment moments[] = { WAITED_FOR, CONNECTING, CONNECTED };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
        assert_scene("ask load connect gone", OUTCOME_DENIED, "left at the question; not enrolled",
                     .is_unenrolled = true, .answers = { GONE(moments[i]) });
    assert_scene("ask", OUTCOME_DENIED, "left at the question; not enrolled", .is_unenrolled = true,
                 .asks_until_gone = 1);
    assert_scene("ask load connect answer again gone", OUTCOME_DENIED, "not enrolled",
                 .is_unenrolled = true, .answers = { CODE, GONE(WAITED_FOR) });
}

TEST(somebody_who_is_not_enrolled_sees_the_same_prompts)
{
    static const enum moment moments[] = { WAITED_FOR, CONNECTING, CONNECTED };

    for (int attempts = 1; attempts <= 5; attempts++)
        for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
            for (int wrong = 0; wrong < 32; wrong++) {
                static const char *const codes[] = { "123450", "123451", "123452", "123453",
                                                     "123454" };
                struct scene enrolled = {
                    .attempts = attempts,
                    .results = { PENDING, PENDING, PENDING, PENDING, PENDING, PENDING },
                };
                struct scene unenrolled;
                struct verdict verdict;

                for (int j = 0; j < 5; j++)
                    enrolled.answers[j] = (struct answer){ wrong >> j & 1 ? "Secret1" : codes[j],
                                                           j == 0 ? moments[i] : WAITED_FOR, 0 };
                unenrolled = enrolled;
                unenrolled.is_unenrolled = true;
                run(&enrolled, &verdict);
                assert_int_equal(verdict.outcome, OUTCOME_DENIED);
                run(&unenrolled, &verdict);
                assert_int_equal(verdict.outcome, OUTCOME_DENIED);
                assert_string_equal(unenrolled.texts, enrolled.texts);
                assert_string_equal(unenrolled.waits, enrolled.waits);
                if ((wrong & wrong >> 1) == 0)
                    assert_int_equal(unenrolled.asks, attempts);
            }
}

/* Equal time */

TEST(what_comes_of_a_wrong_answer_comes_a_second_after_enter)
{
    assert_waits("1000 1000 1000 ", .answers = { CODE, PASSWORD(WAITED_FOR), CODE2 },
                 .results = { PENDING, PENDING, PENDING });
    assert_waits("1000 1000 ", .answers = { CODE, CODE }, .results = { PENDING, PENDING });
    assert_waits("1000 1000 ", .answers = { CODE, CODE2 }, .attempts = 2, .is_unenrolled = true,
                 .connect_ms = 300);
    assert_waits("1000 1000 ", .answers = { { "", WAITED_FOR, 0 }, PASSWORD(WAITED_FOR) },
                 .attempts = 2, .is_unenrolled = true);
    assert_waits("1000 ", .answers = { CODE }, .attempts = 1, .results = { PENDING },
                 .claims = { USED });
    assert_waits("1000 ", .answers = { CODE }, .results = { PENDING }, .claims = { FULL });
    assert_waits("1000 ", .answers = { RECOVERY(WAITED_FOR) }, .attempts = 1, .host_ms = 80,
                 .results = { PENDING });
    assert_waits("1000 ", .answers = { RECOVERY(WAITED_FOR) }, .attempts = 1, .host_ms = 80,
                 .is_unenrolled = true);
    assert_waits("1000 ", .answers = { CODE }, .counts_until_quota = -1, .opens_s = 60);
    assert_waits("1000 ", .answers = { CODE }, .results = { UNREACHABLE, UNREACHABLE });
    assert_waits("1000 1000 ", .answers = { CODE, { "", WAITED_FOR, 0 } }, .can_recover = true,
                 .results = { UNREACHABLE, UNREACHABLE });
    assert_waits("1000 1000 ", .answers = { PASSWORD(CONNECTING), PASSWORD2 }, .attempts = 2);
}

TEST(what_takes_longer_comes_at_the_next_half_second)
{
    static const struct {
        int64_t host_ms;
        const char *waits;
    } rows[] = {
        { 0, "1000 " },    { 1, "1000 " },    { 999, "1000 " },  { 1000, "1000 " },
        { 1001, "1500 " }, { 1500, "1500 " }, { 1501, "2000 " }, { 7777, "8000 " },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_waits(rows[i].waits, .answers = { RECOVERY(WAITED_FOR) }, .attempts = 1,
                     .host_ms = rows[i].host_ms, .results = { PENDING });
        assert_waits(rows[i].waits, .answers = { CODE }, .attempts = 1, .claims = { USED },
                     .host_ms = rows[i].host_ms, .results = { PENDING });
    }
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
            assert_int_equal(scene.longest_ms, seconds * 1000);
        }
}

/* All ways that a login can go, up to a length: the model knows how each must end. */

enum { DEPTH = 13 };

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
        .create_challenge = variant & 1 ? SETTINGS_CREATE_WITH_CODE : SETTINGS_CREATE_AT_PROMPT,
        .is_enrolled = (variant & 2) == 0,
    };

    if (!model_run(&model))
        fail_msg("the login %s: attempts=%d with_code=%d enrolled=%d: %s→ %s: %s, not %s",
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

/* Pushes */

TEST(a_push_lets_in_who_types_its_number)
{
    assert_memory("ask load answer push fetch(1) fetch(1) number answer", "push guess",
                  OUTCOME_APPROVED,
                  "PUSH approved, and the number is right; challenge=YC1 request=RQfetch",
                  .has_push = true, .has_no_code = true, .answers = { PUSH, NUMBER },
                  .results = { PENDING, PENDING, APPROVED });
    assert_memory("ask load connect create answer push fetch(2) number answer", "count push guess",
                  OUTCOME_APPROVED, "challenge=YC2", .has_push = true,
                  .answers = { { " PuSh\t", WAITED_FOR, 0 }, NUMBER },
                  .results = { PENDING, PENDING, APPROVED });
    assert_memory("ask load connect answer push fetch(1) number answer", "push guess",
                  OUTCOME_APPROVED, "challenge=YC1", .has_push = true,
                  .create_challenge = SETTINGS_CREATE_WITH_CODE, .answers = { PUSH, NUMBER },
                  .results = { PENDING, APPROVED });
    assert_memory("ask load connect answer push fetch(1) number answer", "push guess",
                  OUTCOME_APPROVED, "challenge=YC1", .has_push = true,
                  .answers = { { "push", CONNECTED, 0 }, NUMBER },
                  .results = { PENDING, APPROVED });
}

TEST(nobody_is_let_in_without_the_number)
{
    static const char *const answers[] = { NOT_THE_NUMBER, "", "1", "1x", "push", "123", "123456" };

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        struct scene scene = { .has_push = true,
                               .answers = { PUSH, { answers[i], WAITED_FOR, 0 }, NUMBER },
                               .results = { PENDING, PENDING, APPROVED } };
        struct verdict end;

        run(&scene, &end);
        assert_refused(&end, OUTCOME_DENIED, "wrong number after the push was approved; ");
        assert_string_equal(scene.memory, "count push guess");
        assert_string_equal(scene.logged, "[WARNING wrong number after the push was approved: no "
                                          "push for an hour; challenge=YC2]");
        assert_string_equal(scene.waits, "1000 ");
    }
    assert_memory("ask load answer push fetch(1) number gone", "push", OUTCOME_DENIED,
                  "left at the question for the number, after the push was approved",
                  .has_push = true, .has_no_code = true, .answers = { PUSH, GONE(WAITED_FOR) },
                  .results = { PENDING, APPROVED });
}

TEST(a_denied_push_warns_and_stops_others)
{
    struct scene scene = {
        .has_push = true, .has_no_code = true, .answers = { PUSH }, .results = { PENDING, DENIED }
    };
    struct verdict end;

    run(&scene, &end);
    assert_refused(&end, OUTCOME_DENIED, "the push was denied on the phone; challenge=YC1");
    assert_string_equal(scene.memory, "push stop");
    assert_string_equal(scene.logged, "[WARNING the push was denied on the phone: no push for an "
                                      "hour; challenge=YC1]");
    assert_string_equal(scene.ends, "denied");
}

TEST(a_warning_says_that_pushes_could_not_be_stopped)
{
    struct scene scene = { .has_push = true,
                           .has_no_code = true,
                           .stop_fails = true,
                           .answers = { PUSH },
                           .results = { PENDING, DENIED } };
    struct verdict end;

    run(&scene, &end);
    assert_refused(&end, OUTCOME_DENIED, "the push was denied on the phone; ");
    assert_string_equal(scene.logged,
                        "[WARNING the push was denied on the phone: cannot stop pushes, "
                        "the user's file in state_dir is locked or cannot be written; "
                        "challenge=YC1]");
}

TEST(a_number_that_is_not_compared_lets_nobody_in)
{
    assert_memory("ask load answer push fetch(1) number answer", "push guess",
                  OUTCOME_MISCONFIGURED, "not compared; challenge=YC1", .has_push = true,
                  .has_no_code = true, .answers = { PUSH, NUMBER },
                  .results = { PENDING, APPROVED }, .guess_fails = OUTCOME_MISCONFIGURED);
}

TEST(a_phone_that_is_silent_denies_within_30_seconds)
{
    struct scene scene = { .has_push = true,
                           .has_no_code = true,
                           .answers = { PUSH },
                           .connect_ms = 500,
                           .fetch_ms = 400 };
    struct verdict end;

    for (size_t i = 0; i < STEPS_MAX; i++)
        scene.results[i].state = CHALLENGE_PENDING;
    run(&scene, &end);
    assert_refused(&end, OUTCOME_DENIED, "no answer from the phone in 30 s");
    assert_string_equal(scene.waits, "29500 ");
    assert_string_equal(scene.memory, "push");
    assert_string_equal(scene.logged, "");
}

TEST(the_end_of_our_time_is_no_outage)
{
    assert_scene("ask load answer push fetch(1) fetch(1) fetch(1)", OUTCOME_DENIED,
                 "no answer from the phone", .has_push = true, .has_no_code = true,
                 .answers = { PUSH }, .fetch_ms = 9000,
                 .results = { PENDING, PENDING, PENDING, REFUSED(OUTCOME_UNAVAILABLE) });
    assert_scene("ask load answer push fetch(1)", OUTCOME_MISCONFIGURED, "scripted refusal",
                 .has_push = true, .has_no_code = true, .answers = { PUSH }, .fetch_ms = 28000,
                 .results = { PENDING, REFUSED(OUTCOME_MISCONFIGURED) });
    assert_scene("ask load answer push fetch(1)", OUTCOME_UNAVAILABLE, "scripted refusal",
                 .has_push = true, .has_no_code = true, .answers = { PUSH }, .fetch_ms = 10000,
                 .results = { PENDING, REFUSED(OUTCOME_UNAVAILABLE) });
    assert_scene("ask load answer push", OUTCOME_UNAVAILABLE, "scripted refusal", .has_push = true,
                 .has_no_code = true, .answers = { PUSH },
                 .results = { REFUSED(OUTCOME_UNAVAILABLE) });
}

/* timeout_seconds, or half of a push's time: whoever is silent for so long is away. */
TEST(twilio_that_goes_silent_for_its_time_is_an_outage)
{
    assert_scene("ask load answer push fetch(1)", OUTCOME_UNAVAILABLE, "scripted refusal",
                 .has_push = true, .has_no_code = true, .answers = { PUSH }, .connect_ms = 18000,
                 .fetch_ms = 10000, .results = { PENDING, REFUSED(OUTCOME_UNAVAILABLE) });
    assert_scene("ask load answer push fetch(1)", OUTCOME_UNAVAILABLE, "scripted refusal",
                 .has_push = true, .has_no_code = true, .answers = { PUSH }, .connect_ms = 13000,
                 .fetch_ms = 15000, .timeout_seconds = 30,
                 .results = { PENDING, REFUSED(OUTCOME_UNAVAILABLE) });
    assert_scene("ask load answer push fetch(1)", OUTCOME_DENIED, "no answer from the phone",
                 .has_push = true, .has_no_code = true, .answers = { PUSH }, .connect_ms = 14000,
                 .fetch_ms = 14000, .timeout_seconds = 30,
                 .results = { PENDING, REFUSED(OUTCOME_UNAVAILABLE) });
}

TEST(whoever_leaves_while_the_phone_is_asked_is_not_let_in)
{
    assert_scene("ask load answer push fetch(1) gone fetch(1)", OUTCOME_DENIED,
                 "left while the phone was asked; challenge=YC1", .has_push = true,
                 .has_no_code = true, .answers = { PUSH },
                 .results = { PENDING, PENDING, APPROVED }, .leaves_after_fetches = 1);
    assert_scene("ask load answer push answer", OUTCOME_DENIED,
                 "an answer came before the question for the number", .has_push = true,
                 .has_no_code = true, .answers = { PUSH, { "42", IN_FLIGHT, 0 } },
                 .results = { PENDING, APPROVED });
}

TEST(a_denial_stops_pushes_though_nobody_waits_for_it)
{
    assert_memory("ask load answer push fetch(1) gone fetch(1) fetch(1)", "push stop",
                  OUTCOME_DENIED, "the push was denied on the phone; challenge=YC1",
                  .has_push = true, .has_no_code = true, .answers = { PUSH },
                  .results = { PENDING, PENDING, PENDING, DENIED }, .leaves_after_fetches = 1);
}

TEST(an_expired_push_is_denied)
{
    assert_scene("ask load answer push fetch(1)", OUTCOME_DENIED, "the push expired",
                 .has_push = true, .has_no_code = true, .answers = { PUSH },
                 .results = { PENDING, EXPIRED });
}

TEST(no_push_is_sent_that_is_not_counted)
{
    assert_memory("ask load answer",
                  "push show(Too many pushes: your phone can be asked again in 2 min.)",
                  OUTCOME_EXHAUSTED, "no push", .has_push = true, .has_no_code = true,
                  .answers = { PUSH }, .push_fails = OUTCOME_EXHAUSTED, .opens_s = 61);
    assert_memory("ask load answer", "push", OUTCOME_MISCONFIGURED, "no push", .has_push = true,
                  .has_no_code = true, .answers = { PUSH }, .push_fails = OUTCOME_MISCONFIGURED,
                  .opens_s = -1);
    assert_scene("ask answer", OUTCOME_EXHAUSTED, "too many wrong codes", .has_push = true,
                 .answers = { PUSH }, .locked = "Too many wrong codes. ");
}

TEST(the_word_push_is_no_code_for_others)
{
    assert_scene("ask load connect create answer again gone", OUTCOME_DENIED, "1 malformed",
                 .answers = { PUSH, GONE(WAITED_FOR) }, .results = { PENDING });
    assert_scene("ask load connect answer again gone", OUTCOME_DENIED, "not enrolled",
                 .is_unenrolled = true, .has_push = true, .answers = { PUSH, GONE(WAITED_FOR) });
    assert_scene("ask load answer again answer push fetch(1) number answer", OUTCOME_APPROVED, "",
                 .has_push = true, .has_no_code = true, .answers = { CODE, PUSH, NUMBER },
                 .results = { PENDING, APPROVED });
    assert_waits("1000 1000 ", .answers = { PUSH, PASSWORD(WAITED_FOR) }, .attempts = 2,
                 .results = { PENDING });
}

TEST(the_question_names_what_the_user_has)
{
    static const struct {
        bool has_push, has_no_code;
        const char *texts;
    } rows[] = {
        { false, false, "[Verification code: ][Wrong code. Verification code: ]" },
        { true, false,
          "[Verification code, or \"push\": ][Wrong code. Verification code, or \"push\": ]" },
        { true, true,
          "[Type \"push\" to ask your phone: ][Wrong code. Type \"push\" to ask your phone: ]" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct scene scene = { .has_push = rows[i].has_push,
                               .has_no_code = rows[i].has_no_code,
                               .answers = { PASSWORD(WAITED_FOR), GONE(WAITED_FOR) },
                               .results = { PENDING } };
        struct verdict end;

        run(&scene, &end);
        assert_string_equal(scene.texts, rows[i].texts);
    }
}
