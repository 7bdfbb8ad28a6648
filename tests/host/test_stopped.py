# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The check program is stopped at each of its system calls after Enter, as the control group that its
user freezes does it, by no signal: it never says that Twilio is away.

    BUILD=build tests/login/enter /usr/bin/python3 tests/tap.py tests/host/test_stopped.py"""

import concurrent.futures
import contextlib
import time

from hostcase import NAME, OUTAGE, HostCase, load_tests
from kit.fixture import BUILD, temporary_directory
from kit.checkcase import Host, Login
from kit.liar import RIGHT, WRONG, Connection, close_at_once, dropped, for_ever, lost, slowly
from kit.servers import NameServer

STOP_AT = BUILD / "stop-at"
AT_ONCE = 24  # they sleep
LIMIT_SECONDS = 1
UNTIL_THE_END_MS = 1800  # of the limit, and of the clock that ends the login
SHORTLY_BEFORE_MS = 985
FOR_EVER = 10**6  # calls: there are not so many
WARM, COLD = "warm", "cold"

IMPATIENT_MS, IMPATIENT_LIMIT_SECONDS = 1500, 10

silence = Connection.hang


def impatient(connection):
    """Ends a handshake that takes too long."""
    connection.peer.settimeout(IMPATIENT_MS / 1000)
    connection.shake_hands()
    connection.peer.settimeout(None)
    connection.serve_requests()


class Stopped(HostCase):

    def stop(self, server, number, stop_ms, start, answer, name, limit=LIMIT_SECONDS, **groups):
        """One login, stopped when it enters a call. (whether it was stopped, the call's number, its
        last line, the seconds after Enter in which it was not stopped)"""
        with temporary_directory() as directory, contextlib.ExitStack() as stack:
            report = directory / "report"
            host = Host(directory, self.url(server, name),
                        service={"timeout_seconds": limit}, **groups)
            login = stack.enter_context(Login(
                host.settings, timeout=limit + stop_ms / 1000,
                prefix=(STOP_AT, report, str(number), str(stop_ms))))
            if start == COLD:  # All is to be done after Enter.
                login.answer(answer)
            login.expect_prompt(seconds=20)
            if start == WARM:
                login.settle()
                login.answer(answer)
            line = login.read_line(20)
            if line.startswith("ask-secret "):
                login.hang_up()
                line = login.read_line(20)
            login.process.wait(20)
            word, call, held_ms = report.read_text().split()
            seconds = time.monotonic() - login.entered_at - int(held_ms) / 1000
            return word == "stopped", int(call), line, seconds

    def play(self, stop_ms, start=WARM, name="127.0.0.1", step=1, is_silent=False, groups=None,
             **script):
        """Stops at each call, or at every STEP, until there are no more. The outcomes.

        A service that IS_SILENT may be called away where it had all its time without the stop: the
        program was stopped when the time was over, or in work of this host's own."""
        server = self.liar(**script)
        outcomes = {}
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for first in range(1, FOR_EVER, AT_ONCE * step):
                numbers = range(first, first + AT_ONCE * step, step)
                runs = list(pool.map(
                    lambda number: self.stop(server, number, stop_ms, start, WRONG, name,
                                             **groups or {}), numbers))
                for number, (is_stopped, call, line, seconds) in zip(numbers, runs):
                    outcome = line.partition(":")[0]
                    if not is_stopped:
                        return outcomes
                    outcomes.setdefault(outcome, []).append(number)
                    if not is_silent or seconds < 0.9 * LIMIT_SECONDS:
                        self.assertNotEqual(outcome, OUTAGE,
                                            f"stopped at call {number}, number {call}: {line}")

    def test_until_the_time_is_over(self):
        outcomes = self.play(UNTIL_THE_END_MS)
        self.assertIn("misconfigured", outcomes)

    def test_until_the_time_is_over_before_there_is_a_connection(self):
        with NameServer({NAME: "127.0.0.1"}):
            outcomes = self.play(UNTIL_THE_END_MS, COLD, name=NAME)
        self.assertGreater(len(outcomes["misconfigured"]), 30)

    def test_until_the_time_is_over_where_the_code_goes_along_with_the_challenge(self):
        for start in (WARM, COLD):
            outcomes = self.play(UNTIL_THE_END_MS, start, step=2,
                                 groups={"login": {"create_challenge": "with_code"}})
            self.assertIn("misconfigured", outcomes)

    def test_until_the_time_is_over_while_it_asks_what_became_of_a_code(self):
        self.play(UNTIL_THE_END_MS, step=2, verify=for_ever(lost()))

    def test_until_shortly_before_the_time_is_over(self):
        self.play(SHORTLY_BEFORE_MS, step=3)
        with NameServer({NAME: "127.0.0.1"}):
            self.play(SHORTLY_BEFORE_MS, COLD, name=NAME, step=3)

    def test_where_the_service_is_slow_and_answers_in_time(self):
        """The other side's time is not enough for it, with what this host adds."""
        self.play(SHORTLY_BEFORE_MS, step=3, verify=for_ever(slowly(0.3)))

    def test_where_the_service_ends_a_handshake_that_takes_too_long(self):
        """For less than half of the limit, but longer than a server waits: whoever has stopped it
        before Enter too, as long as he likes, has spoilt the first of its two tries."""
        def run(number):
            server = self.liar(connect=[close_at_once, impatient, impatient])
            return self.stop(server, number, IMPATIENT_MS * 2, COLD, WRONG, "127.0.0.1",
                             IMPATIENT_LIMIT_SECONDS)

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            lines = [line for _, _, line, _ in pool.map(run, range(1, 2 * AT_ONCE))]
        self.assertEqual([line for line in lines if line.startswith(OUTAGE)], [])
        self.assertIn("misconfigured", {line.partition(":")[0] for line in lines})

    def test_where_the_service_is_silent_it_is_still_this_host_that_stood_still(self):
        self.play(UNTIL_THE_END_MS, step=5, is_silent=True, verify=for_ever(dropped(silence)),
                  fetch=for_ever(dropped(silence)))

    def test_not_stopped_a_silent_service_is_away(self):
        server = self.liar(verify=for_ever(dropped(silence)), fetch=for_ever(dropped(silence)))
        for start in (WARM, COLD):
            is_stopped, _, line, _ = self.stop(server, FOR_EVER, 0, start, RIGHT, "127.0.0.1")
            self.assertFalse(is_stopped)
            self.assertTrue(line.startswith(OUTAGE + ": "), line)

    def test_a_right_code_that_is_not_held_up_lets_in(self):
        is_stopped, _, line, _ = self.stop(self.liar(), FOR_EVER, 0, WARM, RIGHT, "127.0.0.1")
        self.assertFalse(is_stopped)
        self.assertTrue(line.startswith("approved: "), line)
