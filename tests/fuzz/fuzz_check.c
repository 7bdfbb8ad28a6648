/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A whole login as the check program runs it, with the real API and everything around it out of the
 * input: the first line of the dialogue; the settings, up to a line "%"; the user's file, up to a
 * line "%"; then what happens:
 *
 *   <ANSWER     the user's line; <<ANSWER: after five minutes; <#: the number that the phone shows
 *   gone        the user went away     no-ask, no-load, no-libcurl   that fails
 *   used, full  the code was claimed before; can't be claimed      limit   no creation is left
 *   recovered   a recovery code is right, and used up      recoverable   one would be, in an outage
 *   no-push     a push can't be counted, or there were too many
 *   denied-before   the last login was denied       untold, locked   wrong codes before; too many
 *
 * and requests as in network.h. */
#include "approval.h"
#include "check/login.h"
#include "core/recovery.h"
#include "core/text.h"
#include "fuzz.h"
#include "network.h"
#include "unit/ports.h"
#include "unit/reply.h"
#include "unit/wiped.h"

enum { DESCRIPTOR = 7 };

struct world {
    struct fuzz_input *input;
    const struct settings *settings;
    const struct enrollment *enrollment;
    struct challenge_service *service;
    bool is_loaded;
    bool is_over; /* the user left: nothing may be asked or sent */
    bool is_recovered, is_outage, was_denied, is_awaited;
    int asks, answers, logs, ends;
    int64_t entered_ms;
    char code[DIALOGUE_LINE_SIZE]; /* the last answer without what is pasted along */
    char sid[CHALLENGE_SID_SIZE];  /* of the last challenge that was made */
    int number;                    /* of the push; 0: there is none */
    bool is_number_asked, is_number_right;
};

/* Whether something may come of the last answer now: after 1 s, or a later half second. */
static bool is_moment(const struct world *world, int64_t now_ms)
{
    int64_t spent_ms = now_ms - world->entered_ms;

    return !world->is_awaited || (spent_ms >= 1000 && spent_ms % 500 == 0);
}

/* The user */

static bool ask(struct world *world, const char *text)
{
    fuzz_demand(!world->is_over, "nobody is asked after the end");
    fuzz_demand(is_moment(world, network.now_ms), "everybody is asked again at the same moment");
    fuzz_demand(world->asks == world->answers, "one question at a time");
    fuzz_demand(strlen(text) < DIALOGUE_LINE_MAX - strlen("ask-secret "), "a prompt fits");
    world->asks++;
    fuzz_demand(world->asks <= world->settings->attempts + world->is_outage,
                "there are only so many attempts");
    world->is_awaited = false;
    if (fuzz_take_word(world->input, "no-ask"))
        world->is_over = true;
    return !world->is_over;
}

static bool ask_shown(struct world *world, const char *text)
{
    fuzz_demand(strcmp(text, "Number on your phone: ") == 0, "nothing else may be seen");
    fuzz_demand(!world->is_over && world->number != 0 && !world->is_number_asked,
                "a number is asked for once, after a push");
    world->is_number_asked = true;
    world->is_awaited = false;
    world->asks++;
    return true;
}

/* The length of what is pasted along with a code and begins at TEXT; 0: nothing. */
static size_t pasted(const char *text)
{
    static const char *const rest[] = { "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
                                        "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
                                        "\xe2\x81\x9f", "\xe2\x81\xa0", "\xe3\x80\x80",
                                        "\xef\xbb\xbf" };
    unsigned char last = (unsigned char)text[0];

    if (last != '\0' && strchr(" \t\n\v\f\r-", last) != NULL)
        return 1;
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        if (strncmp(text, rest[i], strlen(rest[i])) == 0)
            return strlen(rest[i]);
    if (strncmp(text, "\xe2\x80", 2) != 0)
        return 0;
    last = (unsigned char)text[2];
    return (last >= 0x80 && last <= 0x8d) || (last >= 0x90 && last <= 0x95) ? 3 : 0;
}

static void note_code(struct world *world, const char *answer)
{
    size_t used = 0;

    while (*answer != '\0') {
        size_t length = pasted(answer);
        if (length == 0)
            world->code[used++] = *answer++;
        answer += length;
    }
    world->code[used] = '\0';
}

