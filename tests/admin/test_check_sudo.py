# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""check-pam: when sudo does not ask."""

import json
import os
import pathlib
import re
import shlex
import unittest

from kit.admincase import can_copy, on_a_copy
from kit.pamcase import CheckCase, recipe


@unittest.skipUnless(pathlib.Path("/usr/bin/cvtsudoers").exists(), "no cvtsudoers")
class Sudo(CheckCase):
    def sudo(self, text, **options):
        self.install(sudo=recipe("sudo"))
        self.sudoers.write_text(text)
        _, findings = self.check("sudo", **options)
        return [f"{level}: {text}".replace(f"{self.directory}/", "") for level, _, text,
                _ in findings
                ][1:]

    def test_what_does_not_ask_is_named(self):
        exempt = "warning: NOPASSWD: an exemption, "
        everywhere = "a code at one terminal is valid at all terminals of the user"
        service = "sudo uses this PAM service instead of its own"
        for line, *expected in (
                ("robot ALL=(root) NOPASSWD: /usr/local/bin/backup",
                 exempt + "robot runs without authentication: /usr/local/bin/backup"),
                ("robot ALL = NOEXEC:NOPASSWD :ALL", exempt + "robot runs without authentication"),
                ("robot ALL = \\\n  NOPASSWD: \\\n  ALL", exempt + "robot "),
                ("#1000, %wheel, !bob ALL = NOPASSWD: ALL", exempt + "#1000, %wheel, !bob runs"),
                ("bob ALL = NOPASSWD: /bin/a, PASSWD: /bin/b, NOPASSWD: /bin/c",
                 exempt + "bob runs without authentication: /bin/a, /bin/c"),
                ("User_Alias OPS = bob\nCmnd_Alias X = /bin/a\nOPS ALL = NOPASSWD: X",
                 exempt + "OPS runs without authentication: X"),
                ("%admins ALL = PASSWD: ALL",), ("# robot ALL = NOPASSWD: ALL",),
                ("%admins ALL = NOPASSWD: PASSWD: ALL",),
                ("robot ALL = ALL # NOPASSWD: ALL",), ("User_Alias NOPASSWD = bob",),
                ("NOPASSWD ALL = ALL",), ("XNOPASSWD ALL = ALL",), ("# nothing at all",),
                ("Defaults env_reset, !authenticate",
                 "wrong: Defaults !authenticate: sudo runs without authentication"),
                ("Defaults:ALL !authenticate", "wrong: Defaults !authenticate: sudo runs without"),
                ("ALL ALL = (ALL) NOPASSWD: ALL", "wrong: NOPASSWD: sudo runs without"),
                ("ALL ALL = NOPASSWD: /bin/a", exempt + "ALL runs without authentication: /bin/a"),
                ("Defaults:robot !authenticate", "warning: Defaults !authenticate: an exemption, "
                 "without authentication: robot"),
                ("Defaults authenticate",), ("Defaults timestamp_timeout=0",),
                ("Defaults timestamp_timeout=5", ), ("Defaults !lecture,tty_tickets",),
                ("Defaults !timestamp_timeout",), ("Defaults !exempt_group, !pam_service",),
                ("Defaults env_reset,timestamp_timeout = 60",
                 "note: timestamp_timeout=60: one code is valid for so many minutes"),
                ("Defaults\ttimestamp_timeout=-1",
                 "warning: timestamp_timeout=-1: one code is valid until the next restart"),
                ('Defaults badpass_message="no, timestamp_timeout=-1", timestamp_type=global',
                 "warning: timestamp_type=global: " + everywhere),
                ("Defaults !lecture, ! tty_tickets", "warning: tty_tickets=false: " + everywhere),
                ("Defaults exempt_group=wheel", "warning: exempt_group=wheel: an exemption, this "
                 "group runs sudo without authentication"),
                ("Defaults pam_service=sudo-easy", "warning: pam_service=sudo-easy: " + service),
                ("Defaults pam_askpass_service=x", "warning: pam_askpass_service=x: " + service),
                ("Defaults passprompt_override", "warning: passprompt_override=true: sudo's own "
                 "prompt replaces the question for the code"),
                ('Defaults:bob env_reset, passprompt_override, passprompt="Password for %p: "',
                 "warning: passprompt_override=true: sudo's own prompt replaces the question"),
                ("Defaults !passprompt_override",), ('Defaults passprompt="x: "',),
                ("Defaults rootpw", "warning: rootpw=true: sudo asks another user")):
            with self.subTest(line):
                found = self.sudo(line + "\nroot ALL=(ALL:ALL) ALL\n")
                self.assertEqual(len(found), len(expected), found)
                for one, beginning in zip(found, expected):
                    self.assertEqual(one[:len(beginning)], beginning)

    def test_includes_are_followed(self):
        directory = self.directory / "sudoers.d"
        directory.mkdir()
        for name in ("10-a", "20-b~", "30.c", "README"):
            (directory / name).write_text(f"# {name}\n{name.strip('~')[3:]}x ALL = NOPASSWD: ALL\n")
        (self.directory / "more").write_text("@include sudoers.d/20-b~\n")
        for line in (f"@includedir {directory}", f"#includedir {directory}",
                     "@includedir sudoers.d"):
            with self.subTest(line):
                found = self.sudo(line + "\n@include more\n")
                self.assertEqual([re.search(r"exemption, (\w+) ", one)[1] for one in found],
                                 ["ax", "DMEx", "bx"])

    def test_a_policy_that_is_not_known_is_never_nothing_found(self):
        for text in ("@include nosuch\n", "@include sudoers\n", "bad line here\n",
                     "bob ALL = NOPASSWD: ALL\nbob ALL = (\n"):
            with self.subTest(text):
                found, = self.sudo(text)
                self.assertTrue(found.startswith("warning: whom sudo does not ask is not known: sudoers: "))
        self.sudoers.unlink()
        os.mkfifo(self.sudoers)
        _, findings = self.check("sudo")
        self.assertIn("whom sudo does not ask is not known", findings[1][2])

    @unittest.skipUnless(can_copy(), "needs an /etc of its own")
    def test_rules_that_are_elsewhere_are_told_of(self):
        (self.directory / "layers").mkdir()
        self.install(sudo=recipe("sudo"))
        for path, text, *expected in (
                ("nsswitch.conf", "passwd: files sss\n sudoers:\tfiles [NOTFOUND=return] sss # ldap\n",
                 'takes rules from "sss" too'),
                ("nsswitch.conf", "sudoers:files ldap sss\n", 'rules from "ldap"', 'rules from "sss"'),
                ("nsswitch.conf", "#sudoers: ldap\nsudoers: files\n"),
                ("sudo.conf", "Plugin sudoers_policy sudoers.so sudoers_file=/srv/rules mode=0440\n",
                 "/etc/sudo.conf: sudo reads /srv/rules in place of /etc/sudoers"),
                ("sudo.conf", "Plugin python_policy python_plugin.so ModulePath=/x\n",
                 'the rules of the plugin "python_policy" are not checked'),
                ("sudo.conf", "#Plugin x y\nPlugin sudoers_io sudoers.so\nPath askpass /x\n")):
            with self.subTest(text):
                steps = ("rm -f /etc/nsswitch.conf /etc/sudo.conf", "echo 'root ALL=ALL' >/etc/sudoers",
                         f"printf %s {shlex.quote(text)} >/etc/{path}")
                done = self.run_tool("check-pam", "--json", "--pam-dir", self.pam, "sudo",
                                     prefix=on_a_copy(self.directory / "layers", *steps))
                found = [row for row in json.loads(done.out) if row["level"] == "warning"]
                self.assertEqual(len(found), len(expected), found)
                for row, words in zip(found, expected):
                    self.assertIn(words, row["text"])

    @unittest.skipUnless(can_copy(), "needs a private /usr/bin")
    def test_without_cvtsudoers_nothing_is_known(self):
        (self.directory / "layers").mkdir()
        found, = self.sudo("root ALL=ALL\n", prefix=on_a_copy(
            self.directory / "layers", "rm /usr/bin/cvtsudoers"))
        self.assertRegex(found, "^warning: whom sudo does not ask is not known: .*no cvtsudoers")
