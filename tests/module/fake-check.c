/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Stands in for the check program: its "settings" are a script of steps, one a line.
 *
 *   expect TEXT     reads a line, which must be TEXT    hang         never ends
 *   read            reads a line, whatever it is        stop         stops itself, like ^Z
 *   expect-eof      reads the end of file               kill NUMBER  sends itself a signal
 *   send TEXT       writes a line                       exit NUMBER
 *   sendraw HEX     writes bytes                        close        its descriptors 0 to 2
 *   flood TEXT      writes lines without an end         leave MS     a child keeps them so long
 *   note TEXT       is the event "notes"                dump PATH    what it was started with
 *   sleep MS                                            tell PATH    opens and closes it to write
 *
 * A step that fails exits with 3, the script's end with 0. What happens is appended to
 * SETTINGS.events, if that file exists: "PID MS EVENT [HEX]". */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 4096, SCRIPT_SIZE = 64 * 1024, FAILED = 3, LIFETIME_SECONDS = 90 };

struct check {
    int events; /* -1: nobody wants to know */
    int argc;
    char **argv;
};

static void note(const struct check *check, const char *event, const char *bytes, size_t size)
{
    char line[2 * LINE_SIZE + 100];
    struct timespec now;
    int length;

    clock_gettime(CLOCK_MONOTONIC, &now);
    length = snprintf(line, sizeof line, "%d %ld %s ", (int)getpid(),
                      now.tv_sec * 1000 + now.tv_nsec / 1000000, event);
    for (size_t i = 0; i < size; i++)
        length +=
            snprintf(line + length, sizeof line - (size_t)length, "%02x", (unsigned char)bytes[i]);
    line[length++] = '\n';
    if (check->events >= 0 && write(check->events, line, (size_t)length) != length)
        _exit(FAILED);
}

static bool write_all(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t step = write(STDOUT_FILENO, bytes, size);
        if (step <= 0)
            return false;
        bytes += step;
        size -= (size_t)step;
    }
    return true;
}

/* False: the end of file. */
static bool read_line(const struct check *check, char line[LINE_SIZE])
{
    size_t size = 0;

    while (size + 1 < LINE_SIZE && read(STDIN_FILENO, line + size, 1) == 1) {
        if (line[size] == '\n') {
            line[size] = '\0';
            note(check, "received", line, size);
            return true;
        }
        size++;
    }
    note(check, "end", line, size);
    return false;
}

static bool step_expect(const struct check *check, const char *text)
{
    char line[LINE_SIZE];

    return read_line(check, line) && strcmp(line, text) == 0;
}

static bool step_read(const struct check *check, const char *text)
{
    char line[LINE_SIZE];

    (void)text;
    return read_line(check, line);
}

static bool step_expect_eof(const struct check *check, const char *text)
{
    char line[LINE_SIZE];

    (void)text;
    return !read_line(check, line);
}

static bool step_send(const struct check *check, const char *text)
{
    (void)check;
    return write_all(text, strlen(text)) && write_all("\n", 1);
}

static bool step_sendraw(const struct check *check, const char *text)
{
    char bytes[SCRIPT_SIZE / 2];
    size_t size = 0;
    unsigned byte;

    (void)check;
    for (; sscanf(text, "%2x", &byte) == 1; text += 2)
        bytes[size++] = (char)byte;
    return write_all(bytes, size);
}

static bool step_flood(const struct check *check, const char *text)
{
    while (step_send(check, text))
        ;
    return false;
}

static void sleep_ms(long milliseconds)
{
    struct timespec left = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static bool step_sleep(const struct check *check, const char *text)
{
    (void)check;
    sleep_ms(atol(text));
    return true;
}

static bool step_hang(const struct check *check, const char *text)
{
    (void)text;
    note(check, "hangs", NULL, 0);
    while (pause() < 0)
        ;
    return false;
}

static bool step_stop(const struct check *check, const char *text)
{
    (void)text;
    note(check, "stops", NULL, 0);
    return raise(SIGSTOP) == 0;
}

static bool step_kill(const struct check *check, const char *text)
{
    (void)check;
    return raise(atoi(text)) == 0;
}

static bool step_exit(const struct check *check, const char *text)
{
    note(check, "exits", NULL, 0);
    _exit(atoi(text));
}

static bool step_note(const struct check *check, const char *text)
{
    note(check, "notes", text, strlen(text));
    return true;
}

static bool step_close(const struct check *check, const char *text)
{
    (void)check;
    (void)text;
    return close(STDIN_FILENO) == 0 && close(STDOUT_FILENO) == 0 && close(STDERR_FILENO) == 0;
}

/* A FIFO: who waits to read it goes on. */
static bool step_tell(const struct check *check, const char *path)
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);

    (void)check;
    return descriptor >= 0 && close(descriptor) == 0;
}

