#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The owner hears of wrong codes in the question, whatever client he uses; sudo uses the notice up in no
case."""

import json
import re
import unittest

from logincase import (CODE_PROMPT, NOTICE, PASSWORD_AND_CODE, WRONG_PROMPT, SudoCase, at_once, machine,
                       setUpModule)
from kit.machine import Terminal, fixture, run
from test_one_field import install


@at_once
class Notice(SudoCase):

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-password-and-code", "sshd")
        machine.use_recipe("sudo", "sudo")
        cls.server = cls.sshd(*PASSWORD_AND_CODE, "Subsystem sftp internal-sftp")

    def guesses(self, name):
        """Somebody in whose name three codes were wrong."""
        person = machine.person(name)
        wrong = person.wrong_codes
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, wrong[0]), (WRONG_PROMPT, wrong[1]), (WRONG_PROMPT, wrong[2]))
        return person

    def hear(self, person, code, *command, notice="3 wrong codes", options=()):
        """PERSON logs in to run COMMAND, and is told; returns all that the client showed."""
        with self.server.login(person.name, *command, options=options) as terminal:
            terminal.answer("Password: ", person.password)
            shown = NOTICE.replace(r"\d+ wrong codes?", notice) if notice else ""
            terminal.expect(re.escape(f"({person.name}@127.0.0.1) ") + shown +
                            re.escape(CODE_PROMPT) + "$")
            terminal.type(code)
            self.assertEqual(terminal.finish(), 0, terminal.text)
            return terminal.text

    def test_a_login_with_a_terminal(self):
        person = self.guesses("terminal")
        self.hear(person, person.code, "true", options=("-tt",))
        self.assertIn("; 3 wrong codes before", person.log(2)[1].text)
        self.hear(person, person.next_code, "true", notice=None)
        self.assertNotIn("before", person.log(3)[2].text)

    def test_one_field_leaves_the_notice_to_a_login_with_a_question(self):
        install("notice-field")
        person = self.guesses("field")
        shown = run(fixture.BUILD / "pam-driver", "--confdir", "/etc/pam.d", "--service",
                    "notice-field", "--user", person.name, "--answer", person.password + person.code)
        self.assertEqual(json.loads(shown)["calls"][0]["code"], "PAM_SUCCESS")
        self.hear(person, person.next_code, "true")

    def test_a_command(self):
        person = self.guesses("command")
        text = self.hear(person, person.code, "id", "-un")
        self.assertEqual(text.splitlines()[-1], person.name)

    def test_sftp(self):
        person = self.guesses("sftp")
        command = self.server.command(person.name)
        host = command.pop()
        command = ["sftp", "-oPort=" + command[command.index("-p") + 1],
                   f"-oUserKnownHostsFile={self.server.known_hosts}", "-F", "none", host]
        with Terminal(*command) as terminal:
            terminal.answer("Password: ", person.password)
            terminal.expect(r"\) " + NOTICE + re.escape(CODE_PROMPT) + "$")
            terminal.type(person.code)
            terminal.answer("sftp> ", "quit")
            self.assertEqual(terminal.finish(), 0)

    def test_a_thief_who_is_refused_or_leaves_does_not_use_it_up(self):
        person = self.guesses("thief")
        with self.server.login(person.name) as terminal:
            terminal.answer("Password: ", person.password)
            terminal.expect(NOTICE + re.escape(CODE_PROMPT) + "$")
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, person.wrong_code), (WRONG_PROMPT, "no code"),
                        (WRONG_PROMPT, "neither"))
        self.hear(person, person.code, "true", notice="4 wrong codes")

    def test_sudo_does_not_show_it_and_does_not_use_it_up(self):
        person = self.guesses("sudoer")
        terminal = self.terminal(person, "sudo", "id", "-un")
        terminal.answer(f"[sudo] password for {person.name}: ", person.password)
        terminal.answer(CODE_PROMPT, person.code)
        self.assertEqual(terminal.finish(), 0)
        self.assert_screen(terminal, f"[sudo] password for {person.name}: ",
                           "Verification code: ", "root")
        self.assertIn("; 3 wrong codes before", person.log(2)[1].text)
        self.hear(person, person.next_code, "true")


if __name__ == "__main__":
    unittest.main()
