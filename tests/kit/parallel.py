# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Tests side by side, and tests made of tables. Standard library only."""

import concurrent.futures
import contextlib
import os
import re
import sys
import time
import unittest


def patience(seconds):
    """More of it on a machine with more to run than it can: in the last minute, or just now."""
    with open("/proc/loadavg") as file:
        minute, _, _, now, _ = file.read().split()
    load = max(float(minute), int(now.partition("/")[0]))
    return seconds * max(1, load / len(os.sched_getaffinity(0)) / 2)


def each(**tables):
    """A class decorator: METHOD=ROWS makes a test of every row, {sentence: arguments}."""
    def decorate(case):
        for name, rows in tables.items():
            method = getattr(case, name)
            for sentence, row in rows.items():
                def test(self, method=method, row=row):
                    method(self, **row)
                test_name = "test_" + re.sub(r"\W+", "_", sentence).strip("_")
                assert not hasattr(case, test_name), test_name
                test.__name__ = test_name
                test.__qualname__ = f"{case.__name__}.{test_name}"
                setattr(case, test_name, test)
        return case
    return decorate


def at_once(function, rows):
    """Calls FUNCTION with the arguments of each row, side by side; raises what the first raised."""
    rows = list(rows)
    with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:
        for call in [pool.submit(function, *row) for row in rows]:
            call.result()


def alone(method):
    """For a test that takes the whole machine."""
    method.alone = True
    return method


class Recorder:
    """A test result that is told again later, in order."""

    failfast = shouldStop = False

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        if not re.match(r"(start|stop|add)[A-Z]", name):
            raise AttributeError(name)
        return lambda *arguments: self.calls.append((name, arguments))

    def replay(self, result):
        for name, arguments in self.calls:
            if hasattr(result, name):
                getattr(result, name)(*arguments)


class Parallel(unittest.TestSuite):
    """Runs its tests in WORKERS threads, those marked @alone last and alone; reports them in order.

    The context manager SHARED stands around them all."""

    def __init__(self, tests=(), workers=8, shared=contextlib.nullcontext):
        super().__init__(tests)
        self.workers, self.shared = workers, shared

    def run(self, result, debug=False):
        tests = sorted(self._flat(self), key=self._is_alone)
        with self.shared():
            with concurrent.futures.ThreadPoolExecutor(self.workers) as pool:
                together = [test for test in tests if not self._is_alone(test)]
                for recorder in [pool.submit(self.record, test) for test in together]:
                    recorder.result().replay(result)
            for test in tests[len(together):]:
                self.record(test).replay(result)
        return result

    @staticmethod
    def _is_alone(test):
        return hasattr(getattr(test, getattr(test, "_testMethodName", ""), None), "alone")

    @classmethod
    def _flat(cls, suite):
        for test in suite:
            if isinstance(test, unittest.TestSuite):
                yield from cls._flat(test)
            else:
                yield test

    @staticmethod
    def record(test):
        recorder = Recorder()
        began = time.monotonic()
        test.run(recorder)
        if os.environ.get("TIMES"):
            print(f"{time.monotonic() - began:6.2f} s {test.id()}", file=sys.stderr)
        return recorder
