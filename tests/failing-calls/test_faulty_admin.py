# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""The tool in which a call of libc fails: it tells so, no file is half-written, "list" shows every
factor that is left at Twilio, and the next call mends it."""

import json
import re
import signal
import subprocess
import unittest

from kit.failing import CRASH_LIBRARY, ERRORS, Report, count, plan, plan_seeds, plan_signals
from kit import admincase as admin
from kit.checkcase import IS_SANITIZED
from kit.fixture import API_KEY_SECRET, API_KEY_SID

OBJECT = "twilio-verify"
CALLS_MAX, SEEDS = 30, 5
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NAMES = ("root", "daemon", "bin")


@unittest.skipIf(IS_SANITIZED, "a sanitizer has its own malloc")
class FaultyTool(admin.AdminCase):
    def start_over(self):
        """A host and a Twilio on which nobody is enrolled."""
        self.emulator.control("reset")
        for path in sorted(self.users.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    def run_interrupted(self, fault, *words):
        """The tool, whose question nobody answers. Whether the signal came before it held them."""
        report = Report(self.directory, fault)
        with subprocess.Popen(self.command(*words), stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=admin.ENVIRONMENT | report.environment) as process:
            err = ""
            while not err.endswith(admin.QUESTION) and (byte := process.stderr.read(1)):
                err += byte
            # A signal that came ends it by itself; one that is still to come finds it giving up.
            if report.numbers()[0] == 0:
                process.stdin.close()
            err += process.stderr.read()
            status = process.wait(admin.PATIENCE_SECONDS)
        if status == -fault.error:
            self.assertEqual(err, "")
            self.assertFalse(any(self.users.rglob("*.conf")))
            return True
        self.assertEqual(status, admin.WRONG, err)
        self.assertIn("nothing is left at Twilio", err)
        self.assert_nothing_is_left()
        return False

    def run_faulty(self, fault, *words, answers=()):
        report = Report(self.directory, fault)
        done = self.run_tool(*words, answers=answers, environment=report.environment)
        failed, crash, _ = report.numbers()
        if fault.call == "signal" and done.status == -fault.error:
            return report, failed, done
        if crash == CRASH_LIBRARY and not fault.object:
            self.assertIn(-done.status, (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT))
        else:
            self.assertIn(done.status, (admin.OK, admin.WRONG, admin.USAGE, admin.UNAVAILABLE),
                          done.err)
            if done.status != admin.OK:
                self.assertNotEqual(done.err, "", "it failed and says nothing")
        return report, failed, done

    def listed(self):
        """User to (state, identity, factor), from a list in which nothing fails."""
        done = self.run_tool("list", "--json")
        self.assertEqual(done.status, admin.OK, done.err)
        rows = json.loads(done.out)
        self.assertNotIn("damaged", {row["state"] for row in rows})
        return [(row["user"], row["state"], row["identity"], row.get("factor_sid"))
                for row in rows]

    def check_whole(self, may_be_absent=False):
        """Every file can be read, and shows all that is at Twilio."""
        rows = self.listed()
        shown = {identity for _, _, identity, _ in rows}
        for identity in self.entities():
            self.assertTrue(identity in shown or not self.factors(identity),
                            f"{identity} is at Twilio, and no file tells")
        for user, state, identity, sid in rows:
            if state == "enrolled" and not may_be_absent:
                self.assertEqual((self.factors(identity) or {}).get(sid), "verified", user)
        return rows

    def check_mended(self):
        """The same again, without a fault."""
        self.enroll("root", *(["--replace"] if self.record() else []))
        (user, state, identity, sid), = self.check_whole()
        self.assertEqual((user, state), ("root", "enrolled"))
        self.assertEqual(self.factors(identity), {sid: "verified"})

    def judge_all(self, judge, object=OBJECT, most=CALLS_MAX, seeds=0):
        faults = plan_seeds("", seeds) if seeds else plan(count(judge, object), object, most)
        for fault in faults:
            # A file that is not there is no failure.
            if fault.call == "openat" and ERRORS["openat"][fault.error] == "ENOENT":
                continue
            with self.subTest(str(fault)):
                judge(fault)

    def judge_enroll(self, fault):
        self.start_over()
        report, _, done = self.run_faulty(fault, "enroll", "root", "--uri-only")
        rows = self.check_whole()
        if done.status == admin.OK:
            self.assertEqual([state for _, state, _, _ in rows], ["pending"])
            self.assertIn("otpauth://totp/", done.out)
        self.check_mended()
        return report

    def judge_import(self, fault):
        self.start_over()
        seed = self.directory / "seed"
        seed.write_text("GEZDGNBVGY3TQOJQGEZDGNBVGY\n")
        seed.chmod(0o600)
        report, _, done = self.run_faulty(fault, "enroll", "root", "--import", seed)
        states = [state for _, state, _, _ in self.check_whole()]
        self.assertTrue(seed.exists() and (states == ["enrolled"] or done.status != admin.OK), done)
        self.check_mended()
        return report

    def judge_bypass(self, fault):
        """There is a whole one or none, and the same call makes one."""
        words = ("bypass", "root", "--for", "1h", "--reason", "Faulty")
        self.start_over()
        self.run_tool("bypass", "root", "--end")
        report, _, done = self.run_faulty(fault, *words)
        rows = json.loads(self.run_tool("list", "--json").out)
        self.assertEqual([row["bypass_reason"] for row in rows],
                         ["Faulty"] if done.status == admin.OK or rows else [])
        self.assertEqual(self.run_tool(*words).status, admin.OK)
        directory = self.directory / "run"
        self.assertEqual({path.name for path in directory.rglob("*")}, {"bypass", "root"})
        return report

    def judge_confirm(self, fault):
        self.start_over()
        app = self.hand_over()
        report, _, done = self.run_faulty(fault, "confirm", "root", answers=[app.code()])
        rows = self.check_whole()
        if done.status == admin.OK:
            self.assertEqual([state for _, state, _, _ in rows], ["enrolled"])
        self.check_mended()
        return report

    def judge_replace(self, fault):
        self.start_over()
        self.enroll()
        before = self.record()
        app = self.hand_over("root", "--replace")
        report, _, done = self.run_faulty(fault, "confirm", "root", answers=[app.code()])
        self.check_whole()
        # Whatever fails, one of the two lets the user in.
        self.assertIsNotNone(self.record())
        if done.status == admin.OK:
            self.assertNotEqual(self.record(), before)
        self.check_mended()
        return report

    def judge_remove(self, fault):
        self.start_over()
        self.enroll()
        report, _, done = self.run_faulty(fault, "remove", "root")
        # What is deleted there, but not here, was told.
        self.check_whole(may_be_absent=done.status != admin.OK)
        if done.status == admin.OK:
            self.assert_nothing_is_left()
        self.check_mended()
        return report

    def recovery_set(self):
        path = self.users / "root.recovery"
        return path.read_text() if path.exists() else ""

    def judge_recovery_codes(self, fault):
        """The old ones or the new ones count, and who was shown codes was shown those that do."""
        self.start_over()
        self.enroll()
        self.run_tool("recovery-codes", "root", "--count", "2")
        old = self.recovery_set()
        report = Report(self.directory, fault)
        done = self.run_tool("recovery-codes", "root", "--count", "3",
                             environment=report.environment)
        report.numbers()
        if done.out:
            self.assertNotEqual(self.recovery_set(), old)
        (row,) = json.loads(self.run_tool("list", "--json").out)
        left = "2" if self.recovery_set() == old else "3"
        # A state that can't be read is made anew, and the codes that were are void.
        self.assertIn(row["recovery_codes"], {left, "0"} if fault.call in ("pread", "pwrite", "flock")
                      else {left}, (done, row))
        self.assertEqual(self.run_tool("recovery-codes", "root", "--count", "1").status, admin.OK)
        self.assertEqual(json.loads(self.run_tool("list", "--json").out)[0]["recovery_codes"], "1")
        return report

    def judge_leftovers(self, fault):
        """As after a kill while the factor was replaced: the enrolled file has a second name."""
        self.start_over()
        self.enroll()
        (self.users / ".former/root.conf").hardlink_to(self.users / "root.conf")
        report, _, done = self.run_faulty(fault, "remove", "--leftovers", "root")
        self.check_whole()
        if done.status == admin.OK:
            self.assertIsNone(self.record(state=".former"))
        return report

    def judge_signals(self, judge, signals, most):
        for fault in plan_signals(count(judge, OBJECT), OBJECT, signals, most):
            with self.subTest(str(fault)):
                judge(fault)

    def judge_list(self, fault):
        report, _, done = self.run_faulty(fault, "list", "--json")
        if done.status == admin.OK:
            self.assertEqual([row["user"] for row in json.loads(done.out)], sorted(NAMES))
        return report

    def judge_setup(self, fault):
        """Another key: the old pair of files counts or the new one, and no other."""
        self.emulator.control("reset")
        former, secret = "SK" + "0" * 32, self.directory / "api-key"
        for path in self.directory.glob("SK*"):
            path.unlink()
        old = self.configure().read_text().replace(API_KEY_SID, former)
        self.settings.write_text(f"# kept\n{old}")
        secret.write_text("former-secret\n")
        key = self.directory / "given"
        key.write_text(API_KEY_SECRET + "\n")
        key.chmod(0o600)
        words = ("setup", "--api-key-sid", API_KEY_SID, "--api-key-file", key, "--issuer",
                 "Faulty")
        report, _, done = self.run_faulty(fault, *words)
        text = self.settings.read_text()
        self.assertTrue(text.startswith("# kept\n"))
        self.assertEqual(secret.read_text(), "former-secret\n")
        if text == f"# kept\n{old}":
            self.assertNotEqual(done.status, admin.OK)
        else:
            self.assertIn(f'api_key_file = "{self.directory}/{API_KEY_SID}"', text)
            self.assertEqual((self.directory / API_KEY_SID).read_text(), key.read_text())
        if done.status > admin.OK:  # Whoever is killed undoes nothing.
            services = self.emulator.request("GET", "/v2/Services").json["services"]
            self.assertTrue(len(services) == 1 or re.search("remains at Twilio|may exist", done.err),
                            done.err)
        done = self.run_tool(*words)
        self.assertEqual(done.status, admin.OK, done.err)
        self.assertEqual(self.run_tool("list", "--check").status, admin.OK)
        return report

    def test_setup(self):
        self.judge_all(self.judge_setup)

    def test_killed_before_any_call_of_setup(self):
        self.judge_signals(self.judge_setup, (signal.SIGKILL,), 2 * CALLS_MAX)

    def test_recovery_codes(self):
        self.judge_all(self.judge_recovery_codes)

    def test_killed_before_any_call_while_recovery_codes_are_made(self):
        self.judge_signals(self.judge_recovery_codes, (signal.SIGKILL,), CALLS_MAX)

    def test_enroll(self):
        self.judge_all(self.judge_enroll)

    def test_import(self):
        self.judge_all(self.judge_import, most=CALLS_MAX // 2)

    def test_bypass(self):
        self.judge_all(self.judge_bypass, most=CALLS_MAX // 2)

    def test_confirm(self):
        self.judge_all(self.judge_confirm, most=CALLS_MAX // 2)

    def test_replace(self):
        self.judge_all(self.judge_replace, most=CALLS_MAX // 3)

    def test_remove(self):
        self.judge_all(self.judge_remove, most=CALLS_MAX // 2)

    def test_leftovers(self):
        self.judge_all(self.judge_leftovers, most=CALLS_MAX // 2)

    def test_killed_before_any_call(self):
        for judge in (self.judge_enroll, self.judge_import, self.judge_confirm, self.judge_replace,
                      self.judge_remove, self.judge_leftovers, self.judge_bypass):
            with self.subTest(judge.__name__):
                self.judge_signals(judge, [signal.SIGKILL], CALLS_MAX // 2)

    def test_interrupted_before_any_call(self):
        self.start_over()
        made = count(lambda fault: self.run_faulty(fault, "enroll", "root")[0], OBJECT)
        early = 0
        for fault in plan_signals(made, OBJECT, INTERRUPTS, CALLS_MAX):
            with self.subTest(str(fault)):
                self.start_over()
                early += self.run_interrupted(fault, "enroll", "root")
        self.assertLess(early, sum(made.values()) * len(INTERRUPTS) / 5)

    def test_a_list_is_whole_or_fails(self):
        for name in NAMES:
            self.enroll(name)
        self.judge_all(self.judge_list)

    def test_many_calls_fail(self):
        self.judge_all(self.judge_enroll, seeds=SEEDS)
