/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The administrator's terminal: what may be printed there, colours, a question. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TERMINAL_PLAIN  "\033[0m"
#define TERMINAL_RED    "\033[31m"
#define TERMINAL_GREEN  "\033[32m"
#define TERMINAL_YELLOW "\033[33m"

/* Whether STREAM is a terminal on which colours are wanted: NO_COLOR is not set, TERM is not
 * "dumb". */
bool terminal_is_coloured(FILE *stream);

/* Copies TEXT, any bytes, into CLEAN, which may be TEXT itself: every byte that is no clean text (a
 * control byte, not UTF-8) becomes '?'; cut at SIZE. */
void terminal_clean(const char *text, char *clean, size_t size);

enum { TERMINAL_WORD_SIZE = 1100 };

struct terminal_word {
    char text[TERMINAL_WORD_SIZE];
};

/* WORD as it is in a command that is shown to be typed in: between single quotes where a shell
 * would take it for something else (DOM\alice). Cut at TERMINAL_WORD_SIZE - 1 bytes. Use it in
 * place: terminal_word(name).text. */
struct terminal_word terminal_word(const char *word);

struct terminal_command {
    char text[TERMINAL_WORD_SIZE + 100];
};

/* COMMAND with WORD as its last word, behind "--" if it could be taken for an option. Use it in
 * place. */
struct terminal_command terminal_command(const char *command, const char *word);

/* Adds WORD, as it is in such a command, to WORDS of SIZE bytes, behind SEPARATOR where it is not
 * the first. Never a part of a word: where it does not fit, "..." ends WORDS, and no other is
 * added. */
void terminal_add_word(char *words, size_t size, const char *separator, const char *word);

/* Prints one line on standard error, cleaned: "twilio-verify: TEXT". */
void terminal_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From here on SIGHUP, SIGINT and SIGTERM end nothing: they are noticed at the next question, and
 * by the descriptor that is returned and then is readable; -1: there is none. The caller closes.
 * What was begun at Twilio is finished, or undone. */
int terminal_hold_signals(void);

/* Whether one of them came. */
bool terminal_is_interrupted(void);

/* Asks QUESTION on standard error and reads a line from standard input, without the newline, into
 * ANSWER. Holds signals. False: the input has ended, the line does not fit, or such a signal
 * came. */
bool terminal_ask(const char *question, char *answer, size_t size);

/* The same, and the terminal does not show what is typed. The caller wipes ANSWER. */
bool terminal_ask_secret(const char *question, char *answer, size_t size);
