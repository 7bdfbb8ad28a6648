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
#include "../core/log.h"
#include "../core/text.h"

#define LOG_SOCKET "/dev/log"

enum { PATIENCE_SECONDS = 2 }; /* for a log that is full */

enum { SERVICE_SIZE = 4 * DIALOGUE_SERVICE_SIZE, HEAD_SIZE = 100 + SERVICE_SIZE };

static struct {
    int log;                            /* -1: there is none */
    bool is_stream;                     /* each message ends with a NUL */
    const struct dialogue_login *login; /* NULL: nobody's yet */
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
    closing.login = login;
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

/* OUTCOME NULL: the login goes on. The log daemon may have been restarted since. */
static void log_line(int level, const char *outcome, const char *reason)
{
    const struct log_entry entry = {
        .user = closing.login->user,
        .service = closing.login->service,
        .outcome = outcome,
        .reason = reason,
        .spent_ms = clock_ms() - closing.began_ms - closing.users_ms,
    };
    char line[HEAD_SIZE + LOG_LINE_SIZE];
    char *end = text_print_number((unsigned)(LOG_AUTHPRIV | level), stpcpy(line, "<"));

    end = text_print_number((uint64_t)getpid(), stpcpy(end, ">twilio-verify-check["));
    end = text_escape(entry.service, false, stpcpy(end, "]: pam_twilio_verify("), SERVICE_SIZE);
    log_print(&entry, stpcpy(end, ":auth): "));
    if (!send_line(line)) {
        closing.log = open_log();
        send_line(line);
    }
}

void closing_log(enum dialogue_kind kind, const char *text)
{
    if (!dialogue_say(STDOUT_FILENO, kind, text))
        log_line(kind == DIALOGUE_LOG_WARNING ? LOG_WARNING : LOG_NOTICE, NULL, text);
}

void closing_say(const struct verdict *verdict)
{
    char line[DIALOGUE_LINE_SIZE];
    struct verdict whole = *verdict;

    verdict_append(&whole, closing.addition);
    closing_note_answered();
    verdict_print(&whole, line, sizeof line);
    if (!dialogue_write(STDOUT_FILENO, line) && closing.login != NULL)
        log_line(verdict_level(whole.outcome), verdict_word(whole.outcome), whole.reason);
    _exit(0);
}