static enum login_answer on_answer(void *context, bool wait, char answer[DIALOGUE_LINE_SIZE])
{
    struct world *world = context;
    char *line, *text;

    if (world->is_over || (wait && !fuzz_is_next(world->input, "<")) ||
        fuzz_take_word(world->input, "gone")) {
        world->is_over = true;
        return LOGIN_GONE;
    }
    if (!fuzz_is_next(world->input, "<") || world->answers == world->asks)
        return LOGIN_NO_ANSWER;

    line = fuzz_take_text(world->input);
    text = line + 1;
    if (*text == '<') {
        network.now_ms += CHALLENGE_LIFETIME_MS;
        text++;
    }
    if (strcmp(text, "#") == 0)
        snprintf(answer, DIALOGUE_LINE_SIZE, "%d", world->number);
    else
        snprintf(answer, DIALOGUE_LINE_SIZE, "%s", text);
    free(line);
    network.turn = ++world->answers;
    world->is_awaited = true;
    world->entered_ms = network.now_ms;
    note_code(world, answer);
    if (world->is_number_asked)
        world->is_number_right = strlen(world->code) == 2 && atoi(world->code) == world->number;
    wiped_expect(answer, DIALOGUE_LINE_SIZE);
    return LOGIN_ANSWER;
}

static bool on_say(void *context, enum dialogue_kind kind, const char *text)
{
    struct world *world = context;

    fuzz_demand(text_is_clean(text, strlen(text)), "what is said is clean");
    if (kind == DIALOGUE_ASK_SECRET)
        return ask(world, text);
    if (kind == DIALOGUE_ASK)
        return ask_shown(world, text);
    if (kind == DIALOGUE_SHOW)
        return true;
    fuzz_demand(world->enrollment != NULL && world->is_awaited, "a wrong code is logged at once");
    fuzz_demand(++world->logs <= DIALOGUE_LOGS_MAX, "there are only so many lines for the log");
    return true;
}

/* What this host remembers */

static void on_take_back(struct ledger *ledger)
{
    struct world *world = (void *)ledger;

    fuzz_demand(world->enrollment != NULL, "nothing is counted for nobody");
}

static void on_look(struct ledger *ledger, struct ledger_look *ret_look, struct verdict *why_not)
{
    struct world *world = (void *)ledger;

    fuzz_demand(world->enrollment != NULL && world->asks == 0, "nobody else is looked for");
    world->was_denied = fuzz_take_word(world->input, "denied-before");
    *ret_look = (struct ledger_look){ .was_denied = world->was_denied };
    if (fuzz_take_word(world->input, "untold")) {
        snprintf(ret_look->text, sizeof ret_look->text, "7 wrong codes since 14:02. ");
        ret_look->untold = 7;
    }
    if (!fuzz_take_word(world->input, "locked"))
        return;
    ret_look->is_locked = true;
    snprintf(ret_look->text, sizeof ret_look->text, "Too many wrong codes. ");
    verdict_refuse(why_not, OUTCOME_EXHAUSTED, "locked");
}

static enum claim on_claim(struct ledger *ledger, const char *code,
                           struct ledger_counts *ret_counts, struct verdict *why_not)
{
    struct world *world = (void *)ledger;

    fuzz_demand(world->enrollment != NULL && strcmp(code, world->code) == 0,
                "nothing but the code is claimed");
    if (fuzz_take_word(world->input, "used"))
        return CLAIM_TAKEN;
    *ret_counts = (struct ledger_counts){ 1, 1 };
    if (fuzz_take_word(world->input, "unwritable"))
        return CLAIM_UNRECORDED;
    if (!fuzz_take_word(world->input, "full"))
        return CLAIM_MADE;
    verdict_refuse(why_not, OUTCOME_DENIED, "too many claims");
    return CLAIM_REFUSED;
}

static void on_release(struct ledger *ledger, const char *code)
{
    const struct world *world = (void *)ledger;

    fuzz_demand(strcmp(code, world->code) == 0, "nothing but the code is given back");
}

