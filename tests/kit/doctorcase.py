# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""doctor, on a host where everything is as it should be."""

import json
import os
import unittest

from kit.admincase import OK, UNAVAILABLE, WRONG, AdminCase
from kit.fixture import CHECK, MODULE, Emulator, enroll
from kit.pamcase import PROFILE, STOCK
from kit.parallel import Parallel

IS_ROOT = os.geteuid() == 0
NOWHERE = "https://127.0.0.1:9"
needs_root = unittest.skipUnless(IS_ROOT, "needs root")


def load_tests(_loader, tests, _pattern):
    return Parallel(tests)


class DoctorCase(AdminCase):
    """With an emulator of its own for each test: they wait most of the time, side by side."""

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        self.emulator = self.enterContext(Emulator())
        super().setUp()
        self.factor = self.emulator.factor()
        self.file = enroll(self.directory, "root", self.factor.identity, self.factor.sid)
        self.pam = self.directory / "pam.d"
        self.pam.mkdir()
        for name, text in (STOCK | {"common-auth": PROFILE}).items():
            (self.pam / name).write_text(text)
        for name, text in (("sshd_config", "UsePAM yes\nPasswordAuthentication no\n"
                            "AuthenticationMethods publickey,keyboard-interactive\n"),
                           ("sudoers", "root ALL=(ALL:ALL) ALL\n")):
            (self.directory / name).write_text(text)
        self.paths = {"--helper": CHECK, "--module": MODULE, "--pam-dir": self.pam,
                      "--sshd-config": self.directory / "sshd_config",
                      "--sudoers": self.directory / "sudoers"}
        self.since = len(self.emulator.requests())

    def words(self, *words):
        return ["doctor", *words, *(word for pair in self.paths.items() for word in pair)]

    def doctor(self, *words, **options):
        """(status, {subject: [(level, text, remedy), ...]}), and never a challenge."""
        done = self.run_tool(*self.words("--json", *words), **options)
        self.assertEqual(done.err, "")
        report = {}
        for row in json.loads(done.out):
            report.setdefault(row["subject"], []).append(
                (row["level"], row["text"], row.get("remedy", "")))
        self.assert_nothing_was_changed()
        return done.status, report

    def assert_nothing_was_changed(self):
        requests = self.emulator.requests()[self.since:]
        self.assertEqual({request.method for request in requests} - {"GET"}, set())
        self.assertEqual([r for r in requests if "Challenges" in r.path], [])

    def levels(self, report):
        return {level for rows in report.values() for level, _, _ in rows}

    def assert_finds(self, subject, text, *, level="wrong", remedy="", status=WRONG, user="root",
                     words=(), **options):
        """One finding, and the verdict and the status that it makes."""
        found, report = self.doctor(*([user] if user else []), *words, **options)
        rows = [row for row in report.get(subject, []) if text in row[1]]
        self.assertEqual([row[0] for row in rows], [level], report)
        self.assertIn(remedy, rows[0][2])
        self.assertEqual(found, status, report)
        self.assertEqual(report["verdict"][0][0],
                         {OK: "ok", WRONG: "wrong", UNAVAILABLE: "away"}[status])
        return report
