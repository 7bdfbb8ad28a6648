# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""check-pam: whether sshd lets in without a code."""

import json
import pathlib
import shlex
import subprocess
import unittest

from kit.admincase import OK, can_copy, on_a_copy
from kit.pamcase import ENTER, INCLUDE, LINE, SPLIT, CheckCase, can_enter, recipe


@unittest.skipUnless(pathlib.Path("/usr/sbin/sshd").exists(), "no sshd")
@unittest.skipUnless(can_enter(), "needs root, for a /run/sshd of its own")
class Sshd(CheckCase):
    BOTH = "AuthenticationMethods publickey,keyboard-interactive\n"

    def setUp(self):
        super().setUp()
        self.config = self.directory / "sshd_config"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        self.directory / "key"],
                       check=True, stdin=subprocess.DEVNULL)
        self.after, self.password = recipe("sshd-key-and-code"), recipe("sshd-password-and-code")
        self.key = self.after.replace(" after=publickey", "")

    def sshd(self, config, stack):
        """["level: text"] of sshd's own configuration."""
        self.install(sshd=stack)
        self.config.write_text(f"HostKey {self.directory}/key\n{config}")
        _, findings = self.check("--sshd-config", self.config, "sshd", prefix=ENTER)
        return [f"{level}: {text}".replace(f"{self.directory}/", "") for level, _, text,
                _ in findings
                if level != "note" or not text.startswith("root ")][1:]

    def test_root_who_may_not_type_a_code_is_noted(self):
        self.install(sshd=self.key)
        for line, notes in (("", 1), ("PermitRootLogin without-password\n", 1),
                            ("PermitRootLogin prohibit-password\n", 1), ("PermitRootLogin no\n", 0),
                            ("PermitRootLogin yes\n", 0)):
            with self.subTest(line):
                self.config.write_text(f"HostKey {self.directory}/key\n"
                                       f"{line}UsePAM yes\n{self.BOTH}")
                _, findings = self.check("--sshd-config", self.config, "sshd", prefix=ENTER)
                found = [row for row in findings if row[2].startswith("root is refused even with")]
                self.assertEqual([row[0] for row in found], ["note"] * notes)

    def assert_sshd(self, config, stack, *expected):
        found = self.sshd(config, stack)
        self.assertEqual(len(found), len(expected), found)
        for one, beginning in zip(found, expected):
            self.assertEqual(one[:len(beginning)], beginning, found)

    def test_the_recipes_are_fine(self):
        head = "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n"
        self.assert_sshd(head + self.BOTH, self.after,
                         'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks')
        self.assert_sshd(head + "AuthenticationMethods keyboard-interactive\n", self.password,
                         'ok: AuthenticationMethods: "keyboard-interactive" asks')
        self.assert_sshd("UsePAM yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n"
                         "AuthenticationMethods password\n", recipe("one-field"),
                         'ok: AuthenticationMethods: "password" asks')

    def test_each_way_to_log_in_is_judged(self):
        self.split = SPLIT + INCLUDE + LINE
        asks = 'ok: without AuthenticationMethods: "keyboard-interactive" asks'
        bypass = 'wrong: without AuthenticationMethods: "{}" logs in without the code'.format
        alone = 'wrong: without AuthenticationMethods: by "{}" the code alone logs in'.format
        refused = '{}: without AuthenticationMethods: "{}" is always refused{}'.format
        for settings, stack, *expected in (
                ("PasswordAuthentication no", "password", bypass("publickey"), asks),
                ("PasswordAuthentication no; PubkeyAuthentication no", "password", asks),
                ("PasswordAuthentication no; PubkeyAuthentication no", "key",
                 alone("keyboard-interactive")),
                ("PasswordAuthentication no; PubkeyAuthentication no; HostbasedAuthentication yes; "
                 "GSSAPIAuthentication yes", "password", bypass("hostbased"),
                 bypass("gssapi-with-mic"), asks),
                ("PubkeyAuthentication no", "password",
                 refused("warning", "password", ", as a password is"), asks),
                ("PubkeyAuthentication no", "key", alone("password"),
                 alone("keyboard-interactive")),
                ("PubkeyAuthentication no", "after",
                 refused("warning", "password", ": no method of the module's after="),
                 refused("wrong", "keyboard-interactive", ": no method of")),
                ("PubkeyAuthentication no", "split",
                 'ok: without AuthenticationMethods: "password" asks for the code', asks),
                ("PubkeyAuthentication no; KerberosAuthentication yes", "password",
                 bypass("password"), asks),
                ("KerberosAuthentication yes; AuthenticationMethods password", "password",
                 'wrong: AuthenticationMethods: "password" logs in without'),
                ("AuthenticationMethods keyboard-interactive password", "key",
                 'wrong: AuthenticationMethods: by "keyboard-interactive" the code',
                 'wrong: AuthenticationMethods: by "password" the code alone'),
                ("KbdInteractiveAuthentication no; AuthenticationMethods password", "split",
                 'ok: AuthenticationMethods: "password" asks for the code'),
                ("AuthenticationMethods publickey,password", "split",
                 'ok: AuthenticationMethods: "publickey,password" asks for the code'),
                ("KbdInteractiveAuthentication no; PasswordAuthentication no; "
                 "AuthenticationMethods publickey", "split",
                 "wrong: KbdInteractiveAuthentication is off", "wrong: "),
                ("KbdInteractiveAuthentication no; AuthenticationMethods publickey", "key",
                 "wrong: KbdInteractiveAuthentication is off",
                 'wrong: AuthenticationMethods: "publickey" logs in without the code'),
                ("UsePAM no", "key", "wrong: UsePAM is off")):
            with self.subTest([settings, stack]):
                self.assert_sshd(settings.replace("; ", "\n") + "\nUsePAM yes\n",
                                 getattr(self, stack), *expected)

    def test_with_after_the_code_alone_is_closed(self):
        self.assertNotEqual(self.after, self.key)
        for methods, stack, expected in (
                ("publickey,keyboard-interactive", self.after, ("ok", " asks for the code")),
                ("keyboard-interactive", self.after, ("wrong", " is always refused: no method of")),
                ("keyboard-interactive", self.key, ("wrong", " the code alone logs in")),
                ("password", self.after, ("wrong", " is always refused: no method of")),
                ("publickey,password", self.after, ("wrong", " is always refused: no method of")),
                ("publickey,password", self.key, ("ok", " asks for the code")),
                ("hostbased,keyboard-interactive", self.after, ("wrong", " is always refused: no")),
                ("keyboard-interactive,publickey", self.after, ("wrong", " is always refused: no")),
                ("publickey,hostbased,keyboard-interactive:pam", self.after, ("ok", " asks for")),
                ("hostbased,keyboard-interactive",
                 self.after.replace("after=publickey", "after=publickey,hostbased"),
                 ("ok", " asks for the code")),
                ("publickey,keyboard-interactive",
                 self.password.replace("verify.so", "verify.so after=publickey"),
                 ("ok", " asks for the code")),
                ("keyboard-interactive",
                 self.password.replace("verify.so", "verify.so after=publickey"),
                 ("wrong", " is always refused: no method of"))):
            with self.subTest([methods, stack]):
                found, = self.sshd("UsePAM yes\nHostbasedAuthentication yes\n"
                                   f"AuthenticationMethods {methods}\n", stack)
                self.assertEqual((found.split(":")[0], expected[1] in found), (expected[0], True),
                                 found)

    def test_match_blocks_are_named_with_their_lines(self):
        (self.directory / "more.conf").write_text(
            "Match Group robots # machines\n  AuthenticationMethods publickey\n"
            "match user=alice\n  authenticationmethods=\"publickey,keyboard-interactive\"\n")
        self.assert_sshd(
            "UsePAM yes\nPasswordAuthentication no\n" + self.BOTH +
            f"Include {self.directory}/more.conf {self.directory}/nosuch*.conf\n"
            "AllowTcpForwarding no\nMatch User emergency\n\tAuthenticationMethods \"publickey,hostbased\" publickey\n"
            "Match Address 192.0.2.0/24\nPasswordAuthentication yes\nX11Forwarding no\n"
            "Match all\nAuthenticationMethods publickey,keyboard-interactive\n", self.key,
            'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks',
            "warning: more.conf:2: Match Group robots",
            "ok: more.conf:4: Match user=alice: asks for the code by "
            '"publickey,keyboard-interactive"',
            "warning: sshd_config:8: Match User emergency: an exemption",
            'ok: sshd_config:10: Match Address 192.0.2.0/24: asks for the code by '
            '"publickey,keyboard-interactive"')

    HEAD = "UsePAM yes\nPasswordAuthentication no\n"
    ROBOT = "    AuthenticationMethods publickey\n"

    def test_every_criterion_of_match_is_known_to_sshd(self):
        for criteria in ("LocalPort 2222", "LocalAddress 10.0.0.1", "RDomain blue",
                         "Host *.example.com", "Address 192.0.2.0/24,!192.0.2.7", "Group robots",
                         "User !root,*bot", "Group !wheel,* User bob", 'user="bob"',
                         "Address 2001:db8::/32  LocalPort 23  # comment"):
            with self.subTest(criteria):
                self.assert_sshd(
                    f"{self.HEAD}{self.BOTH}Match {criteria}\nX11Forwarding no\n{self.ROBOT}", self.key,
                    'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks',
                    "warning: sshd_config:7: Match " + criteria.strip().removesuffix("  # comment") +
                    ': an exemption, logs in without both factors by "publickey"')

    def test_a_match_block_that_everybody_is_in_is_no_exemption(self):
        for port, criteria in (("", "all"), ("", "User *"), ("", "Address *"), ("", "LocalPort 22"),
                               ("Port 2222\n", "LocalPort 2222")):
            with self.subTest(criteria):
                found = self.sshd(f"{port}{self.HEAD}{self.BOTH}Match {criteria}\n{self.ROBOT}", self.key)
                self.assertEqual(found[0], 'wrong: AuthenticationMethods: "publickey" logs in without '
                                           "the code")

    def test_a_match_block_is_judged_with_what_else_holds(self):
        ok = 'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks'
        for block, expected in (
                ("PasswordAuthentication yes", "ok: sshd_config:6: Match User bob: asks for the code by"),
                ("AuthenticationMethods publickey,password\nPasswordAuthentication yes",
                 'ok: sshd_config:6: Match User bob: asks for the code by "publickey,password"'),
                ("AuthenticationMethods publickey,password",
                 'wrong: sshd_config:6: Match User bob: is always refused by "publickey,password"'),
                ("KbdInteractiveAuthentication no",
                 "wrong: sshd_config:6: Match User bob: its configuration is unknown: "
                 "AuthenticationMethods cannot"),
                ("PubkeyAuthentication no",
                 "wrong: sshd_config:6: Match User bob: its configuration is unknown: "
                 "AuthenticationMethods cannot")):
            with self.subTest(block):
                self.assert_sshd(f"{self.HEAD}{self.BOTH}Match User bob\n{block}\n", self.key, ok,
                                 expected)
        self.assert_sshd(f"{self.HEAD}{self.BOTH}Match User bob\nX11Forwarding no\n", self.key, ok)
        self.assert_sshd("UsePAM yes\nAuthenticationMethods keyboard-interactive\nMatch User bob\n"
                         "AuthenticationMethods publickey,password\n", self.password,
                         'ok: AuthenticationMethods: "keyboard-interactive" asks for the code',
                         'wrong: sshd_config:5: Match User bob: is always refused by "publickey,pass')

    def test_who_is_left_out_of_every_match_block_is_judged(self):
        for criteria in ("Address *,!10.0.0.0/8", "User *,!bob", "LocalPort 22"):
            with self.subTest(criteria):
                found = self.sshd(f"{self.HEAD}AuthenticationMethods publickey\nMatch {criteria}\n"
                                  f"{self.BOTH}", self.key)
                self.assertIn("warning: users in no Match block: an exemption, logs in without both "
                              'factors by "publickey"', found)

    def test_an_earlier_match_block_hides_no_later_one(self):
        """Most are in both, and the first line counts; bob is in the second alone from 10.0.0.1."""
        found = self.sshd(f"{self.HEAD}{self.BOTH}Match Address *,!10.0.0.0/8\n{self.BOTH}"
                          f"Match User bob\n{self.ROBOT}", self.key)
        self.assertEqual(found[-1], "warning: sshd_config:8: Match User bob, and no other block: an "
                         'exemption, logs in without both factors by "publickey"')
        found = self.sshd(f"{self.HEAD}Match User *\n{self.BOTH}Match User bob\n{self.ROBOT}", self.key)
        self.assertEqual({one[:3] for one in found}, {"ok:"}, found)

    def test_a_match_block_around_an_include_is_part_of_what_is_judged(self):
        (self.directory / "outer.conf").write_text(
            f"Match Group robots\nInclude {self.directory}/inner.conf\n")
        (self.directory / "inner.conf").write_text(
            f"X11Forwarding no\nMatch Address 10.0.0.0/8\n{self.ROBOT}")
        self.assert_sshd(f"Include {self.directory}/outer.conf\n{self.HEAD}{self.BOTH}Port 22\n",
                         self.key,
                         'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks',
                         "warning: inner.conf:3: Match Address 10.0.0.0/8: an exemption")

    def test_an_include_is_quoted_as_sshd_takes_it(self):
        path = self.directory / "with blank.conf"
        path.write_text(f"Match Group robots\n{self.ROBOT}")
        for include in (f"Include '{path}'", f'Include "{path}"', f'"include"="{path}"',
                        f"Include nosuch.conf {self.directory}/'with blank'.conf # a comment",
                        f"Include {self.directory}/with\\ blank.conf"):
            with self.subTest(include):
                self.assert_sshd(f"{self.HEAD}{self.BOTH}{include}\n", self.key,
                                 'ok: AuthenticationMethods: "publickey,keyboard-interactive" asks',
                                 "warning: with blank.conf:2: Match Group robots: an exemption")

    def test_each_list_is_judged_by_itself(self):
        never = "is always refused, as a password is not a code"
        for lists, stack, *expected in (
                ("publickey,keyboard-interactive password,keyboard-interactive", "password",
                 ("ok", "asks for the code"), ("wrong", never)),
                ("password,publickey keyboard-interactive", "password", ("wrong", never), ("ok", "asks")),
                ("publickey,password", "key", ("ok", "asks for the code")),
                ("keyboard-interactive,publickey password,publickey", "key",
                 ("warning", "asks for the code first"), ("warning", "asks for the code first")),
                ("password,keyboard-interactive", "key", ("wrong", "the code alone logs in")),
                ("keyboard-interactive,keyboard-interactive", "key", ("wrong", "the code alone logs in")),
                ("hostbased,keyboard-interactive publickey,keyboard-interactive", "key",
                 ("note", "sshd skips"), ("ok", "asks for the code")),
                ("gssapi-with-mic,keyboard-interactive:pam", "key", ("ok", "asks for the code")),
                ("gssapi-with-mic publickey,keyboard-interactive", "key",
                 ("wrong", "logs in without the code"), ("ok", "asks for the code")),
                ("publickey,keyboard-interactive:bsdauth", "key",
                 ("wrong", "is always refused: it names a method that cannot be satisfied")),
                ("publickey,publickey,keyboard-interactive", "key", ("ok", "asks for the code")),
                ("publickey,publickey", "password", ("wrong", "logs in without the code")),
                ("none", "password", ("wrong", "is always refused: it names a method"))):
            with self.subTest([lists, stack]):
                found = self.sshd("UsePAM yes\nGSSAPIAuthentication yes\nAuthenticationMethods\t  " +
                                  lists.replace(" ", "\t ") + "\n", getattr(self, stack))
                self.assertEqual(len(found), len(expected), found)
                for one, (level, words) in zip(found, expected):
                    self.assertTrue(one.startswith(f"{level}: AuthenticationMethods: "), found)
                    self.assertIn(words, one)

    def test_lists_of_any_length_are_read_whole(self):
        long = " ".join(["publickey,keyboard-interactive:pam"] * 40) + " publickey"
        found = self.sshd(f"{self.HEAD}AuthenticationMethods {long}\n", self.key)
        self.assertEqual(len(found), 41)
        self.assertIn('"publickey" logs in without the code', found[-1])

    @unittest.skipUnless(can_copy(), "needs an /etc of its own")
    def test_options_of_its_command_line_are_told_of(self):
        (self.directory / "layers").mkdir()
        self.install(sshd=self.after)
        for path, text, is_told in (
                ("default/ssh", "SSHD_OPTS='-o PasswordAuthentication=yes'\n", True),
                ("default/ssh", "# Options\n  SSHD_OPTS=-f/etc/ssh/other\n", True),
                ("default/ssh", "#SSHD_OPTS=-ox\nSSHD_OPTS=-4\nOTHER=-ox\n", False),
                ("default/ssh", "SSHD_OPTS='-E /var/log/auth-of -4'\n", False),
                ("systemd/system/ssh.service.d/x.conf",
                 "[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -Df /x\n", True),
                ("sysconfig/sshd", 'OPTIONS="-4 -o UsePAM=no"\n', True)):
            with self.subTest(text):
                steps = (f"mkdir -p $(dirname /etc/{path})", f"printf %s {shlex.quote(text)} >/etc/{path}",
                         f"cp {self.directory}/key /etc/ssh/key",
                         f"printf 'HostKey /etc/ssh/key\nUsePAM yes\n{self.BOTH}' >/etc/ssh/sshd_config")
                done = self.run_tool("check-pam", "--json", "--pam-dir", self.pam, "sshd", prefix=(
                    *ENTER, *on_a_copy(self.directory / "layers", *steps)))
                told = [row for row in json.loads(done.out)
                        if "options of sshd's command line are not checked" in row["text"]]
                self.assertEqual([row["level"] for row in told], ["warning"] * is_told, done.out)

    def test_a_configuration_that_sshd_refuses_is_told_of(self):
        self.assert_sshd("UsePAM maybe\n", self.key,
                         "wrong: its configuration is unknown: sshd_config line 2")

    @unittest.skipIf(pathlib.Path("/run/sshd").exists(), "sshd runs here")
    def test_an_sshd_that_does_not_run_is_told_of(self):
        self.install(sshd=self.key)
        self.config.write_text(f"HostKey {self.directory}/key\n")
        status, findings = self.check("--sshd-config", self.config, "sshd")
        self.assertEqual((status, findings[-1][0]), (OK, "warning"))
        self.assertIn("its configuration is unknown: Missing privilege", findings[-1][2])
