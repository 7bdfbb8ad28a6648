/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Carries one request out. */
#include "api.h"

#include "call.h"
#include "device.h"
#include "route.h"

#include <string.h>

static const char operation_verify[] = "verify", operation_create[] = "create";

/* Counts the request, and a code for a challenge, whatever becomes of it. */
static void api_note(const struct call *call, const struct route *route)
{
    struct stats *stats = &call->emulator->stats;
    const char *code = form_next(&call->form, "AuthPayload", NULL);
    const char *factor = form_next(&call->form, "FactorSid", NULL);

    stats->requests_in_all++;
    if (route == NULL)
        return;

    stats->requests[route_number(route)]++;
    if (code == NULL || strlen(code) > TOTP_CODE_LENGTH_MAX)
        return;
    if (strcmp(route->operation, operation_verify) == 0)
        stats_note_code(stats, call->identity, call->sid, code);
    if (strcmp(route->operation, operation_create) == 0)
        stats_note_code(stats, call->identity, factor != NULL ? factor : "", code);
}

static void api_carry_out(const struct request *request, const struct call *call, bool is_readable,
                          const struct route *route, struct answer *answer)
{
    const char *twice = form_find_double(&call->form);
    char methods[32];

    route_print_methods(call, methods, sizeof(methods));
    if (!request->is_authentic && !device_may(call, route, request->token))
        answer_refuse(answer, 20003);
    else if (methods[0] == '\0')
        call_refuse_missing(call, SUBJECT_SERVICE_SID, answer);
    else if (route == NULL)
        answer_refuse(answer, 20004);
    else if (request->is_too_large)
        answer_fail(answer, 413, 20001);
    else if (!is_readable)
        answer_refuse_with(answer, 60300, "The parameters are no form in UTF-8");
    else if (twice != NULL)
        answer_refuse_with(answer, 60300, "%.60s was sent twice", twice);
    else
        route->run(call, answer);
}

static bool api_print(const struct call *call, const struct route *route,
                      const struct faults *faults, const struct answer *answer,
                      struct reply *ret_reply)
{
    if (!reply_print(answer, ret_reply))
        return false;

    if (answer->status == 405)
        route_print_methods(call, ret_reply->allow, sizeof(ret_reply->allow));
    if (route != NULL && answer->status == 200 &&
        call_switch(call, SWITCH_SIGNATURE_HEADER) == SIGNATURE_HEADER_PRESENT)
        ret_reply->signature_header = route->signature_header;
    faults_bend_reply(faults, ret_reply);
    return true;
}

static bool api_run_locked(struct call *call, const struct request *request, bool is_readable,
                           struct reply *ret_reply)
{
    const struct route *route = route_find(request->method, call);
    struct answer answer = { .form = call_switch(call, SWITCH_ERROR_BODY) };
    struct faults faults = { 0 };
    bool is_printed = false;

    api_note(call, route);
    faults_take(&call->emulator->faults, route == NULL ? FAULT_ANY_OPERATION : route_number(route),
                &faults);
    if (faults_carry_out(&faults))
        api_carry_out(request, call, is_readable, route, &answer);
    faults_bend_answer(&faults, &answer);
    is_printed = api_print(call, route, &faults, &answer, ret_reply);
    answer_free(&answer);
    return is_printed;
}

bool api_run(struct emulator *emulator, const struct request *request, int64_t *ret_now,
             struct reply *ret_reply)
{
    struct call call = { .emulator = emulator, .path = request->path };
    size_t body_size = request->is_form ? request->body_size : 0;
    bool has_query = form_parse(request->query, strlen(request->query), &call.query);
    bool has_form = form_parse(request->body, body_size, &call.form);
    bool is_printed = false;

    pthread_mutex_lock(&emulator->lock);
    call.now = clock_now(&emulator->clock);
    is_printed = api_run_locked(&call, request, has_query && has_form, ret_reply);
    pthread_mutex_unlock(&emulator->lock);
    *ret_now = call.now;
    form_free(&call.query);
    form_free(&call.form);
    return is_printed;
}