static int64_t on_count(struct ledger *ledger, struct verdict *why_not)
{
    const struct world *world = (void *)ledger;

    fuzz_demand(world->enrollment != NULL, "no challenge is counted for nobody");
    if (!fuzz_take_word(world->input, "limit"))
        return 0;
    verdict_refuse(why_not, OUTCOME_EXHAUSTED, "the quota of this host");
    return 1;
}

static int64_t on_push(void *context, struct verdict *why_not)
{
    const struct world *world = context;

    fuzz_demand(world->enrollment != NULL && world->enrollment->push_factor_sid != NULL,
                "nobody else has a phone");
    fuzz_demand(strcasecmp(world->code, "push") == 0, "nothing else asks the phone");
    if (!fuzz_take_word(world->input, "no-push"))
        return 0;
    verdict_refuse(why_not, OUTCOME_EXHAUSTED, "no push");
    return 1;
}

static bool on_stop_push(struct ledger *ledger)
{
    const struct world *world = (void *)ledger;

    fuzz_demand(world->number != 0 && !world->is_number_asked, "an approved push stops nothing");
    return true;
}

static enum ledger_guess on_guess(struct ledger *ledger, const char *typed, int number,
                                  struct verdict *why_not)
{
    const struct world *world = (void *)ledger;

    fuzz_demand(world->is_number_asked && number == world->number, "a number is compared once");
    if (fuzz_take_word(world->input, "no-guess")) {
        verdict_refuse(why_not, OUTCOME_EXHAUSTED, "no guess");
        return LEDGER_GUESS_REFUSED;
    }
    return atoi(typed) == number && strlen(typed) == 2 ? LEDGER_GUESS_RIGHT : LEDGER_GUESS_WRONG;
}

static int on_recover(void *context, const char *code)
{
    struct world *world = context;
    char read[RECOVERY_CODE_SIZE];

    fuzz_demand(recovery_read_code(code, read) && strcmp(code, read) == 0,
                "nothing but a recovery code is tried");
    fuzz_demand(!world->is_recovered, "who is in tries no more");
    wiped_expect(code, strlen(code));
    world->is_recovered = world->enrollment != NULL && fuzz_take_word(world->input, "recovered");
    return world->is_recovered ? 0 : -1;
}

static bool on_can_recover(void *context)
{
    struct world *world = context;

    fuzz_demand(world->enrollment != NULL && !world->is_outage, "an outage is told once");
    world->is_outage = fuzz_take_word(world->input, "recoverable");
    return world->is_outage;
}

static void on_note_end(struct ledger *ledger, enum ledger_end end)
{
    struct world *world = (void *)ledger;

    fuzz_demand((end == LEDGER_RECOVERED) == (world->is_recovered || world->is_number_right),
                "a recovery code is told apart");
    fuzz_demand(world->enrollment != NULL && ++world->ends == 1, "a login ends once");
}

/* The API: the real one, watched. */

static struct world *watched;

static bool is_code(const char *code)
{
    size_t length = strlen(code);

    return length == (size_t)watched->settings->code_length &&
           strspn(code, "0123456789") == length && strcmp(code, watched->code) == 0;
}

static void on_connect(struct challenge_service *service, struct http_watch *watch,
                       struct verdict *why_not)
{
    fuzz_demand(watched->enrollment == NULL, "who is enrolled gets a challenge");
    challenge_api.connect(service, watch, why_not);
}

static enum challenge_state on_create(struct challenge_service *service, struct http_watch *watch,
                                      const char *code, struct challenge *challenge,
                                      struct verdict *why_not)
{
    enum challenge_state state = challenge_api.create(service, watch, code, challenge, why_not);

    fuzz_demand(watched->enrollment != NULL, "nobody gets no challenge");
    fuzz_demand(!watched->was_denied || watched->answers > 0 || state != CHALLENGE_PENDING,
                "a round that nobody answers costs no challenge");
    fuzz_demand(code == NULL || state == CHALLENGE_UNSENT || state == CHALLENGE_GIVEN_UP ||
                    is_code(code),
                "nothing but a code is sent");
    if (challenge->sid[0] != '\0')
        strcpy(watched->sid, challenge->sid);
    return state;
}

