/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* sshd's part. */
#include "sshd.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../core/descriptor.h"
#include "../desk/child.h"
#include "../lint/text-file.h"
#include "lines.h"

#define SSHD     "/usr/sbin/sshd"
#define DROP_IN  "/etc/ssh/sshd_config.d/00-twilio-verify.conf"
#define BY_KEY   "publickey,keyboard-interactive"
#define BY_TYPED "keyboard-interactive"
#define COMMON   "UsePAM yes", "KbdInteractiveAuthentication yes", "PasswordAuthentication no"

#define TURNED_AWAY "Too many authentication failures"

/* What to do where the drop-in does not come first. */
#define INCLUDE                                                                                    \
    "write this line at the beginning of sshd_config: Include /etc/ssh/sshd_config.d/*.conf"

enum { CONNECTION_SIZE = 320, PROBE_SIZE = 48, LOOKS_MAX = 7, FIRST_PAUSE_MS = 100 };

static bool refuse(struct verdict *why_not, const char *what, const char *reason)
{
    return verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s: %s", what, reason);
}

/* The drop-in's lines come first: in sshd_config(5) the first value counts. */
static bool put_lines(const char *const *lines, struct config_file *file, struct verdict *why_not)
{
    size_t count;
    auto_text char *plain = lines_remove(file->old != NULL ? file->old : "", &count);

    free(file->new);
    file->new = plain != NULL ? lines_insert(plain, 0, false, lines) : NULL;
    return file->new != NULL || refuse(why_not, DROP_IN, "out of memory");
}

bool sshd_enable(bool by_key, struct config_file *file, struct verdict *why_not)
{
    static const char *const by_typed_lines[] = { COMMON, "AuthenticationMethods " BY_TYPED, NULL };
    static const char *const by_key_lines[] = { COMMON, "PubkeyAuthentication yes",
                                                "AuthenticationMethods " BY_KEY, NULL };

    return config_file_open(DROP_IN, file, why_not) &&
           put_lines(by_key ? by_key_lines : by_typed_lines, file, why_not);
}

bool sshd_disable(struct config_file *file, size_t *ret_count, struct verdict *why_not)
{
    *ret_count = 0;
    if (!config_file_open(DROP_IN, file, why_not))
        return false;
    if (file->old == NULL)
        return true;
    file->new = lines_remove(file->old, ret_count);
    if (file->new == NULL)
        return refuse(why_not, DROP_IN, "out of memory");
    if (*file->new == '\0' && *ret_count > 0) {
        free(file->new);
        file->new = NULL;
    }
    return true;
}

/* Runs a program; what it prints last is the reason where it is not content. */
static bool run(const char *const *arguments, struct verdict *why_not)
{
    auto_close output = memfd_create("output", MFD_CLOEXEC);
    struct verdict said;

    if (output >= 0 && child_run(arguments, output, NULL) == 0)
        return true;
    sshd_config_explain(output, &said);
    return refuse(why_not, arguments[0], said.reason);
}

void sshd_make_directory(void)
{
    static const char directory[] = "/run/sshd";

    if (access(SSHD, X_OK) == 0 && mkdir(directory, 0755) == 0)
        chmod(directory, 0755);
}

/* Whether sshd is content with its files as they are. */
static bool is_content(struct verdict *why_not)
{
    static const char *const arguments[] = { SSHD, "-t", NULL };

    if (run(arguments, why_not))
        return true;
    verdict_add(why_not, ": correct it until sshd -t prints nothing");
    return false;
}

bool sshd_read(bool by_key, const struct overlay *overlay, struct sshd_config *ret_config,
               struct verdict *why_not)
{
    auto_sshd_config config = { 0 };
    struct verdict reason = { OUTCOME_MISCONFIGURED, "sshd is not installed" };

    if (!is_content(why_not))
        return false;
    if (sshd_config_read(NULL, overlay, NULL, SSHD_CONFIG_USUAL, &config, &reason) !=
        SSHD_CONFIG_READ)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "sshd refuses the new lines: %.150s; " INCLUDE, reason.reason);
    if (strcmp(config.methods, by_key ? BY_KEY : BY_TYPED) != 0 || !config.use_pam ||
        !config.keyboard_interactive || config.password)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "/etc/ssh/sshd_config does not include " DROP_IN
                              ", or a line before that counts: " INCLUDE);
    if (strcmp(config.pam_service, "sshd") != 0)
        return verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                              "sshd calls the PAM service \"%s\": remove PAMServiceName",
                              config.pam_service);

    *ret_config = config;
    config = (struct sshd_config){ 0 };
    return true;
}

