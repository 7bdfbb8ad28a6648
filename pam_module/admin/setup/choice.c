/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The Verify service. */
#include "choice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../core/text.h"
#include "../../twilio/errors.h"
#include "../desk/terminal.h"
#include "../enroll/tool.h"
#include "answers.h"

enum { ANSWER_SIZE = 512, QUESTION_SIZE = 200, TRIES_MAX = 5, SKEW_SECONDS_MAX = 15 };

/* The services of the account. */
struct services {
    struct services_row rows[SERVICES_MAX];
    size_t count;
};

static void say_clock(int64_t date_seconds)
{
    int64_t ahead = (int64_t)time(NULL) - date_seconds;

    if (date_seconds >= 0 && llabs(ahead) >= SKEW_SECONDS_MAX)
        terminal_say("this host's clock is %lld s %s Twilio's: timedatectl set-ntp true",
                     llabs(ahead), ahead > 0 ? "ahead of" : "behind");
}

/* Says why a request failed, and what may help. Returns false. */
static bool refuse(const struct setup *setup, const struct verdict *why_not, const char *doing,
                   enum command_status *ret_status)
{
    *ret_status = tool_refuse(why_not, doing);
    if (http_is_distrusted(setup->service.http))
        terminal_say("check the clock (timedatectl), ca_file and ca_path, and whether a proxy "
                     "answers in Twilio's place");
    say_clock(setup->service.date_seconds);
    return false;
}

/* Whether a service that was listed or made is the account's. */
static bool is_ours(const struct setup *setup, const struct services_row *row)
{
    if (strcasecmp(row->account_sid, setup->account_sid) == 0)
        return true;
    terminal_say("the key %s belongs to the account %s, not to %s: check both SIDs",
                 service_user(setup->settings), row->account_sid, setup->account_sid);
    return false;
}

/* *RET_IS_PERMITTED says whether the key may list. */
static bool list(struct setup *setup, struct services *services, bool *ret_is_permitted,
                 enum command_status *ret_status)
{
    struct http_watch watch = tool_watch_of(setup->settings, setup->signals);
    struct verdict why_not;
    bool is_listed =
        services_list(&setup->service, &watch, services->rows, &services->count, &why_not);

    *ret_is_permitted = setup->service.error != ERRORS_NOT_PERMITTED;
    if (!is_listed && *ret_is_permitted)
        return refuse(setup, &why_not, "cannot list the Verify services", ret_status);
    if (!is_listed)
        return true;
    say_clock(setup->service.date_seconds);
    if (setup->is_new)
        terminal_say(
            "this key may do more than logins need: consider a restricted one, and another "
            "one for enrolling; twilio-verify.conf(5), THE GROUP admin");
    *ret_status = COMMAND_WRONG;
    return services->count == 0 || is_ours(setup, &services->rows[0]);
}

/* Takes SID if Twilio knows it, or if the key may not read services. */
static bool take(struct setup *setup, const char *sid, enum command_status *ret_status)
{
    struct http_watch watch = tool_watch_of(setup->settings, setup->signals);
    struct verdict why_not;
    struct settings settings = *setup->settings;
    bool is_known;

    settings.service_sid = (char *)sid;
    setup->service.settings = &settings;
    is_known = service_fetch(&setup->service, &watch, &why_not);
    setup->service.settings = setup->settings;
    if (!is_known && setup->service.error == ERRORS_NOT_PERMITTED)
        terminal_say("the API key is known to Twilio, but may not read services: whether %s exists "
                     "is not checked",
                     sid);
    else if (!is_known)
        return refuse(setup, &why_not, sid, ret_status);
    else
        say_clock(setup->service.date_seconds);
    if (sid != setup->service_sid)
        snprintf(setup->service_sid, sizeof setup->service_sid, "%s", sid);
    return true;
}

