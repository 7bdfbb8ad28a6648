/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Compares credentials. */
#include "credentials.h"

#include <stdio.h>
#include <string.h>

bool credentials_add(struct credentials *credentials, const char *user, const char *secret)
{
    if (credentials->count == CREDENTIALS_MAX || strlen(user) >= CREDENTIAL_SIZE_MAX ||
        strlen(secret) >= CREDENTIAL_SIZE_MAX)
        return false;

    snprintf(credentials->list[credentials->count].user, CREDENTIAL_SIZE_MAX, "%s", user);
    snprintf(credentials->list[credentials->count].secret, CREDENTIAL_SIZE_MAX, "%s", secret);
    credentials->count++;
    return true;
}

/* 0: they are the same. The time depends on no content: both are buffers of the whole size. */
static unsigned credentials_differ(const char *left, const char *right)
{
    unsigned difference = 0;

    for (size_t i = 0; i < CREDENTIAL_SIZE_MAX; i++)
        difference |= (unsigned char)(left[i] ^ right[i]);
    return difference;
}

bool credentials_accept(const struct credentials *credentials, const char *user, const char *secret)
{
    char given_user[CREDENTIAL_SIZE_MAX] = "", given_secret[CREDENTIAL_SIZE_MAX] = "";
    bool is_accepted = false;

    if (user == NULL || secret == NULL || strlen(user) >= sizeof(given_user) ||
        strlen(secret) >= sizeof(given_secret))
        return false;

    strcpy(given_user, user);
    strcpy(given_secret, secret);
    for (unsigned i = 0; i < credentials->count; i++)
        is_accepted |= (credentials_differ(credentials->list[i].user, given_user) |
                        credentials_differ(credentials->list[i].secret, given_secret)) == 0;
    explicit_bzero(given_secret, sizeof(given_secret));
    return is_accepted;
}

void credentials_free(struct credentials *credentials)
{
    explicit_bzero(credentials, sizeof(*credentials));
}
