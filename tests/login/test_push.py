# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Push through real sshd, sudo and vsftpd: a phone is asked, and then the user for its number."""

import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from logincase import CODE_PROMPT, PASSWORD_AND_CODE, at_once, machine, setUpModule
from pushcase import NUMBER, PUSH_ALONE, PUSH_SECONDS, QUESTION, PushCase, use_recipes
from kit.device import Device, make_key
from kit.machine import MODULE_LINE, eventually, run
from test_services import Vsftpd
from test_sessions import SessionCase
from test_sshd import PASSWORD_METHOD


@at_once
class Push(PushCase):
    """sshd and sudo by their recipes."""

    @classmethod
    def setUpClass(cls):
        use_recipes(cls)

    def test_the_right_number_lets_in(self):
        person = self.person("push")
        terminal = self.begin_ssh(person)
        challenge = person.phone.approve()
        self.assertEqual(self.give_number(person, terminal, challenge), 0, terminal.text)
        self.assertEqual(terminal.text.splitlines()[-1], person.name)
        self.assert_ended(person, "approved", "PUSH approved", level="INFO")
        self.assert_pushes(person, 1)

    def test_the_right_number_steps_up(self):
        person = self.person("pushsudo")
        terminal = self.begin_sudo(person)
        challenge = person.phone.approve()
        self.assertEqual(self.give_number(person, terminal, challenge), 0, terminal.text)
        self.assertEqual(terminal.text.splitlines()[-1], "root")
        self.assert_ended(person, "approved", "PUSH approved", level="INFO")

    def test_the_phone_shows_the_host_and_the_service_and_names_nobody(self):
        person = self.person("pushshown")
        self.begin_ssh(person, " Push ")
        challenge = person.phone.wait_for_challenge()
        message = challenge["details"]["message"]
        self.assertIn(os.uname().nodename, message)
        self.assertIn("sshd", message)
        self.assertNotIn(person.name, json.dumps(challenge))
        self.assertIn(int(person.phone.number(challenge)), range(10, 100))

    def test_a_wrong_number_lets_nobody_in(self):
        person = self.person("pushwrong")
        terminal = self.begin_ssh(person)
        challenge = person.phone.approve()
        self.assertEqual(self.give_number(person, terminal, challenge, offset=1), 255)
        self.assert_refused_push(terminal, person, "wrong number")
        self.assert_warned(person, "wrong number")
        # Ten wrong codes, of which the owner hears, and no push for an hour.
        terminal = self.begin_ssh(person)
        self.assertIn("10 wrong codes since", terminal.text)
        self.assert_refused_push(terminal, person, "no push", "exhausted", count=2)
        self.assert_pushes(person, 1)

    def test_a_code_lets_in_after_a_push_was_denied(self):
        person = self.person("pushdenied")
        terminal = self.begin_sudo(person)
        person.phone.deny()
        self.assert_refused_push(terminal, person, "denied")
        self.assert_warned(person, "denied")
        self.assert_refused_push(self.begin_ssh(person), person, "no push", "exhausted", count=2)
        self.assert_pushes(person, 1)
        self.assert_in(self.server, person, ("Password: ", person.password),
                       (QUESTION, person.code))

    def test_who_approves_without_the_number_lets_nobody_in(self):
        person = self.person("pushblind")
        terminal = self.begin_ssh(person)
        person.phone.approve()
        terminal.expect(re.escape(NUMBER) + "$")
        time.sleep(2)
        self.assertNotIn(f"\n{person.name}\n", terminal.text)
        terminal.hang_up()
        self.assert_ended(person, "(denied|unanswered)", "")

    def test_an_empty_number_lets_nobody_in(self):
        person = self.person("pushempty")
        terminal = self.begin_ssh(person)
        person.phone.approve()
        terminal.answer(NUMBER, "")
        self.assert_refused_push(terminal, person, "wrong number")

    def test_an_expired_push_is_refused(self):
        person = self.person("pushexpired")
        terminal = self.begin_ssh(person)
        machine.emulator.control(f"expire {person.phone.wait_for_challenge()['sid']}")
        self.assert_refused_push(terminal, person, "expired")

    def test_a_silent_phone_is_refused_in_time_and_another_approval_does_not_count(self):
        person = self.person("pushsilent")
        terminal = self.begin_ssh(person)
        own = person.phone.wait_for_challenge()
        reply = machine.emulator.request(
            "POST", f"{machine.emulator.entity_path(person.phone.identity)}/Challenges",
            {"FactorSid": person.phone.sid, "Details.Message": "another login",
             "Details.Fields": '{"label":"Number","value":"42"}'})
        person.phone.approve(reply.json)
        self.assertEqual(person.phone.answer(own, "approved", make_key()).status, 403)
        seconds = self.assert_ended(person, "denied", "no answer from the phone")
        self.assertIn(terminal.finish(), (1, 255))
        self.assertGreater(seconds, PUSH_SECONDS - 2)

    def test_an_approval_in_the_last_moment_lets_in(self):
        person = self.person("pushlate")
        terminal = self.begin_ssh(person)
        entered = time.monotonic()
        challenge = person.phone.wait_for_challenge()
        time.sleep(28 - (time.monotonic() - entered))
        person.phone.approve(challenge)
        self.assertEqual(self.give_number(person, terminal, challenge), 0, terminal.text)
        self.assert_ended(person, "approved", "PUSH approved", level="INFO")

    def test_a_push_factor_alone_has_a_question_of_its_own_and_takes_no_code(self):
        person = self.person("pushalone", has_app=False)
        terminal = self.begin_ssh(person, person.code, PUSH_ALONE)
        terminal.expect(re.escape(PUSH_ALONE) + "$")
        terminal.type("push")
        challenge = person.phone.approve()
        self.assertEqual(self.give_number(person, terminal, challenge), 0, terminal.text)
        self.assertEqual(person.requests().count("POST Challenges/YC 200"), 1)  # the phone's

    def test_a_code_beside_a_push_factor_asks_no_phone(self):
        person = self.person("pushcode")
        self.assert_in(self.server, person, ("Password: ", person.password),
                       (QUESTION, person.code))
        self.assert_pushes(person, 0)

    def test_who_has_no_push_factor_gets_what_a_malformed_code_gets(self):
        person = machine.person("pushnone")
        wrong = "Wrong code. " + CODE_PROMPT
        self.assert_out(self.server, person, ("Password: ", person.password),
                        (CODE_PROMPT, "push"), (wrong, "12345"), (wrong, "push!"))
        self.assertRegex(self.ended(person).text, r"\(3 malformed\)")


