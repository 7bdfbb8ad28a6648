/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The tasks of the check program that are no login. */
#include "session.h"

#include <syslog.h>
#include <unistd.h>

#include "../core/clock.h"
#include "../core/kin.h"
#include "helper.h"

enum { TASK_MS = 5000 };

static bool refuse(struct verdict *why_not, const char *reason)
{
    return verdict_refuse(why_not, OUTCOME_BROKEN, "%s", reason);
}

/* Whether the last line says that it is done. */
static bool end(struct helper *helper, const char *reason, struct verdict *why_not)
{
    if (!helper_finish(helper, why_not))
        return false;
    return *reason == '\0' || refuse(why_not, reason);
}

static bool relay(const struct session *session, struct helper *helper, struct verdict *why_not)
{
    int64_t deadline_ms = clock_ms() + TASK_MS;
    struct dialogue_message message;
    char line[DIALOGUE_LINE_SIZE];

    for (int logs = 0; logs <= DIALOGUE_LOGS_MAX; logs++) {
        int64_t left_ms = deadline_ms - clock_ms();
        if (!helper_receive(helper, left_ms > 0 ? left_ms : 0, line, &message, why_not))
            return false;
        if (message.kind == DIALOGUE_DONE)
            return end(helper, message.text, why_not);
        if (message.kind != DIALOGUE_LOG_NOTICE && message.kind != DIALOGUE_LOG_WARNING)
            break;
        session->log(session->context,
                     message.kind == DIALOGUE_LOG_NOTICE ? LOG_NOTICE : LOG_WARNING, message.text);
    }
    return refuse(why_not, "the check program said what it may not say here");
}

bool session_run(const struct session *session, enum dialogue_task task, struct verdict *why_not)
{
    struct helper helper = HELPER_NONE;
    char line[DIALOGUE_LINE_SIZE];
    struct kin own;
    bool is_done;

    if (!kin_read(getpid(), &own))
        return refuse(why_not, "/proc can't be read");
    if (!dialogue_print_task(task, session->service, session->user, own.pid, own.start, line))
        return refuse(why_not, "the PAM service's name is empty or too long");
    if (!helper_start(session->helper_path, session->settings, &helper, why_not))
        return false;

    helper_send(&helper, line);
    is_done = relay(session, &helper, why_not);
    helper_stop(&helper, 0);
    return is_done;
}
