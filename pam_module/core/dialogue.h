/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The dialogue between the module and the check program: one message a line.
 *
 *   module → check   login 2 SERVICE USER [own] [silent]
 *                                             the first line; the names percent-encoded. own: the
 *                                             caller is the user (PAM_RUSER); silent: PAM_SILENT
 *                    proved 2 SERVICE USER PID START
 *                                             in its place: the host process PID, which began at
 *                                             START (field 22 of /proc/PID/stat), has just seen
 *                                             "approved"
 *                    proved-in-child 2 SERVICE USER PID START
 *                                             the same, where its parent opens the session
 *                    session 2 SERVICE USER PID START
 *                                             in its place: that process opens the session
 *                    ANSWER                   one line for every ask; end of file: nobody answers
 *   check → module   ask-secret TEXT          ask the user, echo off
 *                    ask TEXT                 ask the user, echo on
 *                    show TEXT                tell the user, no answer
 *                    log LEVEL TEXT           for the log, at once; LEVEL is notice or warning
 *                    remember                 right before "approved": say proved after it
 *                    OUTCOME[: REASON]        the verdict, the last line
 *                    done[: REASON]           the last line of proved and session, with what went
 *                                             wrong; before it they say log alone
 *
 * A line has at most DIALOGUE_LINE_MAX bytes without its newline, and only characters that
 * text_character() knows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verdict.h"

enum {
    DIALOGUE_LINE_MAX = 1024,
    DIALOGUE_LINE_SIZE = DIALOGUE_LINE_MAX + 1,
    DIALOGUE_ANSWER_MAX = 512,
    DIALOGUE_QUESTIONS_MAX = 16, /* asks and shows of one login */
    DIALOGUE_LOGS_MAX = 16,
    DIALOGUE_NAME_MAX = 250, /* bytes of a user's name that is looked up */
    DIALOGUE_NAME_SIZE = DIALOGUE_NAME_MAX + 2,
    DIALOGUE_SERVICE_SIZE = 65,
};

enum dialogue_task {
    DIALOGUE_LOGIN,
    DIALOGUE_PROVED,
    DIALOGUE_PROVED_IN_CHILD,
    DIALOGUE_SESSION,
};

/* Who logs in, and where. A name of DIALOGUE_NAME_MAX + 1 bytes stands for every longer one: it is
 * cut, and never looked up. */
struct dialogue_login {
    char service[DIALOGUE_SERVICE_SIZE];
    char user[DIALOGUE_NAME_SIZE];
    bool is_own, is_silent; /* of a login */
    int64_t pid, start;     /* of the other tasks */
    enum dialogue_task task;
};

enum dialogue_kind {
    DIALOGUE_ASK_SECRET,
    DIALOGUE_ASK,
    DIALOGUE_SHOW,
    DIALOGUE_LOG_NOTICE,
    DIALOGUE_LOG_WARNING,
    DIALOGUE_REMEMBER,
    DIALOGUE_VERDICT,
    DIALOGUE_DONE,
};

/* One line of the check program. TEXT points into the line that was parsed; of DIALOGUE_DONE it is
 * the reason, "" for none. VERDICT is filled for DIALOGUE_VERDICT alone. */
struct dialogue_message {
    enum dialogue_kind kind;
    const char *text;
    struct verdict verdict;
};

/* What the host says of a login; a set of flags. */
enum { DIALOGUE_OWN = 1, DIALOGUE_SILENT = 2 };

/* Writes the first line, without a newline. A user's name that is longer than any that is looked
 * up is cut to DIALOGUE_NAME_MAX + 1 bytes, which is still too long. False: SERVICE is empty or
 * does not fit. */
bool dialogue_print_login(const char *service, const char *user, unsigned flags,
                          char line[DIALOGUE_LINE_SIZE]);

/* Writes the first line of TASK, which is no login, for the process PID that began at START. False:
 * as above. */
bool dialogue_print_task(enum dialogue_task task, const char *service, const char *user,
                         int64_t pid, int64_t start, char line[DIALOGUE_LINE_SIZE]);

/* Reads the first line. False, and *RET_LOGIN untouched: another version, not two names (the user's
 * may be empty), a wrong or needless escape, a NUL, a name that does not fit, another word behind
 * the names or another order of them; a PID that is not 2 to 4194304 (pid_max of proc(5)) or a
 * START that is not 1 to INT64_MAX, in another spelling than the shortest. */
bool dialogue_parse_login(const char *line, struct dialogue_login *ret_login);

/* Reads a line of the check program. False, and *RET_MESSAGE untouched: it is none. */
bool dialogue_parse_message(const char *line, struct dialogue_message *ret_message);

/* Takes lines off DESCRIPTOR, which it does not own. Answers pass through here: wipe it with
 * dialogue_reader_wipe(). Initialise with { .descriptor = N }. */
struct dialogue_reader {
    int descriptor;
    size_t size;
    char bytes[DIALOGUE_LINE_SIZE];
};

enum dialogue_read {
    DIALOGUE_LINE,    /* a line was read */
    DIALOGUE_NOTHING, /* no whole line came in time */
    DIALOGUE_END,     /* end of file; an unfinished last line is DIALOGUE_BROKEN */
    DIALOGUE_BROKEN,  /* a line too long or with a NUL, or an error: nothing can be read any more */
};

enum { DIALOGUE_FOREVER = -1 };

/* Reads the next line, without its newline, waiting until the time DEADLINE_MS of
 * clock_ms() at most; 0 takes only what is there, DIALOGUE_FOREVER has no limit. Signals
 * that a handler of the host's catches do not disturb it. LINE is changed only on DIALOGUE_LINE. */
enum dialogue_read dialogue_read(struct dialogue_reader *reader, int64_t deadline_ms,
                                 char line[DIALOGUE_LINE_SIZE]);

void dialogue_reader_wipe(struct dialogue_reader *reader);

/* Sends LINE, of which no more than DIALOGUE_LINE_MAX bytes count, and a newline whole, without
 * SIGPIPE on a socket. False: the other side is gone. */
bool dialogue_write(int descriptor, const char *line);

/* The same for TEXT as a message of KIND, DIALOGUE_ASK_SECRET to DIALOGUE_LOG_WARNING. */
bool dialogue_say(int descriptor, enum dialogue_kind kind, const char *text);