class FromTheApp(PushCase):
    @classmethod
    def setUpClass(cls):
        use_recipes(cls)

    def test_from_the_factor_of_the_app_to_a_login_and_a_step_up(self):
        person = machine.person("pushapp", is_enrolled=False)
        person.phone = Device(machine.emulator).enroll()
        self.defaults(person, "passwd_tries=1")
        run("twilio-verify", "enroll", person.name, "--identity", person.phone.identity,
            "--push-factor", person.phone.sid)
        for begin, shown in ((self.begin_ssh, person.name), (self.begin_sudo, "root")):
            terminal = begin(person, question=PUSH_ALONE)
            challenge = person.phone.approve()
            self.assertEqual(self.give_number(person, terminal, challenge), 0, terminal.text)
            self.assertEqual(terminal.text.splitlines()[-1], shown)
        [row] = [row for row in json.loads(run("twilio-verify", "list", "--check", "--json"))
                 if row["user"] == person.name]
        self.assertEqual(row["push_factor"], "verified")
        run("twilio-verify", "remove", person.name)
        self.assert_refused(person, person.password, "push")
        self.assert_pushes(person, 2)


class Lies(PushCase):
    """The API lies about a push, one login after another: the faults are everybody's."""

    @classmethod
    def setUpClass(cls):
        use_recipes(cls)

    def tearDown(self):
        machine.emulator.control("fault clear")

    def test_a_lie_about_the_new_challenge_lets_nobody_in(self):
        for fault, reason in (("approved-lie", "the new challenge is not pending"),
                              ("wrong-factor", "does not match this login: factor_sid"),
                              ("close-after", "")):
            with self.subTest(fault):
                person = self.person("pushlie", has_app=False)
                machine.emulator.control(f"fault {fault} on create")
                terminal = self.begin_sudo(person, PUSH_ALONE)
                self.assert_ended(person, "unavailable", reason, "ERR")
                self.assertEqual(terminal.finish(), 1)
                machine.emulator.control("fault clear")

    def test_a_lie_about_the_phone_s_answer_lets_nobody_in(self):
        for fault, outcome in (("wrong-sid", "unavailable"), ("duplicate-status", "unavailable"),
                               ("status-202", "unavailable"), ("status-429/20429", "exhausted")):
            with self.subTest(fault):
                person = self.person("pushlie", has_app=False)
                terminal = self.begin_sudo(person, PUSH_ALONE)
                challenge = person.phone.wait_for_challenge()
                payload = {"AuthPayload": person.phone.payload(challenge, "approved")}
                machine.emulator.control(f"fault {fault} on fetch")
                reply = person.phone.request("POST", person.phone.challenge_path(challenge), payload)
                self.assertEqual(reply.status, 200)
                level = "ERR" if outcome == "unavailable" else "NOTICE"
                self.assert_ended(person, outcome, "", level)
                self.assertEqual(terminal.finish(), 1)
                self.assertNotIn(NUMBER, terminal.text)
                machine.emulator.control("fault clear")

    def test_an_approval_that_the_phone_never_gave_needs_the_number(self):
        person = self.person("pushlie")
        machine.emulator.control("fault approved-lie on fetch")
        terminal = self.begin_ssh(person)
        challenge = person.phone.wait_for_challenge()
        self.assertEqual(self.give_number(person, terminal, challenge, offset=1), 255)
        self.assert_refused_push(terminal, person, "wrong number")


