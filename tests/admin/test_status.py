# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""status: one screen about a host.

    BUILD=build /usr/bin/python3 tests/tap.py tests/admin/test_status.py
"""

import json
import re
import shlex

from kit.admincase import OK, UNAVAILABLE, WRONG, AdminCase
from kit.fixture import ACCOUNT_SID, API_KEY_SID, SERVICE_SID

COUNTS = ("enrolled", "pending", "replaced", "damaged", "missing", "without_recovery_codes",
          "few_recovery_codes", "bypassed", "locked")


class Status(AdminCase):
    def setUp(self):
        super().setUp()
        self.pam = self.directory / "pam.d"
        self.pam.mkdir()
        self.module = "auth required pam_twilio_verify.so\n"

    def status(self, status=OK, prefix=()):
        done = self.run_tool("status", "--json", "--pam-dir", self.pam, prefix=prefix)
        self.assertEqual(done.status, status, done)
        return json.loads(done.out)

    def counts(self, **options):
        report = self.status(**options)
        return {name: report[name] for name in COUNTS if report[name] != "0"}

    def test_what_is_set_up_and_answers(self):
        report = self.status()
        self.assertEqual({name: report.get(name) for name in (
            "settings", "problem", "account_sid", "service_sid", "api_key_sid", "twilio",
            "services")}, {
                "settings": str(self.settings), "problem": None, "account_sid": ACCOUNT_SID,
                "service_sid": SERVICE_SID, "api_key_sid": API_KEY_SID, "twilio": "ok",
                "services": None})
        self.assertEqual(set(COUNTS) - set(report), set())
        self.assertEqual(self.operations()["service-fetch"], 1)

    def test_users_and_their_ways_in(self):
        self.assertEqual(self.counts().get("enrolled"), None)
        for user in ("root", "daemon", "bin"):
            self.enroll(user)
        self.run_tool("enroll", "sys", "--uri-only")
        self.run_tool("recovery-codes", "root", "--count", "2")
        self.run_tool("recovery-codes", "bin", "--count", "3")
        self.run_tool("bypass", "bin", "--for", "1h", "--reason", "test")
        expected = {"enrolled": "3", "pending": "1", "few_recovery_codes": "1", "bypassed": "1",
                    "without_recovery_codes": "1"}
        found = self.counts()
        self.assertEqual({name: found.get(name) for name in expected}, expected)
        self.emulator.control("fault status-503 on factor-delete")
        self.enroll_again("root")
        self.assertEqual(self.counts()["replaced"], "1")

    def enroll_again(self, user):
        done = self.run_tool("enroll", user, "--replace", "--import", "-",
                             answers=["GEZDGNBVGY3TQOJQGEZDGNBVGY"])
        self.assertIn(f"the new factor of {user} works", done.err)

    def test_who_may_log_in_and_is_not_enrolled(self):
        prefix = self.with_accounts("alice:x:4321:4321::/home/alice:/bin/sh")
        group = self.directory / "group"
        group.write_text("root:x:0:\nsudo:x:27:alice,daemon\n")
        group.chmod(0o644)
        prefix = (*prefix[:-2], prefix[-2].replace(
            'exec "$@"', f'mount --bind {group} /etc/group; exec "$@"'), prefix[-1])
        before = self.status(prefix=prefix)
        self.assertLessEqual({"root", "alice", "daemon"}, set(before["missing_users"].split()))
        self.assertEqual(int(before["missing"]), len(before["missing_users"].split()))
        self.enroll("daemon")
        after = self.status(prefix=prefix)
        self.assertEqual(set(before["missing_users"].split()) - set(after["missing_users"].split()),
                         {"daemon"})

    def test_what_becomes_of_those_who_are_not_enrolled(self):
        self.assertEqual(self.status()["unmapped_user"], "deny")
        self.settings = self.configure(login={"unmapped_user": "ignore"})
        report = self.status()
        self.assertEqual(report["unmapped_user"], "ignore")
        self.assertIn("root", report["missing_users"].split())

    def test_services_that_call_the_module(self):
        (self.pam / "common-auth").write_text(self.module)
        (self.pam / "sudo").write_text("@include common-auth\n")
        (self.pam / "sshd").write_text(self.module)
        (self.pam / "login").write_text("auth required pam_unix.so\n")
        (self.pam / "other").write_text(self.module)
        (self.pam / "su.dpkg-old").write_text(self.module)
        self.assertEqual(self.status()["services"], "sshd sudo")

    def test_many_and_odd_names_are_never_cut_or_run_together(self):
        users = [f"user-with-a-long-name-{number}" for number in range(1000, 1100)]
        lines = [f"{name}:x:4321:4321::/home/x:/bin/sh" for name in ("ann lee", "DOM\\bob", *users)]
        for name in (f"service-with-a-name-{number}" for number in range(1000, 1100)):
            (self.pam / name).write_text(self.module)
        report = self.status(prefix=self.with_accounts(*lines))
        self.assertGreater(int(report["missing"]), 100)
        missing, services = (shlex.split(report[name]) for name in ("missing_users", "services"))
        self.assertLessEqual({"ann lee", "DOM\\bob", users[0]}, set(missing))
        self.assertLessEqual({name for name in missing if name.startswith("user")}, set(users))
        self.assertLessEqual(set(services[:-1]), {path.name for path in self.pam.iterdir()})
        self.assertEqual((missing[-1], services[-1]), ("...", "..."))

    def test_what_would_refuse_logins(self):
        damaged = self.users / "root.conf"
        damaged.write_text("identity = 7;\n")
        self.assertEqual(self.status(status=WRONG)["damaged"], "1")
        damaged.unlink()
        (self.directory / "api-key").write_text("wrong\n")
        report = self.status(status=WRONG)
        self.assertEqual(report["twilio"], "refused")
        self.assertIn("credentials are wrong", report["problem"])
        (self.directory / "api-key").unlink()
        self.assertIn("api-key: No such file", self.status(status=WRONG)["problem"])
        self.settings.write_text("service = { };\n")
        report = self.status(status=WRONG)
        self.assertIn("is missing", report["problem"])
        self.assertNotIn("enrolled", report)
        self.settings.unlink()
        self.assertRegex(self.status(status=WRONG)["problem"], "No such file.*twilio-verify setup")
        for words in (["list"], ["list", "--missing"], ["enroll", "root"]):
            self.assertRegex(self.run_tool(*words).err, "No such file.*twilio-verify setup")

    def test_twilio_away_or_restricted(self):
        self.emulator.control("fault status-503")
        self.assertEqual(self.status(status=UNAVAILABLE)["twilio"], "away")
        self.emulator.control("fault clear")
        self.emulator.control("fault status-403/70051 on service-fetch")
        self.assertEqual(self.status()["twilio"], "restricted")
        (self.users / "root.conf").write_text("identity = 7;\n")
        self.emulator.control("fault clear")
        self.emulator.control("fault status-503")
        self.status(status=WRONG)

    def test_a_person_sees_every_field_on_one_screen(self):
        done = self.run_tool("status", "--pam-dir", self.pam)
        lines = dict(re.findall(r"^(\w+) +(.*)$", done.out, re.MULTILINE))
        self.assertLess(len(done.out.splitlines()), 24)
        self.assertLessEqual({"settings", "twilio", *COUNTS}, set(lines))
        self.assertEqual((lines["twilio"], lines["problem"]), ("ok", "-"))