static bool is_active(const char *unit)
{
    const char *const arguments[] = { "/usr/bin/systemctl", "is-active", "--quiet", unit, NULL };
    struct verdict reason;

    return run(arguments, &reason);
}

/* The process that the file of CONFIG names, if it is sshd. -1: there is none. */
static pid_t find_process(const struct sshd_config *config)
{
    auto_text char *text = NULL;
    char link[64], program[PATH_MAX] = "";
    pid_t pid;

    if (config->pid_file == NULL || *config->pid_file != '/' ||
        !text_file_read(config->pid_file, &text))
        return -1;
    pid = (pid_t)strtol(text, NULL, 10);
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    return pid > 1 && readlink(link, program, sizeof program - 1) > 0 &&
                   strncmp(program, SSHD, strlen(SSHD)) == 0
               ? pid
               : -1;
}

/* The address that sshd listens on, as ssh(1) takes it. */
static void find_address(const struct sshd_config *config, char host[PATH_MAX], const char **port)
{
    const char *address = config->address != NULL ? config->address : "";
    const char *colon = strrchr(address, ':');
    size_t length = colon != NULL ? (size_t)(colon - address) : 0;

    if (*address == '[' && length >= 2) {
        address++;
        length -= 2;
    }
    snprintf(host, PATH_MAX, "%.*s", (int)length, address);
    if (length == 0 || strcmp(host, "0.0.0.0") == 0)
        snprintf(host, PATH_MAX, "127.0.0.1");
    else if (strcmp(host, "::") == 0)
        snprintf(host, PATH_MAX, "::1");
    *port = colon != NULL ? colon + 1 : config->port;
}

/* Connects as USER, who need not be there, and without a key or a password: sshd says then which
 * methods it offers. The last line that ssh(1) prints is in *RET_SAID, whatever it says. */
static void look(const struct sshd_config *config, const char *user, struct verdict *ret_said)
{
    char host[PATH_MAX];
    const char *arguments[] = { "/usr/bin/ssh",
                                "-p",
                                NULL,
                                "-l",
                                user,
                                "-Fnone",
                                "-oBatchMode=yes",
                                "-oPreferredAuthentications=none",
                                "-oStrictHostKeyChecking=no",
                                "-oUserKnownHostsFile=/dev/null",
                                "-oGlobalKnownHostsFile=/dev/null",
                                "-oLogLevel=ERROR",
                                "-oConnectTimeout=5",
                                "-oControlPath=none",
                                host,
                                "true",
                                NULL };

    find_address(config, host, &arguments[2]);
    run(arguments, ret_said);
}

/* Whether nobody listens where CONFIG says that sshd does. */
static bool is_absent(const struct sshd_config *config)
{
    struct verdict said = { 0 };

    look(config, "nobody", &said);
    return strstr(said.reason, "Connection refused") != NULL;
}

static bool send_hangup(pid_t pid, struct verdict *why_not)
{
    auto_close process = (int)syscall(SYS_pidfd_open, pid, 0);

    return (process >= 0 && syscall(SYS_pidfd_send_signal, process, SIGHUP, NULL, 0) == 0) ||
           refuse(why_not, "cannot reload sshd", strerror(errno));
}

static bool is_booted(void)
{
    return access("/run/systemd/system", F_OK) == 0;
}

/* The unit of a daemon that runs; NULL: there is none. */
static const char *find_unit(void)
{
    static const char *const units[] = { "ssh.service", "sshd.service" };

    for (size_t i = 0; is_booted() && i < sizeof units / sizeof *units; i++)
        if (is_active(units[i]))
            return units[i];
    return NULL;
}

/* By its unit, or by the process of its PidFile. With socket activation a new one reads its
 * files. */
static bool reload(const struct sshd_config *config, struct verdict *why_not)
{
    const char *unit = find_unit();
    const char *const arguments[] = { "/usr/bin/systemctl", "reload", unit, NULL };
    pid_t pid = find_process(config);

    if (unit != NULL)
        return run(arguments, why_not);
    if (pid > 0)
        return send_hangup(pid, why_not);
    return (is_booted() && is_active("ssh.socket")) || is_absent(config) ||
           refuse(why_not, "cannot reload sshd",
                  "it runs, and neither systemd nor its PidFile knows its process");
}

bool sshd_reload(const struct sshd_config *config, struct verdict *why_not)
{
    return is_content(why_not) && reload(config, why_not);
}

/* Lines for a user who is not there: sshd ends the connection with the words TURNED_AWAY, which it
 * says to nobody else. So it has read this very file. No line before sets that keyword: a block in
 * which it was set would count, and all are of one where "Match all" is before the Include. */
