/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What is known about PAM services and modules: the lines of pam-facts. */
#include "unit.h"

#include <stdlib.h>

#include "admin/lint/facts.h"
#include "admin/lint/text-file.h"

#define SHOWN "facts"

/* Facts of one text, which has to be right. */
static struct facts *facts_of(const char *text)
{
    struct facts *facts = facts_new();
    struct verdict why_not = { 0 };

    assert_non_null(facts);
    if (!facts_add(facts, text, SHOWN, &why_not))
        fail_msg("%s", why_not.reason);
    return facts;
}

static void assert_wrong(const char *text, const char *expected)
{
    auto_facts *facts = facts_new();
    struct verdict why_not = { 0 };

    assert_non_null(facts);
    if (facts_add(facts, text, SHOWN, &why_not))
        fail_msg("taken: %s", text);
    if (strstr(why_not.reason, expected) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", why_not.reason, expected);
}

TEST(reads_a_service_with_every_word)
{
    auto_facts *facts = facts_of("service one login local alone user program=/a program=/b look=/c "
                                 "proftpd=/d samba=/e\n"
                                 "\t service\ttwo system account=www-data # a comment\n"
                                 "\nservice bare\n# service none\n");
    const struct facts_service *one = facts_find_service(facts, "one");
    const struct facts_service *two = facts_find_service(facts, "two");

    assert_int_equal(one->words, FACTS_LOGIN | FACTS_LOCAL | FACTS_ALONE | FACTS_USER);
    assert_string_equal(one->programs[1], "/b");
    assert_null(one->programs[2]);
    assert_string_equal(one->look[0], "/c");
    assert_string_equal(one->proftpd, "/d");
    assert_string_equal(one->samba, "/e");
    assert_int_equal(two->words, FACTS_SYSTEM | FACTS_ACCOUNT);
    assert_string_equal(two->account, "www-data");
    assert_int_equal(facts_find_service(facts, "bare")->words, 0);
    assert_null(facts_find_service(facts, "none"));
    assert_null(facts_find_service(facts, "ON"));
}

TEST(keeps_the_order_of_services)
{
    auto_facts *facts = facts_of("service b\nmodule c.so factor\nservice a\n");

    assert_string_equal(facts_service_at(facts, 0)->name, "b");
    assert_string_equal(facts_service_at(facts, 1)->name, "a");
    assert_null(facts_service_at(facts, 2));
}

TEST(knows_a_module_by_the_name_of_its_file)
{
    auto_facts *facts = facts_of("module pam_x.so condition only=success,auth_err\n");
    const struct facts_module *module = facts_find_module(facts, "/lib/security/pam_x.so");

    assert_int_equal(module->role, FACTS_CONDITION);
    assert_int_equal(module->codes,
                     PAM_CODE_SET(PAM_CODE_SUCCESS) | PAM_CODE_SET(PAM_CODE_AUTH_ERR));
    assert_ptr_equal(facts_find_module(facts, "pam_x.so"), module);
    assert_int_equal(facts_find_module(facts, "PAM_x.so")->role, FACTS_FACTOR);
    assert_int_equal(facts_find_module(facts, "pam_x.so")->role, FACTS_CONDITION);
}

TEST(takes_an_unknown_module_for_a_factor_that_may_return_anything)
{
    auto_facts *facts = facts_new();
    const struct facts_module *module = facts_find_module(facts, "pam_x.so");

    assert_int_equal(module->role, FACTS_FACTOR);
    assert_int_equal(facts_codes(module, ""), ~(pam_codes)0);
}

TEST(knows_our_module_whatever_the_text_says)
{
    auto_facts *facts = facts_new();

    assert_int_equal(facts_find_module(facts, "/x/pam_twilio_verify.so")->role, FACTS_SECOND);
    assert_wrong("module pam_twilio_verify.so nothing", "not the file name of another module");
}

TEST(our_module_with_split_never_says_yes)
{
    static const char *const arguments[] = { "split=6", "debug split=6", "split=9", "split" };
    static const char *const others[] = { "", "debug", "xsplit=6", "splits=6", "conf=/split=6" };
    auto_facts *facts = facts_new();
    const pam_codes yes = PAM_CODE_SET(PAM_CODE_SUCCESS) | PAM_CODE_SET(PAM_CODE_NEW_AUTHTOK_REQD);

    for (size_t i = 0; i < ARRAY_SIZE(arguments); i++) {
        const struct facts_module *module =
            facts_find_line(facts, "pam_twilio_verify.so", arguments[i]);
        assert_int_equal(module->role, FACTS_SPLIT);
        assert_int_equal(facts_codes(module, arguments[i]) & yes, 0);
        assert_int_equal(facts_find_line(facts, "pam_x.so", arguments[i])->role, FACTS_FACTOR);
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(facts_find_line(facts, "pam_twilio_verify.so", others[i])->role,
                         FACTS_SECOND);
}

TEST(an_argument_may_open_every_code)
{
    auto_facts *facts = facts_of("module pam_x.so factor never=ignore unless=nullok,grace\n");
    const struct facts_module *module = facts_find_module(facts, "pam_x.so");
    static const char *const open[] = { "nullok", "debug nullok", "\tgrace=5 x", "x nullok " };
    static const char *const closed[] = {
        "", " ", "nullokay", "nullo", "x=nullok", "NULLOK", "grac"
    };

    for (size_t i = 0; i < ARRAY_SIZE(open); i++)
        assert_int_equal(facts_codes(module, open[i]), ~(pam_codes)0);
    for (size_t i = 0; i < ARRAY_SIZE(closed); i++)
        assert_int_equal(facts_codes(module, closed[i]),
                         ~(pam_codes)0 & ~PAM_CODE_SET(PAM_CODE_IGNORE));
}

TEST(a_later_text_replaces_lines_of_the_same_name)
{
    auto_facts *facts = facts_of("service a login\nservice b local\nmodule m.so factor\n");
    struct verdict why_not = { 0 };

    assert_true(
        facts_add(facts, "service a system\nmodule m.so nothing\nservice c", "own", &why_not));
    assert_int_equal(facts_find_service(facts, "a")->words, FACTS_SYSTEM);
    assert_int_equal(facts_find_service(facts, "b")->words, FACTS_LOCAL);
    assert_int_equal(facts_find_module(facts, "m.so")->role, FACTS_NOTHING);
    assert_string_equal(facts_service_at(facts, 0)->name, "a");
    assert_string_equal(facts_service_at(facts, 2)->name, "c");
}

TEST(refuses_a_malformed_line_and_names_it)
{
    static const struct {
        const char *text, *expected;
    } wrong[] = {
        { "\n\nservices a", "facts:3: \"services\": write service or module" },
        { "service", "facts:1: \"service\": without a name" },
        { "module", "\"module\": without a name" },
        { "service a login\nservice b\nservice a", "facts:3: \"a\": named twice" },
        { "module a.so factor\nmodule a.so factor", "facts:2: \"a.so\": named twice" },
        { "service A", "\"A\": not a service name in lower case" },
        { "service a/b", "not a service name" },
        { "service a logins", "\"logins\": unknown word for a service" },
        { "service a Login", "\"Login\": unknown word for a service" },
        { "service a login=yes", ": unknown word for a service" },
        { "service a alone others", "\"alone\" and \"others\" contradict each other" },
        { "service a system local", "\"system\" and \"local\" contradict" },
        { "service a user account=x", "\"user\" and \"account\" contradict" },
        { "service a account=", "write the name of an account" },
        { "service a account=a/b", "write the name of an account" },
        { "service a look=etc", "\"look=etc\": write an absolute path" },
        { "service a proftpd=", "write an absolute path" },
        { "service a proftpd=/a proftpd=/b", "\"proftpd=/b\": too many of them" },
        { "service a look=/1 look=/2 look=/3 look=/4 look=/5", "\"look=/5\": too many of them" },
        { "module a.so", "\"a.so\": write factor, condition, root or nothing" },
        { "module a.so second", "\"second\": write factor" },
        { "module a.so factor only=succes", "write codes of pam.conf(5)" },
        { "module a.so factor only=", "write codes of pam.conf(5)" },
        { "module a.so factor only=success,", "write codes of pam.conf(5)" },
        { "module a.so factor only=default", "write codes of pam.conf(5)" },
        { "module a.so factor only=success never=ignore", "or too many" },
        { "module a.so factor unless=a unless=b", "or too many" },
        { "module a.so factor unless=a,,b", "write names of arguments" },
        { "module a.so factor unless=a=b", "write names of arguments" },
        { "module a.so factor maybe", "\"maybe\": unknown word for a module" },
        { "service caf\xc3\xa9", "a byte that is not printable ASCII" },
        { "service a\rlogin", "a byte that is not printable ASCII" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_wrong(wrong[i].text, wrong[i].expected);
}

TEST(has_bounds)
{
    char name[FACTS_NAME_MAX + 16] = "service ";
    char *text = calloc(FACTS_ENTRIES_MAX + 2, 32);
    size_t used = 0;

    memset(name + 8, 'a', FACTS_NAME_MAX + 1);
    assert_wrong(name, "not a service name");
    assert_non_null(text);
    for (int i = 0; i <= FACTS_ENTRIES_MAX; i++)
        used += (size_t)sprintf(text + used, "service s%d\n", i);
    assert_wrong(text, "facts:4097: \"s4096\": too many names");
    free(text);
}
