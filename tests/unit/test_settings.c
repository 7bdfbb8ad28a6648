/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The settings file: every key, and everything that is not one. */
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "core/keys.h"
#include "core/settings.h"
#include "directory.h"
#include "paths.h"

#define SHOWN   "verify.conf"
#define HEX32   "0123456789abcdef0123456789ABCDEF"
#define MINIMUM "service_sid = \"VA" HEX32 "\"; account_sid = \"AC" HEX32 "\";"

/* A key of each group stands in these lines of the text that print() writes. */
enum { SERVICE_LINE = 3, LOGIN_LINE = 6, CHECK_LINE = 9, TEXT_SIZE = 8192, LINE_SIZE = 2048 };

static const char *print(const char *service, const char *login, const char *check)
{
    static char text[TEXT_SIZE];

    snprintf(text, sizeof text,
             "service = {\n" MINIMUM "\n%s\n}; login = {\n\n%s\n}; check = {\n\n%s\n};\n", service,
             login, check);
    return text;
}

/* KEY = VALUE; in its group, everything else by default. */
static const char *print_key(const char *group, const char *key, const char *value)
{
    char line[LINE_SIZE];

    snprintf(line, sizeof line, "%s = %s;", key, value);
    return print(strcmp(group, "service") == 0 ? line : "", strcmp(group, "login") == 0 ? line : "",
                 strcmp(group, "check") == 0 ? line : "");
}

static int line_of(const char *group)
{
    return strcmp(group, "service") == 0 ? SERVICE_LINE
           : strcmp(group, "login") == 0 ? LOGIN_LINE
                                         : CHECK_LINE;
}

/* The caller frees. */
static struct settings *parse(const char *text)
{
    struct settings *settings = NULL;
    struct verdict why_not = { 0 };

    if (!settings_parse(text, SHOWN, &settings, &why_not))
        fail_msg("%s: %s", text, why_not.reason);
    assert_non_null(settings);
    return settings;
}

static void assert_wrong(const char *text, const char *part)
{
    struct settings *settings = NULL;
    struct verdict why_not = { 0 };

    if (settings_parse(text, SHOWN, &settings, &why_not))
        fail_msg("took %s", text);
    assert_null(settings);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, part);
}

static void assert_key_wrong(const char *group, const char *key, const char *value)
{
    char part[200];

    snprintf(part, sizeof part, SHOWN ":%d: %s.%s must be ", line_of(group), group, key);
    assert_wrong(print_key(group, key, value), part);
}

static void assert_right(const char *text)
{
    struct settings *settings = parse(text);

    settings_free(&settings);
}

static void assert_key_right(const char *group, const char *key, const char *value)
{
    assert_right(print_key(group, key, value));
}

enum type { TEXT, PATH, NUMBER, WORD, TEXTS };

static const struct {
    const char *group, *name;
    enum type type;
} keys[] = {
    { "service", "base_url", TEXT },          { "service", "service_sid", TEXT },
    { "service", "account_sid", TEXT },       { "service", "api_key_sid", TEXT },
    { "service", "api_key_file", PATH },      { "service", "proxy", TEXT },
    { "service", "ca_file", PATH },           { "service", "ca_path", PATH },
    { "service", "timeout_seconds", NUMBER }, { "login", "prompt", TEXT },
    { "login", "attempts", NUMBER },          { "login", "code_length", NUMBER },
    { "login", "unmapped_user", WORD },       { "login", "exempt_services", TEXTS },
    { "login", "create_challenge", WORD },    { "check", "run_as", TEXT },
    { "check", "users_dir", PATH },           { "check", "state_dir", PATH },
    { "check", "runtime_dir", PATH },
};

static bool is_mandatory(const char *name)
{
    return strcmp(name, "service_sid") == 0 || strcmp(name, "account_sid") == 0;
}

