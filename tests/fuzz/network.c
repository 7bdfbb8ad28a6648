/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The functions of http.h, and the clock, out of the input. The linker puts the clock in its place:
 * -Wl,--wrap=clock_ms */
#include "network.h"

#include "core/clock.h"
#include "unit/reply.h"

#define REQUEST_ID   "RQ" REPLY_HEX32
#define CODE_FIELD   "AuthPayload="
#define PLAIN        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
#define PLAIN_OR_URL PLAIN "/?=&%"

int64_t __wrap_clock_ms(void);

struct network network;

int64_t __wrap_clock_ms(void)
{
    return network.now_ms;
}

void network_start(struct fuzz_input *input,
                   const char *(*print)(const char *status, const char *name, const char *value))
{
    network = (struct network){ .input = input, .print = print, .now_ms = NETWORK_BEGIN_MS };
}

static bool is_code(const struct network_request *request)
{
    return strstr(request->form, CODE_FIELD) != NULL;
}

/* The code of one answer never leaves twice for one challenge, but for "too many requests at once".
 * A new challenge may have the old one's name. */
static void demand_once(size_t index)
{
    const struct network_request *request = &network.requests[index];

    for (size_t i = index; i-- > 0 && network.requests[i].status != 201;) {
        const struct network_request *earlier = &network.requests[i];
        if (!earlier->has_left || earlier->turn != request->turn ||
            strcmp(earlier->form, request->form) != 0 || strcmp(earlier->path, request->path) != 0)
            continue;
        fuzz_demand(i + 1 == index && (earlier->was_busy || earlier->was_expired),
                    "no code leaves twice");
        fuzz_demand(i == 0 || !network.requests[i - 1].was_busy, "no code leaves thrice");
    }
}

void network_end(void)
{
    for (size_t i = 0; i < network.count; i++) {
        const struct network_request *request = &network.requests[i];
        fuzz_demand(strspn(request->path, PLAIN_OR_URL) == strlen(request->path),
                    "a path needs no escape");
        fuzz_demand(strspn(request->form, PLAIN_OR_URL) == strlen(request->form),
                    "a form is encoded");
        if (request->has_left && is_code(request))
            demand_once(i);
    }
    free(network.body);
    network.body = NULL;
}

const struct network_request *network_last(void)
{
    fuzz_demand(network.count > 0, "there was a request");
    return &network.requests[network.count - 1];
}

bool network_says(const char *text)
{
    return network.body != NULL && memmem(network.body, network.size, text, strlen(text)) != NULL;
}

bool http_open(const struct settings *settings, const struct http_credentials *credentials,
               struct http **ret_http, struct verdict *why_not)
{
    (void)settings;
    fuzz_demand(credentials->user != NULL && credentials->secret != NULL, "there are credentials");
    if (fuzz_take_word(network.input, "no-libcurl"))
        return verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "no libcurl");
    *ret_http = (struct http *)&network;
    return true;
}

void http_free(struct http *http)
{
    (void)http;
}

static bool pass_time(int64_t pause_ms, const struct http_watch *watch)
{
    network.now_ms += pause_ms;
    return watch->deadline_ms == HTTP_FOREVER || network.now_ms < watch->deadline_ms;
}

bool http_pause(struct http *http, int64_t pause_ms, struct http_watch *watch)
{
    fuzz_demand(http == (struct http *)&network, "the connection is ours");
    fuzz_demand(pause_ms > 0, "a pause takes time");
    return pass_time(pause_ms, watch);
}

/* "=VALUE[,NAME,JSON]" and "#CODE"; everything else is the body as it stands. */
static void print_body(const char *text, size_t size, int status)
{
    char words[NETWORK_TEXT_SIZE];
    char *rest = words;
    const char *body, *value, *name;

    free(network.body);
    network.size = size;
    if (size == 0 || size >= sizeof words || (*text != '=' && *text != '#')) {
        network.body = malloc(size + 1);
        fuzz_demand(network.body != NULL, "there is memory");
        memcpy(network.body, text, size);
        return;
    }

    snprintf(words, sizeof words, "%.*s", (int)size - 1, text + 1);
    if (*text == '#') {
        body = reply_print_error(atoi(words), status);
    } else {
        value = strsep(&rest, ",");
        name = strsep(&rest, ",");
        body = network.print(value, name, rest);
    }
    network.body = strdup(body);
    network.size = strlen(body);
}

