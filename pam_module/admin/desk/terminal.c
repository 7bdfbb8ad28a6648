/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The administrator's terminal. */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "../../core/descriptor.h"
#include "../../core/text.h"

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

struct terminal_word terminal_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "@%+=:,./_-";
    static const char quote[] = "'\\''"; /* ends the quoted text, stands for itself, begins anew */
    struct terminal_word quoted = { "'" };
    size_t end = 1;

    if (*word != '\0' && word[strspn(word, plain)] == '\0') {
        snprintf(quoted.text, sizeof quoted.text, "%s", word);
        return quoted;
    }
    for (; *word != '\0' && end + sizeof quote < sizeof quoted.text; word++)
        if (*word == '\'')
            end += (size_t)sprintf(quoted.text + end, "%s", quote);
        else
            quoted.text[end++] = *word;
    quoted.text[end++] = '\'';
    quoted.text[end] = '\0';
    return quoted;
}

struct terminal_command terminal_command(const char *command, const char *word)
{
    struct terminal_command whole;

    snprintf(whole.text, sizeof whole.text, "%s %s%s", command, *word == '-' ? "-- " : "",
             terminal_word(word).text);
    return whole;
}

void terminal_add_word(char *words, size_t size, const char *separator, const char *word)
{
    static const char rest[] = "...";
    size_t used = strlen(words), left = size - used;
    const char *before = used > 0 ? separator : "";
    char *end = words + used;

    if (used >= strlen(rest) && strcmp(end - strlen(rest), rest) == 0)
        return;
    if ((size_t)snprintf(end, left, "%s%s", before, terminal_word(word).text) + strlen(separator) +
            strlen(rest) >=
        left)
        snprintf(end, left, "%s%s", before, rest);
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

bool terminal_is_interrupted(void)
{
    sigset_t held = held_signals(), came;

    return sigpending(&came) == 0 && sigandset(&came, &came, &held) == 0 && !sigisemptyset(&came);
}

int terminal_hold_signals(void)
{
    sigset_t signals = held_signals();

    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* As read(2) of one byte of standard input; -1 too where a signal came, which SIGNALS reads. */
static ssize_t read_byte(int signals, char *ret_byte)
{
    struct pollfd pollers[] = {
        { .fd = STDIN_FILENO, .events = POLLIN },
        { .fd = signals, .events = POLLIN },
    };
    int count;

    do
        count = poll(pollers, 2, -1);
    while (count < 0 && errno == EINTR);
    return count > 0 && pollers[1].revents == 0 ? read(STDIN_FILENO, ret_byte, 1) : -1;
}

bool terminal_ask(const char *question, char *answer, size_t size)
{
    auto_close signals = terminal_hold_signals();
    ssize_t count = -1;
    size_t length = 0;

    fprintf(stderr, "%s", question);
    while (length < size && (count = read_byte(signals, &answer[length])) > 0 &&
           answer[length] != '\n')
        length++;
    if (length < size && (count > 0 || (count == 0 && length > 0))) {
        answer[length] = '\0';
        return true;
    }
    fputc('\n', stderr);
    return false;
}

bool terminal_ask_secret(const char *question, char *answer, size_t size)
{
    struct termios before, silent;
    bool has_echo, is_answered;

    close(terminal_hold_signals()); /* they must not leave the terminal without its echo */
    has_echo = tcgetattr(STDIN_FILENO, &before) == 0;
    if (has_echo) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        silent.c_cc[VSUSP] = _POSIX_VDISABLE;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    is_answered = terminal_ask(question, answer, size);
    if (has_echo)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    if (is_answered)
        fputc('\n', stderr);
    return is_answered;
}
