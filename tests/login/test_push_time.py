# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Push where each reply takes long: the verdict is in time, and an approval in time counts."""

import time

from logincase import at_once, machine, setUpModule
from pushcase import PUSH_SECONDS, PushCase, use_recipes
from kit.parallel import patience


class Slow:
    """Each reply takes SECONDS."""

    @classmethod
    def setUpClass(cls):
        use_recipes(cls)
        machine.emulator.control(f"fault slow={cls.SECONDS * 1000} on create")
        machine.emulator.control(f"fault slow={cls.SECONDS * 1000} on fetch")
        cls.addClassCleanup(machine.emulator.control, "fault clear")

    def late(self):
        person = self.person("pushslow")
        terminal = self.begin_ssh(person)
        entered = time.monotonic()
        challenge = person.phone.wait_for_challenge()
        payload = {"AuthPayload": person.phone.payload(challenge, "approved")}
        time.sleep(max(0, self.APPROVED_AT - (time.monotonic() - entered)))
        path = person.phone.challenge_path(challenge)
        self.assertEqual(person.phone.request("POST", path, payload).status, 200)
        self.assertEqual(self.give_number(person, terminal, challenge), 0, terminal.text)

    def silent(self):
        person = self.person("pushslow")
        terminal = self.begin_ssh(person)
        began = time.monotonic()
        self.assert_ended(person, "denied", "no answer from the phone")
        self.assertLess(time.monotonic() - began, patience(PUSH_SECONDS + 2))
        self.assertEqual(terminal.finish(), 255)


@at_once
class SlowByASecond(Slow, PushCase):
    SECONDS, APPROVED_AT = 1, 25

    def test_a_late_approval_lets_in(self):
        self.late()

    def test_a_silent_phone_is_refused_in_time(self):
        self.silent()


@at_once
class SlowByFiveSeconds(Slow, PushCase):
    SECONDS, APPROVED_AT = 5, 17

    def test_a_late_approval_lets_in(self):
        self.late()

    def test_a_silent_phone_is_refused_in_time(self):
        self.silent()
