/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The verdict and the lines about wrong codes. */
#include "closing.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "../core/clock.h"
#include "../core/text.h"

#define LOG_SOCKET "/dev/log"

enum { PATIENCE_SECONDS = 2 }; /* for a log that is full */

/* Of names and reason, each byte escaped. */
enum {
    SERVICE_SIZE = 4 * DIALOGUE_SERVICE_SIZE,
    USER_SIZE = 4 * DIALOGUE_NAME_SIZE,
    REASON_SIZE = 640,
    NUMBER_SIZE = 24,
    WORDS_SIZE = 160,
    WHO_SIZE = 2 * SERVICE_SIZE + USER_SIZE + WORDS_SIZE,
    LINE_SIZE = WHO_SIZE + REASON_SIZE + NUMBER_SIZE + WORDS_SIZE,
};

static struct {
    int log;            /* -1: there is none */
    bool is_stream;     /* each message ends with a NUL */
    char who[WHO_SIZE]; /* what a line begins with; "": nobody yet */
    int64_t began_ms, asked_ms, users_ms;
    bool is_asked;
    char addition[VERDICT_REASON_SIZE]; /* to the reason of each verdict */
} closing = { .log = -1 };

/* As syslog(3): a socket of datagrams, or of a stream. */
static int open_log(void)
{
    static const int kinds[] = { SOCK_DGRAM, SOCK_STREAM };
    const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = LOG_SOCKET };
    const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int log = socket(AF_UNIX, kinds[i] | SOCK_CLOEXEC, 0);
        if (log >= 0 && setsockopt(log, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
            connect(log, (const struct sockaddr *)&address, sizeof address) == 0) {
            closing.is_stream = kinds[i] == SOCK_STREAM;
            return log;
        }
        if (log >= 0)
            close(log);
    }
    return -1;
}

void closing_begin(void)
{
    closing.began_ms = clock_ms();
    closing.log = open_log();
}

void closing_name(const struct dialogue_login *login)
{
    char service[SERVICE_SIZE], user[USER_SIZE];

    text_escape(login->service, false, service, sizeof service);
    text_escape(*login->user != '\0' ? login->user : "-", false, user, sizeof user);
    snprintf(closing.who, sizeof closing.who,
             "twilio-verify-check[%d]: pam_twilio_verify(%s:auth): user=%s service=%s",
             (int)getpid(), service, user, service);
}

void closing_note_asked(void)
{
    closing.asked_ms = clock_ms();
    closing.is_asked = true;
}

void closing_note_answered(void)
{
    if (closing.is_asked)
        closing.users_ms += clock_ms() - closing.asked_ms;
    closing.is_asked = false;
}

void closing_add(const char *text)
{
    snprintf(closing.addition, sizeof closing.addition, "%s", text);
}

static bool send_line(const char *line)
{
    return send(closing.log, line, strlen(line) + closing.is_stream, MSG_NOSIGNAL) >= 0;
}

/* Adds NUMBER, which is not negative, at END; returns the new end. Not by stdio(3), which a handler
 * of a signal must not call. */
static char *add_number(char *end, int64_t number)
{
    char digits[NUMBER_SIZE];
    size_t used = 0;

    do
        digits[used++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (used > 0)
        *end++ = digits[--used];
    *end = '\0';
    return end;
}

/* The keys of the module's line, but for those that it alone knows, up to REASON. Returns the
 * end. */
static char *begin_line(char line[LINE_SIZE], int level, const char *outcome, const char *reason)
{
    char *end = add_number(stpcpy(line, "<"), LOG_AUTHPRIV | level);

    end = stpcpy(stpcpy(end, ">"), closing.who);
    if (*outcome != '\0')
        end = stpcpy(stpcpy(end, " outcome="), outcome);
    end = text_escape(reason, true, stpcpy(end, " reason=\""), REASON_SIZE);
    return stpcpy(end, "\"");
}

static void log_line(const char *line)
{
    /* The log daemon may have been restarted since. */
    if (!send_line(line)) {
        closing.log = open_log();
        send_line(line);
    }
}

static void log_verdict(const struct verdict *verdict)
{
    char line[LINE_SIZE];
    char *end = begin_line(line, verdict_level(verdict->outcome), verdict_word(verdict->outcome),
                           verdict->reason);

    add_number(stpcpy(end, " ms="), clock_ms() - closing.began_ms - closing.users_ms);
    log_line(line);
}

void closing_log(bool is_warning, const char *text)
{
    char line[LINE_SIZE];

    snprintf(line, DIALOGUE_LINE_SIZE, "log %s %s", is_warning ? "warning" : "notice", text);
    if (dialogue_write(STDOUT_FILENO, line))
        return;
    begin_line(line, is_warning ? LOG_WARNING : LOG_NOTICE, "", text);
    log_line(line);
}

void closing_say(const struct verdict *verdict)
{
    char line[DIALOGUE_LINE_SIZE];
    struct verdict whole = *verdict;

    verdict_append(&whole, closing.addition);
    closing_note_answered();
    verdict_print(&whole, line, sizeof line);
    if (!dialogue_write(STDOUT_FILENO, line) && *closing.who != '\0')
        log_verdict(&whole);
    _exit(0);
}
