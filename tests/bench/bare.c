/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What a login costs a plain program on libcurl: one connection, a challenge, its verification.
 *
 *   bench-bare URL USER:SECRET FACTOR_SID CODE     URL: https://HOST/.../Challenges
 *
 * Prints "0" before the first request, then the seconds of each. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_SIZE = 1024, REPLY_SIZE = 64 * 1024 };

struct reply {
    size_t size;
    char text[REPLY_SIZE + 1];
};

static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct reply *reply = context;

    (void)one;
    if (size > REPLY_SIZE - reply->size)
        return 0;
    memcpy(reply->text + reply->size, bytes, size);
    reply->size += size;
    reply->text[reply->size] = '\0';
    return size;
}

static void post(CURL *easy, const char *url, const char *form, struct reply *reply)
{
    double seconds = 0;

    reply->size = 0;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, form);
    if (curl_easy_perform(easy) != CURLE_OK)
        exit(1);
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME, &seconds);
    dprintf(STDOUT_FILENO, "%f ", seconds);
}

static CURL *start(const char *credentials, struct reply *reply)
{
    CURL *easy = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;

    if (easy == NULL)
        exit(1);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, "/etc/ssl/certs");
    curl_easy_setopt(easy, CURLOPT_USERPWD, credentials);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
    return easy;
}

int main(int argc, char **argv)
{
    static struct reply reply;
    char url[TEXT_SIZE], form[TEXT_SIZE];
    const char *sid;
    CURL *easy;

    if (argc != 5) {
        fputs("usage: bench-bare URL USER:SECRET FACTOR_SID CODE\n", stderr);
        return 2;
    }
    easy = start(argv[2], &reply);
    dprintf(STDOUT_FILENO, "0 ");

    snprintf(form, sizeof form, "FactorSid=%s", argv[3]);
    post(easy, argv[1], form, &reply);
    sid = strstr(reply.text, "YC");
    if (sid == NULL)
        return 1;
    snprintf(url, sizeof url, "%s/%.34s", argv[1], sid);
    snprintf(form, sizeof form, "AuthPayload=%s", argv[4]);
    post(easy, url, form, &reply);
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    return strstr(reply.text, "\"approved\"") != NULL ? 0 : 1;
}
