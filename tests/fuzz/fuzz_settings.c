/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Any text as a settings file: what is taken is within its bounds, what is refused is told. */
#include "core/settings.h"
#include "core/text.h"
#include "fuzz.h"

static bool is_within(int number, int least, int most)
{
    return number >= least && number <= most;
}

static bool is_text(const char *text, size_t least, size_t most)
{
    size_t length = strlen(text);

    return length >= least && length <= most && text_is_clean(text, length);
}

static bool is_path(const char *path)
{
    return path == NULL || (path[0] == '/' && is_text(path, 2, 1024));
}

static void demand_bounds(const struct settings *settings)
{
    fuzz_demand(strncmp(settings->base_url, "https://", 8) == 0, "base_url is https");
    fuzz_demand(is_text(settings->base_url, 9, 300), "base_url is a text");
    fuzz_demand(strpbrk(settings->base_url + 8, "/@?#% \\") == NULL, "base_url is a host alone");
    fuzz_demand(text_is_sid(settings->service_sid, "VA"), "service_sid is one");
    fuzz_demand(text_is_sid(settings->account_sid, "AC"), "account_sid is one");
    fuzz_demand(settings->api_key_sid == NULL || text_is_sid(settings->api_key_sid, "SK"),
                "api_key_sid is one");
    fuzz_demand(settings->proxy == NULL || strpbrk(settings->proxy, "@?#% \\") == NULL,
                "proxy is a host");
    fuzz_demand(is_path(settings->api_key_file) && is_path(settings->ca_file) &&
                    is_path(settings->ca_path) && is_path(settings->users_dir) &&
                    is_path(settings->state_dir) && is_path(settings->runtime_dir),
                "paths are absolute");
    fuzz_demand(is_text(settings->prompt, 1, 200), "prompt is a text");
    fuzz_demand(is_text(settings->run_as, 1, 250), "run_as is a text");
    fuzz_demand(is_within(settings->timeout_seconds, 1, 30), "timeout_seconds is within bounds");
    fuzz_demand(is_within(settings->attempts, 1, 5), "attempts is within bounds");
    fuzz_demand(is_within(settings->code_length, 6, 8), "code_length is within bounds");
    fuzz_demand(is_within(settings->unmapped_user, 0, 1), "unmapped_user is a word");
    fuzz_demand(is_within(settings->create_challenge, 0, 1), "create_challenge is a word");
    fuzz_demand(!settings_exempts(settings, ""), "no service without a name is exempt");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct settings *settings = NULL;
    struct verdict why_not = { 0 };

    if (settings_parse(text, "settings", &settings, &why_not)) {
        demand_bounds(settings);
    } else {
        fuzz_demand(settings == NULL, "the output changes only on success");
        fuzz_demand(why_not.outcome == OUTCOME_MISCONFIGURED, "a refusal is the administrator's");
        fuzz_demand(strncmp(why_not.reason, "settings:", 9) == 0, "a refusal names the file");
    }
    settings_free(&settings);
    free(text);
    return 0;
}
