# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Logins through real hosts, the product installed as an administrator has it, Twilio emulated.

    BUILD=build tests/login/enter /usr/bin/python3 tests/tap.py tests/login
"""

import concurrent.futures
import os
import pathlib
import re
import signal
import time

from logincase import (APPROVED, AUTHPRIV, AWAY, CODE_PROMPT, CREATED, KEY_AND_CODE, NOT_ENROLLED,
                       PASSWORD, PASSWORD_AND_CODE, UNREACHABLE, VERIFIED, WRONG_PROMPT, LoginCase,
                       Nobody, SettingsCase, at_once, denied, machine, person_with_key,
                       setUpModule, with_key)
from kit.machine import SETTINGS, eventually

PASSWORD_METHOD = ("KbdInteractiveAuthentication no", "PasswordAuthentication yes",
                   "AuthenticationMethods password")
CODE_ONLY = PASSWORD_AND_CODE
THREE_TIMES = ("-o", "NumberOfPasswordPrompts=3")


@at_once
class PasswordAndCode(LoginCase):
    """sshd by conf/pam.d/sshd-password-and-code."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-password-and-code", "sshd")
        cls.server = cls.sshd(*PASSWORD_AND_CODE)
        cls.by_password = cls.sshd(*PASSWORD_METHOD)
        cls.one_try = cls.sshd(*PASSWORD_AND_CODE, "MaxAuthTries 1")
        cls.two_tries = cls.sshd(*PASSWORD_AND_CODE, "MaxAuthTries 2")

    def test_a_right_code_lets_in(self):
        person = machine.person("right")
        with self.server.login(person.name) as terminal:
            terminal.answer("Password: ", person.password)
            terminal.answer(CODE_PROMPT, person.code)
            self.assertEqual(terminal.finish(), 0)
        self.assert_screen(terminal,
                           f"({person.name}@127.0.0.1) Password: ",
                           f"({person.name}@127.0.0.1) Verification code: ",
                           person.name)
        self.assert_log(person, *APPROVED)
        self.assert_requests(person, CREATED, VERIFIED)

    def test_a_code_may_be_typed_with_a_blank_in_it(self):
        person = machine.person("blank")
        code = person.code
        self.assert_in(self.server, person, ("Password: ", person.password),
                       (CODE_PROMPT, f"{code[:3]} {code[3:]}"))
        self.assert_requests(person, CREATED, VERIFIED)

    def test_a_wrong_code_is_said_to_be_wrong_and_the_next_one_counts(self):
        person = machine.person("second")
        with self.server.login(person.name) as terminal:
            terminal.answer("Password: ", person.password)
            terminal.answer(CODE_PROMPT, person.wrong_code)
            terminal.answer(WRONG_PROMPT, person.code)
            self.assertEqual(terminal.finish(), 0)
        self.assert_screen(terminal,
                           f"({person.name}@127.0.0.1) Password: ",
                           f"({person.name}@127.0.0.1) Verification code: ",
                           f"({person.name}@127.0.0.1) Wrong code. Verification code: ",
                           person.name)
        self.assert_log(person, *APPROVED)
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED)

    def test_three_wrong_codes_are_refused_on_one_challenge(self):
        person = machine.person("wrong")
        wrong = person.wrong_codes
        with self.server.login(person.name) as terminal:
            terminal.answer("Password: ", person.password)
            for prompt, code in zip((CODE_PROMPT, WRONG_PROMPT, WRONG_PROMPT), wrong):
                terminal.answer(prompt, code)
            self.assertEqual(terminal.finish(), 255)
        self.assert_screen(terminal,
                           f"({person.name}@127.0.0.1) Password: ",
                           f"({person.name}@127.0.0.1) Verification code: ",
                           f"({person.name}@127.0.0.1) Wrong code. Verification code: ",
                           f"({person.name}@127.0.0.1) Wrong code. Verification code: ",
                           f"{person.name}@127.0.0.1: Permission denied (keyboard-interactive).")
        self.assert_log(person, *denied())
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED, VERIFIED)

    def test_a_wrong_password_never_gets_to_the_code(self):
        person = machine.person("password")
        self.assert_out(self.server, person, ("Password: ", "not it"))
        self.assertNotIn("code", self.screen)
        self.assert_never_called(person)

    def test_what_is_no_code_never_leaves_the_host(self):
        person = machine.person("letters")
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, "letters"), (WRONG_PROMPT, "12345"),
                        (WRONG_PROMPT, "1234567"))
        # Whether there is a challenge depends on how fast the first answer was.
        names = {} if person.requests() == [CREATED] else {"names": ""}
        self.assert_log(person, *denied(" (3 malformed)", **names))
        self.assertLessEqual(set(person.requests()), {CREATED})

    def test_a_user_who_is_not_enrolled_sees_the_same_prompts_and_is_refused(self):
        person = machine.person("stranger", is_enrolled=False)
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, "123456"), (WRONG_PROMPT, "123457"),
                        (WRONG_PROMPT, "123458"))
        self.assert_log(person, *NOT_ENROLLED)
        self.assert_nothing_sent_but_for_the_enrolled()

    def test_the_password_in_place_of_the_code_never_leaves_the_host(self):
        person = machine.person("sixdigits", password="314159")
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, person.password))
        self.assert_log(person, *PASSWORD)
        self.assertLessEqual(set(person.requests()), {CREATED})

    def test_the_password_method_sends_no_password_that_looks_like_a_code(self):
        person = machine.person("sixdigits", password="271828")
        with self.by_password.login(person.name) as terminal:
            terminal.answer(f"{person.name}@127.0.0.1's password: ", person.password)
            self.assertEqual(terminal.finish(), 255)
        self.assert_log(person, *PASSWORD)
        self.assert_requests(person)

    def test_the_password_method_sends_no_password_to_twilio(self):
        person = machine.person("method")
        with self.by_password.login(person.name) as terminal:
            terminal.answer(f"{person.name}@127.0.0.1's password: ", person.password)
            self.assertEqual(terminal.finish(), 255)
        self.assert_screen(terminal,
                           f"{person.name}@127.0.0.1's password: ",
                           f"{person.name}@127.0.0.1: Permission denied (password).")
        self.assert_log(person, *PASSWORD)
        self.assert_requests(person)

    def test_the_password_method_refuses_a_right_code_in_place_of_the_password(self):
        person = machine.person("code")
        with self.by_password.login(person.name) as terminal:
            terminal.answer(f"{person.name}@127.0.0.1's password: ", person.code)
            self.assertEqual(terminal.finish(), 255)
        self.assert_requests(person)

    def wrong_round(self, person):
        """One whole call of PAM that is refused."""
        wrong = person.wrong_codes
        return [("Password: ", person.password), (CODE_PROMPT, wrong[0]), (WRONG_PROMPT, wrong[1]),
                (WRONG_PROMPT, wrong[2])]

    def test_a_client_that_asks_three_times_and_is_answered_costs_three_challenges(self):
        person = machine.person("thrice")
        self.assert_out(self.server, person, *self.wrong_round(person) * 3, options=THREE_TIMES)
        self.assert_log(person, *denied(), calls=3)
        self.assert_requests(person, *[CREATED, VERIFIED, VERIFIED, VERIFIED] * 3)

    def test_a_client_that_asks_again_gets_in_by_the_second_round(self):
        person = machine.person("again")
        self.assert_in(self.server, person, *self.wrong_round(person),
                       ("Password: ", person.password), (CODE_PROMPT, person.code),
                       options=THREE_TIMES)
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED, VERIFIED, CREATED, VERIFIED)

    def test_one_try_of_sshds_holds_all_three_codes(self):
        person = machine.person("onetry")
        wrong = person.wrong_codes
        self.assert_in(self.one_try, person, ("Password: ", person.password), (CODE_PROMPT, wrong[0]),
                       (WRONG_PROMPT, wrong[1]), (WRONG_PROMPT, person.code))
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED, VERIFIED)

    def assert_cut_off(self, sshd, person, *answers):
        status, _ = self.ssh(sshd, person, *answers, options=THREE_TIMES)
        self.assertEqual(status, 255)
        self.assertIn("Too many authentication failures\n", self.screen)

    def test_after_one_try_of_sshds_the_client_is_cut_off(self):
        person = machine.person("onewrong")
        self.assert_cut_off(self.one_try, person, *self.wrong_round(person))
        self.assert_log(person, *denied())

    def test_after_two_tries_of_sshds_the_client_is_cut_off(self):
        person = machine.person("twowrong")
        self.assert_cut_off(self.two_tries, person, *self.wrong_round(person) * 2)
        self.assert_log(person, *denied(), calls=2)
        self.assert_requests(person, *[CREATED, VERIFIED, VERIFIED, VERIFIED] * 2)


