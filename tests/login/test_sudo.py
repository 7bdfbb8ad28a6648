# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""sudo as a step-up, with and without a password."""

import os
import pathlib
import re
import shlex
import signal
import time

from logincase import (APPROVED, CODE_PROMPT, CREATED, UNANSWERED, VERIFIED, WRONG_PROMPT,
                       SudoCase, at_once, denied, machine, setUpModule)
from kit.machine import SECURITY

PASSWORD_PROMPT = "[sudo] password for {}: "
TWICE = ("sh", "-c", "sudo id -un && sudo id -un")


@at_once
class Sudo(SudoCase):
    """By conf/pam.d/sudo."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sudo", "sudo")
        machine.use_recipe("sudo", "sudo-i")

    def password(self, person):
        return PASSWORD_PROMPT.format(person.name), person.password

    def test_sudo_steps_up_with_a_right_code(self):
        person = machine.person("sudo")
        terminal = self.terminal(person, "sudo", "id", "-un")
        self.assertEqual(
            self.answer(terminal, self.password(person), (CODE_PROMPT, person.code)), 0)
        self.assert_screen(terminal, f"[sudo] password for {person.name}: ",
                           "Verification code: ", "root")
        self.assert_log(person, *APPROVED, service="sudo")
        self.assert_requests(person, CREATED, VERIFIED)

    def test_sudo_takes_a_right_code_after_a_wrong_one(self):
        person = machine.person("sudosecond")
        terminal = self.terminal(person, "sudo", "id", "-un")
        self.assertEqual(
            self.answer(terminal, self.password(person), (CODE_PROMPT, person.wrong_code),
                        (WRONG_PROMPT, person.code)), 0)
        self.assert_screen(terminal, f"[sudo] password for {person.name}: ",
                           "Verification code: ", "Wrong code. Verification code: ", "root")
        self.assert_log(person, *APPROVED, service="sudo")

    def test_sudo_refuses_nine_wrong_codes_on_three_challenges(self):
        person = machine.person("sudowrong")
        wrong = person.wrong_codes
        terminal = self.terminal(person, "sudo", "id", "-un")
        attempts = [self.password(person), (CODE_PROMPT, wrong[0]), (WRONG_PROMPT, wrong[1]),
                    (WRONG_PROMPT, wrong[2])]
        self.assertEqual(self.answer(terminal, *attempts * 3), 1)
        prompts = [f"[sudo] password for {person.name}: ", "Verification code: ",
                   "Wrong code. Verification code: ", "Wrong code. Verification code: "]
        self.assert_screen(terminal, *prompts, "Sorry, try again.", *prompts, "Sorry, try again.",
                           *prompts, "sudo: 3 incorrect password attempts")
        self.assert_log(person, *denied(), calls=3, service="sudo")
        self.assert_requests(person, *[CREATED, VERIFIED, VERIFIED, VERIFIED] * 3)

    def test_sudo_reads_password_and_code_from_a_pipe(self):
        person = machine.person("sudopipe")
        done = self.assert_root(person, person.password, person.code)
        self.assertEqual(done.stderr,
                         f"[sudo] password for {person.name}: Verification code: ")
        self.assert_log(person, *APPROVED, service="sudo")

    def test_sudo_refuses_when_the_pipe_ends_before_the_code(self):
        person = machine.person("sudoeof")
        self.assert_refused(person, person.password)
        self.assert_log(person, *UNANSWERED, service="sudo")
        self.assertLessEqual(set(person.requests()), {CREATED})

    def test_sudo_asks_by_a_program(self):
        person = machine.person("sudoaskpass")
        directory = pathlib.Path(f"/run/home/{person.name}")
        askpass = directory / "askpass"
        askpass.write_text(f"""#!/bin/sh
echo "$1" >>{directory}/asked
case $1 in
    "Verification code: ") echo {person.code} ;;
    *) echo {shlex.quote(person.password)} ;;
