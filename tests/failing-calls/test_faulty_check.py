# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The check program in which a call of libc fails, against the emulator: who is let in was approved
there; it comes to an end, without a crash, and says no secret.

    BUILD=build /usr/bin/python3 tests/tap.py tests/failing-calls
"""

import contextlib
import re
import shutil
import signal
import subprocess
import unittest

from kit.failing import (CRASH_LIBRARY, FULL, Fault, Report, count, plan, plan_seeds, plan_signals,
                         run_all)
from kit.fixture import BUILD, Emulator, enroll, temporary_directory, write_settings
from kit.checkcase import IS_SANITIZED, START_SECONDS, Login

TOOL = BUILD / "twilio-verify"
TIMEOUT_SECONDS = 2
GRACE_SECONDS = 1.5
OBJECTS = ("twilio-verify-check", "/proc/self/fd")  # our own two; the rest is libraries
LIBCONFIG_WITHOUT_MEMORY = 2  # it ends the process
OWN_MAX, LIBRARY_MAX, SEEDS = 100, 40, 20


@unittest.skipIf(IS_SANITIZED, "a sanitizer has its own malloc")
class FaultyCheck(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = cls.enterClassContext(Emulator("--set", "challenge-limits=off"))
        cls.factor = cls.emulator.factor()

    @contextlib.contextmanager
    def host(self):
        """The settings of a host of its own, which remembers nothing."""
        with temporary_directory() as directory:
            shutil.copy(self.emulator.ca_file, directory / "ca.pem")
            settings = write_settings(directory, self.emulator.url,
                                      service={"timeout_seconds": TIMEOUT_SECONDS},
                                      login={"attempts": 2,
                                             "exempt_services": ["cron"]})
            enroll(directory, "alice", self.factor.identity, self.factor.sid)
            yield settings

    def run_login(self, fault, is_right, user="alice"):
        """One login with a fault; its report and its last line."""
        code = self.factor.code() if is_right else self.factor.wrong_code()
        with self.host() as settings:
            return self.run_on(settings, fault, code, user)

    def run_on(self, settings, fault, code, user="alice"):
        report = Report(settings.parent, fault)
        with Login(settings, user, environment=report.environment, errors_expected=True,
                   timeout=TIMEOUT_SECONDS) as login:
            line = login.read_line(START_SECONDS)
            while line is not None and line.startswith(("ask-secret ", "show ")):
                if line.startswith("ask-secret "):
                    login.answer(code)
                line = login.read_line(TIMEOUT_SECONDS + GRACE_SECONDS)
            if line is not None:
                self.assertIsNone(login.read_line(1), "bytes after the verdict")
            status = login.wait(GRACE_SECONDS)
            login.check_leaks()
        if fault.call == "signal" and report.numbers()[0]:
            self.assertIn(-status, (fault.error, signal.SIGILL))
        # libconfig and others fall over a failing malloc(3); no verdict comes of it.
        elif report.numbers()[1] == CRASH_LIBRARY and not fault.object:
            self.assertIsNone(line)
            self.assertIn(-status, (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT))
        elif status == LIBCONFIG_WITHOUT_MEMORY and not fault.object:
            self.assertIsNone(line)
        else:
            self.assertEqual(status, 0, f"after {line!r}")
        return report, line

    def approved_there(self, line):
        sid = re.search(r"challenge=(YC\w{32})", line)[1]
        path = f"{self.emulator.entity_path(self.factor.identity)}/Challenges/{sid}"
        return self.emulator.request("GET", path).json["status"] == "approved"

    def judge(self, fault, is_right=True, user="alice"):
        report, line = self.run_login(fault, is_right, user)
        outcome = (line or "").partition(":")[0]
        self.assertNotEqual(outcome, "not-required")
        self.assertNotEqual(outcome, "broken")
        if outcome == "approved":
            self.assertTrue(is_right and user == "alice" and self.approved_there(line), line)
        return report.numbers()[0]

    def judge_all(self, faults, **login):
        self.assertGreater(run_all(self, faults, lambda fault: self.judge(fault, **login)), 0)

    def count(self, object):
        return count(lambda fault: self.run_login(fault, True)[0], object)

    def test_nothing_fails(self):
        report, line = self.run_login(Fault("count", 0, 0, ""), True)
        self.assertEqual(report.numbers()[0], 0)
        self.assertTrue(line.startswith("approved: "), line)

    def test_each_call_of_ours_fails(self):
        for object in OBJECTS:
            self.judge_all(plan(self.count(object), object, OWN_MAX))

    def test_a_call_of_ours_fails_for_a_wrong_code(self):
        for object in OBJECTS:
            self.judge_all(plan(self.count(object), object, OWN_MAX // 4), is_right=False)

    def test_a_call_of_ours_fails_for_somebody_who_is_not_enrolled(self):
        object, _ = OBJECTS
        self.judge_all(plan(self.count(object), object, OWN_MAX // 4), user="nobody")

    def test_a_call_of_a_library_fails(self):
        made = self.count("")
        # OpenSSL reads its certificates with thousands of these.
        self.judge_all(plan({call: min(number, 4000 if FULL else number)
                             for call, number in made.items()}, "", LIBRARY_MAX))

    def test_many_calls_fail(self):
        self.judge_all(plan_seeds("", SEEDS))

    def make_recovery_codes(self, settings):
        done = subprocess.run([TOOL, "--settings", settings, "recovery-codes", "alice",
                               "--count", "2"], check=True, capture_output=True, text=True)
        return done.stdout.split()

    def judge_recovery(self, fault):
        """A login with a recovery code and a fault, and two more without one, with it and with
        another code: it counts once at most, and the other one is not lost."""
        nothing = Fault("count", 0, 0, "")
        with self.host() as settings:
            code, other = self.make_recovery_codes(settings)
            report, *lines = self.run_on(settings, fault, code)
            lines.append(self.run_on(settings, nothing, code)[1])
            said = [line is not None and line.startswith("approved: RECOVERY CODE")
                    for line in lines]
            self.assertLessEqual(sum(said), 1, lines)
            line = self.run_on(settings, nothing, other)[1]
            self.assertTrue(line.startswith("approved: RECOVERY CODE used, 0 "), (lines, line))
        return report.numbers()[0]

    def test_killed_at_each_step_or_failing_a_recovery_code_counts_once_at_most(self):
        object, _ = OBJECTS
        with self.host() as settings:
            code, _ = self.make_recovery_codes(settings)
            made = count(lambda fault: self.run_on(settings, fault, code)[0], object)
        self.assertLessEqual({"openat", "pread", "pwrite", "flock", "fsync", "send"}, set(made))
        faults = plan_signals(made, object, (signal.SIGKILL,), OWN_MAX)
        faults += plan(made, object, OWN_MAX // 2)
        self.assertGreater(run_all(self, faults, self.judge_recovery), 0)