/* Makes a service; one in another account than was said is deleted again. */
static bool make(struct setup *setup, const char *name, enum command_status *ret_status)
{
    struct http_watch watch = tool_watch_of(setup->settings, -1);
    struct services_row row;
    struct verdict why_not;

    *ret_status = COMMAND_WRONG;
    if (setup->is_dry) {
        terminal_say("would make a Verify service with the name %s", name);
        *setup->service_sid = '\0';
        return true;
    }
    if (!services_create(&setup->service, &watch, name, &row, &why_not)) {
        if (setup->service.status == 0 && why_not.outcome == OUTCOME_UNAVAILABLE)
            terminal_say("the service may exist now: run setup again, which lists it");
        return refuse(setup, &why_not, "cannot make a Verify service", ret_status);
    }
    setup->is_made = true;
    snprintf(setup->service_sid, sizeof setup->service_sid, "%s", row.sid);
    terminal_say("made the Verify service %s, %s: codes of %d digits, 30 s each", row.sid, name,
                 setup->settings->code_length);
    return is_ours(setup, &row);
}

/* NAME as Twilio's replies are read: bytes above 0x7f as %XX. */
static bool is_called(const struct services_row *row, const char *name)
{
    char spelt[SERVICES_NAME_SIZE] = "";
    size_t end = 0;

    for (; *name != '\0' && end + 4 < sizeof spelt; name++)
        end += (size_t)sprintf(spelt + end, (unsigned char)*name < 0x80 ? "%c" : "%%%02X",
                               (unsigned char)*name);
    return strcmp(row->name, spelt) == 0;
}

static bool is_name(const char *name)
{
    size_t length = strlen(name);

    if (length > 0 && length <= SERVICES_NAME_MAX && text_is_clean(name, length))
        return true;
    terminal_say("the name of a service has 1 to %d bytes of UTF-8", SERVICES_NAME_MAX);
    return false;
}

/* The service called NAME, or a new one. */
static bool take_named(struct setup *setup, const struct services *services, const char *name,
                       enum command_status *ret_status)
{
    const struct services_row *found = NULL;

    for (size_t i = 0; i < services->count; i++) {
        if (!is_called(&services->rows[i], name))
            continue;
        if (found != NULL) {
            terminal_say("%s and %s are both called %s: choose one with --service-sid", found->sid,
                         services->rows[i].sid, name);
            return false;
        }
        found = &services->rows[i];
    }
    if (found == NULL)
        return make(setup, name, ret_status);
    snprintf(setup->service_sid, sizeof setup->service_sid, "%s", found->sid);
    return true;
}

/* The name of this host without its domain, for a service that nobody gave a name. A name server
 * may have given it: a name that could not be typed here is not shown. */
static void print_host(char name[SERVICES_NAME_MAX + 1])
{
    bool is_known = gethostname(name, SERVICES_NAME_MAX + 1) == 0;

    name[SERVICES_NAME_MAX] = '\0';
    name[strcspn(name, ".")] = '\0';
    if (!is_known || *name == '\0' || !text_is_clean(name, strlen(name)))
        snprintf(name, SERVICES_NAME_MAX + 1, "Linux");
}

static void show(const struct services *services)
{
    if (services->count == 0)
        terminal_say("this account has no Verify service");
    for (size_t i = 0; i < services->count; i++)
        fprintf(stderr, "%5zu  %s  %s\n", i + 1, services->rows[i].sid, services->rows[i].name);
}

/* What Enter takes: the present one, else the first one, else a new one for this host. */
static void print_default(const struct setup *setup, const struct services *services,
                          char text[QUESTION_SIZE])
{
    if (*setup->service_sid != '\0')
        snprintf(text, QUESTION_SIZE, "%s", setup->service_sid);
    else if (services->count > 0)
        snprintf(text, QUESTION_SIZE, "1");
    else
        print_host(text);
}

static bool is_number(const char *answer)
{
    return answer[strspn(answer, "0123456789")] == '\0';
}

