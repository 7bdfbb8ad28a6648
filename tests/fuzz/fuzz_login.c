/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* A whole login in the world of tests/unit/model.h: the first three bytes choose the settings, the
 * others what the user or Twilio does next. */
#include "fuzz.h"
#include "unit/model.h"

struct input {
    const uint8_t *data;
    size_t left;
};

static unsigned take(void *context, unsigned count)
{
    struct input *input = context;

    if (input->left == 0)
        return 0;
    input->left--;
    return *input->data++ % count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, size };
    struct model model = {
        .choose = take,
        .context = &input,
    };

    model.create_challenge = (int)take(&input, 2);
    model.is_enrolled = take(&input, 4) != 3;
    model.attempts = 1 + (int)take(&input, 5);
    if (model_run(&model))
        return 0;
    fprintf(stderr, "attempts=%d with_code=%d enrolled=%d: %s→ %s: %s, not %s\n", model.attempts,
            model.create_challenge, model.is_enrolled, model.trace,
            verdict_word(model.verdict.outcome), model.verdict.reason,
            verdict_word(model.expected));
    fuzz_demand(false, model.broken);
    return 0;
}
