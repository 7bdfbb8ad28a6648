/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A password with a code at its end. */
#include "split.h"

#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/clock.h"

#define NAME "pam_twilio_verify.split"

int split_parse(const char *argument)
{
    static const char name[] = "split=";
    const char *digit = argument + strlen(name);

    if (strncmp(argument, name, strlen(name)) != 0 || *digit < '1' ||
        *digit > '0' + SPLIT_LENGTH_MAX || digit[1] != '\0')
        return 0;
    return *digit - '0';
}

struct kept {
    int64_t kept_ms;
    char code[SPLIT_SIZE]; /* "": there was none */
    char user[];
};

/* A destructor of pam_set_data(3). */
static void wipe(pam_handle_t *pamh, void *data, int status)
{
    struct kept *kept = data;

    (void)pamh;
    (void)status;
    if (kept != NULL)
        explicit_bzero(kept, sizeof *kept);
    free(kept);
}

/* Replaces what was kept. */
static int keep(pam_handle_t *pamh, const char *user, const char *code)
{
    size_t size = strlen(user) + 1;
    struct kept *kept = calloc(1, sizeof *kept + size);
    int status;

    if (kept == NULL)
        return PAM_BUF_ERR;
    kept->kept_ms = clock_ms();
    snprintf(kept->code, sizeof kept->code, "%s", code);
    memcpy(kept->user, user, size);

    status = pam_set_data(pamh, NAME, kept, wipe);
    if (status != PAM_SUCCESS)
        wipe(pamh, kept, status);
    return status;
}

/* An earlier try may have ended before the later line. */
static void forget(pam_handle_t *pamh)
{
    const void *data = NULL;

    if (pam_get_data(pamh, NAME, &data) == PAM_SUCCESS && data != NULL)
        pam_set_data(pamh, NAME, NULL, NULL);
}

/* The code at the end of PASSWORD; "": there is none, or nothing before it. */
static const char *find_code(const char *password, size_t length)
{
    const char *end = password + strlen(password);
    const char *code = end - length;

    if ((size_t)(end - password) <= length || strspn(code, "0123456789") != length)
        return end;
    return code;
}

/* Makes what is before CODE the password. */
static int cut(pam_handle_t *pamh, const char *password, const char *code)
{
    size_t size = (size_t)(code - password);
    char *rest = strndup(password, size);
    int status;

    if (rest == NULL)
        return PAM_BUF_ERR;
    status = pam_set_item(pamh, PAM_AUTHTOK, rest);
    explicit_bzero(rest, size);
    free(rest);
    return status;
}

int split_cut(pam_handle_t *pamh, const char *user, int length)
{
    const char *password = NULL;
    const char *code;
    int status;

    forget(pamh);
    status = pam_get_authtok(pamh, PAM_AUTHTOK, &password, SPLIT_PROMPT);
    if (status != PAM_SUCCESS)
        return status;
    if (password == NULL)
        return PAM_SYSTEM_ERR;

    code = find_code(password, (size_t)length);
    status = keep(pamh, user, code);
    if (status == PAM_SUCCESS && *code != '\0')
        status = cut(pamh, password, code);
    if (status == PAM_SUCCESS)
        return PAM_IGNORE;
    forget(pamh);
    return status;
}

enum split split_take(pam_handle_t *pamh, const char *user, char ret_code[SPLIT_SIZE])
{
    const void *data = NULL;
    const struct kept *kept;
    enum split split = SPLIT_NONE;

    if (pam_get_data(pamh, NAME, &data) != PAM_SUCCESS || data == NULL)
        return SPLIT_NONE;
    kept = data;
    if (strcmp(kept->user, user) == 0 && clock_ms() - kept->kept_ms < SPLIT_LIFETIME_MS) {
        split = *kept->code != '\0' ? SPLIT_CODE : SPLIT_NO_CODE;
        memcpy(ret_code, kept->code, SPLIT_SIZE);
    }
    forget(pamh);
    return split;
}