static void assert_defaults(const struct settings *settings)
{
    assert_string_equal(settings->base_url, "https://verify.twilio.com");
    assert_string_equal(settings->service_sid, "VA" HEX32);
    assert_string_equal(settings->account_sid, "AC" HEX32);
    assert_null(settings->api_key_sid);
    assert_string_equal(settings->api_key_file, PATHS_SECRET);
    assert_null(settings->proxy);
    assert_null(settings->ca_file);
    assert_null(settings->ca_path);
    assert_int_equal(settings->timeout_seconds, 10);
    assert_string_equal(settings->prompt, "Verification code: ");
    assert_int_equal(settings->attempts, 3);
    assert_int_equal(settings->code_length, 6);
    assert_int_equal(settings->unmapped_user, SETTINGS_UNMAPPED_DENY);
    assert_false(settings_exempts(settings, "cron"));
    assert_int_equal(settings->create_challenge, SETTINGS_CREATE_AT_PROMPT);
    assert_int_equal(settings->session_minutes, 0);
    assert_string_equal(settings->session_services[0], "sudo");
    assert_string_equal(settings->session_services[1], "sudo-i");
    assert_null(settings->session_services[2]);
    assert_false(settings_session_covers(settings, "sudo"));
    assert_string_equal(settings->run_as, PATHS_RUN_AS);
    assert_string_equal(settings->users_dir, PATHS_USERS);
    assert_string_equal(settings->state_dir, PATHS_STATE);
    assert_string_equal(settings->runtime_dir, PATHS_RUNTIME);
    assert_null(settings->admin_api_key_sid);
    assert_null(settings->admin_api_key_file);
}

TEST(every_key_but_two_has_a_default)
{
    struct settings *settings = parse("service = { " MINIMUM " };");

    assert_defaults(settings);
    settings_free(&settings);
    assert_null(settings);
}

static const char every_key[] =
    "service = { " MINIMUM " base_url = \"https://localhost:8443/\";\n"
    "api_key_sid = \"SK" HEX32 "\"; api_key_file = \"/k\"; proxy = \"http://p:3128\";\n"
    "ca_file = \"/ca.pem\"; ca_path = \"/ca\"; timeout_seconds = 7; };\n"
    "login : { prompt : \"Code? \", attempts : 5, code_length : 8,\n"
    "unmapped_user : \"ignore\", exempt_services : [ \"cron\", \"cups\" ],\n"
    "create_challenge : \"with_code\" }\n"
    "session = { minutes = 720; services = [ \"su\" ]; };\n"
    "admin = { api_key_sid = \"SK" HEX32 "\"; api_key_file = \"/a\"; };\n"
    "check = { run_as = \"nobody\"; users_dir = \"/u\"; state_dir = \"/s\"; runtime_dir = \"/r\"; "
    "}";

static void assert_every_key(const struct settings *settings)
{
    assert_string_equal(settings->service_sid, "VA" HEX32);
    assert_string_equal(settings->account_sid, "AC" HEX32);
    assert_string_equal(settings->base_url, "https://localhost:8443");
    assert_string_equal(settings->api_key_sid, "SK" HEX32);
    assert_string_equal(settings->api_key_file, "/k");
    assert_string_equal(settings->proxy, "http://p:3128");
    assert_string_equal(settings->ca_file, "/ca.pem");
    assert_string_equal(settings->ca_path, "/ca");
    assert_int_equal(settings->timeout_seconds, 7);
    assert_string_equal(settings->prompt, "Code? ");
    assert_int_equal(settings->attempts, 5);
    assert_int_equal(settings->code_length, 8);
    assert_int_equal(settings->unmapped_user, SETTINGS_UNMAPPED_IGNORE);
    assert_int_equal(settings->create_challenge, SETTINGS_CREATE_WITH_CODE);
    assert_int_equal(settings->session_minutes, 720);
    assert_true(settings_session_covers(settings, "su"));
    assert_false(settings_session_covers(settings, "sudo"));
    assert_string_equal(settings->run_as, "nobody");
    assert_string_equal(settings->users_dir, "/u");
    assert_string_equal(settings->state_dir, "/s");
    assert_string_equal(settings->runtime_dir, "/r");
    assert_string_equal(settings->admin_api_key_sid, "SK" HEX32);
    assert_string_equal(settings->admin_api_key_file, "/a");
}

TEST(every_key_is_read)
{
    struct settings *settings = parse(every_key);

    assert_every_key(settings);
    assert_true(settings_exempts(settings, "cups"));
    settings_free(&settings);
}

TEST(refuses_a_missing_key_that_is_mandatory)
{
    assert_wrong("", SHOWN ": service.service_sid is missing: it must be VA and 32 hex");
    assert_wrong("service = { account_sid = \"AC" HEX32 "\"; };",
                 SHOWN ": service.service_sid is missing");
    assert_wrong("service = { service_sid = \"VA" HEX32 "\"; };",
                 SHOWN ": service.account_sid is missing: it must be AC and 32 hex");
}

