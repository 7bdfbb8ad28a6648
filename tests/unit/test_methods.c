/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* The methods of "after=", and what sshd says that it has accepted. */
#include "unit.h"

#include "core/methods.h"

#define KEY "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA\n"

TEST(names_of_sshds_methods_are_known)
{
    assert_true(methods_are_known("publickey"));
    assert_true(methods_are_known("password"));
    assert_true(methods_are_known("hostbased"));
    assert_true(methods_are_known("gssapi-with-mic,publickey"));
    assert_true(methods_are_known("publickey,publickey"));
}

TEST(all_else_is_not_known)
{
    static const char *const lists[] = {
        "",
        ",",
        "publickey,",
        "publickey,,password",
        ",publickey",
        "publickeys",
        "PublicKey",
        "public",
        "publickey ",
        " publickey",
        "keyboard-interactive",
        "publickey password",
        "none",
        "any",
        "publickey,nothing",
        "publickey\npassword",
    };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        assert_false(methods_are_known(lists[i]));
}

TEST(an_accepted_method_begins_a_line)
{
    assert_true(methods_are_accepted("publickey", KEY));
    assert_true(methods_are_accepted("publickey", "publickey"));
    assert_true(methods_are_accepted("password", KEY "password\n"));
    assert_true(methods_are_accepted("hostbased,password", KEY "password\n"));
    assert_true(methods_are_accepted("publickey", "keyboard-interactive/pam\n" KEY));
    assert_true(methods_are_accepted("gssapi-with-mic", "gssapi-with-mic alice@EXAMPLE.ORG\n"));
}

TEST(anything_else_is_not_accepted)
{
    static const char *const infos[] = {
        NULL,
        "",
        "\n",
        " ",
        " publickey\n",
        "publickeys\n",
        "publickey,password\n",
        "publickey\tssh-ed25519\n",
        "password\n",
        "password publickey\n",
        "hostbased client user \"publickey\"\n",
        "keyboard-interactive/pam\n",
        "PUBLICKEY\n",
        "publick",
    };

    for (size_t i = 0; i < ARRAY_SIZE(infos); i++)
        assert_false(methods_are_accepted("publickey", infos[i]));
}
