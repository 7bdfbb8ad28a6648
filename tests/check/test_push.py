# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Pushes: the check program, the emulator, and a device that approves and denies."""

import contextlib
import datetime
import fcntl
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit.checkcase import CheckTest, Host, load_tests  # noqa: E402,F401
from kit.device import Device  # noqa: E402
from kit.fixture import BUILD, temporary_directory  # noqa: E402
from kit.statefile import ROW, WRONG_AT, forge, read  # noqa: E402

ALONE = 'ask-secret Type "push" to ask your phone: '
BOTH = 'ask-secret Verification code, or "push": '
NUMBER = "ask Number on your phone: "
PUSH_SECONDS, LATE_SECONDS = 30, 21  # timeout_seconds is 5
TOOL = BUILD / "twilio-verify"
WRONG_TODAY = 25


def other_than(number):
    return str(10 + (int(number) + 1 - 10) % 90)


def state_file(host):
    return host.directory / "state" / "alice.sent"


@contextlib.contextmanager
def frozen_login(host):
    """Another login of alice has stopped where it holds the lock of her file."""
    with state_file(host).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Push(CheckTest):
    def setUp(self):
        self.emulator_process = self.emulator()
        self.device = Device(self.emulator_process).enroll()

    def push_host(self, factor_sid=None, **groups):
        """A host on which alice has the device's factor, alone or beside FACTOR_SID."""
        directory = self.enterContext(temporary_directory())
        host = Host(directory, self.emulator_process.url, users=(), **groups)
        lines = [f'identity = "{self.device.identity}";',
                 f'push_factor_sid = "{self.device.sid}";']
        if factor_sid is not None:
            lines.append(f'factor_sid = "{factor_sid}";')
        host.enroll("alice").write_text("\n".join(lines) + "\n")
        return host

    def begin(self, host, prompt=ALONE):
        login = self.login(host)
        login.expect_prompt(prompt)
        login.timeout = PUSH_SECONDS
        login.answer("push")
        return login

    def approve(self):
        challenge = self.device.wait_for_challenge()
        self.device.approve(challenge)
        return challenge

    def test_the_number_of_an_approved_push_lets_in(self):
        login = self.begin(self.push_host())
        challenge = self.approve()
        self.assertRegex(challenge["details"]["message"], r"^Login at \S+ \(sshd\)\. ")
        self.assertNotIn("alice", challenge["details"]["message"])
        login.expect_prompt(NUMBER)
        login.answer(str(self.device.number(challenge)))
        self.assert_outcome(login, "approved", "^PUSH approved, and the number is right; challenge=")

    def test_a_push_works_beside_a_code(self):
        factor = self.emulator_process.factor(identity=self.device.identity)
        login = self.begin(self.push_host(factor.sid), BOTH)
        challenge = self.approve()
        login.expect_prompt(NUMBER)
        login.answer(str(self.device.number(challenge)))
        self.assert_outcome(login, "approved", "^PUSH approved")

    def test_a_wrong_clock_of_this_host_changes_nothing(self):
        factor = self.emulator_process.factor(identity=self.device.identity)
        for hours in (1, -1):
            self.emulator_process.control(f"clock {3600 * hours:+}")
            for sid, prompt in ((None, ALONE), (factor.sid, BOTH)):
                with self.subTest((hours, prompt)):
                    login = self.begin(self.push_host(sid), prompt)
                    challenge = self.approve()
                    created, expires = (
                        datetime.datetime.fromisoformat(challenge[name].replace("Z", "+00:00"))
                        for name in ("date_created", "expiration_date"))
                    self.assertIn((expires - created).total_seconds(), range(58, 62))
                    login.expect_prompt(NUMBER)
                    login.answer(self.device.number(challenge))
                    self.assert_outcome(login, "approved", "^PUSH approved")

    def test_another_number_lets_nobody_in_and_stops_pushes(self):
        host = self.push_host()
        login = self.begin(host)
        number = self.device.number(self.approve())
        login.expect_prompt(NUMBER)
        login.answer(other_than(number))
        self.assert_outcome(login, "denied", "^wrong number after the push was approved")
        self.assertEqual(login.logged[0][0], "warning")
        login = self.login(host)
        login.expect_prompt("ask-secret " + login_notice(10) + ALONE.removeprefix("ask-secret "))
        login.answer("push")
        self.assertRegex(login.read_line(5), "^show Too many pushes: your phone can be asked again")
        self.assert_outcome(login, "exhausted", "^no push to alice until")

    def at_the_number(self, host):
        """A login whose push was approved, and the number."""
        login = self.begin(host)
        challenge = self.approve()
        login.expect_prompt(NUMBER)
        return login, self.device.number(challenge)

    def test_a_number_that_cannot_be_counted_is_not_compared(self):
        host = self.push_host()
        for change in (str, other_than):
            login, number = self.at_the_number(host)
            with frozen_login(host):
                login.answer(change(number))
                self.assert_outcome(login, "misconfigured", "^the user's file in state_dir is "
                                                            "locked by another process")
        login, number = self.at_the_number(host)
        state_file(host).write_bytes(b"damaged")
        login.answer(number)
        self.assert_outcome(login, "misconfigured", "^the number was not compared: the guess "
                                                    "cannot be counted")

    def test_of_pushes_at_once_one_number_is_guessed(self):
        host = self.push_host()
        logins = [self.at_the_number(host) for _ in range(3)]
        login, number = logins[0]
        login.answer(other_than(number))
        self.assert_outcome(login, "denied", "^wrong number after the push was approved")
        for login, number in logins[1:]:
            login.answer(number)
            self.assert_outcome(login, "exhausted", "^the number was not compared: another push")
        self.assertEqual(read(state_file(host))[ROW], 10)

    def test_a_number_is_not_compared_after_a_denial_of_another_push(self):
        host = self.push_host()
        login, number = self.at_the_number(host)
        denied = self.begin(host)
        self.device.deny(self.device.wait_for_challenge())
        self.assert_outcome(denied, "denied", "^the push was denied on the phone")
        login.answer(number)
        self.assert_outcome(login, "exhausted", "^the number was not compared: another push")

    def test_a_number_is_not_compared_while_codes_are_refused(self):
        host = self.push_host()
        login, number = self.at_the_number(host)
        forge(state_file(host), lambda values: values.__setitem__(WRONG_AT, [int(time.time())] * 30))
        login.answer(number)
        self.assert_outcome(login, "exhausted", "^30 wrong codes in 24 h")

    def test_the_right_number_leaves_the_count_of_the_day_as_it_was(self):
        host = self.push_host()
        login, number = self.at_the_number(host)
        wrong = [int(time.time()) - i for i in range(WRONG_TODAY)] + [0] * (30 - WRONG_TODAY)

        def change(values):
            values[WRONG_AT], values[ROW] = wrong, WRONG_TODAY
        forge(state_file(host), change)
        login.answer(number)
        self.assert_outcome(login, "approved", "^PUSH approved")
        values = read(state_file(host))
        self.assertEqual((values[WRONG_AT], values[ROW], values[-1]), (wrong, 0, 0))

    def test_a_denied_push_warns(self):
        login = self.begin(self.push_host())
        self.device.deny(self.device.wait_for_challenge())
        self.assert_outcome(login, "denied", "^the push was denied on the phone; challenge=")
        self.assertEqual(login.logged[0][0], "warning")

    def test_three_pushes_in_five_minutes(self):
        host = self.push_host()
        for _ in range(3):
            login = self.begin(host)
            challenge = self.device.wait_for_challenge()
            login.hang_up()
            self.device.approve(challenge)
            self.assert_outcome(login, "denied", "^left while the phone was asked", seconds=5)
        login = self.begin(host)
        self.assertRegex(login.read_line(5), "^show Too many pushes")
        self.assert_outcome(login, "exhausted", "^no push to alice until")
        self.assertEqual(len(self.device.challenges()), 3)

    def test_the_administrator_sees_that_pushes_are_stopped_and_ends_it(self):
        host = self.push_host()
        login = self.begin(host)
        self.device.deny(self.device.wait_for_challenge())
        self.assert_outcome(login, "denied", "^the push was denied on the phone")
        explain = [TOOL, "--settings", host.settings, "explain", "alice", "--service", "sshd"]
        shown = subprocess.run(explain, capture_output=True, text=True, timeout=10).stdout
        self.assertRegex(shown, r"(?m)^warning +pushes: none to alice until \S+Z: one was denied")
        subprocess.run([TOOL, "--settings", host.settings, "unlock", "alice"], check=True,
                       capture_output=True)
        shown = subprocess.run(explain, capture_output=True, text=True, timeout=10).stdout
        self.assertNotIn("pushes:", shown)
        self.begin(host)
        self.device.wait_for_challenge()

    def test_a_denial_counts_though_the_user_has_left(self):
        host = self.push_host()
        login = self.begin(host)
        challenge = self.device.wait_for_challenge()
        login.hang_up()
        time.sleep(3)
        self.device.deny(challenge)
        self.assert_outcome(login, "denied", "^the push was denied on the phone", seconds=5)
        self.assertEqual(login.logged[0][0], "warning")
        login = self.begin(host)
        self.assertRegex(login.read_line(5), "^show Too many pushes")
        self.assert_outcome(login, "exhausted", "^no push to alice until")

    def test_a_silent_phone_denies_in_thirty_seconds(self):
        login = self.begin(self.push_host())
        began = time.monotonic()
        self.assert_outcome(login, "denied", "^no answer from the phone in 30 s")
        self.assertGreater(time.monotonic() - began, 28)

    def test_twilio_that_falls_silent_late_is_an_outage(self):
        login = self.begin(self.push_host())
        self.device.wait_for_challenge()
        time.sleep(max(0, login.entered_at + LATE_SECONDS - time.monotonic()))
        self.emulator_process.control("fault no-answer on fetch")
        self.assert_outcome(login, "unavailable")

    def test_no_push_where_it_cannot_be_counted(self):
        host = self.push_host(check={"state_dir": "/nonexistent"})
        login = self.begin(host)
        self.assert_outcome(login, "misconfigured", "^no push was sent: it cannot be counted")
        self.assertEqual(self.device.challenges(), [])

    def test_an_empty_answer_and_a_code_ask_no_phone(self):
        login = self.login(self.push_host())
        for answer in ("", "123456", "password"):
            login.expect_prompt(ALONE if answer == "" else
                                ALONE.replace("secret ", "secret Wrong code. "))
            login.answer(answer)
        self.assert_outcome(login, "denied", r"\(1 empty, 2 malformed\)")
        self.assertEqual(self.device.challenges(), [])


def login_notice(count):
    return f"{count} wrong codes since {time.strftime('%H:%M')}. "
