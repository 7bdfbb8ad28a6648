# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Whatever is wrong with an answer, the next question comes after the same time.

    BUILD=build /usr/bin/python3 tests/tap.py tests/check/test_time.py

Twilio is the emulator, which takes 150 ms for each code, near and 60 ms away."""

import concurrent.futures
import contextlib
import socket
import statistics
import threading
import time

from kit.checkcase import PROMPT, WRONG_PROMPT, CheckTest, Login, load_tests
from kit.parallel import alone, patience
from test_memory import USED_PROMPT, make_codes

STRANGER = "root"  # has an account everywhere, and no enrollment here
USERS = [f"user{number}" for number in range(24)]
AT_ONCE = 8
SERVICE_MS = 150


class Distance:
    """A relay on loopback that delivers every byte SECONDS later, each way."""

    def __init__(self, port, seconds):
        self.port, self.seconds = port, seconds
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.port))
                for one, other in ((near, far), (far, near)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                time.sleep(self.seconds)
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


class EqualTime(CheckTest):
    def seconds(self, host, user, answer, prompt=WRONG_PROMPT):
        """From Enter to the next question."""
        with Login(host.settings, user, timeout=host.timeout) as login:
            login.expect_prompt(PROMPT)
            time.sleep(0.7)  # Until the challenge is there.
            login.answer(answer)
            login.expect_prompt(prompt)
            return time.monotonic() - login.entered_at

    def measure(self, host, factors):
        """The median of each kind of wrong answer."""
        answers = {
            "a wrong code": lambda user: (user, factors[user].wrong_code()),
            "a stranger's code": lambda user: (STRANGER, factors[user].wrong_code()),
            "a used code": lambda user: (user, factors[user].code(), USED_PROMPT),
            "no code": lambda user: (user, "password"),
            "a stranger's password": lambda user: (STRANGER, "password"),
            "nothing": lambda user: (user, ""),
            "a wrong recovery code": lambda user: (user, "bbbb-bbbb-bbbb"),
            "a stranger's recovery code": lambda user: (STRANGER, "bbbb-bbbb-bbbb"),
        }
        # All kinds in turn, so that whatever else the machine does meets all of them.
        turns = [(kind, user) for user in USERS for kind in answers]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            taken = pool.map(lambda turn: self.seconds(host, *answers[turn[0]](turn[1])), turns)
            measured = {kind: [] for kind in answers}
            for (kind, _), seconds in zip(turns, taken):
                measured[kind].append(seconds)
        return {kind: statistics.median(seconds) for kind, seconds in measured.items()}

    def check(self, round_trip):
        emulator = self.emulator()
        emulator.control(f"clock ={emulator.now()}")
        near = self.enterContext(Distance(emulator.port, round_trip / 2))
        host = self.host(near.url, users=())
        factors = {user: emulator.factor() for user in USERS}
        for user, factor in factors.items():
            host.enroll(user, factor.identity, factor.sid)
            make_codes(host, user, 1)
        for user in USERS:
            with Login(host.settings, user, timeout=host.timeout) as login:
                login.expect_prompt(PROMPT)
                login.answer(factors[user].code())
                self.assert_outcome(login, "approved")
        emulator.control(f"fault slow={SERVICE_MS} on verify")

        medians = self.measure(host, factors)
        shown = {kind: round(seconds, 3) for kind, seconds in medians.items()}
        self.assertGreaterEqual(min(medians.values()), 0.995, shown)
        self.assertLess(max(medians.values()) - min(medians.values()), patience(0.04), shown)

    @alone
    def test_near(self):
        self.check(0)

    @alone
    def test_60_ms_away(self):
        self.check(0.06)