TEST(refuses_every_key_of_another_type)
{
    static const char *const values[] = { "3",   "3L",  "3.0",   "true",     "\"x\"", "( )",
                                          "[ ]", "{ }", "( 3 )", "[ \"\" ]", "\"\"" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
            bool is_number = values[j][0] == '3' && values[j][1] == '\0';
            bool is_text = strcmp(values[j], "\"x\"") == 0;
            bool is_empty = strcmp(values[j], "( )") == 0 || strcmp(values[j], "[ ]") == 0;

            if (is_mandatory(keys[i].name) || (keys[i].type == NUMBER && is_number) ||
                (keys[i].type == TEXT && is_text) || (keys[i].type == TEXTS && is_empty))
                continue;
            assert_key_wrong(keys[i].group, keys[i].name, values[j]);
        }
}

TEST(refuses_a_mandatory_key_of_another_type)
{
    assert_wrong("service = {\nservice_sid = 3; };", SHOWN ":2: service.service_sid must be VA");
    assert_wrong("service = {\naccount_sid = [ \"AC" HEX32 "\" ]; };",
                 SHOWN ":2: service.account_sid must be AC");
}

TEST(holds_numbers_to_their_bounds)
{
    static const struct {
        const char *group, *name;
        int least, most;
    } numbers[] = {
        { "service", "timeout_seconds", 1, 30 },
        { "login", "attempts", 1, 5 },
        { "login", "code_length", 6, 8 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        for (int number = -40; number <= 40; number++) {
            char value[20];
            snprintf(value, sizeof value, "%d", number);
            if (number < numbers[i].least || number > numbers[i].most)
                assert_key_wrong(numbers[i].group, numbers[i].name, value);
            else
                assert_key_right(numbers[i].group, numbers[i].name, value);
        }
}

TEST(refuses_a_number_in_another_notation)
{
    assert_key_wrong("login", "attempts", "0x3");
    assert_key_wrong("login", "attempts", "0x100000003");
    assert_key_wrong("login", "attempts", "3L");
    assert_key_wrong("login", "attempts", "3.0");
    assert_key_wrong("login", "attempts", "3e0");
    assert_key_wrong("login", "attempts", "\"3\"");
}

TEST(refuses_a_number_that_libconfig_wraps_around)
{
    static const char *const values[] = {
        "4294967296",           /* 2^32: 0 */
        "4294967299",           /* 2^32 + 3: 3 */
        "-4294967293",          /* -2^32 + 3: 3 */
        "2147483648",           /* 2^31 */
        "99999999999999999999", /* beyond 2^64 */
    };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        assert_wrong(print_key("login", "attempts", values[i]), SHOWN ":6: ");
    assert_wrong(print_key("login", "code_length", "4294967302"), SHOWN ":6: ");
    assert_wrong(print_key("service", "timeout_seconds", "4294967306"), SHOWN ":3: ");
}

TEST(finds_a_long_number_behind_strings_and_comments)
{
    static const char *const before[] = {
        "prompt = \"//\"; ",
        "prompt = \"#\"; ",
        "prompt = \"/*\"; ",
        "prompt = \"a\\\"b\"; ",
        "prompt = \"a\\\\\"; ",
        "prompt = \"a\" \"b\"; ",
        "/* \" */ ",
        "/**/ ",
        "/* // */ ",
        "# \"\n",
        "// /*\n",
        "prompt = \"\\x41\"; ",
        "prompt = \"'\"; ",
        "code_length = 8; /***/ ",
        "unmapped_user = \"deny\"/**/;",
    };
    char login[200];

    for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
        snprintf(login, sizeof login, "%sattempts = 4294967299;", before[i]);
        assert_wrong(print("", login, ""), SHOWN ":");
        snprintf(login, sizeof login, "%sattempts = 3;", before[i]);
        assert_right(print("", login, ""));
    }
}

TEST(takes_long_numbers_in_strings_and_comments)
{
    assert_key_right("login", "prompt", "\"Call 0123456789012: \"");
    assert_key_right("login", "prompt", "\"a\\\"0123456789012\"");
    assert_key_right("login", "prompt", "\"x\" \"0123456789012\"");
    assert_key_right("login", "prompt", "\"x\"; # 0123456789012");
    assert_key_right("login", "prompt", "\"x\"; // 0123456789012 \"");
    assert_key_right("login", "prompt", "\"x\" /* 0123456789012 \n 0123456789012 */");
    assert_key_right("login", "attempts", "000000003");
}

TEST(takes_the_words_and_no_other)
{
    static const char *const wrong[] = { "\"Deny\"", "\"allow\"", "\"deny \"", "\"\"", "\"0\"" };

    assert_key_right("login", "unmapped_user", "\"deny\"");
    assert_key_right("login", "unmapped_user", "\"ignore\"");
    assert_key_right("login", "create_challenge", "\"at_prompt\"");
    assert_key_right("login", "create_challenge", "\"with_code\"");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_key_wrong("login", "unmapped_user", wrong[i]);
        assert_key_wrong("login", "create_challenge", wrong[i]);
    }
    assert_key_wrong("login", "unmapped_user", "\"with_code\"");
}

