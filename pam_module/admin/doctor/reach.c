/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Whether Twilio can be reached. */
#include "reach.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../core/clock.h"
#include "../../core/secret.h"
#include "../../twilio/errors.h"
#include "../../twilio/factor.h"
#include "../desk/terminal.h"
#include "../enroll/tool.h"

/* Certificates last for months: half a step of a code, 30 s, is what already misleads anyone who
 * compares logs. Codes are checked with Twilio's clock. */
enum {
    SKEW_SECONDS_MAX = 15,
    CODE_LIFE_MAX = 90, /* s, of a factor that "enroll" makes */
    HOST_SIZE = 256
};

#define AWAY_REMEDY                                                                                \
    "try again; then see whether a firewall lets this host out, and https://status.twilio.com"

struct reach {
    struct report *report;
    const struct command_call *call;
    const struct settings *settings;
};

/* The host in "SCHEME://HOST:PORT", without the brackets of an address. */
static void take_host(const char *url, char host[HOST_SIZE])
{
    const char *from = strstr(url, "://") + 3;
    size_t length = strcspn(from, ":/");

    if (*from == '[')
        length = strcspn(++from, "]");
    snprintf(host, HOST_SIZE, "%.*s", (int)length, from);
}

static void add_name(const struct reach *reach)
{
    const struct settings *settings = reach->settings;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
    struct addrinfo *list = NULL;
    int64_t began_ms = clock_ms();
    int error;
    char host[HOST_SIZE];

    take_host(settings->proxy != NULL ? settings->proxy : settings->base_url, host);
    if (getaddrinfo(host, NULL, &hints, &list) == 0) {
        freeaddrinfo(list);
        report_add(reach->report, REPORT_OK, "name", NULL, "%s is an address", host);
        return;
    }

    hints.ai_flags = 0;
    error = getaddrinfo(host, NULL, &hints, &list);
    if (error == 0) {
        int count = 0;
        for (const struct addrinfo *item = list; item != NULL; item = item->ai_next)
            count++;
        freeaddrinfo(list);
        report_add(reach->report, REPORT_OK, "name", NULL, "%s has %d %s, found in %d ms", host,
                   count, count == 1 ? "address" : "addresses", (int)(clock_ms() - began_ms));
    } else if (error == EAI_NONAME) {
        report_add(reach->report, REPORT_WRONG, "name",
                   settings->proxy != NULL ? "check proxy" : "check base_url, and /etc/resolv.conf",
                   "no such host: %s", host);
    } else {
        report_add(reach->report, REPORT_AWAY, "name", "check /etc/resolv.conf, and the way out",
                   "cannot resolve %s: %s", host,
                   error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    }
}

static bool open_service(const struct reach *reach, const char *user, const char *path,
                         const char *subject, struct service *ret_service)
{
    auto_secret char *secret = NULL;
    struct http_credentials credentials = { .user = user };
    struct verdict why_not;
    bool is_open = secret_read_line(path, &secret, &why_not);

    credentials.secret = secret;
    is_open = is_open && service_open(reach->settings, &credentials, ret_service, &why_not);
    if (!is_open)
        report_add(reach->report, REPORT_WRONG, subject, NULL, "%s", why_not.reason);
    return is_open;
}

static void add_clock(const struct reach *reach, int64_t date_seconds)
{
    int64_t ahead = (int64_t)time(NULL) - date_seconds;
    int64_t skew = ahead < 0 ? -ahead : ahead;

    if (date_seconds < 0)
        report_add(reach->report, REPORT_NOTE, "clock", NULL, "the reply has no date");
    else if (skew < SKEW_SECONDS_MAX)
        report_add(reach->report, REPORT_OK, "clock", NULL, "%" PRId64 " s from Twilio's", skew);
    else
        report_add(reach->report, REPORT_WARNING, "clock",
                   "timedatectl set-ntp true; compare the phone's clock too",
                   "this host's clock is %" PRId64 " s %s Twilio's. Codes are checked with "
                   "Twilio's, certificates with this one",
                   skew, ahead > 0 ? "ahead of" : "behind");
}

/* No reply. */
static void add_silence(const struct reach *reach, const struct service *service,
                        const struct verdict *why_not)
{
    if (http_is_distrusted(service->http))
        report_add(
            reach->report, REPORT_WRONG, "TLS",
            "check the clock (timedatectl), ca_file and ca_path, and whether a proxy answers "
            "in Twilio's place",
            "%s", why_not->reason);
    else if (why_not->outcome == OUTCOME_UNAVAILABLE)
        report_add(reach->report, REPORT_AWAY, "connection", AWAY_REMEDY, "%s", why_not->reason);
    else
        report_add(reach->report, REPORT_WRONG, "connection", NULL, "%s", why_not->reason);
}

/* A reply that is no success. */
static void add_refusal(const struct reach *reach, const struct service *service,
                        const char *subject, const char *user, const struct verdict *why_not)
{
    if (service->error == ERRORS_NOT_PERMITTED)
        report_add(reach->report, REPORT_NOTE, subject, NULL,
                   "%s is known to Twilio, but may not read the service: it is restricted", user);
    else if (why_not->outcome == OUTCOME_UNAVAILABLE || why_not->outcome == OUTCOME_EXHAUSTED)
        report_add(reach->report, REPORT_AWAY, subject, AWAY_REMEDY, "%s", why_not->reason);
    else
        report_add(reach->report, REPORT_WRONG, subject, NULL, "%s: %s", user, why_not->reason);
}

/* Asks for the service as USER. Whether Twilio answered. */
static bool add_service(const struct reach *reach, struct service *service, const char *subject,
                        const char *user)
{
    struct http_watch watch = tool_watch_of(reach->settings, -1);
    struct verdict why_not;
    bool is_fetched = service_fetch(service, &watch, &why_not);

    if (service->status == 0) {
        add_silence(reach, service, &why_not);
        return false;
    }
    if (is_fetched)
        report_add(reach->report, REPORT_OK, subject, NULL, "%s is known to Twilio, and so is %s",
                   user, reach->settings->service_sid);
    else
        add_refusal(reach, service, subject, user, &why_not);
    return true;
}

/* The key that logins use. Whether Twilio answered. */
static bool add_login_key(const struct reach *reach)
{
    const char *user = service_user(reach->settings);
    struct service service;
    bool is_answered;

    if (!open_service(reach, user, reach->settings->api_key_file, "credentials", &service))
        return false;
    is_answered = add_service(reach, &service, "credentials", user);
    if (is_answered) {
        report_add(reach->report, REPORT_OK, "TLS", NULL,
                   "%s answers, and its certificate is valid", reach->settings->base_url);
        add_clock(reach, service.date_seconds);
    }
    service_close(&service);
    return is_answered;
}

/* What the holder of the API key can change at Twilio. */
static void add_config(const struct reach *reach, const struct factor *factor,
                       const struct enrollment *enrollment, const char *remedy)
{
    const struct factor_config *config = &factor->config;
    int life = (2 * config->skew + 1) * config->time_step;
    bool is_long = life > CODE_LIFE_MAX;

    report_add(
        reach->report, is_long ? REPORT_WARNING : REPORT_OK, "factor", is_long ? remedy : NULL,
        "%s of identity %s is verified; %s, %d digits, %d s, skew %d: a code can be used for "
        "%d s",
        factor->sid, enrollment->identity, config->algorithm, config->code_length,
        config->time_step, config->skew, life);
}

/* Whether Twilio has the factor SID, of the kind that the enrollment says, and verified. */
static bool find_factor(const struct reach *reach, struct service *service,
                        const struct enrollment *enrollment, bool is_push, const char *remedy,
                        struct factor *ret_factor)
{
    const char *subject = is_push ? "push factor" : "factor";
    const char *sid = is_push ? enrollment->push_factor_sid : enrollment->factor_sid;
    struct http_watch watch = tool_watch_of(reach->settings, -1);
    struct verdict why_not;
    enum factor_result result =
        factor_fetch(service, enrollment->identity, sid, &watch, ret_factor, &why_not);

    if (result == FACTOR_ABSENT)
        report_add(reach->report, REPORT_WRONG, subject, remedy,
                   "Twilio knows no factor %s of identity %s", sid, enrollment->identity);
    else if (result != FACTOR_DONE && service->error == ERRORS_NOT_PERMITTED)
        report_add(reach->report, REPORT_NOTE, subject,
                   "use one that may: --api-key-sid, --api-key-file",
                   "the API key may not read factors: whether this one is verified is not known");
    else if (result != FACTOR_DONE)
        report_add(reach->report,
                   why_not.outcome == OUTCOME_UNAVAILABLE ? REPORT_AWAY : REPORT_WRONG, subject,
                   NULL, "%s", why_not.reason);
    else if (ret_factor->is_push != is_push)
        report_add(reach->report, REPORT_WRONG, subject, remedy, "%s is a %s factor", sid,
                   is_push ? "totp" : "push");
    else if (!ret_factor->is_verified)
        report_add(reach->report, REPORT_WRONG, subject, remedy,
                   is_push ? "%s is not verified: the app has not finished"
                           : "%s was never confirmed by a first code",
                   sid);
    else
        return true;
    return false;
}

static void add_factor(const struct reach *reach, struct service *service,
                       const struct enrollment *enrollment)
{
    struct terminal_command remedy =
        terminal_command("twilio-verify enroll --replace", enrollment->user);
    struct factor factor;

    if (!find_factor(reach, service, enrollment, false, remedy.text, &factor))
        return;
    if (factor.config.code_length != 0 && factor.config.code_length != reach->settings->code_length)
        report_add(reach->report, REPORT_WRONG, "factor", remedy.text,
                   "the codes of %s have %d digits, code_length is %d", factor.sid,
                   factor.config.code_length, reach->settings->code_length);
    else
        add_config(reach, &factor, enrollment, remedy.text);
}

static void add_push_factor(const struct reach *reach, struct service *service,
                            const struct enrollment *enrollment)
{
    struct terminal_command remedy = terminal_command(
        "let the app make one; then: twilio-verify enroll --push-factor YF...", enrollment->user);
    struct factor factor;

    if (find_factor(reach, service, enrollment, true, remedy.text, &factor))
        report_add(reach->report, REPORT_OK, "push factor", NULL, "%s of identity %s is verified",
                   factor.sid, enrollment->identity);
}

/* The key for enrolling, where it is another one; and the user's factor. */
static void add_admin_key(const struct reach *reach, const struct enrollment *enrollment)
{
    const char *user, *path;
    struct service service;
    struct verdict why_not;

    if (!tool_key(reach->call, reach->settings, &user, &path, &why_not)) {
        report_add(reach->report, REPORT_WRONG, "admin's key", NULL, "%s", why_not.reason);
        return;
    }
    if (strcmp(path, reach->settings->api_key_file) == 0 && enrollment == NULL)
        return;
    if (!open_service(reach, user, path, "admin's key", &service))
        return;
    if (strcmp(path, reach->settings->api_key_file) != 0)
        add_service(reach, &service, "admin's key", user);
    if (enrollment != NULL && enrollment->factor_sid != NULL)
        add_factor(reach, &service, enrollment);
    if (enrollment != NULL && enrollment->push_factor_sid != NULL)
        add_push_factor(reach, &service, enrollment);
    service_close(&service);
}

bool reach_add(struct report *report, const struct command_call *call,
               const struct settings *settings, const struct enrollment *enrollment)
{
    const struct reach reach = { report, call, settings };

    add_name(&reach);
    if (!add_login_key(&reach))
        return false;
    add_admin_key(&reach, enrollment);
    return true;
}
