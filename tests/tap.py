#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Runs the unittest files of directories, or single ones, and prints TAP, each line at once.

    BUILD=build /usr/bin/python3 tests/tap.py [-k PART_OF_A_NAME] tests/check
"""

import argparse
import pathlib
import signal
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class TapResult(unittest.TestResult):
    """One line for each test; what a failure says follows as diagnostics."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.complaints = []

    def startTest(self, test):
        super().startTest(test)
        self.complaints = []

    def _line(self, verdict, test, remark=""):
        self.count += 1
        print(f"{verdict} {self.count} - {sentence(test)}{remark}", flush=True)

    def _complain(self, test, error):
        text = self._exc_info_to_string(error, test)  # Without unittest's own frames.
        print("".join(f"# {line}\n" for line in [str(test), *text.splitlines()]), end="",
              flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        if not self.complaints:
            self._line("ok", test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._line("not ok", test)
        self._complain(test, error)

    addError = addFailure

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.complaints.append((subtest, error))

    def stopTest(self, test):
        super().stopTest(test)
        if self.complaints:
            self._line("not ok", test)
        for subtest, error in self.complaints:
            self._complain(subtest, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line("ok", test, f" # SKIP {reason}")

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self._line("ok", test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._line("not ok", test, " (was expected to fail)")


def sentence(test):
    """The name of TEST in words; what has no method (a class that can't be set up) as it is."""
    method = getattr(test, "_testMethodName", None)
    if method is None:
        return test.id()
    return f"{type(test).__name__}: {method.removeprefix('test_').replace('_', ' ')}"


def tests_in(path, part):
    """The tests of a directory, or of one file, with PART in their names."""
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{part}*"]
    directory, pattern = (path, "test_*.py") if path.is_dir() else (path.parent, path.name)
    return loader.discover(str(directory), pattern=pattern, top_level_dir=str(directory))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", dest="part", default="", help="only tests with this in their names")
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()

    sys.path.insert(0, str(HERE))
    result = TapResult()
    for path in arguments.paths:
        tests_in(path, arguments.part).run(result)
    print(f"1..{result.count}", flush=True)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    # A shell in the background ignores these two, and so would every program that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    sys.exit(main())
