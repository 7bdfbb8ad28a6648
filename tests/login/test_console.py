# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The console, and su."""

import socket

from logincase import (APPROVED, CODE_PROMPT, CREATED, NOT_ENROLLED, VERIFIED, WRONG_PROMPT,
                       LoginCase, at_once, denied, machine, setUpModule)
from kit.machine import Terminal, run

LOGIN_PROMPT = f"{socket.gethostname()} login: "


@at_once
class Console(LoginCase):
    """login by conf/pam.d/login. Which blank lines it prints differs from login to login."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("login", "login")

    def log_in(self, name, *answers):
        terminal = self.enterContext(Terminal("login"))
        for prompt, line in ((LOGIN_PROMPT, name), *answers):
            terminal.answer(prompt, line)
        return terminal

    def assert_shell(self, terminal):
        terminal.expect(r"\$ $")
        terminal.type("id -un; exit")
        terminal.finish()

    def assert_refused(self, terminal):
        terminal.expect(f"Login incorrect\\s+{LOGIN_PROMPT}$")

    def assert_lines(self, terminal, *lines):
        self.assertEqual([line for line in terminal.text.splitlines() if line], list(lines))

    def assert_console_log(self, person, *line):
        self.assert_log(person, *line, service="login", rhost="-")

    def test_the_console_lets_in_with_a_right_code(self):
        person = machine.person("console")
        terminal = self.log_in(person.name, ("Password: ", person.password),
                               (CODE_PROMPT, person.code))
        self.assert_shell(terminal)
        self.assert_lines(terminal, f"{LOGIN_PROMPT}{person.name}", "Password: ",
                          "Verification code: ", "$ id -un; exit", person.name)
        self.assert_console_log(person, *APPROVED)
        self.assert_requests(person, CREATED, VERIFIED)

    def test_the_console_takes_a_right_code_after_a_wrong_one(self):
        person = machine.person("consolesecond")
        terminal = self.log_in(person.name, ("Password: ", person.password),
                               (CODE_PROMPT, person.wrong_code), (WRONG_PROMPT, person.code))
        self.assert_shell(terminal)
        self.assert_lines(terminal, f"{LOGIN_PROMPT}{person.name}", "Password: ",
                          "Verification code: ", "Wrong code. Verification code: ",
                          "$ id -un; exit", person.name)
        self.assert_console_log(person, *APPROVED)
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED)

    def test_the_console_refuses_wrong_codes(self):
        person = machine.person("consolewrong")
        wrong = person.wrong_codes
        terminal = self.log_in(person.name, ("Password: ", person.password), (CODE_PROMPT, wrong[0]),
                               (WRONG_PROMPT, wrong[1]), (WRONG_PROMPT, wrong[2]))
        self.assert_refused(terminal)
        self.assert_lines(terminal, f"{LOGIN_PROMPT}{person.name}", "Password: ",
                          "Verification code: ", "Wrong code. Verification code: ",
                          "Wrong code. Verification code: ", "Login incorrect", LOGIN_PROMPT)
        self.assert_console_log(person, *denied())

    def test_the_console_refuses_who_is_not_enrolled_after_the_same_prompts(self):
        person = machine.person("consolestranger", is_enrolled=False)
        terminal = self.log_in(person.name, ("Password: ", person.password),
                               (CODE_PROMPT, "123456"), (WRONG_PROMPT, "123457"),
                               (WRONG_PROMPT, "123458"))
        self.assert_refused(terminal)
        self.assert_console_log(person, *NOT_ENROLLED)

    def test_the_console_treats_who_does_not_exist_like_a_wrong_password(self):
        person = machine.person("consolepassword")
        for name in (person.name, "no-such-user-of-the-console"):
            terminal = self.log_in(name, ("Password: ", "not it"))
            self.assert_refused(terminal)
            self.assert_lines(terminal, f"{LOGIN_PROMPT}{name}", "Password: ", "Login incorrect",
                              LOGIN_PROMPT)
            self.assertEqual(machine.journal.logins(name, 0), [])


@at_once
class Su(LoginCase):
    """su by conf/pam.d/sudo."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sudo", "su")

    def su(self, person, other, *answers):
        terminal = self.enterContext(Terminal("su", other, "-c", "id -un", user=person.name,
                                              group=person.name, extra_groups=[], cwd="/"))
        return self.answer(terminal, *answers), terminal

    def test_su_asks_for_the_code_of_the_other_user(self):
        person, other = machine.person("su"), machine.person("other")
        status, terminal = self.su(person, other.name, ("Password: ", other.password),
                                   (CODE_PROMPT, other.code))
        self.assertEqual(status, 0)
        self.assert_screen(terminal, "Password: ", "Verification code: ", other.name)
        self.assert_log(other, *APPROVED, service="su")
        self.assert_requests(other, CREATED, VERIFIED)
        self.assert_never_called(person)

    def test_su_refuses_wrong_codes(self):
        person, other = machine.person("suwrong"), machine.person("other")
        wrong = other.wrong_codes
        status, terminal = self.su(person, other.name, ("Password: ", other.password),
                                   (CODE_PROMPT, wrong[0]), (WRONG_PROMPT, wrong[1]),
                                   (WRONG_PROMPT, wrong[2]))
        self.assertEqual(status, 1)
        self.assert_screen(terminal, "Password: ", "Verification code: ",
                           "Wrong code. Verification code: ", "Wrong code. Verification code: ",
                           "su: Authentication failure")
        self.assert_log(other, *denied(), service="su")
        self.assertIn(f" ruser={person.name} outcome=", other.log(1)[0].text)
        self.assert_requests(other, CREATED, VERIFIED, VERIFIED, VERIFIED)

    def test_su_does_not_ask_about_who_does_not_exist(self):
        person = machine.person("sunobody")
        status, terminal = self.su(person, "no-such-user-of-su")
        self.assertEqual(status, 1)
        self.assertRegex(terminal.text, "^su: user no-such-user-of-su does not exist")
        self.assertEqual(machine.journal.logins("no-such-user-of-su", 0), [])

    def test_root_needs_no_code_for_su(self):
        person = machine.person("rootsu")
        self.assertEqual(run("su", person.name, "-c", "id -un"), f"{person.name}\n")
        self.assert_never_called(person)
