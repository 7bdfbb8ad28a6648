/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Sets, counts and applies faults. */
#include "fault.h"

#include "fault-kind.h"
#include "memory.h"
#include "route.h"

#include <stdlib.h>
#include <string.h>

/* A decimal number in the whole of TEXT. */
static bool fault_parse_number(const char *text, unsigned long most, unsigned long *ret_number)
{
    if (text[0] == '\0' || strlen(text) > 9 || text[strspn(text, "0123456789")] != '\0')
        return false;

    unsigned long number = strtoul(text, NULL, 10);

    if (number > most)
        return false;

    *ret_number = number;
    return true;
}

/* NNN[/CODE][-html|-empty|-rfc9457] */
static bool fault_parse_status(const char *argument, struct fault *fault)
{
    char text[32];
    static const struct {
        const char *name;
        enum error_body form;
    } forms[] = { { "html", ERROR_BODY_HTML },
                  { "empty", ERROR_BODY_EMPTY },
                  { "rfc9457", ERROR_BODY_RFC9457 } };
    unsigned long status = 0, code = 0;
    char *form = NULL, *number = NULL;

    if (strlen(argument) >= sizeof(text))
        return false;

    strcpy(text, argument);
    form = strchr(text, '-');
    if (form != NULL) {
        *form++ = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
            if (strcmp(forms[i].name, form) == 0)
                fault->form = (int)forms[i].form;
        }
        if (fault->form < 0)
            return false;
    }
    number = strchr(text, '/');
    if (number != NULL) {
        *number++ = '\0';
        if (!fault_parse_number(number, 999999, &code))
            return false;
    }
    if (!fault_parse_number(text, 599, &status) || status < 200)
        return false;

    fault->number = (unsigned)status;
    fault->code = (int)code;
    fault->carries_out = status < 300;
    return true;
}

/* What stands behind the kind's name. */
static bool fault_parse_argument(const char *text, struct fault *fault)
{
    unsigned long number = 0;

    switch (fault->kind->argument) {
    case FAULT_ARGUMENT_NONE:
        return text[0] == '\0';
    case FAULT_ARGUMENT_STATUS:
        return fault_parse_status(text, fault);
    case FAULT_ARGUMENT_NUMBER:
        if (text[0] != '=' || !fault_parse_number(text + 1, 1000000, &number))
            return false;
        fault->number = (unsigned)number;
        return true;
    case FAULT_ARGUMENT_FIELD:
        if (text[0] != ':' || text[1] == '\0' || strlen(text + 1) >= FAULT_FIELD_SIZE)
            return false;
        strcpy(fault->field, text + 1);
        return true;
    }
    return false;
}

static bool fault_parse_kind(const char *text, struct fault *fault)
{
    for (size_t i = 0; i < fault_kinds_count; i++) {
        size_t length = strlen(fault_kinds[i].name);

        if (strncmp(fault_kinds[i].name, text, length) != 0)
            continue;
        fault->kind = &fault_kinds[i];
        fault->carries_out = !fault->kind->keeps_undone;
        if (fault_parse_argument(text + length, fault))
            return true;
    }
    return false;
}

/* `on OPERATION`, `times N`, `after carrying-out`. */
static bool fault_parse_word(const char *word, const char *value, struct fault *fault,
                             struct reason *why_not)
{
    unsigned long times = 0;

    if (strcmp(word, "on") == 0) {
        if (strcmp(value, "any") != 0 && !route_find_operation(value, &fault->operation))
            return reason_refuse(why_not, "no operation has that name; --help lists them");
        return true;
    }
    if (strcmp(word, "times") == 0) {
        if (!fault_parse_number(value, 1000000, &times) || times == 0)
            return reason_refuse(why_not, "times takes a number from 1");
        fault->times = (long)times;
        return true;
    }
    if (strcmp(word, "after") == 0 && strcmp(value, "carrying-out") == 0) {
        fault->carries_out = true;
        return true;
    }
    return reason_refuse(why_not, "a fault is KIND [on OPERATION] [times N] [after carrying-out]");
}

bool faults_add(struct faults *faults, const char *text, struct reason *why_not)
{
    struct fault fault = { .operation = FAULT_ANY_OPERATION, .times = FAULT_FOR_EVER, .form = -1 };
    auto_free char *copy = strdup(text);
    char *rest = NULL, *word = NULL;

    if (faults->count == FAULTS_MAX)
        return reason_refuse(why_not, "%d faults are set; clear them first", FAULTS_MAX);
    if (copy == NULL)
        return reason_refuse(why_not, "no memory");

    word = strtok_r(copy, " ", &rest);
    if (word == NULL || !fault_parse_kind(word, &fault))
        return reason_refuse(why_not, "no fault is of that kind; --help lists them");
    while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
        const char *value = strtok_r(NULL, " ", &rest);

        if (!fault_parse_word(word, value != NULL ? value : "", &fault, why_not))
            return false;
    }

    faults->list[faults->count++] = fault;
    return true;
}

void faults_take(struct faults *faults, int operation, struct faults *ret_taken)
{
    struct faults left = { 0 }, taken = { 0 };
    bool is_replaced = false;

    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->list[i];
        bool is_due = (fault->operation == FAULT_ANY_OPERATION || fault->operation == operation) &&
                      !(fault->kind->replaces && is_replaced);

        if (is_due) {
            is_replaced |= fault->kind->replaces;
            taken.list[taken.count++] = *fault;
            if (fault->times > 0 && --fault->times == 0)
                continue;
        }
        left.list[left.count++] = *fault;
    }
    *faults = left;
    *ret_taken = taken;
}

bool faults_carry_out(const struct faults *taken)
{
    bool carries_out = true;

    for (size_t i = 0; i < taken->count; i++)
        carries_out &= taken->list[i].carries_out;
    return carries_out;
}

void faults_bend_answer(const struct faults *taken, struct answer *answer)
{
    for (size_t i = 0; i < taken->count; i++) {
        const struct fault *fault = &taken->list[i];

        if (fault->kind->bend_answer != NULL)
            fault->kind->bend_answer(fault, answer);
    }
}

void faults_bend_reply(const struct faults *taken, struct reply *reply)
{
    for (size_t i = 0; i < taken->count; i++) {
        const struct fault *fault = &taken->list[i];

        if (fault->kind->bend_reply != NULL)
            fault->kind->bend_reply(fault, reply);
        if (fault->kind->transport != TRANSPORT_WHOLE)
            reply->transport = fault->kind->transport;
    }
}

void faults_print_help(FILE *stream)
{
    for (size_t i = 0; i < fault_kinds_count; i++) {
        const struct fault_kind *kind = &fault_kinds[i];
        bool has_argument = kind->argument != FAULT_ARGUMENT_NONE;

        fprintf(stream, "  %s", kind->name);
        if (kind->meaning != NULL)
            fprintf(stream, "%s%s", has_argument ? "" : "\n        ", kind->meaning);
        fprintf(stream, "\n");
    }
}
