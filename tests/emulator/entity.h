/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The operations on entities. */
#pragma once

#include "call.h"

bool entity_create(const struct call *call, struct answer *answer);
bool entity_list(const struct call *call, struct answer *answer);
bool entity_fetch(const struct call *call, struct answer *answer);
bool entity_delete(const struct call *call, struct answer *answer);

/* The fields service_sid, entity_sid, identity of what belongs to ENTITY. */
void entity_add_fields(struct json_object *object, const struct entity *entity);
