/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The table of commands. */
#include "command.h"

#include "challenge-json.h"
#include "memory.h"
#include "route.h"

#include <json-c/json_object.h>
#include <string.h>

struct command {
    const char *name;
    const char *arguments;
    const char *meaning;
    bool (*run)(struct emulator *emulator, char *arguments, FILE *reply, struct reason *why_not);
};

/* Cuts the first word off *rest. An empty string when none is left. */
static char *command_next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " ");
    char *end = word + strcspn(word, " ");

    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static bool command_clock(struct emulator *emulator, char *arguments, FILE *reply,
                          struct reason *why_not)
{
    if (arguments[0] != '\0' && !clock_set(&emulator->clock, arguments))
        return reason_refuse(why_not, "clock takes +SECONDS, -SECONDS, =EPOCH or real");

    fprintf(reply, " %lld", (long long)clock_now(&emulator->clock));
    return true;
}

static bool command_set(struct emulator *emulator, char *arguments, FILE *reply,
                        struct reason *why_not)
{
    const char *name = command_next_word(&arguments);

    (void)reply;
    return switches_set(&emulator->switches, name, arguments, why_not);
}

static bool command_fault(struct emulator *emulator, char *arguments, FILE *reply,
                          struct reason *why_not)
{
    (void)reply;
    if (strcmp(arguments, "clear") != 0)
        return faults_add(&emulator->faults, arguments, why_not);

    emulator->faults = (struct faults){ 0 };
    return true;
}

static bool command_stats(struct emulator *emulator, char *arguments, FILE *reply,
                          struct reason *why_not)
{
    struct json_object *object = stats_to_json(&emulator->stats);
    struct json_object *operations = json_object_new_object();
    const char *name = NULL;

    (void)arguments, (void)why_not;
    for (int i = 0; (name = route_operation_name(i)) != NULL; i++)
        json_object_object_add(operations, name,
                               json_object_new_int64((int64_t)emulator->stats.requests[i]));
    json_object_object_add(object, "operations", operations);
    json_object_object_add(object, "objects", json_object_new_int64(emulator->store.objects));
    fprintf(reply, " %s", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
    json_object_put(object);
    return true;
}

static bool command_reset(struct emulator *emulator, char *arguments, FILE *reply,
                          struct reason *why_not)
{
    (void)arguments, (void)reply;
    return emulator_reset(emulator) || reason_refuse(why_not, "no memory");
}

static bool command_forget_limits(struct emulator *emulator, char *arguments, FILE *reply,
                                  struct reason *why_not)
{
    (void)arguments, (void)reply, (void)why_not;
    store_forget_limits(&emulator->store);
    return true;
}

static bool command_expire(struct emulator *emulator, char *arguments, FILE *reply,
                           struct reason *why_not)
{
    struct challenge *challenge = store_find_challenge(&emulator->store, arguments);

    (void)reply;
    if (challenge == NULL)
        return reason_refuse(why_not, "no challenge has that SID");

    challenge->expires = clock_now(&emulator->clock);
    return true;
}

static bool command_challenge(struct emulator *emulator, char *arguments, FILE *reply,
                              struct reason *why_not)
{
    const char *sid = command_next_word(&arguments);
    struct challenge *challenge = store_find_challenge(&emulator->store, sid);

    (void)reply;
    if (challenge == NULL)
        return reason_refuse(why_not, "no challenge has that SID");
    if (!challenge_parse_status(arguments, &challenge->status))
        return reason_refuse(why_not, "a challenge is pending, expired, approved or denied");

    return true;
}

static bool command_factor(struct emulator *emulator, char *arguments, FILE *reply,
                           struct reason *why_not)
{
    const char *sid = command_next_word(&arguments);
    struct factor *factor = store_find_factor(&emulator->store, sid);

    (void)reply;
    if (factor == NULL)
        return reason_refuse(why_not, "no factor has that SID");
    if (strcmp(arguments, "verified") != 0 && strcmp(arguments, "unverified") != 0)
        return reason_refuse(why_not, "a factor is verified or unverified");

    factor->is_verified = strcmp(arguments, "verified") == 0;
    factor->attempts = 0;
    return true;
}

static const struct command commands[] = {
    { "clock", "[+SECONDS|-SECONDS|=EPOCH|real]", "tells, shifts, stops or frees the clock",
      command_clock },
    { "set", "SWITCH VALUE", "sets one of the switches", command_set },
    { "fault", "KIND [on OPERATION] [times N] [after carrying-out]|clear",
      "adds one of the faults, or takes all away", command_fault },
    { "stats", "", "tells counts in JSON", command_stats },
    { "reset", "", "back to the state at the start", command_reset },
    { "forget-limits", "", "counts challenges and factors of an hour and a day anew",
      command_forget_limits },
    { "expire", "CHALLENGE_SID", "ends a challenge's time now", command_expire },
    { "challenge", "SID pending|expired|approved|denied", "sets a challenge's status",
      command_challenge },
    { "factor", "SID verified|unverified", "sets a factor's status and its attempts to 0",
      command_factor },
};

static bool command_find(struct emulator *emulator, char *line, FILE *reply, struct reason *why_not)
{
    const char *name = command_next_word(&line);

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(emulator, line, reply, why_not);
    }
    return reason_refuse(why_not, "there is no such command; --help lists them");
}

void command_run(struct emulator *emulator, char *line, FILE *reply)
{
    struct reason why_not = { 0 };
    auto_free char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    bool is_done = false;

    if (stream == NULL) {
        fprintf(reply, "error no memory\n");
        return;
    }

    pthread_mutex_lock(&emulator->lock);
    is_done = command_find(emulator, line, stream, &why_not);
    pthread_mutex_unlock(&emulator->lock);
    fclose(stream);
    if (is_done)
        fprintf(reply, "ok%s\n", text);
    else
        fprintf(reply, "error %s\n", why_not.text);
}

void command_print_help(FILE *stream)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        fprintf(stream, "  %s %s\n        %s\n", commands[i].name, commands[i].arguments,
                commands[i].meaning);
}
