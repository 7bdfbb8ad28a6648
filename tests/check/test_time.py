# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Whatever is wrong with an answer, the next question, or the end, comes after the same time: the
times of all kinds of answers have one distribution.

    BUILD=build /usr/bin/python3 tests/tap.py tests/check/test_time.py
    BUILD=build EACH=200 /usr/bin/python3 tests/tap.py tests/check/test_time.py

EACH is how often each kind of answer is measured. Twilio is the emulator, which takes 150 ms for each
code, near and 60 ms away."""

import concurrent.futures
import contextlib
import math
import os
import random
import socket
import statistics
import subprocess
import threading
import time

from kit.checkcase import (PROMPT, START_SECONDS, WRONG_PROMPT, CheckTest, Login, load_tests)
from kit.parallel import alone, patience
from kit.statefile import ROW, forge
from test_memory import TOOL, USED_PROMPT, make_codes

STRANGER = "root"  # has an account everywhere, and no enrollment here
USERS = [f"user{number}" for number in range(int(os.environ.get("EACH", "24")))]
LOCKED = [f"locked{number}" for number in range(4)]  # too many of their codes were wrong
AT_ONCE = 8
SERVICE_MS = 150
STEP_SECONDS = 0.005  # a network hides less
CHANCE = 1e-4  # for one kind in a run
LOCKED_PROMPT = "ask-secret Wrong code. Too many wrong codes: "


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


def chance(some, others):
    """How likely two samples of one distribution differ so much: Kolmogorov and Smirnov's test."""
    some, others = ([round(seconds / STEP_SECONDS) for seconds in sample]
                    for sample in (some, others))
    share = lambda sample, limit: sum(step <= limit for step in sample) / len(sample)
    distance = max(abs(share(some, limit) - share(others, limit)) for limit in {*some, *others})
    size = len(some) * len(others) / (len(some) + len(others))
    return min(1, 2 * math.exp(-2 * size * distance ** 2))


class EqualTime(CheckTest):
    def use(self, host, user, factor):
        """A code of USER's that was approved just now."""
        code = factor.code()
        with Login(host.settings, user, timeout=host.timeout) as login:
            login.expect_prompt(PROMPT)
            login.answer(code)
            self.assert_outcome(login, "approved")
        return code

    def seconds(self, host, user, answer, text=WRONG_PROMPT):
        """From Enter to the next question, or to the end; it begins with TEXT."""
        answer = answer() if callable(answer) else answer
        with Login(host.settings, user, timeout=host.timeout) as login:
            login.read_line(START_SECONDS)
            time.sleep(0.7)  # Until the challenge is there.
            login.answer(answer)
            line = login.read_line_until(login.answered_by())
            self.assertTrue(line.startswith(text), line)
            return time.monotonic() - login.entered_at

    def lock(self, host, user):
        subprocess.run([TOOL, "--settings", host.settings, "unlock", user], check=True,
                       capture_output=True)
        forge(host.directory / "state" / f"{user}.sent", lambda values: values.__setitem__(ROW,
                                                                                           100))

    def measure(self, host, factors):
        """The times of each kind of wrong answer."""
        answers = {
            "a wrong code": lambda user: (user, factors[user].wrong_code()),
            "a stranger's code": lambda user: (STRANGER, factors[user].wrong_code()),
            "a used code": lambda user: (
                user, lambda: self.use(host, user, factors[user]), USED_PROMPT),
            "no code": lambda user: (user, "password"),
            "a stranger's password": lambda user: (STRANGER, "password"),
            "nothing": lambda user: (user, ""),
            "a wrong recovery code": lambda user: (user, "bbbb-bbbb-bbbb"),
            "a stranger's recovery code": lambda user: (STRANGER, "bbbb-bbbb-bbbb"),
            "a locked user's code": lambda user: (random.choice(LOCKED), "123456", "exhausted: "),
            "a locked user's wrong recovery code": lambda user: (
                random.choice(LOCKED), "bbbb-bbbb-bbbb", LOCKED_PROMPT),
        }
        # Whatever else the machine does meets all kinds.
        turns = [(kind, user) for user in USERS
                 for kind in random.sample(list(answers), len(answers))]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            taken = pool.map(lambda turn: self.seconds(host, *answers[turn[0]](turn[1])), turns)
            measured = {kind: [] for kind in answers}
            for (kind, _), seconds in zip(turns, taken):
                measured[kind].append(seconds)
        return measured

    def check(self, round_trip):
        emulator = self.emulator()
        emulator.control(f"clock ={emulator.now()}")
        near = self.enterContext(Distance(emulator.port, round_trip / 2))
        host = self.host(near.url, users=())
        factors = {user: emulator.factor() for user in (*USERS, *LOCKED)}
        for user, factor in factors.items():
            host.enroll(user, factor.identity, factor.sid)
            make_codes(host, user, 1)
        for user in LOCKED:
            self.lock(host, user)
        emulator.control(f"fault slow={SERVICE_MS} on verify")

        measured = self.measure(host, factors)
        medians = {kind: statistics.median(seconds) for kind, seconds in measured.items()}
        shown = {kind: round(seconds, 3) for kind, seconds in medians.items()}
        self.assertGreaterEqual(min(medians.values()), 0.995, shown)
        self.assertLess(max(medians.values()) - min(medians.values()), patience(0.04), shown)
        for kind, seconds in measured.items():
            others = sum((other for name, other in measured.items() if name != kind), [])
            self.assertGreater(chance(seconds, others), CHANCE, (kind, shown))

    @alone
    def test_near(self):
        self.check(0)

    @alone
    def test_60_ms_away(self):
        self.check(0.06)
