/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The settings file. */
#include "settings.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "paths.h"
#include "secret.h"
#include "trusted.h"

enum { FILE_SIZE_MAX = 64 * 1024, PATH_LENGTH_MAX = 1024, URL_LENGTH_MAX = 300 };

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT, and at most a slash behind it. */
static bool is_authority(const char *text)
{
    size_t length;

    if (*text == '[') {
        text++;
        length = strspn(text, DIGITS "abcdefABCDEF:.");
        if (length == 0 || text[length] != ']')
            return false;
        text += length + 1;
    } else {
        length = strspn(text, LETTERS DIGITS ".-");
        if (length == 0 || *text == '-' || *text == '.')
            return false;
        text += length;
    }

    if (*text == ':') {
        length = strspn(text + 1, DIGITS);
        if (length == 0 || length > 5 || atoi(text + 1) < 1 || atoi(text + 1) > 65535)
            return false;
        text += 1 + length;
    }
    return *text == '\0' || (*text == '/' && text[1] == '\0');
}

static bool has_scheme(const char *text, const char *scheme)
{
    return strncmp(text, scheme, strlen(scheme)) == 0 && is_authority(text + strlen(scheme));
}

static bool is_https_url(const char *text)
{
    return has_scheme(text, "https://");
}

static bool is_proxy(const char *text)
{
    return has_scheme(text, "http://") || has_scheme(text, "https://") ||
           has_scheme(text, "socks5h://");
}

static bool is_absolute(const char *text)
{
    return *text == '/';
}

static const char *const unmapped_words[] = { "deny", "ignore", NULL };
static const char *const create_words[] = { "at_prompt", "with_code", NULL };

static const char *const session_services[] = { "sudo", "sudo-i", NULL };

#define MEMBER(group_, name_)                                                                      \
    .group = group_, .name = #name_, .offset = offsetof(struct settings, name_)
#define ADMIN(name_)                                                                               \
    .group = "admin", .name = #name_, .offset = offsetof(struct settings, admin_##name_)
#define SESSION(name_)                                                                             \
    .group = "session", .name = #name_, .offset = offsetof(struct settings, session_##name_)
#define PATH                                                                                       \
    KEY_SIZED(2, PATH_LENGTH_MAX), .is_valid = is_absolute, .rule = "must be an absolute path"

static const struct key keys[] = {
    { MEMBER("service", base_url), KEY_SIZED(1, URL_LENGTH_MAX),
      .text = "https://verify.twilio.com", .is_valid = is_https_url,
      .rule = "must be https://HOST or https://HOST:PORT" },
    { MEMBER("service", service_sid), KEY_SID("VA"), .mandatory = true },
    { MEMBER("service", account_sid), KEY_SID("AC"), .mandatory = true },
    { MEMBER("service", api_key_sid), KEY_SIZED(34, 34), .sid = "SK",
      .rule = "must be SK and 32 hexadecimal digits, or be left out to use the auth token" },
    { MEMBER("service", api_key_file), PATH, .text = PATHS_SECRET },
    { MEMBER("service", proxy), KEY_SIZED(1, URL_LENGTH_MAX), .is_valid = is_proxy,
      .rule = "must be http://HOST:PORT, https://HOST:PORT or socks5h://HOST:PORT, without a user "
              "and a password" },
    { MEMBER("service", ca_file), PATH },
    { MEMBER("service", ca_path), PATH },
    { MEMBER("service", timeout_seconds), .type = KEY_NUMBER, .number = 10, .minimum = 1,
      .maximum = 30, .rule = "must be a number from 1 to 30" },
    { MEMBER("login", prompt), KEY_SIZED(1, SETTINGS_PROMPT_MAX),
      .text = "Verification code: ", .rule = "must be 1 to 200 bytes of UTF-8 on one line" },
    { MEMBER("login", attempts), .type = KEY_NUMBER, .number = 3, .minimum = 1, .maximum = 5,
      .rule = "must be a number from 1 to 5" },
    { MEMBER("login", code_length), .type = KEY_NUMBER, .number = 6, .minimum = 6, .maximum = 8,
      .rule = "must be a number from 6 to 8" },
    { MEMBER("login", unmapped_user), .type = KEY_WORD, .words = unmapped_words,
      .rule = "must be \"deny\" or \"ignore\"" },
    { MEMBER("login", exempt_services), .type = KEY_TEXTS, .minimum = 1, .maximum = 64,
      .rule = "must be a list of PAM services, each 1 to 64 bytes: ( \"cron\", \"cups\" )" },
    { MEMBER("login", create_challenge), .type = KEY_WORD, .words = create_words,
      .rule = "must be \"at_prompt\" or \"with_code\" (which replaces \"at_code\")" },
    { SESSION(minutes), .type = KEY_NUMBER, .number = 0, .maximum = SETTINGS_SESSION_MINUTES_MAX,
      .rule = "must be a number from 0 to 720 (0: off)" },
    { SESSION(services), .type = KEY_TEXTS, .texts = session_services, .minimum = 1, .maximum = 64,
      .rule = "must be a list of PAM services, each 1 to 64 bytes: ( \"sudo\", \"sudo-i\" )" },
    { ADMIN(api_key_sid), KEY_SID("SK") },
    { ADMIN(api_key_file), PATH },
    { MEMBER("check", run_as), KEY_SIZED(1, 250), .text = PATHS_RUN_AS,
      .rule = "must be the name of an account" },
    { MEMBER("check", users_dir), PATH, .text = PATHS_USERS },
    { MEMBER("check", state_dir), PATH, .text = PATHS_STATE },
    { MEMBER("check", runtime_dir), PATH, .text = PATHS_RUNTIME },
};

static const struct keys format = KEYS_OF(settings, keys);

static void remove_slash(struct settings *settings)
{
    char *slash = strrchr(settings->base_url, '/');

    if (slash[1] == '\0')
        *slash = '\0';
}

bool settings_parse(const char *text, const char *shown, struct settings **ret_settings,
                    struct verdict *why_not)
{
    struct settings *settings = keys_parse(&format, text, shown, why_not);

    if (settings == NULL)
        return false;
    remove_slash(settings);
    *ret_settings = settings;
    return true;
}

static bool read_text(const char *path, char **ret_text, struct verdict *why_not)
{
    return trusted_read_file(AT_FDCWD, path, path, TRUSTED_READERS_ANY, FILE_SIZE_MAX, ret_text,
                             why_not) == TRUSTED_READ;
}

bool settings_read(const char *path, struct settings **ret_settings, struct verdict *why_not)
{
    auto_secret char *text = NULL;

    return read_text(path, &text, why_not) && settings_parse(text, path, ret_settings, why_not);
}

int settings_line(const char *path, const char *group, const char *name)
{
    auto_secret char *text = NULL;
    auto_settings *settings = NULL;
    struct verdict why_not;

    if (!read_text(path, &text, &why_not) || !settings_parse(text, path, &settings, &why_not))
        return 0;
    return keys_line(text, group, name);
}

static bool is_in(char *const *texts, const char *text)
{
    for (; texts != NULL && *texts != NULL; texts++)
        if (strcmp(*texts, text) == 0)
            return true;
    return false;
}

bool settings_exempts(const struct settings *settings, const char *service)
{
    return is_in(settings->exempt_services, service);
}

bool settings_session_covers(const struct settings *settings, const char *service)
{
    return settings->session_minutes > 0 && is_in(settings->session_services, service);
}

bool settings_session_never_covers(const char *service)
{
    return strcmp(service, "polkit-1") == 0;
}

void settings_free(struct settings **settings)
{
    keys_free(&format, *settings);
    *settings = NULL;
}
