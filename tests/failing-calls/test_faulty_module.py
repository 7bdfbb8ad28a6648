# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The module in which a call of libc fails, with a scripted check program: only its word lets in,
and the host's descriptors, signals and children are afterwards what they were before."""

import os
import shutil
import tempfile
import unittest

from kit.failing import Report, count, plan, run_all

from kit import scripted

ANSWER = "314159265"
CALLS_MAX = 60
SECONDS_MAX = 20  # a check program that does not end takes 5, twice
SCRIPTS = {
    "approved": scripted.asks_and_ends_with("approved: x"),
    "denied": scripted.asks_and_ends_with("denied: x"),
    "failed": scripted.asks_and_ends_with("approved: x") + ["exit 1"],
}


@unittest.skipIf(scripted.is_sanitized(), "a sanitizer has its own malloc")
class FaultyModule(unittest.TestCase):
    def run_login(self, fault, script):
        directory = tempfile.mkdtemp(prefix="faulty-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        report = Report(directory, fault)
        login = scripted.Login(directory, SCRIPTS[script], "--answer", ANSWER,
                               env=os.environ | report.environment)
        out, _, status = login.end()
        # libpam may not even start then, which is the driver's affair.
        self.assertIn(status, (0, 2) if fault.object == "libpam.so" else (0,))
        return report, login if out else None

    def judge(self, fault, script):
        report, login = self.run_login(fault, script)
        failed, _, _ = report.numbers()
        if login is None:
            return failed
        # Where waitid(2) says that the host reaped the child, its status is unknown.
        is_reaped = fault.call == "waitid"
        if script != "approved" and not (script == "failed" and is_reaped):
            self.assertNotEqual(login.code, "PAM_SUCCESS")
        self.assertNotEqual(login.code, "PAM_IGNORE")
        self.assertLess(login.ms, SECONDS_MAX * 1000)
        # Without a pidfd nothing may be signalled, and nothing waited for.
        survivors, changes = login.survivors(), login.report["changes"]
        if fault.call in ("waitid", "syscall"):
            changes.pop("children", None)
        else:
            self.assertEqual(survivors, [])
        self.assertEqual(changes, {})
        text = "\n".join(line["text"] for line in login.report["log"])
        self.assertNotIn(ANSWER, text)
        return failed

    def judge_all(self, object, script, most):
        made = count(lambda fault: self.run_login(fault, script)[0], object)
        faults = plan(made, object, most)
        self.assertGreater(run_all(self, faults, lambda fault: self.judge(fault, script)), 0)

    def test_a_call_of_the_module_fails_and_the_program_approves(self):
        self.judge_all("pam_twilio_verify", "approved", CALLS_MAX)

    def test_a_call_of_the_module_fails_and_the_program_denies(self):
        self.judge_all("pam_twilio_verify", "denied", CALLS_MAX // 2)

    def test_a_call_of_the_module_fails_and_the_program_fails(self):
        self.judge_all("pam_twilio_verify", "failed", CALLS_MAX // 2)

    def test_a_call_of_libpam_fails(self):
        self.judge_all("libpam.so", "approved", CALLS_MAX // 4)
