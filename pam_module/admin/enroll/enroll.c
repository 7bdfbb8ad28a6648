/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* "enroll USER": makes a factor, shows it, takes its first code, writes the enrollment. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "../../core/enrollment.h"
#include "../../core/text.h"
#include "../../core/userfile.h"
#include "../desk/terminal.h"
#include "confirm.h"
#include "import.h"
#include "push-factor.h"
#include "qr.h"

enum { UUID_BYTES = 16, GROUP = 4, LABEL_MAX = 64 };

/* A random UUID (RFC 9562 section 5.4), lower case. */
static bool make_identity(char identity[USERS_IDENTITY_SIZE])
{
    unsigned char bytes[UUID_BYTES];
    char *end = identity;

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    bytes[6] = 0x40 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    for (size_t i = 0; i < sizeof bytes; i++)
        end += sprintf(end, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    return true;
}

/* Whether what was asked for makes sense before anything is opened. */
static bool is_sensible(const struct command_call *call)
{
    const char *user = call->operands[0];
    const char *identity = command_value(call, "identity");
    const char *label = command_value(call, "name");
    const struct passwd *account;

    if (identity != NULL && !enrollment_is_identity(identity)) {
        terminal_say("--identity must be 8 to 64 letters, digits and dashes");
        return false;
    }
    if (label != NULL &&
        (*label == '\0' || strlen(label) > LABEL_MAX || !text_is_clean(label, strlen(label)))) {
        terminal_say("--name must be 1 to %d bytes of UTF-8", LABEL_MAX);
        return false;
    }
    if (command_value(call, "import") != NULL &&
        (label != NULL || command_value(call, "uri-only") != NULL)) {
        terminal_say("--import shows nothing to scan: leave out --name and --uri-only");
        return false;
    }
    if (command_value(call, "push-factor") != NULL && !push_factor_is_sensible(call))
        return false;
    if (command_value(call, "no-nss-check") != NULL)
        return true;
    errno = 0;
    account = getpwnam(user);
    if (account == NULL)
        terminal_say(
            "there is no account \"%s\"%s%s: is it misspelt? --no-nss-check enrolls anyway", user,
            errno != 0 ? ", or the lookup failed: " : "", errno != 0 ? strerror(errno) : "");
    else if (strcmp(account->pw_name, user) != 0)
        terminal_say("\"%s\" is another spelling of the account %s: enroll %s, which works for "
                     "both names",
                     user, account->pw_name, account->pw_name);
    return account != NULL && strcmp(account->pw_name, user) == 0;
}

/* The identity to use: the one that was asked for, that of the factor to replace, or a new one. */
static bool choose_identity(const struct command_call *call, const struct tool *tool,
                            struct users_record *ret_record)
{
    const char *user = call->operands[0], *identity = command_value(call, "identity");
    struct users_record enrolled;
    struct verdict why_not;
    enum users_found found = users_read(&tool->users, USERS_ENROLLED, user, &enrolled, &why_not);

    if (found == USERS_REFUSED) {
        tool_refuse(&why_not, "cannot read the existing enrollment");
        return false;
    }
    if (found == USERS_FOUND && command_value(call, "replace") == NULL) {
        terminal_say("%s is enrolled: --replace gives a new factor, and deletes the old one once "
                     "the new one works",
                     user);
        return false;
    }
    *ret_record = (struct users_record){ 0 };
    if (identity != NULL || found == USERS_FOUND) {
        snprintf(ret_record->identity, sizeof ret_record->identity, "%s",
                 identity != NULL ? identity : enrolled.identity);
        if (found == USERS_FOUND && strcmp(ret_record->identity, enrolled.identity) == 0)
            memcpy(ret_record->push_factor_sid, enrolled.push_factor_sid,
                   sizeof enrolled.push_factor_sid);
    } else if (!make_identity(ret_record->identity)) {
        terminal_say("cannot get random numbers for an identity: %s", strerror(errno));
        return false;
    }
    return true;
}

/* Puts a label of our own into the address for the app, of which Twilio learns nothing: who uses
 * it. */
static void set_label(struct factor_seed *seed, const char *label)
{
    char clean[LABEL_MAX + 1], value[3 * LABEL_MAX + 1], uri[FACTOR_URI_SIZE];
    const char *query = strchr(seed->uri, '?');
    const char *issuer = query != NULL ? strstr(query, "issuer=") : NULL;
    int length;

    issuer = issuer != NULL ? issuer + strlen("issuer=") : "";
    length = (int)strcspn(issuer, "&");
    terminal_clean(label, clean, sizeof clean);
    service_print_value(clean, value, sizeof value);
    if (query != NULL && snprintf(uri, sizeof uri, "otpauth://totp/%.*s%s%s%s", length, issuer,
                                  length > 0 ? ":" : "", value, query) < FACTOR_URI_SIZE)
        memcpy(seed->uri, uri, sizeof uri);
    explicit_bzero(uri, sizeof uri);
}

/* From here on whatever happens is in the pending file. */
static enum command_status create(const struct command_call *call, struct tool *tool,
                                  const struct seed *imported, struct users_record *record,
                                  struct factor_seed *ret_seed)
{
    const char *user = call->operands[0], *label = command_value(call, "name");
    const struct factor_config usual = { "sha1", tool->settings->code_length, 30, 1 };
    struct factor factor;
    struct verdict why_not;

    if (!users_write(&tool->users, USERS_PENDING, user, record, &why_not))
        return tool_refuse(&why_not, "nothing was made at Twilio");
    if (factor_create(&tool->service, record->identity,
                      imported != NULL ? &imported->config : &usual,
                      imported != NULL ? imported->secret : NULL, tool_watch(tool), &factor,
                      ret_seed, &why_not) != FACTOR_DONE) {
        struct verdict ignored;
        if (tool->service.is_unsent)
            users_drop(&tool->users, USERS_PENDING, user, USERFILE_ENROLLMENT, &ignored);
        return tool_refuse(&why_not, "could not create the factor");
    }
    if (imported == NULL)
        set_label(ret_seed, label != NULL ? label : user);
    snprintf(record->factor_sid, sizeof record->factor_sid, "%s", factor.sid);
    if (!users_write(&tool->users, USERS_PENDING, user, record, &why_not))
        return tool_refuse(&why_not, "the factor was created, but could not be recorded");
    return COMMAND_OK;
}

/* In groups of four, to be typed in. */
static void print_secret(const char *secret)
{
    printf("\nScan this code with the authenticator app.\nWithout a camera: ");
    for (size_t i = 0; secret[i] != '\0'; i++)
        printf("%s%c", i > 0 && i % GROUP == 0 ? " " : "", secret[i]);
    printf("\n\n");
}

/* Whether it can be seen. */
static bool show(const struct factor_seed *seed)
{
    const struct qr_canvas canvas = qr_canvas_of(stdout);

    print_secret(seed->secret);
    if (!qr_draw(seed->uri, &canvas, stdout))
        printf("The terminal is too small for the QR code: enlarge it and enroll again, or use the "
               "address in it:\n%s\n",
               seed->uri);
    return fflush(stdout) == 0;
}

/* For somebody who is elsewhere. Whether it can be seen. */
static bool hand_over(const struct factor_seed *seed, const char *user)
{
    if (puts(seed->uri) < 0 || fflush(stdout) != 0)
        return false;
    terminal_say("send %s this address by a safe way, then run: twilio-verify confirm %s", user,
                 terminal_word(user).text);
    return true;
}

/* Nothing half-made stays behind without being told of. */
static enum command_status give_up(struct tool *tool, const char *user, enum command_status status)
{
    enum command_status cleaned = status;

    if (tool_clean(tool, USERS_PENDING, user, &cleaned))
        terminal_say("%s: nothing was changed, and nothing is left at Twilio", user);
    return status;
}

/* Twilio's clock decides, by its last reply; this host's may be off. */
static enum command_status confirm_seed(struct tool *tool, const char *user,
                                        const struct users_record *record, const struct seed *seed,
                                        enum confirm_end *ret_end)
{
    int64_t date_seconds = tool->service.date_seconds;
    char code[SEED_CODE_SIZE];
    enum command_status status;

    if (!seed_code(seed, date_seconds >= 0 ? date_seconds : time(NULL), code)) {
        terminal_say("cannot make a code from the seed");
        return COMMAND_WRONG;
    }
    status = confirm_code(tool, user, record, code, ret_end);
    explicit_bzero(code, sizeof code);
    return status;
}

/* IMPORTED of NULL: Twilio makes the seed, which is shown. */
static enum command_status enroll(const struct command_call *call, struct tool *tool,
                                  const struct seed *imported)
{
    const char *user = call->operands[0];
    struct users_record record, pending;
    struct verdict why_not;
    struct factor_seed seed = { 0 };
    enum command_status status = COMMAND_WRONG;
    enum confirm_end end = CONFIRM_WAITING;

    /* What an earlier call could not finish. */
    if (!choose_identity(call, tool, &record))
        return status;
    if (users_read(&tool->users, USERS_PENDING, user, &pending, &why_not) == USERS_FOUND)
        terminal_say("deletes an earlier pending factor of %s: its address stops working", user);
    if (!tool_clean(tool, USERS_PENDING, user, &status) ||
        !tool_clean(tool, USERS_FORMER, user, &status))
        return status;

    status = create(call, tool, imported, &record, &seed);
    if (status == COMMAND_OK && imported != NULL)
        status = confirm_seed(tool, user, &record, imported, &end);
    else if (status == COMMAND_OK && command_value(call, "uri-only") != NULL)
        status = hand_over(&seed, user) ? COMMAND_OK : COMMAND_WRONG;
    else if (status == COMMAND_OK)
        status = show(&seed) ? confirm_factor(tool, user, &record, &end) : COMMAND_WRONG;
    explicit_bzero(&seed, sizeof seed);
    return status == COMMAND_OK || end == CONFIRM_ENROLLED ? status : give_up(tool, user, status);
}

/* With the seed of a file, before anything is made. */
static enum command_status import(const struct command_call *call, struct tool *tool)
{
    struct import import;
    enum command_status status;

    if (!import_open(command_value(call, "import"), call->operands[0], tool->settings->code_length,
                     &import))
        return COMMAND_WRONG;
    status = enroll(call, tool, &import.seed);
    if (status == COMMAND_OK)
        import_offer_removal(&import, call->operands[0]);
    import_close(&import);
    return status;
}

static enum command_status run(const struct command_call *call)
{
    auto_tool tool = TOOL_NONE;

    if (!is_sensible(call))
        return COMMAND_USAGE;
    if (!tool_open(call, call->operands[0], &tool))
        return COMMAND_WRONG;
    if (command_value(call, "push-factor") != NULL)
        return push_factor_enroll(call, &tool);
    return command_value(call, "import") != NULL ? import(call, &tool) : enroll(call, &tool, NULL);
}

const struct command enroll_command = {
    .name = "enroll",
    .operands = "USER",
    .summary = "Enrolls USER: shows a QR code for the authenticator app",
    .options = {
        { "identity", "ID", "the identity at Twilio; a new random one by default" },
        { "name", "LABEL", "what the app shows beside the code; the user's name by default" },
        { "replace", NULL, "give an enrolled user a new factor, then delete the old one" },
        { "import", "FILE", "take the seed of FILE, for an app that has it; -: standard input" },
        { "push-factor", "SID", "take the push factor that USER's app has made" },
        { "uri-only", NULL, "print only the otpauth address; \"confirm\" finishes later" },
        { "no-nss-check", NULL, "USER need not have an account" },
        TOOL_OPTIONS,
    },
    .run = run,
};
