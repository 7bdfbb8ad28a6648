/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One list of sshd's AuthenticationMethods. */
#include "sshd-list.h"

#include <string.h>

#include "../../core/methods.h"

/* What its methods come to, together. */
struct sum {
    bool is_off;        /* one is off */
    bool is_unknown;    /* one that no sshd on Linux has: it can't be satisfied */
    bool asks;          /* one calls PAM, and lets the module ask */
    bool gives_one;     /* one calls PAM, and gives what was typed as the only answer */
    bool has_own;       /* one is a factor of sshd's */
    bool is_first_ours; /* and the first is not */
    bool is_after;      /* one of "after=" has come */
    bool is_closed;     /* one that calls PAM comes before it, or does not tell sshd's methods */
};

static bool is_method(const char *word, size_t length, const char *method)
{
    return strlen(method) == length && strncmp(word, method, length) == 0;
}

static void add_own(struct sum *sum, bool is_on)
{
    sum->is_off |= !is_on;
    sum->has_own = true;
}

/* By "password" sshd does not tell PAM which methods it has accepted (auth-pam.c). */
static void add_after(struct sum *sum, const char *after, const char *word, size_t length,
                      bool is_asking)
{
    bool gives_one = sum->gives_one && is_method(word, length, "password");

    sum->is_closed |= *after != '\0' && (gives_one || (is_asking && !sum->is_after));
    sum->is_after |= methods_include(after, word, length);
}

static void add_method(struct sum *sum, const char *word, size_t length,
                       const struct sshd_config *config, const char *after)
{
    static const char asking[] = "keyboard-interactive";
    bool is_first = !sum->has_own && !sum->asks && !sum->gives_one;
    bool is_device = length > strlen(asking) && strncmp(word, asking, strlen(asking)) == 0;

    if (is_method(word, length, asking) || is_device) {
        sum->is_off |= !config->keyboard_interactive;
        sum->is_unknown |= is_device && !is_method(word, length, "keyboard-interactive:pam");
        sum->asks = true;
    } else if (is_method(word, length, "password") && config->kerberos) {
        /* Kerberos is asked before PAM, and lets in. */
        add_own(sum, config->password);
    } else if (is_method(word, length, "password")) {
        sum->is_off |= !config->password;
        sum->gives_one = true;
    } else if (is_method(word, length, "none")) {
        /* An empty password, which PAM gets. */
        sum->is_unknown = true;
    } else {
        add_own(sum, is_method(word, length, "publickey")         ? config->public_key
                     : is_method(word, length, "hostbased")       ? config->host_based
                     : is_method(word, length, "gssapi-with-mic") ? config->gssapi
                                                                  : true);
    }
    sum->is_first_ours |= is_first && !sum->has_own;
    add_after(sum, after, word, length, is_method(word, length, asking) || is_device);
}

enum sshd_list_end sshd_list_judge(const char *list, size_t length,
                                   const struct sshd_config *config,
                                   const struct check_stack_answer *stack)
{
    struct sum sum = { 0 };

    for (size_t at = 0, size; at < length; at += size + 1) {
        const char *comma = memchr(list + at, ',', length - at);
        size = comma != NULL ? (size_t)(comma - (list + at)) : length - at;
        add_method(&sum, list + at, size, config, stack->after);
    }
    if (sum.is_off)
        return SSHD_LIST_SKIPPED;
    if (sum.is_unknown)
        return SSHD_LIST_UNKNOWN;
    if (sum.gives_one && stack->has_factor && !stack->has_split)
        return SSHD_LIST_PASSWORD;
    if (sum.is_closed)
        return SSHD_LIST_CLOSED;
    if (!sum.asks && !sum.gives_one)
        return SSHD_LIST_BYPASS;
    if (!stack->has_factor && !sum.has_own)
        return SSHD_LIST_ALONE;
    return !stack->has_factor && sum.is_first_ours ? SSHD_LIST_BACKWARD : SSHD_LIST_ASKS;
}