static enum challenge_state on_verify(struct challenge_service *service, struct http_watch *watch,
                                      struct challenge *challenge, const char *code,
                                      struct verdict *why_not)
{
    fuzz_demand(is_code(code), "nothing but a code is sent");
    fuzz_demand(watch->deadline_ms != HTTP_FOREVER, "a verification has a deadline");
    wiped_expect(code, strlen(code));
    return challenge_api.verify(service, watch, challenge, code, why_not);
}

static enum challenge_state on_fetch(struct challenge_service *service, struct http_watch *watch,
                                     struct challenge *challenge, struct verdict *why_not)
{
    return challenge_api.fetch(service, watch, challenge, why_not);
}

static enum challenge_state on_send_push(struct challenge_service *service,
                                         struct http_watch *watch,
                                         const struct challenge_push *push,
                                         struct challenge *challenge, struct verdict *why_not)
{
    enum challenge_state state;

    fuzz_demand(watched->number == 0, "there is one push");
    fuzz_demand(push->number >= 10 && push->number <= 99, "a number has two digits");
    watched->number = push->number;
    state = challenge_api.push(service, watch, push, challenge, why_not);
    strcpy(watched->sid, challenge->sid);
    return state;
}

static bool on_wait(struct challenge_service *service, struct http_watch *watch, int64_t pause_ms)
{
    return challenge_api.pause(service, watch, pause_ms);
}

static bool on_load(void *context, const struct challenge_api **ret_api,
                    struct challenge_service **ret_service, struct verdict *why_not)
{
    static const struct challenge_api api = {
        .version = "fuzz",
        .connect = on_connect,
        .create = on_create,
        .verify = on_verify,
        .push = on_send_push,
        .pause = on_wait,
        .fetch = on_fetch,
    };
    struct world *world = context;

    fuzz_demand(!world->is_loaded, "the API is loaded once");
    world->is_loaded = true;
    if (fuzz_take_word(world->input, "no-load"))
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "no twilio.so");
    *ret_api = &api;
    if (!challenge_api.open(world->settings, world->enrollment, "hunter2", &world->service,
                            why_not))
        return false;
    *ret_service = world->service;
    return true;
}

static void on_deadline(void *context, int64_t deadline_ms)
{
    const struct world *world = context;

    bool is_push = strcasecmp(world->code, "push") == 0;

    fuzz_demand(deadline_ms == HTTP_FOREVER ||
                    deadline_ms <=
                        network.now_ms + (is_push ? 30 : world->settings->timeout_seconds) * 1000,
                "no deadline is later than the settings say");
}

static int64_t on_clock(void *context)
{
    (void)context;
    return network.now_ms;
}

static void on_pause(void *context, int64_t pause_ms)
{
    const struct world *world = context;

    fuzz_demand(pause_ms > 0 && world->is_awaited, "a pause is for somebody");
    fuzz_demand(is_moment(world, network.now_ms + pause_ms), "a pause ends with everybody's");
    fuzz_demand(!world->is_recovered, "who is in does not wait");
    network.now_ms += pause_ms;
}

/* What must hold in the end */

static bool has_sent(const char *path, const char *form)
{
    for (size_t i = 0; i < network.count; i++)
        if (network.requests[i].has_left && strcmp(network.requests[i].path, path) == 0 &&
            strcmp(network.requests[i].form, form) == 0)
            return true;
    return false;
}

/* The code went along with the creation. */
static bool is_creation(void)
{
    return network_last()->status == 201 &&
           watched->settings->create_challenge == SETTINGS_CREATE_WITH_CODE;
}

static void demand_push(const struct world *world)
{
    const struct challenge_binding binding = {
        .account_sid = world->settings->account_sid,
        .service_sid = world->settings->service_sid,
        .identity = world->enrollment->identity,
        .factor_sid = world->enrollment->push_factor_sid,
        .factor_type = "push",
        .sid = world->sid,
    };

    fuzz_demand(!world->is_over && world->is_number_right, "the number lets in");
    fuzz_demand(network_last()->result == HTTP_REPLIED && network_last()->status == 200 &&
                    network_last()->form[0] == '\0' && strstr(network_last()->path, world->sid),
                "only a 200 approves");
    approval_demand(network.body, network.size, &binding);
}

