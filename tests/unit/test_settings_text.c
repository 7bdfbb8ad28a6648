/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* One key of a settings file is changed, and all else stays as it is. */
#include "unit.h"

#include <stdlib.h>

#include "admin/setup/settings-text.h"
#include "core/settings.h"

#define SID "VA0123456789abcdef0123456789abcdef"

static void assert_set(const char *before, const char *after)
{
    char *text = settings_text_set(before, "service", "key", "new");

    assert_string_equal(text, after);
    free(text);
}

static void assert_value(const char *text, const char *expected)
{
    char value[8];

    assert_int_equal(settings_text_get(text, "service", "key", value, sizeof value),
                     *expected != '\0');
    assert_string_equal(value, expected);
}

TEST(replaces_a_value_and_nothing_else)
{
    assert_set("service = { key = \"old\"; };", "service = { key = \"new\"; };");
    assert_set("service:{key:\"old\"}", "service:{key:\"new\"}");
    assert_set("# top\nservice = {\n\tkey = \"old\"; // why\n\tother = 3;\n};\n",
               "# top\nservice = {\n\tkey = \"new\"; // why\n\tother = 3;\n};\n");
    assert_set("service = { key /* a */ = /* b */ \"o\" \"l\" # c\n \"d\" };",
               "service = { key /* a */ = /* b */ \"new\" };");
    assert_set("service = { key = 12, b = 3 };", "service = { key = \"new\", b = 3 };");
    assert_set("service = { key = old# c\n };", "service = { key = \"new\"# c\n };");
}

TEST(is_not_misled_by_comments_strings_and_other_groups)
{
    assert_set("login = { key = \"x\"; }; service = { key = \"o\"; };",
               "login = { key = \"x\"; }; service = { key = \"new\"; };");
    assert_set("# service = { key = \"x\"; };\nservice = { # key = \"y\";\n key = \"o\"; };",
               "# service = { key = \"x\"; };\nservice = { # key = \"y\";\n key = \"new\"; };");
    assert_set("service = { a = \"key = \\\"x\\\" {\"; key = \"o\"; };",
               "service = { a = \"key = \\\"x\\\" {\"; key = \"new\"; };");
    assert_set("service = { a = ( \"key\", { key = 1; } ); key2 = \"x\"; key = \"o\"; };",
               "service = { a = ( \"key\", { key = 1; } ); key2 = \"x\"; key = \"new\"; };");
    assert_set("other = { service = { key = 1; }; }; service = { key = \"o\"; };",
               "other = { service = { key = 1; }; }; service = { key = \"new\"; };");
}

TEST(adds_a_key_or_a_group_that_is_missing)
{
    assert_set("service = {\n    a = 1;\n};\n",
               "service = {\n    key = \"new\";\n    a = 1;\n};\n");
    assert_set("service = { }; login = { key = 1; };",
               "service = {\n    key = \"new\"; }; login = { key = 1; };");
    assert_set("login = { };", "login = { };\nservice = {\n    key = \"new\";\n};\n");
    assert_set("", "service = {\n    key = \"new\";\n};\n");
}

TEST(quotes_a_value)
{
    char *text = settings_text_set("", "service", "key", "a\"b\\c");

    assert_string_equal(text, "service = {\n    key = \"a\\\"b\\\\c\";\n};\n");
    free(text);
}

TEST(survives_every_beginning_of_a_text)
{
    const char *whole =
        "login = { a = ( \"x\", 1 ); }; /* c */ service = { key = \"o\" \"p\"; } # e";
    char *begun = strdup(whole);

    for (size_t length = strlen(whole); length > 0; length--) {
        char value[8];
        begun[length] = '\0';
        free(settings_text_set(begun, "service", "key", "new"));
        settings_text_get(begun, "service", "key", value, sizeof value);
    }
    free(begun);
}

TEST(reads_a_plain_value)
{
    assert_value("service = { key = \"value\"; };", "value");
    assert_value("service = { key = \"longer than that\"; };", "");
    assert_value("service = { key = \"a\" \"b\"; };", "");
    assert_value("service = { key = \"a\\n\"; };", "");
    assert_value("service = { key = 1; };", "");
    assert_value("service = { };", "");
    assert_value("login = { key = \"x\"; };", "");
    assert_value("service = 1; key = \"x\";", "");
}

/* The parser of the settings understands what was written. */
TEST(agrees_with_libconfig)
{
    struct settings *settings = NULL;
    struct verdict why_not;
    char *text = settings_text_set("/* { */ service = { account_sid = \"AC0123456789abcdef"
                                   "0123456789abcdef\" };",
                                   "service", "service_sid", SID);

    if (!settings_parse(text, "shown", &settings, &why_not))
        fail_msg("%s: %s", text, why_not.reason);
    assert_string_equal(settings->service_sid, SID);
    settings_free(&settings);
    free(text);
}