/* A number beside a list is no name: a slip would make a service. */
static bool is_answer(const struct services *services, const char *answer)
{
    size_t number = strtoul(answer, NULL, 10);

    if (services->count == 0 || !is_number(answer))
        return text_is_sid(answer, "VA") || is_name(answer);
    if (number == 0 || number > services->count)
        terminal_say("the list has no number %s: type 1 to %zu, or a name", answer,
                     services->count);
    return number > 0 && number <= services->count;
}

/* A number of the list, a SID, or the name of a new service. */
static bool take_answer(struct setup *setup, const struct services *services, const char *answer,
                        enum command_status *ret_status)
{
    if (services->count > 0 && is_number(answer))
        answer = services->rows[strtoul(answer, NULL, 10) - 1].sid;
    if (text_is_sid(answer, "VA"))
        return take(setup, answer, ret_status);
    return make(setup, answer, ret_status);
}

static bool ask(struct setup *setup, const struct services *services,
                enum command_status *ret_status)
{
    char answer[ANSWER_SIZE], question[QUESTION_SIZE], otherwise[QUESTION_SIZE];

    show(services);
    print_default(setup, services, otherwise);
    snprintf(question, sizeof question, "%s [%.*s]: ",
             services->count > 0 ? "A number, or the name of a new service"
                                 : "The name of a new one, which apps show beside the code",
             SETUP_SID_SIZE, otherwise);
    *ret_status = COMMAND_WRONG;
    for (int i = 0; i < TRIES_MAX && terminal_ask(question, answer, sizeof answer); i++) {
        const char *word = *answer != '\0' ? answer : otherwise;
        if (is_answer(services, word))
            return take_answer(setup, services, word, ret_status);
    }
    return false;
}

/* Without a person. */
static bool decide(struct setup *setup, const struct services *services,
                   enum command_status *ret_status)
{
    char name[SERVICES_NAME_MAX + 1];

    if (services->count > 1) {
        show(services);
        terminal_say("there are several Verify services: choose one with --service-sid");
        *ret_status = COMMAND_USAGE;
        return false;
    }
    if (services->count == 1)
        return take(setup, services->rows[0].sid, ret_status);
    print_host(name);
    return make(setup, name, ret_status);
}

/* A key that may not list services. */
static bool take_unlisted(struct setup *setup, enum command_status *ret_status)
{
    terminal_say("the API key may not list the Verify services");
    return answers_take_service(setup, ret_status) && take(setup, setup->service_sid, ret_status);
}

bool choice_make(struct setup *setup, enum command_status *ret_status)
{
    const char *sid = command_value(setup->call, "service-sid");
    const char *name = command_value(setup->call, "issuer");
    struct services services = { .count = 0 };
    bool is_permitted;

    *ret_status = COMMAND_USAGE;
    if (name != NULL && !is_name(name))
        return false;
    if (sid != NULL)
        return answers_take_service(setup, ret_status) &&
               take(setup, setup->service_sid, ret_status);
    if (name == NULL && !setup->is_asking && *setup->service_sid != '\0')
        return take(setup, setup->service_sid, ret_status);
    if (!list(setup, &services, &is_permitted, ret_status))
        return false;
    if (!is_permitted)
        return take_unlisted(setup, ret_status);
    if (name != NULL)
        return take_named(setup, &services, name, ret_status);
    return setup->is_asking ? ask(setup, &services, ret_status)
                            : decide(setup, &services, ret_status);
}

void choice_undo(struct setup *setup)
{
    struct verdict why_not;

    if (!setup->is_made)
        return;
    struct http_watch watch = tool_watch_of(setup->settings, -1);
    if (services_remove(&setup->service, &watch, setup->service_sid, &why_not))
        terminal_say("deleted the Verify service %s again", setup->service_sid);
    else
        terminal_say("the Verify service %s remains at Twilio: %s", setup->service_sid,
                     why_not.reason);
}