TEST(takes_minutes_of_a_session_up_to_twelve_hours)
{
    static const char *const wrong[] = { "-1", "721", "60.5", "\"60\"" };
    static const char text[] = "service = { " MINIMUM " }; session = { minutes = %s; };";
    char line[LINE_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        snprintf(line, sizeof line, text, wrong[i]);
        assert_wrong(line, "session.minutes must be a number from 0 to 720");
    }
    assert_wrong("service = { " MINIMUM " }; session = { services = \"sudo\"; };",
                 "session.services must be a list of PAM services");
}

TEST(says_what_replaces_a_word_of_before)
{
    assert_wrong(print_key("login", "create_challenge", "\"at_code\""),
                 "create_challenge must be \"at_prompt\" or \"with_code\" (which replaces "
                 "\"at_code\")");
}

TEST(takes_sids_of_the_right_kind_alone)
{
    assert_key_right("service", "api_key_sid", "\"SK" HEX32 "\"");
    assert_key_wrong("service", "api_key_sid", "\"AC" HEX32 "\"");
    assert_key_wrong("service", "api_key_sid", "\"SK" HEX32 "0\"");
    assert_key_wrong("service", "api_key_sid", "\"sk" HEX32 "\"");
    assert_wrong("service = {\nservice_sid = \"AC" HEX32 "\"; };",
                 SHOWN ":2: service.service_sid must be VA and 32 hexadecimal digits");
    assert_wrong("service = {\naccount_sid = \"VA" HEX32 "\"; };",
                 SHOWN ":2: service.account_sid must be AC and 32 hexadecimal digits");
}

TEST(base_url_is_https_and_a_host)
{
    static const char *const right[] = {
        "https://verify.twilio.com",
        "https://verify.twilio.com/",
        "https://verify.dublin.ie1.x-y.z",
        "https://localhost:8443",
        "https://127.0.0.1:1",
        "https://[::1]:65535",
        "https://[2001:db8::1]/",
    };
    static const char *const wrong[] = {
        "",
        "http://verify.twilio.com",
        "HTTPS://verify.twilio.com",
        "https:/verify.twilio.com",
        "https://",
        "https:///",
        "https:///v2",
        "https://verify.twilio.com/v2",
        "https://verify.twilio.com//",
        "https://verify.twilio.com?x",
        "https://verify.twilio.com#x",
        "https://user@verify.twilio.com",
        "https://user:secret@verify.twilio.com",
        "https://verify.twilio.com:",
        "https://verify.twilio.com:0",
        "https://verify.twilio.com:65536",
        "https://verify.twilio.com:100000",
        "https://verify.twilio.com:+1",
        "https://verify.twilio.com:8443x",
        "https://verify.twilio.com:8443:1",
        "https://-verify.twilio.com",
        "https://.twilio.com",
        "https://verify twilio.com",
        "https://verify.twilio.com ",
        " https://verify.twilio.com",
        "https://v%65rify.twilio.com",
        "https://verify.twilio.com\\evil.com",
        "https://t\xc3\xabst",
        "https://[::1",
        "https://[]",
        "https://[::1]x",
        "https://[fe80::1%25eth0]",
        "file:///etc/passwd",
    };
    char value[400];

    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        snprintf(value, sizeof value, "\"%s\"", right[i]);
        assert_key_right("service", "base_url", value);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        snprintf(value, sizeof value, "\"%s\"", wrong[i]);
        assert_key_wrong("service", "base_url", value);
    }
}

TEST(base_url_loses_the_slash_at_its_end)
{
    struct settings *settings = parse(print_key("service", "base_url", "\"https://[::1]:8443/\""));

    assert_string_equal(settings->base_url, "https://[::1]:8443");
    settings_free(&settings);
}