@at_once
class HostsThatAnswer(PushCase):
    """No person has asked for a push."""

    @classmethod
    def setUpClass(cls):
        use_recipes(cls)
        cls.by_password = cls.sshd(*PASSWORD_METHOD)
        pathlib.Path("/etc/pam.d/vsftpd-code").write_text(
            f"{MODULE_LINE}\naccount required pam_permit.so\nsession required pam_permit.so\n")
        cls.ftp = cls.enterClassContext(Vsftpd())

    def for_each(self, method, *rows):
        with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:
            list(pool.map(lambda row: method(*row), rows))

    def refuse_by_password(self, has_app):
        person = self.person("pushmethod", has_app)
        with self.by_password.login(person.name) as terminal:
            terminal.answer(f"{person.name}@127.0.0.1's password: ", person.password)
            self.assertEqual(terminal.finish(), 255)
        self.ended(person)
        self.assert_pushes(person, 0)

    def test_the_password_method_asks_no_phone(self):
        self.for_each(self.refuse_by_password, (True,), (False,))

    def refuse_field(self, has_app, field):
        person = self.person("pushftp", has_app)
        self.assertEqual(self.log_in(person, field), "530")
        self.ended(person)
        self.assert_pushes(person, 0)

    def test_vsftpd_that_repeats_its_field_asks_no_phone(self):
        fields = ("", "secret", "12345678")
        self.for_each(self.refuse_field, *((True, field) for field in fields),
                      *((False, field) for field in fields))

    def log_in(self, person, field):
        with self.ftp.connect() as ftp:
            ftp.sendcmd(f"USER {person.name}")
            ftp.putcmd(f"PASS {field}")
            return ftp.getline()[:3]

    def test_vsftpd_that_repeats_the_word_lets_nobody_in(self):
        person = self.person("pushword")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            reply = pool.submit(self.log_in, person, "push")
            person.phone.approve()
            self.assertEqual(reply.result(), "530")
        self.assert_ended(person, "unanswered", "")  # It can't be asked with echo on.

    def refuse_empty(self, has_app, question):
        person = self.person("pushnothing", has_app)
        terminal = self.begin_ssh(person, "", question)
        terminal.answer(question, "")
        self.assertEqual(terminal.finish(), 255)
        self.assert_pushes(person, 0)

    def test_empty_answers_ask_no_phone(self):
        self.for_each(self.refuse_empty, (True, QUESTION), (False, PUSH_ALONE))

    def refuse_lines(self, *lines):
        person = self.person("pushpipe")
        self.assert_refused(person, *(line.format(person.password) for line in lines))
        self.assert_pushes(person, 0)

    def test_no_push_fits_into_one_field(self):
        pathlib.Path("/etc/pam.d/pushsplit").write_text(
            "auth requisite pam_twilio_verify.so split=6\n"
            "auth requisite pam_unix.so use_first_pass\n"
            "auth required pam_twilio_verify.so\naccount required pam_permit.so\n")
        person = self.person("pushsplit", has_app=False)
        self.defaults(person, "passwd_tries=1, pam_service=pushsplit")
        for word in ("push", "123456", ""):
            self.assert_refused(person, person.password + word)
        self.assert_pushes(person, 0)
        done = subprocess.run(["twilio-verify", "explain", person.name, "--service", "pushsplit"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("this user has no factor for codes", done.stdout)

    def test_sudo_with_nothing_to_read_asks_no_phone(self):
        self.for_each(self.refuse_lines, (), ("{}",), ("{}", ""), ("{}",) * 3)


@at_once
class Storm(PushCase):
    @classmethod
    def setUpClass(cls):
        use_recipes(cls)

    def test_three_pushes_in_five_minutes_over_all_services(self):
        person = self.person("pushthree")
        for begin in (self.begin_ssh, self.begin_sudo, self.begin_ssh):
            terminal = begin(person)
            challenge = person.phone.approve()
            self.assertEqual(self.give_number(person, terminal, challenge), 0, terminal.text)
        for count, begin in enumerate((self.begin_sudo, self.begin_ssh), 4):
            self.assert_refused_push(begin(person), person, "no push", "exhausted", count)
        self.assert_pushes(person, 3)

    def test_twenty_logins_at_once_send_three(self):
        person = self.person("pushstorm")
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            logins = [pool.submit(self.sudo, person, person.password, "push") for _ in range(20)]
            for _ in range(3):
                person.phone.approve()
            outcomes = [login.result() for login in logins]
        self.assertEqual({done.stdout for done in outcomes}, {""})
        self.assert_pushes(person, 3)

    def test_a_check_program_that_is_killed_leaves_its_push_counted(self):
        person = self.person("pushkilled")
        for count in range(1, 4):
            terminal = self.begin_sudo(person)
            eventually(lambda: len(person.phone.challenges()), lambda found: found == count)
            os.kill(int(self.check_of(terminal)["Pid"]), signal.SIGKILL)
            self.assertEqual(terminal.finish(), 1)
        self.assert_refused_push(self.begin_sudo(person), person, "no push", "exhausted", 4)
        self.assert_pushes(person, 3)

    def test_a_host_that_is_killed_while_the_phone_is_asked_leaves_one_line(self):
        person = self.person("pushleft")
        terminal = self.begin_sudo(person)
        challenge = person.phone.wait_for_challenge()
        os.kill(int(self.check_of(terminal)["PPid"]), signal.SIGKILL)
        terminal.finish()
        person.phone.approve(challenge)
        self.assertEqual(self.ended(person, seconds=10).program, "twilio-verify-check")

    def test_a_denial_stops_pushes_though_the_host_was_killed(self):
        person = self.person("pushfled")
        terminal = self.begin_sudo(person)
        challenge = person.phone.wait_for_challenge()
        os.kill(int(self.check_of(terminal)["PPid"]), signal.SIGKILL)
        terminal.finish()
        person.phone.deny(challenge)
        self.ended(person, seconds=10)
        self.assert_warned(person, "denied")
        self.assert_refused_push(self.begin_ssh(person), person, "no push", "exhausted", count=2)


class NoSession(PushCase, SessionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.use_sshd("sshd-password-and-code", *PASSWORD_AND_CODE)

    def test_sudo_asks_in_a_session_that_began_with_a_push(self):
        person = self.person("pushsession")
        terminal = self.enterContext(self.server.login(person.name, "sh", options=("-tt",)))
        terminal.answer("Password: ", person.password)
        terminal.answer(QUESTION, "push")
        terminal.answer(NUMBER, person.phone.number(person.phone.approve()))
        terminal.expect(r"\$ $")
        self.assertEqual(self.sudo_in(terminal, person), "")
        self.assertEqual([outcome for outcome, _ in self.reasons(person)], ["denied"])
