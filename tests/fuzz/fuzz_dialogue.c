/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Any bytes on the line between the module and the check program, either way: what is printed is
 * read again unchanged, and there is one spelling for one meaning. */
#include <fcntl.h>
#include <unistd.h>

#include "core/dialogue.h"
#include "core/text.h"
#include "fuzz.h"

enum { STREAM_SIZE_MAX = 16 * 1024 };

/* A first line that is taken is printed in the same bytes again. */
static void parse_login(const char *line)
{
    struct dialogue_login login;
    char again[DIALOGUE_LINE_SIZE];

    if (!dialogue_parse_login(line, &login))
        return;
    fuzz_demand(login.service[0] != '\0', "a service has a name");
    if (login.task == DIALOGUE_LOGIN)
        fuzz_demand(dialogue_print_login(login.service, login.user,
                                         (login.is_own ? DIALOGUE_OWN : 0) |
                                             (login.is_silent ? DIALOGUE_SILENT : 0),
                                         again),
                    "names can be printed");
    else
        fuzz_demand(dialogue_print_task(login.task, login.service, login.user, login.pid,
                                        login.start, again),
                    "a task can be printed");
    fuzz_demand(strcmp(line, again) == 0, "a login has one spelling");
}

/* Two names of any bytes, the service first, come back; only a long user is cut. */
static void print_login(const char *service, const char *user)
{
    struct dialogue_login login;
    char line[DIALOGUE_LINE_SIZE];
    bool fits = service[0] != '\0' && strlen(service) < DIALOGUE_SERVICE_SIZE;
    unsigned flags = (unsigned)strlen(user) % 4;

    fuzz_demand(dialogue_print_login(service, user, flags, line) == fits,
                "a service fits or does not");
    if (!fits)
        return;
    fuzz_demand(strlen(line) <= DIALOGUE_LINE_MAX, "a first line fits into a line");
    fuzz_demand(text_is_clean(line, strlen(line)), "a first line is clean");
    fuzz_demand(dialogue_parse_login(line, &login), "what was printed is parsed");
    fuzz_demand(strcmp(login.service, service) == 0, "the service is the same");
    fuzz_demand(strlen(login.user) == strnlen(user, DIALOGUE_NAME_MAX + 1) &&
                    strncmp(login.user, user, DIALOGUE_NAME_MAX + 1) == 0,
                "the user is the same");
    fuzz_demand(login.is_own == ((flags & DIALOGUE_OWN) != 0) &&
                    login.is_silent == ((flags & DIALOGUE_SILENT) != 0),
                "the flags are the same");
}

static void parse_message(const char *line)
{
    static const char *const prefixes[] = { [DIALOGUE_ASK_SECRET] = "ask-secret ",
                                            [DIALOGUE_ASK] = "ask ",
                                            [DIALOGUE_SHOW] = "show ",
                                            [DIALOGUE_LOG_NOTICE] = "log notice ",
                                            [DIALOGUE_LOG_WARNING] = "log warning ",
                                            [DIALOGUE_REMEMBER] = "remember",
                                            [DIALOGUE_DONE] = "done: " };
    struct dialogue_message message;
    char again[DIALOGUE_LINE_SIZE];

    if (!dialogue_parse_message(line, &message))
        return;
    fuzz_demand(text_is_clean(line, strlen(line)), "a message is clean");
    if (message.kind == DIALOGUE_REMEMBER ||
        (message.kind == DIALOGUE_DONE && *message.text == '\0')) {
        fuzz_demand(strcmp(line, message.kind == DIALOGUE_REMEMBER ? "remember" : "done") == 0,
                    "a word alone has one spelling");
        return;
    }
    if (message.kind != DIALOGUE_VERDICT) {
        snprintf(again, sizeof again, "%s", prefixes[message.kind]);
        fuzz_demand(strncmp(line, again, strlen(again)) == 0, "a message begins with its word");
        fuzz_demand(message.text == line + strlen(again), "a message's text is the rest");
        return;
    }
    fuzz_demand(message.verdict.outcome != OUTCOME_BROKEN, "nobody says broken");
    verdict_print(&message.verdict, again, sizeof again);
    if (strlen(line) < VERDICT_REASON_SIZE)
        fuzz_demand(strcmp(line, again) == 0, "a verdict has one spelling");
}