/* The number at the begin of TEXT, of which SIZE bytes are left; at most 999. */
static int take_number(const char **text, size_t *size)
{
    int number = 0;

    for (; *size > 0 && **text >= '0' && **text <= '9' && number < 100; ++*text, --*size)
        number = number * 10 + (**text - '0');
    return number;
}

static enum http_result answer(struct network_request *request, const char *line, size_t size,
                               struct http_reply *ret_reply, struct verdict *why_not)
{
    static const char busy[] = "20429", expired[] = "60323";
    int status = take_number(&line, &size);
    long retry_after_seconds = 0;

    if (status < 100) {
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "no network");
        return HTTP_LOST;
    }
    if (size > 0 && *line == '+') {
        line++;
        size--;
        retry_after_seconds = take_number(&line, &size);
    }
    if (size > 0 && *line == ' ') {
        line++;
        size--;
    }
    print_body(line, size, status);

    request->status = status;
    request->was_busy = status == 429 && network_says(busy);
    request->was_expired = status >= 400 && status < 500 && network_says(expired);
    *ret_reply = (struct http_reply){
        .status = status,
        .body = network.body,
        .size = network.size,
        .retry_after_seconds = retry_after_seconds,
        .request_id = REQUEST_ID,
        .date_seconds = -1,
    };
    return HTTP_REPLIED;
}

static struct network_request *note_request(const struct http_request *request)
{
    struct network_request *noted = &network.requests[network.count++];

    fuzz_demand(network.count < NETWORK_REQUESTS_MAX, "requests come to an end");
    fuzz_demand(strlen(request->path) < sizeof noted->path, "a path is short");
    strcpy(noted->path, request->path);
    noted->is_delete = request->is_delete;
    noted->turn = network.turn;
    if (request->form == NULL)
        return noted;
    fuzz_demand(strlen(request->form) < sizeof noted->form, "a form is short");
    strcpy(noted->form, request->form);
    return noted;
}

static enum http_result give_up(struct network_request *request, struct verdict *why_not)
{
    if (!request->has_left)
        return HTTP_GIVEN_UP;
    verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "given up when it had left");
    return HTTP_LOST;
}

/* Time goes by, and the user is heard. False: the watch says no. */
static bool listen(char mark, const char **line, size_t *size, struct http_watch *watch)
{
    for (; *size > 0 && (**line == '~' || **line == mark); ++*line, --*size)
        if (**line == '~')
            network.now_ms += 1000;
        else if (watch->descriptor >= 0 && !watch->noticed(watch))
            return false;
    return true;
}

static enum http_result send_line(struct network_request *request, const char *code,
                                  const char *line, size_t size, struct http_watch *watch,
                                  struct http_reply *ret_reply, struct verdict *why_not)
{
    if (!listen('!', &line, &size, watch))
        return give_up(request, why_not);
    if (size == 0 || strchr("0123456789?l", *line) == NULL || !pass_time(1, watch)) {
        verdict_refuse(why_not, OUTCOME_UNAVAILABLE, "no network");
        return HTTP_UNSENT;
    }
    if (watch->before_send != NULL && !watch->before_send(watch))
        return give_up(request, why_not);

    fuzz_demand(network.is_over == NULL || !*network.is_over, "nothing leaves after the end");
    request->has_left = true;
    if (code != NULL)
        strncat(request->form, code, sizeof request->form - strlen(request->form) - 1);
    request->turn = network.turn;
    if (!listen('?', &line, &size, watch))
        return give_up(request, why_not);
    return answer(request, line, size, ret_reply, why_not);
}

enum http_result http_send(struct http *http, const struct http_request *request,
                           struct http_watch *watch, struct http_reply *ret_reply,
                           struct verdict *why_not)
{
    struct network_request *noted = note_request(request);
    size_t size = 0;
    const uint8_t *bytes =
        fuzz_is_next(network.input, "<") ? NULL : fuzz_take_line(network.input, &size);
    char *line = malloc(size + 1);

    fuzz_demand(line != NULL, "there is memory");
    fuzz_demand(http == (struct http *)&network, "the connection is ours");
    fuzz_demand(request->patience_ms >= 0, "patience is a time");
    if (size > 0)
        memcpy(line, bytes, size);
    noted->result = send_line(noted, request->code, line, size, watch, ret_reply, why_not);
    free(line);
    return noted->result;
}
