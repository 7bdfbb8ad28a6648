/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Makes a reply from an answer. */
#include "reply.h"

#include <stdlib.h>
#include <string.h>

bool reply_print(const struct answer *answer, struct reply *ret_reply)
{
    struct reply reply = { .status = answer->status,
                           .code = answer->code,
                           .retry_after = -1,
                           .signature_fields = answer->signature_fields };

    reply.body = answer_print(answer, &reply.content_type);
    if (reply.body == NULL)
        return false;

    reply.size = strlen(reply.body);
    *ret_reply = reply;
    return true;
}

void reply_free(struct reply *reply)
{
    free(reply->body);
    reply->body = NULL;
}