TEST(proxy_is_one_of_three_schemes_and_a_host)
{
    assert_key_right("service", "proxy", "\"http://proxy:3128\"");
    assert_key_right("service", "proxy", "\"https://proxy\"");
    assert_key_right("service", "proxy", "\"socks5h://[::1]:1080\"");
    assert_key_wrong("service", "proxy", "\"socks5://proxy:1080\"");
    assert_key_wrong("service", "proxy", "\"proxy:3128\"");
    assert_key_wrong("service", "proxy", "\"http://user:secret@proxy:3128\"");
    assert_wrong(print_key("service", "proxy", "\"http://user:secret@proxy:3128\""),
                 "without a user and a password");
    assert_key_wrong("service", "proxy", "\"\"");
}

/* "CCC...", LENGTH bytes between quotes. */
static const char *quote(const char *before, char filler, size_t length)
{
    static char value[LINE_SIZE];
    size_t used = (size_t)sprintf(value, "\"%s", before);

    memset(value + used, filler, length - strlen(before));
    strcpy(value + 1 + length, "\"");
    return value;
}

TEST(paths_are_absolute_and_of_bounded_length)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].type != PATH)
            continue;
        assert_key_right(keys[i].group, keys[i].name, "\"/x\"");
        assert_key_right(keys[i].group, keys[i].name, quote("/", 'x', 1024));
        assert_key_wrong(keys[i].group, keys[i].name, quote("/", 'x', 1025));
        assert_key_wrong(keys[i].group, keys[i].name, "\"/\"");
        assert_key_wrong(keys[i].group, keys[i].name, "\"\"");
        assert_key_wrong(keys[i].group, keys[i].name, "\"etc/x\"");
        assert_key_wrong(keys[i].group, keys[i].name, "\"./x\"");
        assert_key_wrong(keys[i].group, keys[i].name, "\"~/x\"");
        assert_key_wrong(keys[i].group, keys[i].name, "\"/x\ny\"");
    }
}

TEST(texts_are_held_to_their_lengths)
{
    assert_key_right("login", "prompt", quote("", 'x', 1));
    assert_key_right("login", "prompt", quote("", 'x', 200));
    assert_key_wrong("login", "prompt", quote("", 'x', 201));
    assert_key_wrong("login", "prompt", "\"\"");
    assert_key_right("check", "run_as", quote("", 'x', 250));
    assert_key_wrong("check", "run_as", quote("", 'x', 251));
    assert_key_right("service", "base_url", quote("https://", 'x', 300));
    assert_key_wrong("service", "base_url", quote("https://", 'x', 301));
}

TEST(texts_are_utf8_on_one_line)
{
    assert_key_right("login", "prompt", "\"Best\xc3\xa4tigung: \"");
    assert_key_right("login", "prompt", "\"Best\\xc3\\xa4tigung: \"");
    assert_key_right("login", "prompt", "\"one \" \"line: \"");
    assert_key_wrong("login", "prompt", "\"two\\nlines\"");
    assert_key_wrong("login", "prompt", "\"a\ttab\"");
    assert_key_wrong("login", "prompt", "\"\\x1b[31mred\"");
    assert_key_wrong("login", "prompt", "\"\\x7f\"");
    assert_key_wrong("login", "prompt", "\"\\xff\"");
    assert_key_wrong("login", "prompt", "\"cut \xc3\"");
}

TEST(exempt_services_is_a_list_or_an_array)
{
    static const char *const values[] = { "( \"cron\", \"cups\" )", "[ \"cron\", \"cups\" ]" };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        struct settings *settings = parse(print_key("login", "exempt_services", values[i]));
        assert_true(settings_exempts(settings, "cron"));
        assert_true(settings_exempts(settings, "cups"));
        assert_false(settings_exempts(settings, "sshd"));
        settings_free(&settings);
    }
}

TEST(exempts_exactly_the_services_that_are_named)
{
    struct settings *settings = parse(print_key("login", "exempt_services", "( \"cron\" )"));

    assert_false(settings_exempts(settings, ""));
    assert_false(settings_exempts(settings, "cro"));
    assert_false(settings_exempts(settings, "crond"));
    assert_false(settings_exempts(settings, "Cron"));
    assert_false(settings_exempts(settings, "cron "));
    settings_free(&settings);

    settings = parse(print_key("login", "exempt_services", "( )"));
    assert_false(settings_exempts(settings, ""));
    settings_free(&settings);
}

