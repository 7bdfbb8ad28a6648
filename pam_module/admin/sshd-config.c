/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What sshd is configured for. */
#include "sshd-config.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text-file.h"

#define SSHD    "/usr/sbin/sshd"
#define FOLDER  "/etc/ssh"
#define DEFAULT FOLDER "/sshd_config"

enum { DEPTH_MAX = 16 };

static bool spawn(const char *path, int output, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    bool is_started = false;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    if (posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO) == 0) {
        char *arguments[] = { (char[]){ SSHD }, (char[]){ "-T" }, (char[]){ "-f" },
                              (char *)(path != NULL ? path : DEFAULT), NULL };
        char *environment[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" }, NULL };
        is_started = posix_spawn(ret_pid, SSHD, &actions, NULL, arguments, environment) == 0;
    }
    posix_spawn_file_actions_destroy(&actions);
    return is_started;
}

/* Runs sshd; what it says is in OUTPUT. Whether it is content. */
static bool run(const char *path, int output)
{
    pid_t pid = -1;
    int status = -1;

    if (!spawn(path, output, &pid))
        return false;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 && lseek(output, 0, SEEK_SET) == 0;
}

static void copy(char words[SSHD_CONFIG_WORDS_SIZE], const char *text)
{
    snprintf(words, SSHD_CONFIG_WORDS_SIZE, "%s", text);
}

static void take_setting(struct sshd_config *config, const char *keyword, const char *value)
{
    const struct {
        const char *keyword;
        bool *value;
    } flags[] = {
        { "usepam", &config->use_pam },
        { "passwordauthentication", &config->password },
        { "kbdinteractiveauthentication", &config->keyboard_interactive },
        { "challengeresponseauthentication", &config->keyboard_interactive },
        { "pubkeyauthentication", &config->public_key },
        { "hostbasedauthentication", &config->host_based },
        { "gssapiauthentication", &config->gssapi },
    };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flags[i].keyword, keyword) == 0)
            *flags[i].value = strcmp(value, "yes") == 0;
    if (strcmp(keyword, "authenticationmethods") == 0)
        copy(config->methods, value);
    if (strcmp(keyword, "pamservicename") == 0)
        copy(config->pam_service, value);
}

static void parse(char *text, struct sshd_config *config)
{
    char *line;

    while ((line = text_file_line(&text)) != NULL) {
        char *value = line + strcspn(line, " ");
        if (*value != '\0')
            *value++ = '\0';
        take_setting(config, line, value);
    }
}

/* The last line says what is wrong. */
static void explain(int output, char why_not[SSHD_CONFIG_WORDS_SIZE])
{
    auto_text char *text = NULL;
    char *rest, *line;

    copy(why_not, "it ended without a word");
    if (lseek(output, 0, SEEK_SET) != 0 || !text_file_read_descriptor(output, &text))
        return;
    for (rest = text; (line = text_file_line(&rest)) != NULL;) {
        line[strcspn(line, "\r")] = '\0';
        if (*line != '\0')
            copy(why_not, line);
    }
}

enum sshd_config_read sshd_config_read(const char *path, struct sshd_config *ret_config,
                                       char why_not[SSHD_CONFIG_WORDS_SIZE])
{
    struct sshd_config config = { .methods = "any", .pam_service = "sshd" };
    auto_text char *text = NULL;
    bool is_read;
    int output;

    if (access(SSHD, X_OK) != 0)
        return SSHD_CONFIG_ABSENT;
    output = memfd_create("sshd", MFD_CLOEXEC);
    if (output < 0) {
        copy(why_not, strerror(errno));
        return SSHD_CONFIG_REFUSED;
    }
    is_read = run(path, output) && text_file_read_descriptor(output, &text);
    if (!is_read)
        explain(output, why_not);
    close(output);
    if (!is_read)
        return SSHD_CONFIG_REFUSED;

    parse(text, &config);
    *ret_config = config;
    return SSHD_CONFIG_READ;
}

/* One run through the text. */
struct walk {
    sshd_config_found found;
    void *context;
    char *why_not;
};

static bool read_file(struct walk *walk, const char *path, const char *criteria, int depth);

/* The word at *REST, without its quotes; *REST is behind it. NULL: no more, or a comment. */
static char *take_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t\r=");
    size_t length;

    if (*word == '\0' || *word == '#')
        return NULL;
    if (*word == '"')
        length = strcspn(++word, "\"");
    else
        length = strcspn(word, " \t\r=");
    *rest = word + length;
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return word;
}

/* Goes through the files that PATTERN stands for; one that is not there is no mistake. */
static bool read_pattern(struct walk *walk, const char *pattern, const char *criteria, int depth)
{
    char whole[SSHD_CONFIG_WORDS_SIZE];
    bool is_read = true;
    glob_t files = { 0 };

    snprintf(whole, sizeof whole, "%s%s", *pattern == '/' ? "" : FOLDER "/", pattern);
    if (glob(whole, 0, NULL, &files) == 0)
        for (size_t i = 0; i < files.gl_pathc && is_read; i++)
            is_read = read_file(walk, files.gl_pathv[i], criteria, depth + 1);
    globfree(&files);
    return is_read;
}

/* "Match all" ends the block before it. */
static bool is_all(const char *criteria)
{
    if (strncasecmp(criteria, "all", 3) != 0)
        return false;
    criteria += 3 + strspn(criteria + 3, " \t\r");
    return *criteria == '\0' || *criteria == '#';
}

/* CRITERIA of "" is outside of a Match block. */
static bool read_line(struct walk *walk, struct sshd_config_line *line, char *rest,
                      char criteria[SSHD_CONFIG_WORDS_SIZE], int depth)
{
    const char *keyword = take_word(&rest);

    if (keyword == NULL)
        return true;
    if (strcasecmp(keyword, "match") == 0) {
        rest += strspn(rest, " \t\r=");
        copy(criteria, is_all(rest) ? "" : rest);
        return true;
    }
    if (strcasecmp(keyword, "include") == 0) {
        for (const char *file = take_word(&rest); file != NULL; file = take_word(&rest))
            if (!read_pattern(walk, file, criteria, depth))
                return false;
        return true;
    }
    if (*criteria != '\0') {
        line->criteria = criteria;
        line->keyword = keyword;
        line->value = rest + strspn(rest, " \t=");
        walk->found(line, walk->context);
    }
    return true;
}

static bool read_file(struct walk *walk, const char *path, const char *criteria, int depth)
{
    struct sshd_config_line line = { .path = path };
    char own_criteria[SSHD_CONFIG_WORDS_SIZE];
    auto_text char *text = NULL;
    char *rest, *words;

    if (depth > DEPTH_MAX || !text_file_read(path, &text)) {
        snprintf(walk->why_not, SSHD_CONFIG_WORDS_SIZE, "%s: %s", path,
                 depth > DEPTH_MAX ? "included too deep" : strerror(errno));
        return false;
    }
    copy(own_criteria, criteria);
    for (rest = text; (words = text_file_line(&rest)) != NULL;) {
        line.number++;
        if (!read_line(walk, &line, words, own_criteria, depth))
            return false;
    }
    return true;
}

bool sshd_config_matches(const char *path, sshd_config_found found, void *context,
                         char why_not[SSHD_CONFIG_WORDS_SIZE])
{
    struct walk walk = { .found = found, .context = context, .why_not = why_not };

    return read_file(&walk, path != NULL ? path : DEFAULT, "", 0);
}