esac
""")
        askpass.chmod(0o755)
        done = self.run_as(person, "sudo", "-A", "id", "-un", env={"SUDO_ASKPASS": str(askpass)})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "root\n", ""))
        self.assertEqual((directory / "asked").read_text(),
                         f"[sudo] password for {person.name}: \nVerification code: \n")
        self.assert_log(person, *APPROVED, service="sudo")
        self.assert_requests(person, CREATED, VERIFIED)

    def refused_at_once(self, person):
        done = self.run_as(person, "sudo", "-n", "id", "-un")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"^sudo: (a password|interactive authentication) is "
                                      r"required\n$")

    def test_sudo_that_may_not_ask_refuses_and_never_calls_the_module(self):
        person = machine.person("sudon")
        self.refused_at_once(person)
        [line] = machine.journal.find(rf"^ *{person.name} : (a password|interactive "
                                      r"authentication) is required ; .*COMMAND=/usr/bin/id -un$")
        self.assertEqual(line.program, "sudo")
        self.assert_never_called(person)

    def test_sudo_without_a_terminal_refuses_and_creates_no_challenge(self):
        person = machine.person("sudonotty")
        done = self.run_as(person, "sudo", "id", "-un")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("sudo: a terminal is required to read the password", done.stderr)
        self.assert_never_called(person)

    def test_a_second_call_within_the_timestamp_asks_nothing_and_sends_nothing(self):
        person = machine.person("sudostamp")
        terminal = self.terminal(person, *TWICE)
        self.assertEqual(
            self.answer(terminal, self.password(person), (CODE_PROMPT, person.code)), 0)
        self.assert_screen(terminal, f"[sudo] password for {person.name}: ",
                           "Verification code: ", "root", "root")
        self.assert_log(person, *APPROVED, service="sudo")
        self.assert_requests(person, CREATED, VERIFIED)

    def test_with_a_timestamp_of_0_minutes_every_call_asks(self):
        person = machine.person("sudonostamp")
        self.defaults(person, "timestamp_timeout=0")
        terminal = self.terminal(person, *TWICE)
        status = self.answer(terminal, self.password(person), (CODE_PROMPT, person.code),
                             self.password(person), (CODE_PROMPT, person.next_code))
        self.assertEqual(status, 0)
        prompts = [f"[sudo] password for {person.name}: ", "Verification code: "]
        self.assert_screen(terminal, *prompts, "root", *prompts, "root")
        self.assert_log(person, *APPROVED, calls=2, service="sudo")
        self.assert_requests(person, *[CREATED, VERIFIED] * 2)

    def test_a_prompt_of_sudos_own_replaces_the_question_for_the_code(self):
        """By sudo -p, or passprompt_override: check-pam and conf/README.md say so."""
        override = 'passprompt_override,passprompt="Secret: "'
        for name, setting, command in (
                ("sudoown", None, ("sudo", "-p", "Secret: ")),
                ("sudooverride", override, ("sudo",))):
            with self.subTest(name):
                person = machine.person(name)
                if setting:
                    self.defaults(person, setting)
                terminal = self.terminal(person, *command, "id", "-un")
                self.assertEqual(self.answer(terminal, ("Secret: ", person.password),
                                             ("Secret: ", person.code)), 0)
                self.assert_screen(terminal, "Secret: ", "Secret: ", "root")
                self.assert_log(person, *APPROVED, service="sudo")

    def test_a_refused_code_leaves_no_timestamp(self):
        person = machine.person("sudounstamped")
        wrong = person.wrong_codes
        self.defaults(person, "passwd_tries=1")
        terminal = self.terminal(person, "sh", "-c", "sudo id -un; sudo id -un")
        attempts = [self.password(person), (CODE_PROMPT, wrong[0]), (WRONG_PROMPT, wrong[1]),
                    (WRONG_PROMPT, wrong[2])]
        self.assertEqual(self.answer(terminal, *attempts * 2), 1)
        self.assert_log(person, *denied(), calls=2, service="sudo")

    def test_a_shell_of_roots_has_a_service_of_its_own(self):
        person = machine.person("sudoi")
        terminal = self.terminal(person, "sudo", "-i", "id", "-un")
        self.assertEqual(
            self.answer(terminal, self.password(person), (CODE_PROMPT, person.code)), 0)
        self.assert_screen(terminal, f"[sudo] password for {person.name}: ",
                           "Verification code: ", "root")
        self.assert_log(person, *APPROVED, service="sudo-i")

    def test_a_shell_of_roots_is_refused_with_wrong_codes(self):
        person = machine.person("sudoiwrong")
        self.defaults(person, "passwd_tries=1")
        terminal = self.terminal(person, "sudo", "-i", "id", "-un")
        wrong = person.wrong_codes
        self.assertEqual(
            self.answer(terminal, self.password(person), (CODE_PROMPT, wrong[0]),
                        (WRONG_PROMPT, wrong[1]), (WRONG_PROMPT, wrong[2])), 1)
        self.assert_log(person, *denied(), service="sudo-i")

    def test_what_needs_no_password_never_calls_the_module(self):
        person = machine.person("sudonopasswd")
        path = pathlib.Path("/etc/sudoers.d") / f"zz-{person.name}"
        path.touch(0o440)
        path.write_text(f"{person.name} ALL=(ALL:ALL) NOPASSWD: /usr/bin/id\n")
        done = self.run_as(person, "sudo", "id", "-un")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "root\n", ""))
        self.assert_never_called(person)


@at_once
class CodeAlone(SudoCase):
    """sudo by the lines of conf/pam.d/sshd-key-and-code: a code in place of the password."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-key-and-code", "sudo")

    def test_a_right_code_steps_up(self):
        person = machine.person("step")
        terminal = self.terminal(person, "sudo", "id", "-un")
        self.assertEqual(self.answer(terminal, (CODE_PROMPT, person.code)), 0)
        self.assert_screen(terminal, "Verification code: ", "root")
        self.assert_log(person, *APPROVED, service="sudo")
        self.assert_requests(person, CREATED, VERIFIED)

    def test_wrong_codes_are_refused(self):
        person = machine.person("stepwrong")
        self.defaults(person, "passwd_tries=1")
        wrong = person.wrong_codes
        terminal = self.terminal(person, "sudo", "id", "-un")
        self.assertEqual(self.answer(terminal, (CODE_PROMPT, wrong[0]), (WRONG_PROMPT, wrong[1]),
                                     (WRONG_PROMPT, wrong[2])), 1)
        self.assert_screen(terminal, "Verification code: ", "Wrong code. Verification code: ",
                           "Wrong code. Verification code: ",
                           "sudo: 1 incorrect password attempt")
        self.assert_log(person, *denied(), service="sudo")

    def test_the_password_is_no_code(self):
        person = machine.person("steppassword")
        self.defaults(person, "passwd_tries=1")
        self.assert_refused(person, *[person.password] * 3)
        self.assertLessEqual(set(person.requests()), {CREATED})

    def at_the_question(self, person):
        terminal = self.terminal(person, "sudo", "id", "-un")
        terminal.expect(CODE_PROMPT + "$")
        self.assert_requests(person, CREATED)
        return terminal

    def sudo_of(self, terminal):
        """The process of sudo below TERMINAL that has a check program."""
        def parent(pid):
            return int(re.search(r"PPid:\t(\d+)",
                                 pathlib.Path(f"/proc/{pid}/status").read_text())[1])

        for program in self.check_programs():
            ancestor = sudo = int(program["PPid"])
            while ancestor > 1 and ancestor != terminal.pid:
                ancestor = parent(ancestor)
            if ancestor == terminal.pid:
                return sudo
        raise AssertionError("there is no check program")

    def assert_one_line(self, person, program, part):
        """PROGRAM has left it, and nobody else one."""
        person.log(1)
        time.sleep(1.5)
        [line] = person.log(1)
        self.assertEqual((line.program, line.level), (program, "NOTICE"))
        self.assertIn(part, line.text)

    def test_sudo_that_is_interrupted_leaves_one_line(self):
        person = machine.person("stepinterrupt")
        terminal = self.at_the_question(person)
        terminal.press("\x03")
        self.assertEqual(terminal.finish(), 1)
        self.assert_one_line(person, "sudo", "outcome=unanswered")

    def test_sudo_that_is_killed_leaves_one_line(self):
        person = machine.person("stepkilled")
        terminal = self.at_the_question(person)
        os.kill(self.sudo_of(terminal), signal.SIGKILL)
        terminal.finish()
        self.assert_one_line(person, "twilio-verify-check", "service=sudo outcome=denied "
                                                            'reason="left at the question; chall')

    def test_sudo_that_may_not_ask_but_tries_is_refused_without_a_challenge(self):
        person = machine.person("stepn")
        self.defaults(person, "noninteractive_auth")
        done = self.run_as(person, "sudo", "-n", "id", "-un")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assert_log(person, *UNANSWERED, service="sudo")
        self.assert_requests(person)

    def test_a_second_call_within_the_timestamp_asks_nothing(self):
        person = machine.person("stepstamp")
        terminal = self.terminal(person, *TWICE)
        self.assertEqual(self.answer(terminal, (CODE_PROMPT, person.code)), 0)
        self.assert_screen(terminal, "Verification code: ", "root", "root")
        self.assert_log(person, *APPROVED, service="sudo")

    def test_who_is_exempt_is_asked_nothing_at_all(self):
        """So the recipe warns: here pam_permit is the whole authentication."""
        path = machine.configure(SECURITY / "twilio-verify-step.conf",
                                 login='exempt_services = ( "sudo-step" );\n')
        machine.use_recipe("sshd-key-and-code", "sudo-step", f"conf={path}")
        person = machine.person("stepexempt")
        self.defaults(person, "pam_service=sudo-step")
        self.assert_root(person)
        self.assert_log(person, "INFO", "not-required", "the service is in exempt_services",
                        service="sudo-step")
