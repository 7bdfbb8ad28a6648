# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""People with a phone, and what is said of their logins."""

import contextlib
import pathlib
import re

from logincase import PASSWORD_AND_CODE, SudoCase, machine
from kit.device import Device
from kit.machine import SECRETS, eventually
from kit.parallel import patience

QUESTION = 'Verification code, or "push": '
PUSH_ALONE = 'Type "push" to ask your phone: '
NUMBER = "Number on your phone: "
PUSH_SECONDS = 30  # from Enter to the last word


class PushCase(SudoCase):
    """People with a phone."""

    def person(self, name, has_app=True):
        person = machine.person(name)
        person.phone = Device(machine.emulator, person.factor.identity).enroll()
        text = f'identity = "{person.factor.identity}";\n'
        text += f'push_factor_sid = "{person.phone.sid}";\n'
        if has_app:
            text += f'factor_sid = "{person.factor.sid}";\n'
        (SECRETS / "users" / f"{person.name}.conf").write_text(text)
        self.defaults(person, "passwd_tries=1")
        return person

    def begin_ssh(self, person, word="push", question=QUESTION, server=None):
        """A login at sshd that has just asked for a push."""
        terminal = self.enterContext((server or self.server).login(person.name))
        terminal.answer("Password: ", person.password)
        terminal.answer(question, word)
        return terminal

    def begin_sudo(self, person, question=QUESTION):
        terminal = self.terminal(person, "sudo", "-k", "id", "-un")
        terminal.answer(f"[sudo] password for {person.name}: ", person.password)
        terminal.answer(question, "push")
        return terminal

    def give_number(self, person, terminal, challenge, offset=0):
        """Types the number that the phone shows, or one that is OFFSET larger; the status."""
        number = (int(person.phone.number(challenge)) - 10 + offset) % 90 + 10
        terminal.answer(NUMBER, str(number))
        return terminal.finish()

    def ended(self, person, count=1, seconds=PUSH_SECONDS + 15):
        """The last of COUNT lines in the log, once there are so many."""
        lines = eventually(lambda: person.log(0), lambda found: len(found) >= count,
                           patience(seconds))
        self.assertEqual(len(lines), count, lines)
        return lines[-1]

    def assert_ended(self, person, outcome, reason, level="NOTICE", count=1):
        line = self.ended(person, count)
        self.assertRegex(line.text, rf' outcome={outcome} reason="[^"]*{reason}')
        self.assertEqual(line.level, level, line)
        self.assert_no_secret(person)
        return int(re.search(r" ms=(\d+)", line.text)[1]) / 1000

    def assert_refused_push(self, terminal, person, reason, outcome="denied", count=1):
        self.assert_ended(person, outcome, reason, count=count)
        if outcome == "exhausted":  # ssh(1) asks for a password when sshd lists no method any more.
            terminal.hang_up()
        else:
            self.assertIn(terminal.finish(), (1, 255))
        self.assertNotRegex(terminal.text, rf"(?m)^(root|{person.name})$")

    def assert_warned(self, person, reason):
        [line] = machine.journal.find(rf"user={person.name} .*{reason}.*no push for an hour")
        self.assertEqual(line.level, "WARNING", line)

    def assert_pushes(self, person, count):
        self.assertEqual(len(person.phone.challenges()), count)

    def check_of(self, terminal):
        """The check program below TERMINAL."""
        for program in self.check_programs():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if self._is_below(int(program["PPid"]), terminal.pid):
                    return program
        raise AssertionError("there is no check program")

    @staticmethod
    def _is_below(pid, ancestor):
        while pid > 1 and pid != ancestor:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            pid = int(re.search(r"PPid:\t(\d+)", status)[1])
        return pid == ancestor


def use_recipes(cls):
    machine.use_recipe("sshd-password-and-code", "sshd")
    machine.use_recipe("sudo", "sudo")
    cls.server = cls.sshd(*PASSWORD_AND_CODE)
