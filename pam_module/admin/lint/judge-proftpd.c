/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether proftpd lets in by something else than PAM: it asks one of its modules after the other
 * until one says yes, and an asterisk makes a module's no the last word (AuthOrder). mod_auth_unix,
 * which finds the account, says nothing more where mod_auth_pam has the last word (tried:
 * 1.3.8). */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "judge.h"
#include "proftpd-config.h"

#define BLANKS " \t\r\""
#define ORDER  "write \"AuthOrder mod_auth_pam.c* mod_auth_unix.c\""

/* What was found in proftpd.conf. */
struct order {
    struct judge *judge;
    bool is_main, is_global; /* there is an AuthOrder for the main server, for all servers */
    unsigned hosts, ordered; /* VirtualHosts, and those that have an AuthOrder of their own */
    unsigned last;           /* the last of those */
};

static void add_wrong(struct order *order, const struct proftpd_config_line *line,
                      const char *remedy, const char *what)
{
    judge_add(order->judge, NULL, REPORT_WRONG, remedy, "%s:%u: %s", line->path, line->number,
              what);
}

/* Whether WORD of LENGTH bytes names MODULE: with or without ".c". */
static bool is_module(const char *word, size_t length, const char *module)
{
    size_t size = strlen(module);

    if (length < size || strncasecmp(word, module, size) != 0)
        return false;
    return length == size || (length == size + 2 && strncmp(word + size, ".c", 2) == 0);
}

static void judge_order_line(struct order *order, const struct proftpd_config_line *line)
{
    bool is_pam = false, has_others = false, is_late = false;
    const char *word = line->value + strspn(line->value, BLANKS);

    for (size_t length; *word != '\0'; word += length + strspn(word + length, BLANKS)) {
        bool is_last_word;
        length = strcspn(word, BLANKS);
        is_last_word = word[length - 1] == '*';
        if (!is_module(word, length - is_last_word, "mod_auth_pam")) {
            has_others = true;
            is_late |= !is_pam && !is_module(word, length - is_last_word, "mod_auth_unix");
        } else if (is_last_word) {
            is_pam = true;
        }
    }
    if (!is_pam)
        add_wrong(order, line, ORDER,
                  "AuthOrder does not give PAM the last word: proftpd lets in without a code");
    else if (is_late)
        add_wrong(order, line, ORDER,
                  "AuthOrder asks others before PAM: proftpd lets in without a code");
    else if (!has_others)
        add_wrong(order, line, ORDER,
                  "AuthOrder finds no account without mod_auth_unix.c: proftpd "
                  "refuses everybody");
}

static void take_order(struct order *order, const struct proftpd_config_line *line)
{
    judge_order_line(order, line);
    if (line->is_conditional)
        return;
    if (line->is_global)
        order->is_global = true;
    else if (line->host == 0)
        order->is_main = true;
    else if (line->host != order->last) {
        order->last = line->host;
        order->ordered++;
    }
}

/* "on", "yes", "true" or "1" */
static bool is_on(const char *value)
{
    static const char *const words[] = { "on", "yes", "true", "1" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncasecmp(value, words[i], strlen(words[i])) == 0 &&
            strchr(BLANKS, value[strlen(words[i])]) != NULL)
            return true;
    return false;
}

static void take_line(const struct proftpd_config_line *line, void *context)
{
    struct order *order = context;
    const char *service = order->judge->check->service;
    size_t length = strcspn(line->value, BLANKS);

    if (strcasecmp(line->keyword, "<VirtualHost") == 0)
        order->hosts++;
    else if (strcasecmp(line->keyword, "AuthOrder") == 0)
        take_order(order, line);
    else if (strcasecmp(line->keyword, "AuthPAM") == 0 && !is_on(line->value))
        add_wrong(order, line, "write \"AuthPAM on\"", "proftpd does not call PAM");
    else if (strcasecmp(line->keyword, "AuthPAMConfig") == 0 &&
             (length != strlen(service) || strncasecmp(line->value, service, length) != 0))
        judge_add(order->judge, NULL, REPORT_WARNING, "check that service as well, by its name",
                  "%s:%u: uses the PAM service \"%.*s\" instead of %s", line->path, line->number,
                  (int)length, line->value, service);
    else if (strcasecmp(line->keyword, "SFTPEngine") == 0 && is_on(line->value))
        judge_add(order->judge, NULL, REPORT_WARNING,
                  "check that this is intended, or leave publickey out of SFTPAuthMethods",
                  "%s:%u: a login by an SFTP key needs no code", line->path, line->number);
}

bool judge_proftpd(struct judge *judge, const char *path)
{
    struct order order = { .judge = judge };
    struct verdict why_not;

    if (access(path, F_OK) != 0) {
        judge_add(judge, NULL, REPORT_NOTE, NULL, "proftpd is not configured: no %s", path);
        return true;
    }
    if (!proftpd_config_read(path, take_line, &order, &why_not)) {
        judge_add(judge, NULL, REPORT_WARNING, NULL,
                  "it is not known what proftpd asks besides PAM: %s", why_not.reason);
        return false;
    }
    if (!order.is_global && !order.is_main)
        judge_add(judge, NULL, REPORT_WRONG, ORDER,
                  "%s: has no AuthOrder: where PAM refuses, the Unix password alone logs in", path);
    if (!order.is_global && order.ordered < order.hosts)
        judge_add(judge, NULL, REPORT_WRONG, ORDER " into <Global>",
                  "%s: %u VirtualHosts have no AuthOrder of their own: where PAM refuses, the Unix "
                  "password alone logs in",
                  path, order.hosts - order.ordered);
    return true;
}