/* A refusal for any reason comes back as it was recorded. */
static void print_verdict(enum outcome outcome, const char *reason)
{
    struct verdict verdict;
    struct dialogue_message message;
    char line[DIALOGUE_LINE_SIZE];

    verdict_refuse(&verdict, outcome, "%s", reason);
    fuzz_demand(verdict.outcome != OUTCOME_APPROVED && verdict.outcome != OUTCOME_NOT_REQUIRED,
                "a refusal lets nobody in");
    verdict_print(&verdict, line, sizeof line);
    if (!dialogue_parse_message(line, &message)) {
        fuzz_demand(verdict.outcome == OUTCOME_BROKEN, "what was printed is parsed");
        return;
    }
    fuzz_demand(message.kind == DIALOGUE_VERDICT && message.verdict.outcome == verdict.outcome &&
                    strcmp(message.verdict.reason, verdict.reason) == 0,
                "a verdict comes back unchanged");
}

/* What the reader must say next about DATA, which ends; a line is *RET_LENGTH bytes. */
static enum dialogue_read expect(const char *data, size_t size, size_t *ret_length)
{
    const char *newline = size > 0 ? memchr(data, '\n', size) : NULL;

    if (size == 0)
        return DIALOGUE_END;
    if (newline == NULL)
        return DIALOGUE_BROKEN;
    *ret_length = (size_t)(newline - data);
    if (*ret_length > DIALOGUE_LINE_MAX || memchr(data, '\0', *ret_length) != NULL)
        return DIALOGUE_BROKEN;
    return DIALOGUE_LINE;
}

static void write_all(int descriptor, const char *data, size_t size)
{
    fuzz_demand(write(descriptor, data, size) == (ssize_t)size, "a pipe holds the input");
}

/* A stream in two parts is read line by line, wherever it was cut. */
static void read_stream(const char *data, size_t size, size_t cut)
{
    struct dialogue_reader reader = { .descriptor = -1 };
    char line[DIALOGUE_LINE_SIZE];
    bool is_whole = false;
    size_t length = 0;
    int pair[2];

    fuzz_demand(pipe2(pair, O_CLOEXEC) == 0, "there is a pipe");
    reader.descriptor = pair[0];
    write_all(pair[1], data, cut);
    for (;;) {
        enum dialogue_read read = dialogue_read(&reader, 0, line);
        if (read == DIALOGUE_NOTHING && !is_whole) {
            write_all(pair[1], data + cut, size - cut);
            close(pair[1]);
            is_whole = true;
            continue;
        }
        fuzz_demand(read == expect(data, size, &length), "the reader says what is there");
        if (read != DIALOGUE_LINE)
            break;
        fuzz_demand(strlen(line) == length && memcmp(line, data, length) == 0, "a line is whole");
        data += length + 1;
        size -= length + 1;
        cut -= cut > length ? length + 1 : cut;
    }
    if (!is_whole)
        close(pair[1]);
    close(pair[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    char *second = strlen(text) < size
                       ? fuzz_string(data + strlen(text) + 1, size - strlen(text) - 1)
                       : fuzz_string(NULL, 0);

    parse_login(text);
    parse_message(text);
    print_login(text, second);
    for (int outcome = OUTCOME_BROKEN; outcome <= OUTCOME_APPROVED; outcome++)
        print_verdict((enum outcome)outcome, text);
    if (size > 0 && size <= STREAM_SIZE_MAX)
        read_stream((const char *)data, size, data[size - 1] % (size + 1));
    free(second);
    free(text);
    return 0;
}