TEST(refuses_exempt_services_with_anything_else_in_them)
{
    char value[200];

    assert_key_wrong("login", "exempt_services", "\"cron\"");
    assert_key_wrong("login", "exempt_services", "( \"cron\", 3 )");
    assert_key_wrong("login", "exempt_services", "( \"cron\", \"\" )");
    assert_key_wrong("login", "exempt_services", "( ( \"cron\" ) )");
    assert_key_wrong("login", "exempt_services", "( \"cron\", { } )");
    assert_key_wrong("login", "exempt_services", "[ true ]");
    assert_key_wrong("login", "exempt_services", "{ cron = true; }");
    assert_key_wrong("login", "exempt_services", "( \"a\\nb\" )");

    snprintf(value, sizeof value, "( \"%064d\" )", 0);
    assert_key_right("login", "exempt_services", value);
    snprintf(value, sizeof value, "( \"%065d\" )", 0);
    assert_key_wrong("login", "exempt_services", value);
}

TEST(refuses_an_unknown_key_and_names_it)
{
    assert_wrong(print("", "atempts = 3;", ""),
                 SHOWN ":6: unknown key login.atempts: correct or remove it");
    assert_wrong(print("", "Attempts = 3;", ""), SHOWN ":6: unknown key login.Attempts");
    assert_wrong(print("attempts = 3;", "", ""), SHOWN ":3: unknown key service.attempts");
    assert_wrong(print("service = { };", "", ""), SHOWN ":3: unknown key service.service");
    assert_wrong("attempts = 3;", SHOWN ":1: unknown key attempts");
    assert_wrong("logins = { };", SHOWN ":1: unknown key logins");
    assert_wrong("\n\nLogin = { };", SHOWN ":3: unknown key Login");
}

TEST(refuses_a_value_in_place_of_a_group)
{
    assert_wrong("login = 3;", SHOWN ":1: login must be a group");
    assert_wrong("login = ( );", SHOWN ":1: login must be a group");
    assert_wrong("login = ( { attempts = 3; } );", SHOWN ":1: login must be a group");
    assert_wrong("login = \"x\";", SHOWN ":1: login must be a group");
}

TEST(refuses_a_doubled_key_and_a_doubled_group)
{
    assert_wrong(print("", "attempts = 3; attempts = 3;", ""), SHOWN ":6: ");
    assert_wrong(print("", "attempts = 3;\nattempts = 5;", ""), SHOWN ":7: ");
    assert_wrong("service = { " MINIMUM " };\nservice = { };", SHOWN ":2: ");
}

TEST(a_mistake_at_the_end_is_in_the_last_line)
{
    assert_wrong("service", SHOWN ":1: ");
    assert_wrong("service\n", SHOWN ":2: ");
}

TEST(takes_a_comment_at_the_end_of_a_file_whose_last_line_does_not_end)
{
    auto_settings *settings = NULL;
    struct verdict why_not;

    assert_true(settings_parse("service = { " MINIMUM " };\n# end", SHOWN, &settings, &why_not));
    assert_int_equal(keys_line("service = { " MINIMUM " };// end", "service", "service_sid"), 1);
}

TEST(refuses_wrong_syntax_and_names_the_line)
{
    assert_wrong("service = {\n" MINIMUM "\n", SHOWN ":");
    assert_wrong("service {\n", SHOWN ":1: ");
    assert_wrong("\n\nlogin = { prompt = \"open; };", SHOWN ":");
    assert_wrong("login = { attempts = three; };", SHOWN ":1: ");
    assert_wrong("\nlogin = { attempts 3 };", SHOWN ":2: ");
    assert_wrong("\x80", SHOWN ":1: ");
}

TEST(has_no_line_for_a_file_that_cannot_be_read)
{
    assert_int_equal(keys_line("service = { " MINIMUM " };\n", "service", "service_sid"), 1);
    assert_int_equal(keys_line("\n\nservice = { };", "service", "prompt"), 0);
    assert_int_equal(keys_line("service = {", "service", "prompt"), 0);
    assert_int_equal(settings_line("/nonexistent/file", "login", "prompt"), 0);
}

