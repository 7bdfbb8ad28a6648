# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""While Twilio is away, or the phone is lost, through real hosts: recovery codes, a bypass; and no code
twice."""


from logincase import (APPROVED, AWAY, CODE_PROMPT, CREATED, VERIFIED, WRONG_PROMPT, SettingsCase,
                       SudoCase, at_once, machine, setUpModule)
from kit.machine import SETTINGS, run

USED_PROMPT = "That code was used before: wait for the next one. Verification code: "


def make_codes(person, *options):
    return run("twilio-verify", *options, "recovery-codes", person.name).split()


def recovered(remain):
    return ("INFO", "approved", f"RECOVERY CODE used, {remain} remain")


class Ssh(SettingsCase):

    def test_a_recovery_code_lets_in_while_twilio_is_away_and_only_once(self):
        person = machine.person("recover")
        code, *_ = make_codes(person)
        person.codes.append(code)
        machine.configure(service=AWAY)
        with self.server.login(person.name) as terminal:
            terminal.answer("Password: ", person.password)
            terminal.answer(CODE_PROMPT, code)
            self.assertEqual(terminal.finish(), 0)
        self.assertIn("That was a recovery code; 9 remain.\n", terminal.text)
        self.assertEqual(terminal.text.splitlines()[-1], person.name)
        self.assert_log(person, *recovered(9))
        self.assert_out(self.server, person, ("Password: ", person.password), (CODE_PROMPT, code),
                        (WRONG_PROMPT, code))
        self.assertRegex(person.log(2)[1].text, r'outcome=denied reason="no valid code in 2 attempts '
                                                r"\(1 repeated, 1 wrong recovery code\); "
                                                'the recovery code was used before" ms=')
        self.assert_no_secret(person)

    def test_a_login_that_has_begun_can_not_use_the_codes_of_an_earlier_set(self):
        person = machine.person("begun")
        code, *_ = make_codes(person)
        with self.server.login(person.name) as terminal:
            terminal.answer("Password: ", person.password)
            terminal.expect(CODE_PROMPT)
            make_codes(person)
            terminal.type(code)
            terminal.answer(WRONG_PROMPT, person.code)
            self.assertEqual(terminal.finish(), 0)
        code, *_ = make_codes(person)
        self.assert_in(self.server, person, ("Password: ", person.password), (CODE_PROMPT, code))

    def test_a_bypass_asks_for_no_code_until_it_is_ended(self):
        person = machine.person("bypass")
        run("twilio-verify", "bypass", person.name, "--for", "10m", "--reason", "lost phone")
        machine.configure(service=AWAY)
        self.assert_in(self.server, person, ("Password: ", person.password))
        (line,) = person.log(1)
        self.assertRegex(line.text, r'outcome=not-required reason="BYPASS, ends in (600|59\d) s: '
                                    'lost phone"')
        machine.configure()
        run("twilio-verify", "bypass", person.name, "--end")
        self.assert_in(self.server, person, ("Password: ", person.password),
                       (CODE_PROMPT, person.code))

    def test_a_code_that_somebody_watched_does_not_count_again(self):
        person = machine.person("twice")
        code = person.code
        self.assert_in(self.server, person, ("Password: ", person.password), (CODE_PROMPT, code))
        self.assert_log(person, *APPROVED)
        self.assert_in(self.server, person, ("Password: ", person.password), (CODE_PROMPT, code),
                       (USED_PROMPT, person.next_code))
        self.assert_requests(person, CREATED, VERIFIED, CREATED, VERIFIED)


@at_once
class Sudo(SudoCase):
    def person_with(self, case, recipe="sudo", **settings):
        """Somebody whose sudo has a stack and settings of its own."""
        person = machine.person(case)
        path = machine.configure(SETTINGS.with_name(f"twilio-verify-{case}.conf"), **settings)
        machine.use_recipe(recipe, f"sudo-{case}", f"conf={path}")
        self.defaults(person, f"pam_service=sudo-{case}")
        return person, path

    def test_a_recovery_code_lets_in_while_twilio_is_away(self):
        person, path = self.person_with("recovered", service=AWAY)
        code, *_ = make_codes(person, "--settings", str(path))
        person.codes.append(code)
        # What is shown would be left out: sudo asks for silence.
        self.assert_root(person, person.password, code.upper().replace("-", " "))
        self.assert_log(person, *recovered(9), service="sudo-recovered")

    def test_a_bypass_asks_for_no_code(self):
        person, _ = self.person_with("bypassed", service=AWAY)
        run("twilio-verify", "bypass", person.name, "--for", "1h", "--reason", "x")
        self.assert_root(person, person.password)

    def test_a_code_of_a_login_does_not_count_for_sudo(self):
        person, _ = self.person_with("watched")
        code = person.code
        self.assert_root(person, person.password, code)
        done = self.assert_root(person, person.password, code, person.next_code)
        self.assertIn(USED_PROMPT, done.stderr)
