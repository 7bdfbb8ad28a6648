#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The check program is killed at each of its system calls after Enter: no code that was sent is left
uncounted, and no file is left half-written.

    BUILD=build tests/login/enter /usr/bin/python3 tests/tap.py tests/host/test_killed.py"""

import concurrent.futures
import contextlib

from hostcase import HostCase, load_tests
from test_stopped import FOR_EVER, STOP_AT
from kit.checkcase import Host, Login
from kit.fixture import temporary_directory
from kit.liar import RIGHT
from kit.statefile import CLAIMS, ROW, UNTOLD, WRONG_AT, read

AT_ONCE = 8


class Killed(HostCase):
    def kill(self, server, number, answer):
        """One login, killed when it enters the call of that number after Enter. (whether it was, the
        values of its file)"""
        with temporary_directory() as directory, contextlib.ExitStack() as stack:
            report = directory / "report"
            host = Host(directory, server.url, login={"attempts": 1})
            login = stack.enter_context(
                Login(host.settings, timeout=20, prefix=(STOP_AT, report, str(number), "kill")))
            login.expect_prompt(seconds=20)
            login.settle()
            login.answer(answer)
            login.process.wait(60)
            is_killed = report.read_text().split()[0] == "stopped"
            values = read(directory / "state" / "alice.sent")
            with Login(host.settings, timeout=20) as after:  # The file can be used.
                after.expect_prompt(seconds=20)
            return is_killed, values

    def each_call(self, server, answer):
        """At the first call, the second, and so on, until there are no more, and without a kill: what
        the file says."""
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for first in range(1, FOR_EVER, AT_ONCE):
                numbers = range(first, first + AT_ONCE)
                logins = list(pool.map(lambda n: self.kill(server, n, answer(n)), numbers))
                yield from ((number, values) for number, (_, values) in zip(numbers, logins))
                if not any(is_killed for is_killed, _ in logins):
                    return

    def test_what_was_sent_is_counted(self):
        server = self.liar()
        counts = []
        for number, values in self.each_call(server, lambda number: f"{number:06}"):
            sent = server.codes.count(f"{number:06}")
            counted = sum(time != 0 for time in values[WRONG_AT])
            self.assertGreaterEqual(counted, sent, f"killed at call {number}")
            self.assertEqual((values[ROW], values[UNTOLD]), (counted, counted), number)
            counts.append((sent, counted))
        self.assertEqual(set(counts), {(0, 0), (0, 1), (1, 1)})

    def test_a_right_code_is_counted_until_the_approval_is_noted(self):
        server = self.liar()
        counts = []
        for number, values in self.each_call(server, lambda number: RIGHT):
            counted = sum(time != 0 for time in values[WRONG_AT])
            self.assertEqual((values[ROW], values[UNTOLD]), (counted, counted), number)
            counts.append((counted, any(values[CLAIMS])))
        self.assertEqual(set(counts), {(0, False), (1, True), (0, True)})