static void demand_approval(const struct world *world)
{
    const struct challenge_binding binding = {
        .account_sid = world->settings->account_sid,
        .service_sid = world->settings->service_sid,
        .identity = world->enrollment->identity,
        .factor_sid = world->enrollment->factor_sid,
        .factor_type = "totp",
        .sid = world->sid,
    };
    char path[NETWORK_TEXT_SIZE], form[NETWORK_TEXT_SIZE];

    if (world->is_recovered)
        return;
    if (world->is_number_asked) {
        demand_push(world);
        return;
    }
    snprintf(path, sizeof path, "/v2/Services/%.34s/Entities/%.64s/Challenges%s%.34s",
             binding.service_sid, binding.identity, is_creation() ? "" : "/",
             is_creation() ? "" : binding.sid);
    if (is_creation())
        snprintf(form, sizeof form, "FactorSid=%.34s&AuthPayload=%.64s", binding.factor_sid,
                 world->code);
    else
        snprintf(form, sizeof form, "AuthPayload=%.64s", world->code);
    fuzz_demand(!world->is_over, "who left is not let in");
    fuzz_demand(network_last()->result == HTTP_REPLIED &&
                    (network_last()->status == 200 || is_creation()),
                "only a 200 approves, and a 201 for the code that went along");
    fuzz_demand(strcmp(network_last()->path, path) == 0, "this login's challenge approves");
    fuzz_demand(has_sent(path, form), "the last code was sent to this challenge");
    approval_demand(network.body, network.size, &binding);
}

static void demand_end(const struct world *world, const struct verdict *verdict)
{
    fuzz_demand(verdict->outcome != OUTCOME_BROKEN && verdict->outcome != OUTCOME_NOT_REQUIRED,
                "a login has a verdict");
    fuzz_demand(verdict->reason[0] != '\0' &&
                    text_is_clean(verdict->reason, strlen(verdict->reason)),
                "a verdict tells why");
    fuzz_demand(world->asks > 0, "somebody was asked");
    fuzz_demand(verdict->outcome == OUTCOME_APPROVED || is_moment(world, network.now_ms),
                "everybody is refused at the same moment");
    fuzz_demand(world->enrollment != NULL || verdict->outcome == OUTCOME_DENIED,
                "who is not enrolled is denied");
    if (verdict->outcome == OUTCOME_APPROVED) {
        fuzz_demand(world->enrollment != NULL, "nobody is let in who is not enrolled");
        demand_approval(world);
    }
    fuzz_demand(!world->is_recovered || verdict->outcome == OUTCOME_APPROVED,
                "a recovery code that is used up lets in");
    for (size_t i = 0; world->enrollment == NULL && i < network.count; i++)
        fuzz_demand(!network.requests[i].has_left, "nothing leaves for nobody");
    fuzz_demand(wiped_missing() == 0, "what held a code is wiped");
}

static void run(struct world *world)
{
    const struct login_request request = { world->settings, world->enrollment, "Login at host" };
    const struct login_ports ports = PORTS(world, DESCRIPTOR);
    struct verdict verdict = { 0 };

    watched = world;
    network_start(world->input, reply_print);
    network.is_over = &world->is_over;
    login_run(&request, &ports, &verdict);
    demand_end(world, &verdict);
    network_end();
    free(world->service);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    char *first = fuzz_take_text(&input);
    char *settings_text = fuzz_take_part(&input);
    char *user_text = fuzz_take_part(&input);
    struct settings *settings = NULL;
    struct enrollment *enrollment = NULL;
    struct dialogue_login login;
    struct verdict why_not = { 0 };

    if (dialogue_parse_login(first, &login) &&
        settings_parse(settings_text, "settings", &settings, &why_not) &&
        !settings_exempts(settings, login.service) &&
        (*user_text == '\0' || enrollment_parse(user_text, "user", &enrollment, &why_not))) {
        struct world world = { .input = &input, .settings = settings, .enrollment = enrollment };
        run(&world);
    }
    enrollment_free(&enrollment);
    settings_free(&settings);
    free(user_text);
    free(settings_text);
    free(first);
    return 0;
}