static bool add_probe(struct config_file *file, char probe[PROBE_SIZE], struct verdict *why_not)
{
    char match[PROBE_SIZE + sizeof "Match User "];
    const char *const lines[] = { match, "MaxAuthTries 0", NULL };
    unsigned long long number;
    char *new;

    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return refuse(why_not, "getrandom", strerror(errno));
    snprintf(probe, PROBE_SIZE, "twilio-verify-%016llx", number);
    snprintf(match, sizeof match, "Match User %s", probe);
    new = lines_append(file->new, lines);
    if (new == NULL)
        return refuse(why_not, DROP_IN, "out of memory");
    free(file->new);
    file->new = new;
    return true;
}

/* Waits until sshd does with USER what the lines of add_probe() say. */
static bool is_read(const struct sshd_config *config, const char *user, struct verdict *why_not)
{
    struct verdict said = { 0 };
    long pause_ms = FIRST_PAUSE_MS;

    for (int i = 0; i < LOOKS_MAX; i++, pause_ms *= 2) {
        struct timespec pause = { pause_ms / 1000, pause_ms % 1000 * 1000000 };
        nanosleep(&pause, NULL);
        look(config, user, &said);
        if (strstr(said.reason, TURNED_AWAY) != NULL)
            return true;
    }
    return refuse(why_not, "sshd does not offer the new methods after its reload", said.reason);
}

/* What sshd's files mean for a connection as look() makes it. */
static bool read_local(const struct sshd_config *config, struct sshd_config *ret_local,
                       struct verdict *why_not)
{
    char host[PATH_MAX], connection[CONNECTION_SIZE];
    struct verdict reason;
    const char *port;

    find_address(config, host, &port);
    snprintf(connection, sizeof connection,
             "user=nobody,host=%.64s,addr=%.64s,laddr=%.64s,rdomain=,lport=%s", host, host, host,
             port);
    return sshd_config_read_for(connection, ret_local, &reason) ||
           refuse(why_not, SSHD, reason.reason);
}

/* Whether sshd offers the new methods. An option of its command line counts before all files, but
 * for their Match blocks: if such a block is about this connection, nothing can be seen of it. */
static bool is_offered(bool by_key, const struct sshd_config *config, struct verdict *why_not)
{
    const char *offer = by_key ? "denied (publickey)" : "denied (keyboard-interactive)";
    auto_sshd_config local = { 0 };
    struct verdict said = { 0 };

    if (!read_local(config, &local, why_not))
        return false;
    if (strcmp(local.methods, config->methods) != 0 ||
        !(by_key ? local.public_key : local.keyboard_interactive))
        return true;
    look(config, "nobody", &said);
    return strstr(said.reason, offer) != NULL ||
           refuse(why_not, "an option -o of the running sshd counts before " DROP_IN, said.reason);
}

/* A daemon that runs has to listen where it can be looked at. */
static bool is_within_sight(const struct sshd_config *config, bool is_listening,
                            struct verdict *why_not)
{
    return is_listening || (find_unit() == NULL && find_process(config) < 0) ||
           verdict_refuse(why_not, OUTCOME_MISCONFIGURED,
                          "sshd runs, but does not listen on port %s, as sshd_config has it: write "
                          "the Port and ListenAddress that it uses into sshd_config",
                          config->port);
}

bool sshd_return(const struct config_file *file, const struct sshd_config *config,
                 struct verdict *why_not)
{
    struct config_file back = { file->path, file->new, file->old };

    return config_file_write(&back, why_not) && sshd_reload(config, why_not);
}

bool sshd_switch(bool by_key, const struct config_file *file, const struct sshd_config *config,
                 struct verdict *why_not)
{
    auto_config_file probed = { strdup(file->path), NULL, strdup(file->new) };
    struct config_file first = { file->path, file->old, NULL },
                       last = { file->path, NULL, file->new };
    bool is_listening = !is_absent(config);
    char probe[PROBE_SIZE];
    struct verdict reason;

    if (probed.path == NULL || probed.new == NULL)
        return refuse(why_not, DROP_IN, "out of memory");
    if (!is_within_sight(config, is_listening, why_not) || !add_probe(&probed, probe, why_not))
        return false;
    first.new = probed.new;
    last.old = probed.new;
    if (!config_file_write(&first, why_not))
        return false;
    if (sshd_reload(config, why_not) &&
        (!is_listening ||
         (is_read(config, probe, why_not) && is_offered(by_key, config, why_not))) &&
        config_file_write(&last, why_not))
        return true;
    if (!sshd_return(&first, config, &reason))
        verdict_add(why_not, "; and cannot undo the change: %s", reason.reason);
    return false;
}