@at_once
class KeyAndCode(LoginCase):
    """sshd by conf/pam.d/sshd-key-and-code."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-key-and-code", "sshd")
        cls.server = cls.sshd(*KEY_AND_CODE)
        stack = pathlib.Path("/etc/pam.d/sshd").read_text()
        pathlib.Path("/etc/pam.d/sshd-bare").write_text(stack.replace(" after=publickey", ""))
        cls.code_only = cls.sshd(*CODE_ONLY, service="sshd-bare")
        cls.one_try = cls.sshd(*KEY_AND_CODE, "MaxAuthTries 1")
        cls.with_key = with_key()

    def test_key_and_code_let_in(self):
        person = person_with_key("key")
        with self.server.login(person.name, options=self.with_key) as terminal:
            terminal.answer(CODE_PROMPT, person.code)
            self.assertEqual(terminal.finish(), 0)
        self.assert_screen(terminal,
                           f"({person.name}@127.0.0.1) Verification code: ",
                           person.name)
        self.assert_log(person, *APPROVED)
        self.assert_requests(person, CREATED, VERIFIED)

    def test_a_key_with_wrong_codes_is_refused(self):
        person = person_with_key("keywrong")
        wrong = person.wrong_codes
        with self.server.login(person.name, options=self.with_key) as terminal:
            for prompt, code in zip((CODE_PROMPT, WRONG_PROMPT, WRONG_PROMPT), wrong):
                terminal.answer(prompt, code)
            self.assertEqual(terminal.finish(), 255)
        self.assert_screen(terminal,
                           f"({person.name}@127.0.0.1) Verification code: ",
                           f"({person.name}@127.0.0.1) Wrong code. Verification code: ",
                           f"({person.name}@127.0.0.1) Wrong code. Verification code: ",
                           f"{person.name}@127.0.0.1: Permission denied (keyboard-interactive).")
        self.assert_log(person, *denied())

    def test_a_key_counts_as_no_try_of_sshds(self):
        person = person_with_key("keytry")
        self.assert_in(self.one_try, person, (CODE_PROMPT, person.code), options=self.with_key)

    def test_without_the_key_no_code_is_asked(self):
        person = person_with_key("nokey")
        self.assert_out(self.server, person)
        self.assert_never_called(person)

    def test_a_key_without_somebody_to_ask_is_refused(self):
        person = person_with_key("batch")
        self.assert_out(self.server, person, options=(*self.with_key, "-o", "BatchMode=yes"))
        self.assert_never_called(person)

    def test_a_key_of_a_user_who_is_not_enrolled_is_refused(self):
        person = person_with_key("keystranger", is_enrolled=False)
        self.assert_out(self.server, person, (CODE_PROMPT, "123456"), (WRONG_PROMPT, "123457"),
                        (WRONG_PROMPT, "123458"), options=self.with_key)
        self.assert_log(person, *NOT_ENROLLED)

    def test_a_user_who_does_not_exist_is_refused_by_the_answers_that_sshd_gives_for_him(self):
        """Always the same ones, whatever is typed: the second one ends the login."""
        nobody = Nobody("no-such-user")
        self.assert_out(self.code_only, nobody, (CODE_PROMPT, "123456"), (WRONG_PROMPT, "123457"))
        self.assert_log(nobody, *NOT_ENROLLED, service="sshd-bare")
        self.assert_nothing_sent_but_for_the_enrolled()


@at_once
class After(LoginCase):
    """after=publickey in PAM, where sshd_config does not ask for a key."""

    BOTH_FACTORS = ("KbdInteractiveAuthentication yes", "PasswordAuthentication yes")

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-key-and-code", "sshd")
        cls.by_code = cls.sshd(*CODE_ONLY, "AcceptEnv *", "PermitUserEnvironment yes")
        cls.by_password = cls.sshd(*PASSWORD_METHOD)
        cls.by_either = cls.sshd(*cls.BOTH_FACTORS,
                                 "AuthenticationMethods publickey,keyboard-interactive password")
        cls.key_and_password = cls.sshd(*cls.BOTH_FACTORS,
                                        "AuthenticationMethods publickey,password")
        cls.with_key = with_key()
        machine.use_recipe("sshd-password-and-code", "sshd-three", "after=publickey")
        cls.three = cls.sshd(*KEY_AND_CODE, service="sshd-three")
        cls.two_of_three = cls.sshd(*PASSWORD_AND_CODE, service="sshd-three")
        machine.use_recipe("sshd-key-and-code", "sshd-env")
        stack = pathlib.Path("/etc/pam.d/sshd-env")
        pathlib.Path("/run/environment").write_text("SSH_AUTH_INFO_0=publickey\n")
        stack.write_text("auth required pam_env.so envfile=/run/environment\n" + stack.read_text())
        cls.with_variable = cls.sshd(*CODE_ONLY, service="sshd-env")
        cls.password_with_variable = cls.sshd(*PASSWORD_METHOD, service="sshd-env")

    def assert_closed(self, sshd, person, *answers, service="sshd", **options):
        """The login ends without a question for the code."""
        self.assert_out(sshd, person, *answers, **options)
        self.assertNotIn("code", self.screen)
        self.assert_log(person, "NOTICE", "denied", "after=publickey: sshd has accepted no such "
                        r"method before: write \x22AuthenticationMethods publickey,keyboard-"
                        r"interactive\x22 into sshd_config", service=service)
        self.assert_requests(person)

    def assert_password_closed(self, sshd, person, **options):
        """The code, typed as the password, is no way in."""
        with sshd.login(person.name, options=options.pop("options", ())) as terminal:
            terminal.answer(f"{person.name}@127.0.0.1's password: ", person.code)
            self.assertEqual(terminal.finish(), 255)
        self.assertEqual(len(person.log(1)), 1)
        self.assertIn("after=publickey: sshd has accepted no such", person.log(1)[0].text)
        self.assert_requests(person)

    def test_the_code_alone_is_never_asked(self):
        self.assert_closed(self.by_code, person_with_key("alone"), options=self.with_key)

    def test_a_client_that_sends_the_variable_is_not_believed(self):
        person = machine.person("sends")
        home = pathlib.Path(f"/run/home/{person.name}/.ssh")
        home.mkdir()
        (home / "environment").write_text("SSH_AUTH_INFO_0=publickey\n")
        self.assert_closed(self.by_code, person,
                           options=("-o", "SetEnv=SSH_AUTH_INFO_0=publickey"))

    def test_a_variable_of_pam_env_is_not_believed(self):
        self.assert_closed(self.with_variable, machine.person("pamenv"), service="sshd-env")
        self.assert_password_closed(self.password_with_variable, machine.person("pamenvpw"))

    def test_the_code_as_the_password_is_no_way_in(self):
        self.assert_password_closed(self.by_password, machine.person("method"))
        self.assert_password_closed(self.by_either, machine.person("either"))

    def test_after_a_key_the_method_password_is_refused(self):
        self.assert_password_closed(self.key_and_password, person_with_key("keypw"),
                                    options=self.with_key)

    def test_key_password_and_code_let_in_together(self):
        person = person_with_key("three")
        self.assert_in(self.three, person, ("Password: ", person.password),
                       (CODE_PROMPT, person.code), options=self.with_key)
        self.assert_log(person, *APPROVED, service="sshd-three")

    def test_password_and_code_are_not_enough_where_a_key_is_needed(self):
        person = machine.person("two")
        self.assert_closed(self.two_of_three, person, ("Password: ", person.password),
                           service="sshd-three")


class AtThePrompt(LoginCase):
    """One login at a time, looked at while the check program waits for the code."""

    @classmethod
    def setUpClass(cls):
        machine.use_recipe("sshd-password-and-code", "sshd")
        cls.server = cls.sshd(*PASSWORD_AND_CODE)

    def at_the_prompt(self, name, sshd=None):
        """A login whose challenge has been created, and its check program."""
        person = machine.person(name)
        earlier = {program["Pid"] for program in self.check_programs()}
        terminal = self.enterContext((sshd or self.server).login(person.name))
        terminal.answer("Password: ", person.password)
        terminal.expect(CODE_PROMPT)
        self.assert_requests(person, CREATED)
        [program] = [program for program in self.check_programs()
                     if program["Pid"] not in earlier]
        return person, terminal, program

    def assert_gone(self, program, seconds):
        """Not even a zombie is left."""
        eventually(program["directory"].exists, lambda exists: not exists, seconds)
        self.assertFalse(program["directory"].exists())

    def test_the_check_program_has_nothing_that_is_of_use_to_others(self):
        person, terminal, program = self.at_the_prompt("proc")
        self.assert_nothing_of_use(program)
        terminal.type(person.code)
        self.assertEqual(terminal.finish(), 0)

    def assert_left(self, person, reason):
        """sshd kills the process that runs PAM: the check program has left the line."""
        [line] = person.log(1)
        self.assertEqual((line.facility, line.level, line.program),
                         (AUTHPRIV, "NOTICE", "twilio-verify-check"))
        self.assertRegex(line.text, rf"^pam_twilio_verify\(sshd:auth\): user={person.name} "
                                    rf'service=sshd outcome=denied reason="{reason}" ms=\d+$')
        self.assert_no_secret(person)

    def test_a_client_that_disconnects_leaves_a_line_no_process_and_costs_one_challenge(self):
        person, terminal, program = self.at_the_prompt("gone")
        terminal.hang_up()
        self.assert_gone(program, 2)
        self.assert_requests(person, CREATED)
        self.assert_left(person, r"left at the question; challenge=YC\w+ request=RQ\w+")

    def test_a_client_that_leaves_after_two_wrong_codes_leaves_a_line_for_each(self):
        person, terminal, program = self.at_the_prompt("wronggone")
        for code in person.wrong_codes[:2]:
            terminal.type(code)
            terminal.expect(WRONG_PROMPT + "$")
        terminal.hang_up()
        self.assert_gone(program, 2)
        self.assert_left(person, r"no valid code in 2 attempts; challenge=YC\w+ request=RQ\w+")
        lines = machine.journal.wrong_codes(person.name, 2)
        self.assertEqual([(line.level, re.sub(r"YC\w+", "YC", line.text)) for line in lines], [
            ("NOTICE", f"pam_twilio_verify(sshd:auth): user={person.name} service=sshd "
                       f'rhost=127.0.0.1 tty=ssh reason="wrong code {number} of 3, '
                       f'{number} in a row; challenge=YC"')
            for number in (1, 2)])

    def test_a_client_that_leaves_while_its_code_is_judged_leaves_a_line(self):
        person, terminal, program = self.at_the_prompt("impatient")
        terminal.type(person.wrong_codes[0])
        self.assertEqual(len(machine.journal.wrong_codes(person.name)), 1)
        terminal.hang_up()
        self.assert_gone(program, 3)
        self.assert_left(person, r"no valid code in 1 attempt; challenge=YC\w+ request=RQ\w+")

    def test_a_host_that_is_killed_before_a_code_is_judged_leaves_the_line_of_the_code(self):
        person, terminal, program = self.at_the_prompt("hasty")
        machine.emulator.control("fault slow=1500 on verify")
        self.addCleanup(machine.emulator.control, "fault clear")
        terminal.type(person.wrong_code)
        time.sleep(0.5)  # Until it is sent.
        os.kill(int(program["PPid"]), signal.SIGKILL)
        self.assert_gone(program, 5)
        [line] = machine.journal.wrong_codes(person.name)
        self.assertEqual((line.facility, line.level, line.program),
                         (AUTHPRIV, "NOTICE", "twilio-verify-check"))
        self.assertRegex(line.text, rf"^pam_twilio_verify\(sshd:auth\): user={person.name} "
                                    'service=sshd reason="wrong code 1 of 3, 1 in a row; '
                                    r'challenge=YC\w+"$')

    def test_clients_that_ask_again_by_themselves_cost_no_challenge_for_the_next_round(self):
        person = machine.person("rounds")
        wrong = person.wrong_codes
        with self.server.login(person.name, options=THREE_TIMES) as terminal:
            terminal.answer("Password: ", person.password)
            for prompt, code in zip((CODE_PROMPT, WRONG_PROMPT, WRONG_PROMPT), wrong):
                terminal.answer(prompt, code)
            terminal.answer("Password: ", person.password)
            terminal.expect(CODE_PROMPT + "$")
            time.sleep(1)
            terminal.hang_up()
        self.assert_requests(person, CREATED, VERIFIED, VERIFIED, VERIFIED)
        self.assertEqual(len(person.log(2)), 2)

    def test_a_check_program_that_is_killed_lets_nobody_in(self):
        person, terminal, program = self.at_the_prompt("killed")
        os.kill(int(program["Pid"]), signal.SIGKILL)
        terminal.type(person.code)
        self.assertEqual(terminal.finish(), 255)
        self.assert_log(person, "ERR", "broken", "the check program ended without a verdict")
        self.assert_requests(person, CREATED)

    def test_a_login_over_sshds_grace_time_leaves_no_process(self):
        sshd = self.sshd(*PASSWORD_AND_CODE, "LoginGraceTime 2")
        person, _, program = self.at_the_prompt("slow", sshd)
        self.assert_gone(program, 6)
        self.assert_requests(person, CREATED)
        self.assert_left(person, r"left at the question; challenge=YC\w+ request=RQ\w+")

    def test_fifty_logins_at_once_all_get_in(self):
        """Fifty are at their prompts before the first code is typed; few threads serve them."""
        def come(_):
            person = machine.person("many")
            terminal = self.server.login(person.name)
            terminal.answer("Password: ", person.password)
            terminal.expect(CODE_PROMPT + "$")
            return person, terminal

        def type_code(visitor):
            person, terminal = visitor
            terminal.type(person.code)

        def leave(visitor):
            person, terminal = visitor
            with terminal:
                return terminal.finish(), terminal.text.splitlines()[-1]

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            visitors = list(pool.map(come, range(50)))
            self.assertEqual(len(self.check_programs()), 50)
            list(pool.map(type_code, visitors))
            results = list(pool.map(leave, visitors))
        self.assertEqual(results, [(0, person.name) for person, _ in visitors])
        for person, _ in visitors:
            self.assert_log(person, *APPROVED)
            self.assert_requests(person, CREATED, VERIFIED)
        self.assertEqual(eventually(self.check_programs, lambda found: not found, 5), [])


class Trouble(SettingsCase):
    """While the settings or the service are not as they must be."""

    def test_a_service_that_is_down_refuses(self):
        person = machine.person("down")
        machine.configure(service=AWAY)
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, person.code))
        self.assert_log(person, *UNREACHABLE)
        self.assert_requests(person)

    def test_a_wrong_api_key_refuses_and_the_log_names_the_remedy(self):
        person = machine.person("apikey")
        machine.configure(secret="not-the-secret")
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, person.code))
        self.assert_log(person, "ERR", "misconfigured", "Twilio: HTTP 401, error 20003: the "
                        "credentials are wrong: check account_sid, api_key_sid and api_key_file…"
                        "; request=RQ…")
        self.assertEqual(set(person.requests()), {"POST Challenges 401"})

    def test_settings_that_everybody_may_write_refuse_and_the_log_names_the_remedy(self):
        person = machine.person("writable")
        SETTINGS.chmod(0o666)
        self.assert_out(self.server, person, ("Password: ", person.password))
        self.assert_log(person, "ERR", "misconfigured", f"{SETTINGS} is writable by others: "
                        "chmod go-w it")
        self.assert_requests(person)