static bool step_leave(const struct check *check, const char *text)
{
    pid_t pid = fork();

    (void)check;
    if (pid == 0) {
        sleep_ms(atol(text));
        _exit(0);
    }
    return pid > 0;
}

static void dump_hex(FILE *out, const char *name, const char *text)
{
    fprintf(out, "%s ", name);
    for (; *text != '\0'; text++)
        fprintf(out, "%02x", (unsigned char)*text);
    fputc('\n', out);
}

static void dump_descriptors(const struct check *check, FILE *out)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        int descriptor = atoi(entry->d_name);
        char target[256] = "";
        if (entry->d_name[0] == '.' || descriptor == dirfd(directory) ||
            descriptor == fileno(out) || descriptor == check->events)
            continue;
        if (readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) > 0)
            fprintf(out, "descriptor %d %s\n", descriptor, target);
    }
    if (directory != NULL)
        closedir(directory);
}

static bool step_dump(const struct check *check, const char *path)
{
    FILE *out = fopen(path, "we");
    FILE *status = fopen("/proc/self/status", "re");
    char line[LINE_SIZE];
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);

    if (out == NULL || status == NULL)
        return false;
    for (int i = 0; i < check->argc; i++)
        dump_hex(out, "argument", check->argv[i]);
    for (char **variable = environ; *variable != NULL; variable++)
        dump_hex(out, "variable", *variable);
    dump_hex(out, "directory", getcwd(line, sizeof line) != NULL ? line : "?");
    fprintf(out, "pid %d\nsession %d\nprocess-group %d\n", (int)getpid(), (int)getsid(0),
            (int)getpgrp());
    fprintf(out, "terminal %s\n", terminal >= 0 ? "yes" : "no");
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "Sig", 3) == 0)
            fprintf(out, "%s", line);
    fclose(status);
    if (terminal >= 0)
        close(terminal);
    dump_descriptors(check, out);
    return fclose(out) == 0;
}

static const struct {
    const char *name;
    bool (*run)(const struct check *check, const char *text);
} steps[] = {
    { "expect", step_expect }, { "read", step_read },       { "expect-eof", step_expect_eof },
    { "send", step_send },     { "sendraw", step_sendraw }, { "flood", step_flood },
    { "sleep", step_sleep },   { "hang", step_hang },       { "stop", step_stop },
    { "kill", step_kill },     { "exit", step_exit },       { "note", step_note },
    { "close", step_close },   { "leave", step_leave },     { "dump", step_dump },
    { "tell", step_tell },
};

static bool run_step(const struct check *check, const char *step)
{
    size_t length = strcspn(step, " ");
    const char *text = step[length] == ' ' ? step + length + 1 : "";

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strlen(steps[i].name) == length && strncmp(steps[i].name, step, length) == 0)
            return steps[i].run(check, text);
    return false;
}

static bool read_script(const char *path, char script[SCRIPT_SIZE])
{
    FILE *file = fopen(path, "re");
    size_t size;

    if (file == NULL)
        return false;
    size = fread(script, 1, SCRIPT_SIZE - 1, file);
    fclose(file);
    script[size] = '\0';
    return true;
}

static int open_events(const char *settings)
{
    char path[LINE_SIZE];
    int opened, events;

    snprintf(path, sizeof path, "%s.events", settings);
    opened = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (opened < 0)
        return -1;
    events = fcntl(opened, F_DUPFD_CLOEXEC, 100); /* out of the dialogue's way */
    close(opened);
    return events;
}

int main(int argc, char **argv)
{
    static char script[SCRIPT_SIZE];
    struct check check = { .argc = argc, .argv = argv };
    char *rest = script;

    alarm(LIFETIME_SECONDS); /* whatever goes wrong, nothing stays behind */
    if (argc != 3 || strcmp(argv[1], "--settings") != 0 || !read_script(argv[2], script))
        return FAILED;
    check.events = open_events(argv[2]);
    note(&check, "started", NULL, 0);

    for (char *step; (step = strsep(&rest, "\n")) != NULL;) {
        if (*step == '\0' || run_step(&check, step))
            continue;
        note(&check, "failed", step, strlen(step));
        return FAILED;
    }
    return 0;
}
