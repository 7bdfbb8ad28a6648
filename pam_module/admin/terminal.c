/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The administrator's terminal. */
#include "terminal.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../core/text.h"

enum { LINE_SIZE = 1024 };

bool terminal_is_coloured(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");
    const char *kind = getenv("TERM");

    return isatty(fileno(stream)) && (no_color == NULL || *no_color == '\0') && kind != NULL &&
           strcmp(kind, "dumb") != 0;
}

void terminal_clean(const char *text, char *clean, size_t size)
{
    size_t left = strlen(text), end = 0;

    while (left > 0) {
        size_t length = text_character(text, left);
        size_t step = length > 0 ? length : 1;
        if (end + step >= size)
            break;
        if (length > 0)
            memmove(clean + end, text, length);
        else
            clean[end] = '?';
        end += step;
        text += step;
        left -= step;
    }
    clean[end] = '\0';
}

void terminal_say(const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    terminal_clean(line, line, sizeof line);
    fprintf(stderr, "twilio-verify: %s\n", line);
}

static sigset_t held_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

void terminal_hold_signals(void)
{
    sigset_t signals = held_signals();

    sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* Waits for a line. False: a signal that is held came. */
static bool wait_for_input(void)
{
    sigset_t signals = held_signals();
    struct pollfd pollers[] = {
        { .fd = STDIN_FILENO, .events = POLLIN },
        { .fd = signalfd(-1, &signals, SFD_CLOEXEC), .events = POLLIN },
    };
    bool is_input = poll(pollers, 2, -1) > 0 && pollers[1].revents == 0;

    if (pollers[1].fd >= 0)
        close(pollers[1].fd);
    return is_input;
}

bool terminal_ask(const char *question, char *answer, size_t size)
{
    char *newline;

    fprintf(stderr, "%s", question);
    fflush(stderr);
    /* Byte by byte: a second line must stay where poll(2) sees it. */
    setvbuf(stdin, NULL, _IONBF, 0);
    if (!wait_for_input() || fgets(answer, (int)size, stdin) == NULL) {
        fputc('\n', stderr);
        return false;
    }
    newline = strchr(answer, '\n');
    if (newline == NULL)
        return feof(stdin);
    *newline = '\0';
    return true;
}
