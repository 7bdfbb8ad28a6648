/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What sshd is configured for. */
#include "sshd-config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../core/descriptor.h"
#include "../desk/child.h"
#include "sshd-text.h"
#include "text-file.h"

#define SSHD "/usr/sbin/sshd"
#define PORT "22"

enum { PORT_SIZE = 8 };

/* A connection that no Match block is about. The user need not be there, and nobody has an address
 * in 240.0.0.0/4 (RFC 1112). */
#define CONNECTION                                                                                 \
    "user=twilio-verify-nobody,host=host.invalid,addr=240.0.0.1,laddr=240.0.0.2,rdomain=,lport="

/* Runs sshd; what it says is in OUTPUT. Whether it is content. */
static bool run(const char *path, const char *connection, int output)
{
    const char *const arguments[] = { SSHD, "-T", "-f", path, "-C", connection, NULL };

    return child_run(arguments, output, NULL) == 0 && lseek(output, 0, SEEK_SET) == 0;
}

/* *WORDS becomes a copy of TEXT, if there was none before. False: out of memory. */
static bool take_words(char **words, const char *text)
{
    if (*words == NULL)
        *words = strdup(text);
    return *words != NULL;
}

/* Whether KEYWORD with VALUE names keys elsewhere than in the two files of ~/.ssh. */
static bool names_other_keys(const char *keyword, const char *value)
{
    static const char usual[] = ".ssh/authorized_keys .ssh/authorized_keys2";

    if (strcmp(keyword, "authorizedkeysfile") == 0)
        return strcmp(value, usual) != 0 && strcmp(value, ".ssh/authorized_keys") != 0;
    return (strcmp(keyword, "authorizedkeyscommand") == 0 ||
            strcmp(keyword, "trustedusercakeys") == 0) &&
           strcmp(value, "none") != 0;
}

static bool take_setting(struct sshd_config *config, const char *keyword, const char *value)
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
        { "kerberosauthentication", &config->kerberos },
    };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flags[i].keyword, keyword) == 0)
            *flags[i].value = strcmp(value, "yes") == 0;
    config->other_keys |= names_other_keys(keyword, value);
    if (strcmp(keyword, "permitrootlogin") == 0) {
        config->is_root_out = strcmp(value, "yes") != 0;
        config->root_by_key = strcmp(value, "without-password") == 0; /* its older name */
    }
    if (strcmp(keyword, "authenticationmethods") == 0)
        return take_words(&config->methods, value);
    if (strcmp(keyword, "pamservicename") == 0)
        return take_words(&config->pam_service, value);
    if (strcmp(keyword, "pidfile") == 0)
        return take_words(&config->pid_file, value);
    if (strcmp(keyword, "listenaddress") == 0) {
        free(config->address);
        config->address = NULL;
        return take_words(&config->address, value);
    }
    return strcmp(keyword, "port") != 0 || take_words(&config->port, value);
}

/* What sshd does not say stands for what it means. */
static bool parse(char *text, struct sshd_config *config)
{
    char *line;

    while ((line = strsep(&text, "\n")) != NULL) {
        char *value = line + strcspn(line, " ");
        if (*value != '\0')
            *value++ = '\0';
        if (!take_setting(config, line, value))
            return false;
    }
    return take_words(&config->methods, "any") && take_words(&config->pam_service, "sshd") &&
           take_words(&config->port, PORT);
}

static bool refuse(struct verdict *why_not, const char *reason)
{
    verdict_refuse(why_not, OUTCOME_MISCONFIGURED, "%s", reason);
    return false;
}

void sshd_config_explain(int output, struct verdict *why_not)
{
    auto_text char *text = NULL;
    char *rest, *line;

    refuse(why_not, "it failed without a message");
    if (lseek(output, 0, SEEK_SET) != 0 || !text_file_read_descriptor(output, &text))
        return;
    for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
        line[strcspn(line, "\r")] = '\0';
        if (*line != '\0' && strstr(line, ": terminating, ") == NULL)
            refuse(why_not, line);
    }
}

/* What sshd makes of the file PATH for CONNECTION. */
static bool ask(const char *path, const char *connection, struct sshd_config *ret_config,
                struct verdict *why_not)
{
    auto_sshd_config config = { 0 };
    auto_text char *text = NULL;
    auto_close output = memfd_create("sshd", MFD_CLOEXEC);

    if (output < 0)
        return refuse(why_not, strerror(errno));
    if (!run(path, connection, output) || !text_file_read_descriptor(output, &text)) {
        sshd_config_explain(output, why_not);
        return false;
    }
    if (!parse(text, &config))
        return refuse(why_not, "out of memory");

    *ret_config = config;
    config = (struct sshd_config){ 0 };
    return true;
}

/* A connection is one to a port that sshd listens on. */
static bool ask_for_port(const char *path, struct sshd_config *ret_config, struct verdict *why_not)
{
    char connection[sizeof CONNECTION + PORT_SIZE] = CONNECTION PORT;
    struct sshd_config config = { 0 };

    if (!ask(path, connection, &config, why_not))
        return false;
    if (strcmp(config.port, PORT) != 0) {
        auto_sshd_config usual = config;
        config = (struct sshd_config){ 0 };
        snprintf(connection, sizeof connection, CONNECTION "%.*s", PORT_SIZE - 1, usual.port);
        if (!ask(path, connection, &config, why_not))
            return false;
    }
    *ret_config = config;
    return true;
}

bool sshd_config_read_for(const char *connection, struct sshd_config *ret_config,
                          struct verdict *why_not)
{
    return ask(SSHD_TEXT_DEFAULT, connection, ret_config, why_not);
}

enum sshd_config_read sshd_config_read(const char *path, const struct overlay *overlay,
                                       const struct sshd_blocks *blocks, int block,
                                       struct sshd_config *ret_config, struct verdict *why_not)
{
    struct sshd_copies copies = { 0 };
    char copy_path[64];
    bool is_read;
    int file;

    if (path == NULL)
        path = SSHD_TEXT_DEFAULT;
    if (access(SSHD, X_OK) != 0)
        return SSHD_CONFIG_ABSENT;
    if (block == SSHD_CONFIG_USUAL && overlay == NULL)
        return ask_for_port(path, ret_config, why_not) ? SSHD_CONFIG_READ : SSHD_CONFIG_REFUSED;
    file = sshd_text_copy(path, overlay, blocks, block, &copies, why_not);
    snprintf(copy_path, sizeof copy_path, "/proc/%d/fd/%d", getpid(), file);
    is_read = file >= 0 && ask_for_port(copy_path, ret_config, why_not);
    sshd_copies_close(&copies);
    return is_read ? SSHD_CONFIG_READ : SSHD_CONFIG_REFUSED;
}

void sshd_config_free(struct sshd_config *config)
{
    free(config->methods);
    free(config->pam_service);
    free(config->port);
    free(config->address);
    free(config->pid_file);
    *config = (struct sshd_config){ 0 };
}