TEST(survives_deep_nesting)
{
    enum { DEPTH = 20000 };
    char *text = malloc(DEPTH + 5);

    memcpy(text, "a = ", 4);
    memset(text + 4, '(', DEPTH);
    text[4 + DEPTH] = '\0';
    assert_wrong(text, SHOWN ":");
    free(text);
}

/* A file that would change the prompt, if it were included. */
static void write_included(const char *directory)
{
    directory_write(directory, "included", "login = { prompt = \"included\"; };\n", 0600);
}

static void assert_not_included(const char *directory, const char *before, const char *after)
{
    char text[TEXT_SIZE];
    struct settings *settings = NULL;
    struct verdict why_not = { 0 };

    snprintf(text, sizeof text, "service = { " MINIMUM " };%s@include \"%s\"%s", before,
             directory_path(directory, "included"), after);
    if (settings_parse(text, SHOWN, &settings, &why_not))
        assert_string_equal(settings->prompt, "Verification code: ");
    else
        assert_int_equal(why_not.outcome, OUTCOME_MISCONFIGURED);
    settings_free(&settings);
}

TEST(refuses_an_include_and_names_its_line)
{
    assert_wrong("@include \"x\"", SHOWN ":1: @include is not supported");
    assert_wrong("\n\n \t@include \"x\"\n", SHOWN ":3: @include is not supported");
    assert_wrong("# x\r\n\r\n@include \"x\"\r\n", SHOWN ":3: @include is not supported");
    assert_wrong("service = {\n" MINIMUM "\n@include \"/etc\"\n};",
                 SHOWN ":3: @include is not supported");
    assert_wrong("login = {\n\n\n\n@include \"x\"\n};", SHOWN ":5: @include is not supported");
}

TEST(does_not_end_at_the_include_of_a_directory)
{
    assert_wrong("@include \"/\"\n", "@include is not supported");
    assert_wrong("\f@include \"/\"\n", SHOWN ":1: ");
    assert_wrong("\v@include \"/\"\n", SHOWN ":1: ");
}

TEST_IN_DIRECTORY(follows_no_include_in_disguise)
{
    static const char *const others[] = {
        "\xef\xbb\xbf", "\n\xef\xbb\xbf", "/**/",       "/*\n*/",        "# x\n/**/",
        "\\\n",         "\n\\\n",         "\n;",        "\nlogin = {\n", "\n\n\r\n\t \t",
        "\nx = \"\n",   "\nx = \"\n\"\n", "\n@include", "\n// x\r",      "\n\x0b\x0c ",
    };

    write_included(directory);
    for (unsigned byte = 1; byte <= 255; byte++) {
        const char one = (char)byte;
        const char lines[][4] = { { one },      { '\n', one },      { one, '\n' },
                                  { one, ' ' }, { '\n', one, ' ' }, { '\n', ' ', one },
                                  { one, one } };
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
            assert_not_included(directory, lines[i], "\n");
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_not_included(directory, others[i], "\n");
        assert_not_included(directory, others[i], "*/ \"; };");
    }
}

TEST(takes_an_at_sign_elsewhere)
{
    assert_key_right("login", "prompt", "\"Code @include \"");
    assert_key_right("login", "prompt", "\"x\"; # @include \"x\"");
    assert_key_right("login", "prompt", "\"x\" /* @ */");
}

static void assert_unreadable(const char *path, const char *part)
{
    struct settings *settings = NULL;
    struct verdict why_not = { 0 };

    assert_false(settings_read(path, &settings, &why_not));
    assert_null(settings);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, path);
    assert_refused(&why_not, OUTCOME_MISCONFIGURED, part);
}

TEST_IN_DIRECTORY(reads_files_of_64_kib_and_no_larger)
{
    size_t size = 64 * 1024;
    char *text = malloc(size + 1);
    struct settings *settings = NULL;
    struct verdict why_not = { 0 };
    int used = sprintf(text, "service = { " MINIMUM " };");

    memset(text + used, '\n', size + 1 - (size_t)used);
    directory_write_bytes(directory, "conf", text, size, 0600);
    assert_true(settings_read(directory_path(directory, "conf"), &settings, &why_not));
    settings_free(&settings);
    directory_write_bytes(directory, "conf", text, size + 1, 0600);
    assert_unreadable(directory_path(directory, "conf"), "larger than 65536 bytes");
    free(text);
}

TEST(frees_nothing_without_complaint)
{
    struct settings *settings = NULL;

    settings_free(&settings);
    assert_null(settings);
}
